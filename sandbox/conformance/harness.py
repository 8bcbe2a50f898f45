"""Starts a sandbox, gives clients for it, and runs the checks of the other files one after the other."""

import copy
import io
import json
import os
import subprocess
import sys
import time
import traceback
import urllib.request
import zipfile

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from contract import Contract

REGION = "us-east-1"
ACCOUNT = "000000000000"
ROLE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
# An alarm that nothing sets off by itself.
ALARM = {
    "Namespace": "Test",
    "MetricName": "Test",
    "Statistic": "Sum",
    "Period": 3600,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "ignore",
}
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


# The ministack that was installed beside the Python that runs this.
os.environ.setdefault("ROLLOUT_SANDBOX_MINISTACK", os.path.join(os.path.dirname(sys.executable), "ministack"))
SESSION = botocore.session.get_session()
CONTRACT = Contract()
CONTRACT.watch(SESSION)


def connect(session, endpoint, service, account, region=REGION, token=None):
    """A client that sends what it is told, and does not try again."""
    config = Config(retries={"max_attempts": 0}, parameter_validation=False)
    return session.create_client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        aws_session_token=token,
        config=config,
    )


class Sandbox:
    """One running sandbox, and an account and region in it."""

    def __init__(self, binary, *arguments, speed=600, environment=None, stderr=None):
        self.binary = os.path.abspath(binary)
        command = [binary, "--port", "0", "--speed", str(speed), "--exit-with-stdin", *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.line = self.process.stdout.readline().strip()
        assert self.line.startswith("rollout-sandbox ready: http://127.0.0.1:"), self.line
        self.endpoint = self.line.split()[2]
        self.clients = {}
        self.account, self.region = ACCOUNT, REGION
        self.slower = None

    def slow(self):
        """A sandbox at speed 1 where CodeDeploy has a hard time, which ends with the checks."""
        if self.slower is None:
            self.slower = Sandbox(self.binary, "--throttle-codedeploy", "--rollback-info-delay", "2", speed=1)
        return self.slower

    def elsewhere(self, account, region):
        """The same sandbox, seen from another account and region."""
        other = copy.copy(self)
        other.account, other.region = account, region
        return other

    def stop(self):
        if self.slower is not None:
            self.slower.stop()
        self.process.stdin.close()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def client(self, service, account=None, region=None):
        account, region = account or self.account, region or self.region
        key = (service, account, region)
        if key not in self.clients:
            self.clients[key] = connect(SESSION, self.endpoint, service, account, region)
        return self.clients[key]

    def admin(self, what, method="GET", body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sandbox/{what}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    # What most checks need.

    def role(self, name, policies=(ROLE_POLICY,), trusted="codedeploy.amazonaws.com"):
        iam = self.client("iam")
        trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": trusted}}]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        return arn

    def function(self, name, *sources, runtime="python3.11", file="index.py", **settings):
        """A function with one version for each source, and the alias `live` on the first."""
        aws = self.client("lambda")
        role = f"arn:aws:iam::{self.account}:role/run"
        handler = "index.handler"
        aws.create_function(
            FunctionName=name,
            Runtime=runtime,
            Role=role,
            Handler=handler,
            Code={"ZipFile": package(sources[0], file)},
            Publish=True,
            **settings,
        )
        aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        for source in sources[1:]:
            aws.update_function_code(FunctionName=name, ZipFile=package(source, file), Publish=True)
        return name

    def group(self, name, config="CodeDeployDefault.LambdaAllAtOnce", role=None, **settings):
        """An application and its group, both of this name."""
        deploy = self.client("codedeploy")
        deploy.create_application(applicationName=name, computePlatform="Lambda")
        deploy.create_deployment_group(
            applicationName=name,
            deploymentGroupName=name,
            serviceRoleArn=role or self.role(f"{name}-role"),
            deploymentConfigName=config,
            deploymentStyle=STYLE,
            **settings,
        )
        return name

    def deploy(self, group, function, current="1", target="2", hooks=None, alias="live", **settings):
        deploy = self.client("codedeploy")
        content = appspec(function, current, target, hooks, alias)
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        return deploy.create_deployment(
            applicationName=group, deploymentGroupName=group, revision=revision, **settings
        )["deploymentId"]

    def deployment(self, id):
        return self.client("codedeploy").get_deployment(deploymentId=id)["deploymentInfo"]

    def ended(self, id):
        return until(
            lambda: (info := self.deployment(id))["status"] in ("Succeeded", "Failed", "Stopped") and info,
            f"deployment {id} ends",
        )

    def target(self, id):
        deploy = self.client("codedeploy")
        [target] = deploy.list_deployment_targets(deploymentId=id)["targetIds"]
        return deploy.get_deployment_target(deploymentId=id, targetId=target)["deploymentTarget"]["lambdaTarget"]

    def events(self, id):
        return [event["status"] for event in self.target(id)["lifecycleEvents"]]

    def alias(self, function, name="live"):
        alias = self.client("lambda").get_alias(FunctionName=function, Name=name)
        return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def invoke(self, function, payload=None, **settings):
        return self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload or {}), **settings)


def package(source, file="index.py"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(file, source)
    return buffer.getvalue()


def returning(text):
    return f"def handler(event, context):\n    return {text!r}\n"


THROWING = "def handler(event, context):\n    raise RuntimeError('broken')\n"


def reporting(status):
    """A hook that reports."""
    return f"""
import botocore.session
def handler(event, context):
    assert sorted(event) == ["DeploymentId", "LifecycleEventHookExecutionId"], event
    botocore.session.get_session().create_client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"], status={status!r},
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"])
"""


def appspec(function, current, target, hooks=None, alias="live"):
    properties = {"Name": function, "Alias": alias, "CurrentVersion": current, "TargetVersion": target}
    spec = {"version": "0.0", "Resources": [{"f": {"Type": "AWS::Lambda::Function", "Properties": properties}}]}
    if hooks:
        spec["Hooks"] = [{event: hook} for event, hook in hooks.items()]
    return json.dumps(spec)


def until(condition, what, seconds=20):
    """Waits for a condition that is bound to come true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not happen that {what}")


def refused(call, *args, **kwargs):
    """The code of the error that a call ends with."""
    try:
        answer = call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError(f"not refused: {answer}")


def same(actual, expected, what=""):
    assert actual == expected, f"{what}: {actual!r} instead of {expected!r}"


def contains(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def main(checks, binary, pattern=""):
    """Runs the checks against one sandbox; the number of those that failed is the exit code."""
    started = time.monotonic()
    sandbox = Sandbox(binary)
    failed = 0
    try:
        for check in checks:
            name = f"{check.__module__}.{check.__name__}"
            if pattern not in name:
                continue
            began = time.monotonic()
            try:
                check(sandbox)
                outcome = "ok"
            except Exception:
                failed += 1
                outcome = "FAILED\n" + traceback.format_exc()
            print(f"{name} ({time.monotonic() - began:.2f} s) {outcome}", flush=True)
    finally:
        code = sandbox.stop()
    same(code, 0, "exit code")
    print(CONTRACT.table())
    print(f"{failed} failed, {time.monotonic() - started:.1f} s")
    return failed + len(CONTRACT.wrong)
