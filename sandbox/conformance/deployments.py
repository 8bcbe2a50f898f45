"""Deployments from start to end, with hooks, alarms, stops and rollbacks."""

from harness import ALARM, SESSION, THROWING, appspec, connect, contains, refused, reporting, returning, same, until

# Three seconds at the speed of these checks: enough to look at the alias while its traffic is divided.
CANARY = "CodeDeployDefault.LambdaCanary10Percent30Minutes"
ROLLBACK = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]}


def all_at_once(sandbox):
    function = sandbox.function("once", returning("one"), returning("two"))
    id = sandbox.deploy(sandbox.group("once"), function, description="said")
    info = sandbox.ended(id)
    same((info["status"], info["creator"], info["computePlatform"]), ("Succeeded", "user", "Lambda"))
    same(info["description"], "said")
    assert info["createTime"] < info["startTime"] <= info["completeTime"]
    same(sorted(info["revision"]["appSpecContent"]), ["sha256"], "the text is not returned")
    same(sandbox.alias(function), ("2", {}))
    target = sandbox.target(id)
    batch_get = sandbox.client("codedeploy").batch_get_deployment_targets
    [one] = batch_get(deploymentId=id, targetIds=[function])["deploymentTargets"]
    same(one, {"deploymentTargetType": "LambdaTarget", "lambdaTarget": target})
    same(target["status"], "Succeeded")
    same(
        target["lambdaFunctionInfo"],
        {
            "functionName": "once",
            "functionAlias": "live",
            "currentVersion": "1",
            "targetVersion": "2",
            "targetVersionWeight": 1.0,
        },
    )
    names = [event["lifecycleEventName"] for event in target["lifecycleEvents"]]
    same(names, ["BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"])
    same(sandbox.events(id), ["Succeeded"] * 3)


def canary_with_hooks(sandbox):
    """Weights go up only after the first hook reported, and are gone at the end."""
    function = sandbox.function("canary", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_good", reporting("Succeeded"))
    hooks = {"BeforeAllowTraffic": "CodeDeployHook_good", "AfterAllowTraffic": "CodeDeployHook_good"}
    id = sandbox.deploy(sandbox.group("canary", CANARY), function, hooks=hooks)
    seen = until(lambda: sandbox.alias(function)[1] and sandbox.alias(function), "the canary gets traffic")
    same(seen, ("1", {"2": 0.1}))
    same(sandbox.target(id)["lambdaFunctionInfo"]["targetVersionWeight"], 0.1)
    same(sandbox.events(id), ["Succeeded", "InProgress", "Pending"])
    same(sandbox.ended(id)["status"], "Succeeded")
    same(sandbox.alias(function), ("2", {}))
    same(sandbox.events(id), ["Succeeded"] * 3)


def linear_steps(sandbox):
    function = sandbox.function("linear", returning("one"), returning("two"))
    deploy = sandbox.client("codedeploy")
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 30, "linearInterval": 5}}
    deploy.create_deployment_config(
        deploymentConfigName="thirds", computePlatform="Lambda", trafficRoutingConfig=routing
    )
    id = sandbox.deploy(sandbox.group("linear", "thirds"), function)
    seen = []

    def ended():
        weight = sandbox.alias(function)[1].get("2")
        if weight and weight not in seen:
            seen.append(weight)
        return sandbox.deployment(id)["status"] == "Succeeded"

    until(ended, "it ends")
    same(seen, [0.3, 0.6, 0.9])


def failing_hook_before(sandbox):
    function = sandbox.function("before", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_bad", reporting("Failed"))
    group = sandbox.group("before", autoRollbackConfiguration=ROLLBACK)
    id = sandbox.deploy(group, function, hooks={"BeforeAllowTraffic": "CodeDeployHook_bad"})
    info = sandbox.ended(id)
    same((info["status"], info["errorInformation"]["code"]), ("Failed", "HOOK_EXECUTION_FAILURE"))
    contains(info["errorInformation"]["message"], "lifecycle event validation functions failed")
    same(sandbox.events(id), ["Failed", "Skipped", "Skipped"])
    rolled_back(sandbox, info, function)


def rolled_back(sandbox, info, function):
    """The rollback of a deployment from 1 to 2, seen from both sides."""
    id, by = info["deploymentId"], info["rollbackInfo"]["rollbackDeploymentId"]
    contains(info["rollbackInfo"]["rollbackMessage"], f"Automatic rollback is triggered with a DeploymentId {by}.")
    rollback = sandbox.ended(by)
    same((rollback["status"], rollback["creator"]), ("Succeeded", "codeDeployRollback"))
    same(rollback["deploymentConfigName"], "CodeDeployDefault.LambdaAllAtOnce")
    same(
        rollback["rollbackInfo"],
        {
            "rollbackTriggeringDeploymentId": id,
            "rollbackMessage": f"Deployment {by} is triggered to roll back deployment {id}.",
        },
    )
    same(sandbox.alias(function), ("1", {}))
    same(sandbox.events(by), ["Succeeded"] * 3)


def failing_hook_after(sandbox):
    """The second hook finds out when all traffic has moved; the rollback brings it back."""
    function = sandbox.function("after", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_after", reporting("Failed"))
    group = sandbox.group("after", autoRollbackConfiguration=ROLLBACK)
    id = sandbox.deploy(group, function, hooks={"AfterAllowTraffic": "CodeDeployHook_after"})
    info = sandbox.ended(id)
    same(sandbox.target(id)["lambdaFunctionInfo"]["targetVersionWeight"], 1.0)
    same(sandbox.events(id), ["Succeeded", "Succeeded", "Failed"])
    rolled_back(sandbox, info, function)


def throwing_hook_times_out(sandbox):
    """That a hook throws is not noticed; an hour later its time is up."""
    function = sandbox.function("throwing", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_throws", THROWING)
    id = sandbox.deploy(sandbox.group("throwing"), function, hooks={"BeforeAllowTraffic": "CodeDeployHook_throws"})
    until(lambda: sandbox.deployment(id)["status"] == "InProgress", "it starts")
    info = sandbox.ended(id)
    same((info["status"], info["errorInformation"]["code"]), ("Failed", "TIMEOUT"))
    assert info["completeTime"].timestamp() - info["startTime"].timestamp() >= 3600 / 600 - 0.1
    assert "rollbackInfo" not in info


def hook_reports(sandbox):
    function = sandbox.function("reports", returning("one"), returning("two"))
    sandbox.function("CodeDeployHook_silent", SILENT)
    id = sandbox.deploy(sandbox.group("reports"), function, hooks={"BeforeAllowTraffic": "CodeDeployHook_silent"})
    execution = until(lambda: execution_id(sandbox), "the hook is invoked")
    report = sandbox.client("codedeploy").put_lifecycle_event_hook_execution_status
    known = {"deploymentId": id, "lifecycleEventHookExecutionId": execution}
    same(refused(report, **known, status="Pending"), "InvalidLifecycleEventHookExecutionStatusException")
    same(
        refused(report, deploymentId=id, lifecycleEventHookExecutionId="x", status="Failed"),
        "InvalidLifecycleEventHookExecutionIdException",
    )
    same(
        refused(report, deploymentId="d-000000000", lifecycleEventHookExecutionId=execution, status="Failed"),
        "DeploymentDoesNotExistException",
    )
    same(report(**known, status="Succeeded")["lifecycleEventHookExecutionId"], execution)
    same(refused(report, **known, status="Succeeded"), "LifecycleEventAlreadyCompletedException")
    same(sandbox.ended(id)["status"], "Succeeded")


SILENT = """
def handler(event, context):
    print("execution", event["LifecycleEventHookExecutionId"])
"""


def execution_id(sandbox):
    logs = sandbox.client("logs")
    try:
        events = logs.filter_log_events(logGroupName="/aws/lambda/CodeDeployHook_silent")["events"]
    except logs.exceptions.ResourceNotFoundException:
        return None
    said = [event["message"].split()[1] for event in events if event["message"].startswith("execution ")]
    return said[0] if said else None


def hook_without_permission(sandbox):
    """The managed policy allows only hooks whose name says so; a grant cures it."""
    function = sandbox.function("permission", returning("one"), returning("two"))
    sandbox.function("other_name", reporting("Succeeded"))
    group = sandbox.group("permission")
    info = sandbox.ended(sandbox.deploy(group, function, hooks={"BeforeAllowTraffic": "other_name"}))
    same(info["errorInformation"]["code"], "IAM_ROLE_PERMISSIONS")
    contains(info["errorInformation"]["message"], "AWSLambda")
    grant = '{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}}'
    sandbox.client("iam").put_role_policy(RoleName="permission-role", PolicyName="hook", PolicyDocument=grant)
    id = sandbox.deploy(group, function, hooks={"BeforeAllowTraffic": "other_name"})
    same(sandbox.ended(id)["status"], "Succeeded")


def roles_that_do_not_do(sandbox):
    """A role that is gone, or may not touch the alias."""
    function = sandbox.function("roleless", returning("one"), returning("two"))
    iam = sandbox.client("iam")
    group = sandbox.group("roleless", role=sandbox.role("bare", policies=[]))
    same(sandbox.ended(sandbox.deploy(group, function))["errorInformation"]["code"], "IAM_ROLE_PERMISSIONS")
    iam.delete_role(RoleName="bare")
    same(sandbox.ended(sandbox.deploy(group, function))["errorInformation"]["code"], "IAM_ROLE_MISSING")
    same(sandbox.alias(function), ("1", {}))


def accounts_and_regions_are_apart(sandbox):
    """A hook reports to the account that it runs in."""
    other = sandbox.elsewhere("123456789012", "eu-west-1")
    function = other.function("apart", returning("one"), returning("two"))
    other.function("CodeDeployHook_apart", reporting("Succeeded"))
    id = other.deploy(other.group("apart"), function, hooks={"BeforeAllowTraffic": "CodeDeployHook_apart"})
    same(other.ended(id)["status"], "Succeeded")
    same(other.target(id)["targetArn"], "arn:aws:lambda:eu-west-1:123456789012:function:apart:live")
    for account, region in [("123456789012", "us-east-1"), (sandbox.account, "eu-west-1")]:
        get = sandbox.elsewhere(account, region).client("codedeploy").get_deployment
        same(refused(get, deploymentId=id), "DeploymentDoesNotExistException")


def an_assumed_role_acts_in_its_account(sandbox):
    trust = '{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}}'
    there = sandbox.elsewhere("210987654321", sandbox.region)
    role = there.client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    key = sandbox.client("sts").assume_role(RoleArn=role, RoleSessionName="s")["Credentials"]
    assumed = connect(SESSION, sandbox.endpoint, "codedeploy", key["AccessKeyId"], token=key["SessionToken"])
    assumed.create_application(applicationName="assumed", computePlatform="Lambda")
    same(there.client("codedeploy").list_applications()["applications"], ["assumed"])


def hook_that_is_missing(sandbox):
    function = sandbox.function("nohook", returning("one"), returning("two"))
    id = sandbox.deploy(sandbox.group("nohook"), function, hooks={"BeforeAllowTraffic": "CodeDeployHook_gone"})
    same(sandbox.ended(id)["errorInformation"]["code"], "INVALID_LAMBDA_FUNCTION")


def alarm_during_the_shift(sandbox):
    function = sandbox.function("alarmed", returning("one"), returning("two"))
    alarm(sandbox, "shift-alarm")
    group = sandbox.group(
        "alarmed",
        CANARY,
        alarmConfiguration={"enabled": True, "alarms": [{"name": "shift-alarm"}]},
        autoRollbackConfiguration=ROLLBACK,
    )
    id = sandbox.deploy(group, function)
    until(lambda: sandbox.alias(function)[1], "traffic moves")
    sandbox.client("cloudwatch").set_alarm_state(AlarmName="shift-alarm", StateValue="ALARM", StateReason="test")
    info = sandbox.ended(id)
    same((info["status"], info["errorInformation"]["code"]), ("Stopped", "ALARM_ACTIVE"))
    contains(info["errorInformation"]["message"], "Activated alarms: <shift-alarm>")
    same(sandbox.events(id), ["Succeeded", "Failed", "Skipped"])
    rolled_back(sandbox, info, function)


def alarm(sandbox, name):
    sandbox.client("cloudwatch").put_metric_alarm(AlarmName=name, **ALARM)


def alarm_before_the_start(sandbox):
    """The call succeeds; the deployment stops before it touches the alias. An override without alarms goes through."""
    function = sandbox.function("firing", returning("one"), returning("two"))
    alarm(sandbox, "firing-alarm")
    sandbox.client("cloudwatch").set_alarm_state(AlarmName="firing-alarm", StateValue="ALARM", StateReason="test")
    group = sandbox.group("firing", alarmConfiguration={"enabled": True, "alarms": [{"name": "firing-alarm"}]})
    info = sandbox.ended(sandbox.deploy(group, function))
    same((info["status"], info["errorInformation"]["code"]), ("Stopped", "ALARM_ACTIVE"))
    same(sandbox.alias(function), ("1", {}))
    id = sandbox.deploy(group, function, overrideAlarmConfiguration={"enabled": False, "alarms": []})
    info = sandbox.ended(id)
    same((info["status"], info["overrideAlarmConfiguration"]["enabled"]), ("Succeeded", False))


def alarm_that_is_missing(sandbox):
    function = sandbox.function("unread", returning("one"), returning("two"))
    alarms = {"enabled": True, "alarms": [{"name": "no-such-alarm"}]}
    group = sandbox.group("unread", alarmConfiguration=alarms)
    same(sandbox.ended(sandbox.deploy(group, function))["status"], "Stopped")
    id = sandbox.deploy(group, function, overrideAlarmConfiguration={**alarms, "ignorePollAlarmFailure": True})
    same(sandbox.ended(id)["status"], "Succeeded")


def stop_with_rollback(sandbox):
    function = sandbox.function("stopped", returning("one"), returning("two"))
    group = sandbox.group("stopped", CANARY)
    id = sandbox.deploy(group, function)
    until(lambda: sandbox.alias(function)[1], "traffic moves")
    same(refused(sandbox.deploy, group, function), "DeploymentLimitExceededException")
    stop = sandbox.client("codedeploy").stop_deployment
    same(stop(deploymentId=id, autoRollbackEnabled=True)["status"], "Pending")
    info = sandbox.ended(id)
    same((info["status"], info["errorInformation"]["code"]), ("Stopped", "MANUAL_STOP"))
    rolled_back(sandbox, info, function)
    same(refused(stop, deploymentId=id), "DeploymentAlreadyCompletedException")


def stop_without_rollback(sandbox):
    """The alias stays divided, and the next deployment fails until somebody clears it."""
    function = sandbox.function("divided", returning("one"), returning("two"))
    group = sandbox.group("divided", CANARY, autoRollbackConfiguration=ROLLBACK)
    id = sandbox.deploy(group, function, autoRollbackConfiguration={"enabled": False, "events": []})
    until(lambda: sandbox.alias(function)[1], "traffic moves")
    sandbox.client("codedeploy").stop_deployment(deploymentId=id, autoRollbackEnabled=False)
    assert "rollbackInfo" not in sandbox.ended(id)
    same(sandbox.alias(function), ("1", {"2": 0.1}))
    no_rollback = {"enabled": False, "events": []}
    again = sandbox.ended(sandbox.deploy(group, function, autoRollbackConfiguration=no_rollback))
    same((again["status"], again["errorInformation"]["code"]), ("Failed", "INVALID_LAMBDA_CONFIGURATION"))
    same(sandbox.alias(function), ("1", {"2": 0.1}))


def targets_that_do_not_fit(sandbox):
    function = sandbox.function("unfit", returning("one"), returning("two"))
    group = sandbox.group("unfit")
    for settings, code, words in [
        ({"current": "2", "target": "1"}, "INVALID_LAMBDA_CONFIGURATION", "does not match the current version"),
        ({"current": "1", "target": "1"}, "INVALID_LAMBDA_CONFIGURATION", "has an invalid configuration."),
        ({"target": "9"}, "INVALID_LAMBDA_FUNCTION", ""),
        ({"alias": "gone"}, "INVALID_LAMBDA_FUNCTION", ""),
    ]:
        info = sandbox.ended(sandbox.deploy(group, function, **settings))
        same((info["status"], info["errorInformation"]["code"]), ("Failed", code), settings)
        contains(info["errorInformation"]["message"], words)
    same(sandbox.alias(function), ("1", {}))
    info = sandbox.ended(sandbox.deploy(group, "no-such-function"))
    same(info["errorInformation"]["code"], "INVALID_LAMBDA_FUNCTION")


def different_roles(sandbox):
    """Traffic cannot be divided between two roles, but it can move all at once."""
    function = sandbox.function("roles", returning("one"))
    aws = sandbox.client("lambda")
    aws.update_function_configuration(FunctionName=function, Role="arn:aws:iam::000000000000:role/other")
    aws.publish_version(FunctionName=function)
    group = sandbox.group("roles", CANARY)
    same(sandbox.ended(sandbox.deploy(group, function))["errorInformation"]["code"], "INVALID_LAMBDA_CONFIGURATION")
    id = sandbox.deploy(group, function, deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")
    same(sandbox.ended(id)["status"], "Succeeded")


def appspec_from_s3_and_from_rubbish(sandbox):
    function = sandbox.function("sources", returning("one"), returning("two"))
    group, deploy, s3 = sandbox.group("sources"), sandbox.client("codedeploy"), sandbox.client("s3")
    rubbish = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "garbage: ["}}
    ask = {"applicationName": group, "deploymentGroupName": group}
    info = sandbox.ended(deploy.create_deployment(**ask, revision=rubbish)["deploymentId"])
    same((info["status"], info["errorInformation"]["code"]), ("Failed", "INVALID_REVISION"))
    s3.create_bucket(Bucket="specs")
    s3.put_object(Bucket="specs", Key="a/appspec.yaml", Body=YAML.encode())
    location = {"bucket": "specs", "key": "a/appspec.yaml", "bundleType": "YAML"}
    id = deploy.create_deployment(**ask, revision={"revisionType": "S3", "s3Location": location})["deploymentId"]
    same(sandbox.ended(id)["status"], "Succeeded")
    same(sandbox.alias(function), ("2", {}))
    back = {"revisionType": "String", "string": {"content": appspec(function, "2", "1")}}
    same(sandbox.ended(deploy.create_deployment(**ask, revision=back)["deploymentId"])["status"], "Succeeded")
    same(sandbox.alias(function), ("1", {}))


YAML = """
version: 0.0
Resources:
  - f:
      Type: AWS::Lambda::Function
      Properties: {Name: sources, Alias: live, CurrentVersion: 1, TargetVersion: 2}
"""


def topics_are_told(sandbox):
    import json

    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    queue = sqs.create_queue(QueueName="deployments")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:deployments")
    function = sandbox.function("told", returning("one"), returning("two"))
    trigger = {"triggerName": "t", "triggerTargetArn": topic, "triggerEvents": ["DeploymentStart", "DeploymentSuccess"]}
    id = sandbox.deploy(sandbox.group("told", triggerConfigurations=[trigger]), function)
    sandbox.ended(id)
    messages = []

    def received():
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        messages.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return len(messages) >= 3

    until(received, "the topic is told")
    told = [json.loads(message["Message"]) for message in messages if message["Subject"].endswith("to told")]
    same([message["status"] for message in told], ["CREATED", "SUCCEEDED"])
    same({message["deploymentId"] for message in told}, {id})


CHECKS = [
    all_at_once,
    canary_with_hooks,
    linear_steps,
    failing_hook_before,
    failing_hook_after,
    throwing_hook_times_out,
    hook_reports,
    hook_without_permission,
    hook_that_is_missing,
    roles_that_do_not_do,
    accounts_and_regions_are_apart,
    an_assumed_role_acts_in_its_account,
    alarm_during_the_shift,
    alarm_before_the_start,
    alarm_that_is_missing,
    stop_with_rollback,
    stop_without_rollback,
    targets_that_do_not_fit,
    different_roles,
    appspec_from_s3_and_from_rubbish,
    topics_are_told,
]
