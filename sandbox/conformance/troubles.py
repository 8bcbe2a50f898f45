"""What goes away while a deployment runs, and who is told how it ends."""

import json

from deployments import CANARY, ROLLBACK
from harness import ROLE_POLICY, reporting, returning, same, until

# A step in a second at the speed of these checks, nine times.
LINEAR = "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes"
DELETING = """
import botocore.session
def handler(event, context):
    session = botocore.session.get_session()
    session.create_client("lambda").delete_function(FunctionName={function!r}, Qualifier="2")
    session.create_client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"], status="Succeeded",
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"])
"""


def what_goes_away_fails_the_deployment(sandbox):
    """At the next step, with the code for what is missing."""
    aws, iam = sandbox.client("lambda"), sandbox.client("iam")
    cases = [
        ("hook", "INVALID_LAMBDA_FUNCTION", lambda name: aws.delete_function(FunctionName=f"CodeDeployHook_{name}")),
        ("alias", "INVALID_LAMBDA_FUNCTION", lambda name: aws.delete_alias(FunctionName=name, Name="live")),
        ("function", "INVALID_LAMBDA_FUNCTION", lambda name: aws.delete_function(FunctionName=name)),
        ("policy", "IAM_ROLE_PERMISSIONS", lambda name: detach(iam, name)),
        ("role", "IAM_ROLE_MISSING", lambda name: (detach(iam, name), iam.delete_role(RoleName=f"{name}-role"))),
    ]
    ids = {}
    for what, _, _ in cases:
        name = sandbox.function(f"leaving-{what}", returning("one"), returning("two"))
        hook = sandbox.function(f"CodeDeployHook_{name}", reporting("Succeeded"))
        # Only the hook is looked for at the end; what else is missing shows at the next of many steps.
        group = sandbox.group(name, CANARY if what == "hook" else LINEAR)
        ids[what] = sandbox.deploy(group, name, hooks={"AfterAllowTraffic": hook})
    for what, _, remove in cases:
        until(lambda what=what: sandbox.alias(f"leaving-{what}")[1], "traffic moves")
        remove(f"leaving-{what}")
    for what, code, _ in cases:
        info = sandbox.ended(ids[what])
        same((info["status"], info["errorInformation"]["code"]), ("Failed", code), what)


def detach(iam, name):
    iam.detach_role_policy(RoleName=f"{name}-role", PolicyArn=ROLE_POLICY)


def a_version_goes_away_before_its_traffic(sandbox):
    function = sandbox.function("leaving-version", returning("one"), returning("two"))
    hook = sandbox.function("CodeDeployHook_deletes", DELETING.format(function=function))
    id = sandbox.deploy(sandbox.group("leaving-version"), function, hooks={"BeforeAllowTraffic": hook})
    info = sandbox.ended(id)
    same((info["status"], info["errorInformation"]["code"]), ("Failed", "INVALID_LAMBDA_FUNCTION"))
    same(sandbox.alias(function), ("1", {}))


def every_kind_of_end_is_told(sandbox):
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name="ends")["TopicArn"]
    queue = sqs.create_queue(QueueName="ends")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:ends")
    kinds = ["DeploymentStart", "DeploymentSuccess", "DeploymentFailure", "DeploymentStop", "DeploymentRollback"]
    trigger = {"triggerName": "t", "triggerTargetArn": topic, "triggerEvents": kinds}
    function = sandbox.function("ends", returning("one"), returning("two"))
    group = sandbox.group("ends", CANARY, triggerConfigurations=[trigger], autoRollbackConfiguration=ROLLBACK)
    stopped = sandbox.deploy(group, function)
    until(lambda: sandbox.alias(function)[1], "traffic moves")
    sandbox.client("codedeploy").stop_deployment(deploymentId=stopped)
    sandbox.ended(sandbox.ended(stopped)["rollbackInfo"]["rollbackDeploymentId"])
    failed = sandbox.deploy(group, function, current="2", target="1")
    sandbox.ended(sandbox.ended(failed)["rollbackInfo"]["rollbackDeploymentId"])
    told = []

    def received():
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        messages = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        told.extend(json.loads(message["Message"]) for message in messages if message["Subject"].endswith("to ends"))
        kinds = {(message["deploymentId"], message["status"]) for message in told}
        return {(stopped, "STOPPED"), (failed, "FAILED")} <= kinds and any(
            message["status"] == "SUCCEEDED" for message in told
        )

    same(sandbox.alias(function), ("1", {}), "a deployment that moved nothing has nothing to take back")

    until(received, "stop, failure, rollback and its success are told")
    assert any("rollbackInformation" in message for message in told), told


def a_role_that_may_not_publish_tells_nobody(sandbox):
    """The limited managed policy leaves out the permission; the deployment goes on."""
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name="silence")["TopicArn"]
    queue = sqs.create_queue(QueueName="silence")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:silence")
    trigger = {"triggerName": "t", "triggerTargetArn": topic, "triggerEvents": ["DeploymentStart", "DeploymentSuccess"]}
    role = sandbox.role("silent", policies=[f"{ROLE_POLICY}Limited"])
    function = sandbox.function("silence", returning("one"), returning("two"))
    id = sandbox.deploy(sandbox.group("silence", role=role, triggerConfigurations=[trigger]), function)
    same(sandbox.ended(id)["status"], "Succeeded")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    # Only what the trigger says of itself when it is made.
    same([json.loads(message["Body"])["Subject"] for message in messages], ["AWS CodeDeploy: trigger"])


CHECKS = [
    what_goes_away_fails_the_deployment,
    a_version_goes_away_before_its_traffic,
    every_kind_of_end_is_told,
    a_role_that_may_not_publish_tells_nobody,
]
