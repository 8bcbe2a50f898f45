"""Lambda: traffic by weight and its metrics, aliases, policies, and URLs."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime, timezone

from harness import THROWING, refused, returning, same, until

SPLIT = {"AdditionalVersionWeights": {"2": 0.5}}


def weights_divide_invocations(sandbox):
    function = sandbox.function("split", returning("one"), returning("two"))
    sandbox.client("lambda").update_alias(FunctionName=function, Name="live", RoutingConfig=SPLIT)
    began = time.time()
    seen = Counter()
    for ask in ({"FunctionName": "split:live"}, {"FunctionName": "split", "Qualifier": "live"}):
        for _ in range(15):
            answer = sandbox.client("lambda").invoke(**ask)
            text = json.loads(answer["Payload"].read())
            same(text, {"1": "one", "2": "two"}[answer["ExecutedVersion"]])
            seen[answer["ExecutedVersion"]] += 1
    assert seen["1"] and seen["2"], seen
    for version in "12":
        dimensions = {"FunctionName": "split", "Resource": "split:live", "ExecutedVersion": version}
        same(total(sandbox, "Invocations", dimensions, began), seen[version])
    same(total(sandbox, "Invocations", {"FunctionName": "split", "Resource": "split:live"}, began), 30)
    same(total(sandbox, "Invocations", {"FunctionName": "split"}, began), 30)
    same(total(sandbox, "Errors", {"FunctionName": "split"}, began), 0)


def total(sandbox, metric, dimensions, began, statistic="Sum"):
    dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    points = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=dimensions,
        Period=60,
        Statistics=[statistic],
        StartTime=datetime.fromtimestamp(began - 1, timezone.utc),
        EndTime=datetime.fromtimestamp(time.time() + 1, timezone.utc),
    )["Datapoints"]
    return sum(point[statistic] for point in points)


def streams_follow_the_weights(sandbox):
    sandbox.function("streamed", returning("one"), THROWING)
    aws, began = sandbox.client("lambda"), time.time()

    def invoke():
        answer = aws.invoke_with_response_stream(FunctionName="streamed:live", Payload=b"{}")
        [chunk, end] = list(answer["EventStream"])
        return answer["ExecutedVersion"], chunk["PayloadChunk"]["Payload"], end["InvokeComplete"]

    same(invoke(), ("1", b'"one"', {}))
    aws.update_alias(FunctionName="streamed", Name="live", RoutingConfig=SPLIT)
    answers = [until_version(invoke, version) for version in "12"]
    same(answers[0][1:], (b'"one"', {}))
    same((answers[1][2]["ErrorCode"], json.loads(answers[1][1])["errorMessage"]), ("Unhandled", "broken"))
    executed = {"FunctionName": "streamed", "Resource": "streamed:live", "ExecutedVersion": "2"}
    assert total(sandbox, "Errors", executed, began) >= 1
    same(refused(aws.invoke_with_response_stream, FunctionName="gone"), "ResourceNotFoundException")


def until_version(invoke, version):
    """The answer of an invocation that went to this version; each goes there half of the time."""
    return until(lambda: (answer := invoke())[0] == version and answer, f"version {version} runs")


def errors_are_counted(sandbox):
    function = sandbox.function("faulty", returning("fine"), THROWING)
    began = time.time()
    same(sandbox.invoke("faulty:2")["FunctionError"], "Unhandled")
    assert "FunctionError" not in sandbox.invoke("faulty:live")
    same(total(sandbox, "Errors", {"FunctionName": "faulty"}, began), 1)
    same(total(sandbox, "Errors", {"FunctionName": "faulty", "Resource": "faulty:2"}, began), 1)
    same(total(sandbox, "Errors", {"FunctionName": "faulty", "Resource": "faulty:live"}, began), 0)
    assert total(sandbox, "Duration", {"FunctionName": "faulty"}, began, "Maximum") > 0
    sandbox.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="2")
    same(sandbox.invoke("faulty:live", InvocationType="Event")["StatusCode"], 202)
    executed = {"FunctionName": "faulty", "Resource": "faulty:live", "ExecutedVersion": "2"}
    until(lambda: total(sandbox, "Errors", executed, began) == 3, "it is tried three times")


def dry_runs_and_the_missing_are_not_counted(sandbox):
    sandbox.function("dry", returning("x"))
    began = time.time()
    same(sandbox.invoke("dry:live", InvocationType="DryRun")["StatusCode"], 204)
    for name in ("dry:gone", "dry:7", "no-such-function"):
        for kind in ("RequestResponse", "Event"):
            same(refused(sandbox.invoke, name, InvocationType=kind), "ResourceNotFoundException", name)
    same(total(sandbox, "Invocations", {"FunctionName": "dry"}, began), 0)


def aliases_with_weights_are_guarded(sandbox):
    function = sandbox.function("guarded", returning("1"), returning("2"), returning("3"))
    aws = sandbox.client("lambda")

    def update(weights=None, **change):
        if weights is not None:
            change["RoutingConfig"] = {"AdditionalVersionWeights": weights}
        return aws.update_alias(FunctionName=function, Name="live", **change)

    for weights in ({"2": 0.1, "3": 0.1}, {"2": 1.0}, {"1": 0.5}, {"$LATEST": 0.5}):
        same(refused(update, weights), "InvalidParameterValueException", weights)
    same(refused(update, {"2": 0.1}, FunctionVersion="$LATEST"), "InvalidParameterValueException")
    same(refused(update, {"9": 0.1}), "ResourceNotFoundException")
    same(refused(update, FunctionVersion="9"), "ResourceNotFoundException")
    revision = update({"2": 0.1})["RevisionId"]
    same(refused(update, FunctionVersion="2"), "InvalidParameterValueException", "promoted in two calls")
    same(refused(update, {}, FunctionVersion="2", RevisionId="stale"), "PreconditionFailedException")
    same(
        refused(
            aws.put_provisioned_concurrency_config,
            FunctionName=function,
            Qualifier="live",
            ProvisionedConcurrentExecutions=1,
        ),
        "InvalidParameterValueException",
    )
    assert "RoutingConfig" not in update({}, FunctionVersion="2", RevisionId=revision)
    same(
        refused(aws.create_alias, FunctionName=function, Name="12", FunctionVersion="1"),
        "InvalidParameterValueException",
    )
    same(refused(aws.create_alias, FunctionName=function, Name="x", FunctionVersion="9"), "ResourceNotFoundException")
    aws.update_function_configuration(FunctionName=function, Role="arn:aws:iam::000000000000:role/other")
    version = aws.publish_version(FunctionName=function)["Version"]
    same(refused(update, {version: 0.1}), "InvalidParameterValueException", "another role")


def policies_belong_to_qualifiers(sandbox):
    function = sandbox.function("owned", returning("1"))
    aws = sandbox.client("lambda")
    aws.create_alias(FunctionName=function, Name="latest", FunctionVersion="1")
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sqs.amazonaws.com"}
    for alias in ("live", "latest"):
        aws.add_permission(FunctionName=function, Qualifier=alias, **grant)
    same(refused(aws.add_permission, FunctionName=function, Qualifier="live", **grant), "ResourceConflictException")
    same(refused(aws.add_permission, FunctionName=function, Qualifier="gone", **grant), "ResourceNotFoundException")
    same(refused(aws.get_policy, FunctionName=function), "ResourceNotFoundException")
    policy = json.loads(aws.get_policy(FunctionName=function, Qualifier="live")["Policy"])
    same(policy["Statement"][0]["Resource"], "arn:aws:lambda:us-east-1:000000000000:function:owned:live")
    aws.remove_permission(FunctionName=function, Qualifier="live", StatementId="s")
    same(refused(aws.get_policy, FunctionName=function, Qualifier="live"), "ResourceNotFoundException")
    aws.delete_alias(FunctionName=function, Name="latest")
    aws.create_alias(FunctionName=function, Name="latest", FunctionVersion="1")
    same(refused(aws.get_policy, FunctionName=function, Qualifier="latest"), "ResourceNotFoundException")
    grants = {"StatementId": "x", "Action": "lambda:InvokeFunction", "Principal": "*", "SourceArn": "a" * 21000}
    same(
        refused(aws.add_permission, FunctionName=function, Qualifier="live", **grants), "PolicyLengthExceededException"
    )


ECHO = """
import json
def handler(event, context):
    http = event["requestContext"]["http"]
    status = int((event.get("queryStringParameters") or {}).get("status", "200"))
    said = {"method": http["method"], "path": event["rawPath"], "body": event.get("body")}
    said["version"] = context.function_version
    return {"statusCode": status, "headers": {"x-kind": "echo"}, "body": json.dumps(said)}
"""


def call(url, method="GET", body=None, headers=None):
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def urls_belong_to_aliases(sandbox):
    function = sandbox.function("site", ECHO, THROWING)
    aws = sandbox.client("lambda")
    ask = {"FunctionName": function, "Qualifier": "live"}
    made = aws.create_function_url_config(**ask, AuthType="NONE")
    same(made["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:site:live")
    same(refused(aws.create_function_url_config, **ask, AuthType="NONE"), "ResourceConflictException")
    url = made["FunctionUrl"]
    same(call(url)[0], 403)
    aws.add_permission(
        **ask, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*", FunctionUrlAuthType="NONE"
    )
    same(call(url)[0], 403, "one statement is not enough")
    aws.add_permission(
        **ask, StatementId="via", Action="lambda:InvokeFunction", Principal="*", InvokedViaFunctionUrl=True
    )
    status, headers, body = call(url + "a/b?x=1", "POST", b'{"n":1}', {"Content-Type": "application/json"})
    same((status, headers["x-kind"]), (200, "echo"))
    same(json.loads(body), {"method": "POST", "path": "/a/b", "body": '{"n":1}', "version": "1"})
    same(call(url + "?status=404")[0], 404)
    began = time.time()
    aws.update_alias(FunctionName=function, Name="live", FunctionVersion="2")
    status, _, body = call(url)
    same((status, json.loads(body)), (502, {"Message": "Internal Server Error"}))
    executed = {"FunctionName": "site", "Resource": "site:live", "ExecutedVersion": "2"}
    for metric in ("Url5xxCount", "UrlRequestCount", "Errors"):
        same(total(sandbox, metric, executed, began), 1, metric)
    manage_url(aws, ask, url)


def manage_url(aws, ask, url):
    same(aws.update_function_url_config(**ask, AuthType="AWS_IAM", Cors={"AllowOrigins": ["*"]})["FunctionUrl"], url)
    same(call(url)[0], 403)
    status, headers, _ = call(url, headers={"Authorization": "AWS4-HMAC-SHA256 x", "Origin": "https://o"})
    same((status, headers["access-control-allow-origin"]), (502, "*"))
    same(
        [
            one["FunctionUrl"]
            for one in aws.list_function_url_configs(FunctionName=ask["FunctionName"])["FunctionUrlConfigs"]
        ],
        [url],
    )
    same(aws.get_function_url_config(**ask)["Cors"], {"AllowOrigins": ["*"]})
    same(
        refused(aws.create_function_url_config, FunctionName="site", Qualifier="gone", AuthType="NONE"),
        "ResourceNotFoundException",
    )
    aws.delete_function_url_config(**ask)
    same(refused(aws.delete_function_url_config, **ask), "ResourceNotFoundException")
    same(call(url)[0], 404)


WORKER = """
def handler(event, context):
    print("worked", context.function_version)
    assert context.function_version == "1"
"""


def a_queue_follows_the_weights(sandbox):
    """What ministack's triggers deliver is divided and counted like everything else, and is no call in the journal."""
    sandbox.function("worker", WORKER, WORKER + "\n")
    aws, sqs = sandbox.client("lambda"), sandbox.client("sqs")
    aws.update_alias(FunctionName="worker", Name="live", RoutingConfig=SPLIT)
    queue = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    arn = "arn:aws:lambda:us-east-1:000000000000:function:worker:live"
    mapping = aws.create_event_source_mapping(
        EventSourceArn="arn:aws:sqs:us-east-1:000000000000:work", FunctionName=arn, BatchSize=1
    )
    same(mapping["FunctionArn"], arn)
    began = time.time()
    last = sandbox.admin("journal")["last"]
    for number in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))

    def counted(metric, version):
        return total(
            sandbox, metric, {"FunctionName": "worker", "Resource": "worker:live", "ExecutedVersion": version}, began
        )

    until(lambda: counted("Invocations", "1") and counted("Errors", "2"), "both versions work")
    same(counted("Errors", "1"), 0)
    aws.delete_event_source_mapping(UUID=mapping["UUID"])
    assert "Invoke" not in [call["operation"] for call in sandbox.admin(f"journal?since={last}")["calls"]]


def a_topic_calls_an_alias(sandbox):
    sandbox.function("listener", WORKER, WORKER + "\n")
    sandbox.client("lambda").update_alias(FunctionName="listener", Name="live", FunctionVersion="2")
    sns = sandbox.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    arn = "arn:aws:lambda:us-east-1:000000000000:function:listener:live"
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    began = time.time()
    sns.publish(TopicArn=topic, Message="x")
    executed = {"FunctionName": "listener", "Resource": "listener:live", "ExecutedVersion": "2"}
    until(lambda: total(sandbox, "Errors", executed, began), "the failure is counted")


CHECKS = [
    weights_divide_invocations,
    streams_follow_the_weights,
    errors_are_counted,
    dry_runs_and_the_missing_are_not_counted,
    aliases_with_weights_are_guarded,
    policies_belong_to_qualifiers,
    urls_belong_to_aliases,
    a_queue_follows_the_weights,
    a_topic_calls_an_alias,
]
