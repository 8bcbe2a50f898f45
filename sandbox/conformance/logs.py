"""What a function leaves in CloudWatch Logs, and how often a failed asynchronous invocation is tried."""

import base64
import re

from harness import THROWING, contains, refused, returning, same, until

START = re.compile(r"START RequestId: (\S+) Version: (\S+)\n")


def lines(sandbox, function):
    """The events of a function's log in order; none if there is no log yet."""
    logs = sandbox.client("logs")
    try:
        return logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []


def attempts(sandbox, function):
    """The names of the invocations that have ended, one for each attempt."""
    ended = [re.match(r"END RequestId: (\S+)\n", event["message"]) for event in lines(sandbox, function)]
    return [found.group(1) for found in ended if found]


def a_throwing_hook_leaves_three_attempts(sandbox):
    """Lambda tries it twice more; all three attempts have one name."""
    function = sandbox.function("retried", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_retried", THROWING)
    id = sandbox.deploy(sandbox.group("retried"), function, hooks={"BeforeAllowTraffic": "CodeDeployHook_retried"})
    names = until(
        lambda: len(found := attempts(sandbox, "CodeDeployHook_retried")) == 3 and found, "it is tried three times"
    )
    same(len(set(names)), 1, "names of the attempts")
    events = lines(sandbox, "CodeDeployHook_retried")
    starts = [START.fullmatch(event["message"]) for event in events if event["message"].startswith("START ")]
    same([found.groups() for found in starts], [(names[0], "$LATEST")] * 3)
    errors = [event["message"] for event in events if event["message"].startswith("[ERROR] RuntimeError: broken\n")]
    same(len(errors), 3, "errors")
    contains(errors[0], 'Traceback (most recent call last):\n  File "/var/task/index.py", line 2, in handler\n')
    times = [event["timestamp"] for event in events]
    same(times, sorted(times), "times")
    # The first retry comes after one minute and the second two minutes later, which the speed makes short.
    apart = [event["timestamp"] for event in events if event["message"].startswith("START ")]
    assert apart[1] - apart[0] >= 100 and apart[2] - apart[1] >= 200, apart
    sandbox.client("codedeploy").stop_deployment(deploymentId=id)
    same(sandbox.ended(id)["status"], "Stopped")


def an_event_of_a_bucket_is_tried_under_one_name(sandbox):
    sandbox.function("stored", THROWING)
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="stored")
    function = "arn:aws:lambda:us-east-1:000000000000:function:stored"
    events = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
    configuration = {"LambdaFunctionConfigurations": [events]}
    s3.put_bucket_notification_configuration(Bucket="stored", NotificationConfiguration=configuration)
    s3.put_object(Bucket="stored", Key="k", Body=b"")
    names = until(lambda: len(found := attempts(sandbox, "stored")) == 3 and found, "it is tried three times")
    same(len(set(names)), 1, "names of the attempts")


def an_invocation_is_logged(sandbox):
    sandbox.function("logged", "def handler(event, context):\n    print('said')\n    return context.aws_request_id\n")
    answer = sandbox.invoke("logged:live", LogType="Tail")
    id = answer["ResponseMetadata"]["RequestId"]
    same(answer["Payload"].read().decode(), f'"{id}"')
    told = [event["message"] for event in lines(sandbox, "logged")]
    same(told[:3], [f"START RequestId: {id} Version: 1\n", "said\n", f"END RequestId: {id}\n"])
    used = r"Memory Size: 128 MB\tMax Memory Used: \d+ MB\t\n"
    report = rf"REPORT RequestId: {id}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t{used}"
    assert re.fullmatch(report, told[3]), told[3]
    same(base64.b64decode(answer["LogResult"]).decode(), "".join(told))


ENDING = "import os, time\ndef handler(event, context):\n    time.sleep(9) if event['slow'] else os._exit(1)\n"
NODE = "exports.handler = async () => { throw new TypeError('broken') }"


def every_end_has_its_line(sandbox):
    sandbox.function("ending", ENDING, Timeout=1)
    sandbox.function("ending-node", NODE, runtime="nodejs20.x", file="index.js")
    for name, payload, line, kind, report in [
        (
            "ending",
            {"slow": True},
            r"\S+Z {id} Task timed out after 1.00 seconds\n\n",
            "Sandbox.Timedout",
            "Status: timeout",
        ),
        (
            "ending",
            {"slow": False},
            r"RequestId: {id} Error: Runtime exited without providing a reason\nRuntime.ExitError\n",
            "Runtime.ExitError",
            "Status: error\tError Type: Runtime.ExitError",
        ),
        ("ending-node", {}, r'\S+Z\t{id}\tERROR\tInvoke Error \t\{{"errorType":"TypeError".*\n', "TypeError", "MB\t"),
    ]:
        answer = sandbox.invoke(name, payload)
        same(answer["FunctionError"], "Unhandled")
        contains(answer["Payload"].read().decode(), f'"errorType": "{kind}"')
        id = answer["ResponseMetadata"]["RequestId"]
        told = [event["message"] for event in lines(sandbox, name)]
        told = told[told.index(f"START RequestId: {id} Version: $LATEST\n") :]
        assert re.fullmatch(line.format(id=id), told[1]), told
        same(told[2], f"END RequestId: {id}\n")
        contains(told[3], f"{report}\n")


def retries_can_be_set(sandbox):
    """For a function and for an alias; no qualifier is the same as `$LATEST`."""
    aws = sandbox.client("lambda")
    for name in ("untried", "tried"):
        sandbox.function(name, THROWING)
    get = aws.get_function_event_invoke_config
    same(refused(get, FunctionName="untried"), "ResourceNotFoundException")
    put = aws.put_function_event_invoke_config
    same(refused(put, FunctionName="untried", MaximumRetryAttempts=3), "InvalidParameterValueException")
    put(FunctionName="untried", MaximumRetryAttempts=0)
    config = aws.update_function_event_invoke_config(FunctionName="untried", MaximumEventAgeInSeconds=60)
    same((config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]), (0, 60))
    same(get(FunctionName="untried", Qualifier="$LATEST")["FunctionArn"], config["FunctionArn"])
    put(FunctionName="tried", Qualifier="live", MaximumRetryAttempts=1)
    for name in ("untried", "tried:live", "tried"):
        same(sandbox.invoke(name, InvocationType="Event")["StatusCode"], 202)
    # The last invocation has all three attempts; by its end the others would have had theirs.
    until(lambda: len(attempts(sandbox, "tried")) == 5, "two and three attempts are made")
    same(len(attempts(sandbox, "untried")), 1)
    aws.delete_function_event_invoke_config(FunctionName="untried")
    same(refused(get, FunctionName="untried"), "ResourceNotFoundException")


def logs_are_filtered(sandbox):
    sandbox.function("filtered", "def handler(event, context):\n    print(event['say'])\n")
    for say in ("an ERROR", "it timed out", "fine"):
        sandbox.invoke("filtered", {"say": say})
    logs = sandbox.client("logs")
    for pattern, found in [("ERROR", 1), ('?ERROR ?"timed out"', 2), ("nothing", 0)]:
        answer = logs.filter_log_events(logGroupName="/aws/lambda/filtered", filterPattern=pattern)
        same(len(answer["events"]), found, pattern)


CHECKS = [
    a_throwing_hook_leaves_three_attempts,
    an_event_of_a_bucket_is_tried_under_one_name,
    an_invocation_is_logged,
    every_end_has_its_line,
    retries_can_be_set,
    logs_are_filtered,
]
