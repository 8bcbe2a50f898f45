"""The unpleasant truths that can be switched on: rates, quotas, and what CodeDeploy itself runs into."""

import http.server
import subprocess
import threading
from collections import Counter

from harness import ALARM, STYLE, Sandbox, appspec, contains, refused, returning, same, until


def rates_are_limited(sandbox):
    """`--limits aws`: a burst of calls, and then a few a second."""
    one = Sandbox(sandbox.binary, "--limits", "aws", speed=1)
    try:
        function = one.function("limited", returning("1"))
        deploy, aws, cloudwatch = one.client("codedeploy"), one.client("lambda"), one.client("cloudwatch")
        for call, code, calls in [
            (lambda n: deploy.create_deployment_config(deploymentConfigName=f"c{n}"), "ThrottlingException", 15),
            (lambda n: deploy.get_deployment(deploymentId="d-000000000"), "ThrottlingException", 15),
            (lambda n: aws.get_alias(FunctionName=function, Name="live"), "TooManyRequestsException", 40),
            (lambda n: cloudwatch.describe_alarms(), "Throttling", 40),
        ]:
            outcomes = Counter(outcome(call, n) for n in range(calls))
            assert outcomes[code] and outcomes[code] < calls, (code, outcomes)
        until(lambda: outcome(lambda _: deploy.list_applications(), 0) == "ok", "another operation is free")
    finally:
        same(one.stop(), 0)


def outcome(call, n):
    from botocore.exceptions import ClientError

    try:
        call(n)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


def accounts_have_smaller_quotas(sandbox):
    one = Sandbox(sandbox.binary, "--limits", "aws", speed=6000)
    try:
        create = one.client("codedeploy").create_deployment_config
        for n in range(50):
            create(deploymentConfigName=f"c{n}", computePlatform="Lambda")
        more = {"deploymentConfigName": "one-more", "computePlatform": "Lambda"}
        same(refused(create, **more), "DeploymentConfigLimitExceededException")
    finally:
        same(one.stop(), 0)


def many_deployments_throttle_codedeploy(sandbox):
    """Some find Lambda throttled and fail; those with alarms cannot read them and stop, unless that is ignored."""
    slow = sandbox.slow()
    slow.function("crowd", returning("1"), returning("2"))
    slow.client("cloudwatch").put_metric_alarm(AlarmName="crowd", **ALARM)
    role, deploy = slow.role("crowd"), slow.client("codedeploy")
    deploy.create_application(applicationName="crowd", computePlatform="Lambda")
    alarms = {"enabled": True, "alarms": [{"name": "crowd"}]}
    groups = {f"plain-{n}": {} for n in range(25)}
    groups |= {f"watched-{n}": {"alarmConfiguration": alarms} for n in range(12)}
    groups |= {"ignoring": {"alarmConfiguration": {**alarms, "ignorePollAlarmFailure": True}}}
    for name, settings in groups.items():
        slow.client("lambda").create_alias(FunctionName="crowd", Name=name, FunctionVersion="1")
        deploy.create_deployment_group(
            applicationName="crowd",
            deploymentGroupName=name,
            serviceRoleArn=role,
            deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
            deploymentStyle=STYLE,
            **settings,
        )
    started = {}
    for name in groups:
        content = appspec("crowd", "1", "2", alias=name)
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        started[name] = deploy.create_deployment(
            applicationName="crowd", deploymentGroupName=name, revision=revision
        )["deploymentId"]
    ended = {name: slow.ended(id) for name, id in started.items()}
    throttled = [info for info in ended.values() if info.get("errorInformation", {}).get("code") == "THROTTLED"]
    assert throttled and {info["status"] for info in throttled} == {"Failed"}, ended
    contains(throttled[0]["errorInformation"]["message"], "exceeded the request limit for AWSLambda")
    stopped = [name for name, info in ended.items() if info["status"] == "Stopped"]
    assert stopped and all(name.startswith("watched-") for name in stopped), stopped
    contains(ended[stopped[0]]["errorInformation"]["message"], "Rate exceeded")


def rollback_info_comes_late(sandbox):
    slow = sandbox.slow()
    function = slow.function("late-info", returning("1"), returning("2"))
    id = slow.deploy(slow.group("late-info"), function)
    slow.client("codedeploy").stop_deployment(deploymentId=id, autoRollbackEnabled=True)
    assert "rollbackInfo" not in slow.ended(id)
    info = until(lambda: slow.deployment(id).get("rollbackInfo"), "it says that it was rolled back")
    assert info["rollbackDeploymentId"].startswith("d-"), info


def an_upstream_is_looked_at(sandbox):
    """Another sandbox is an endpoint like AWS's; one that lacks everything is described, and a missing one refused."""
    one = Sandbox(sandbox.binary, "--upstream", sandbox.endpoint)
    try:
        function = one.function("behind", returning("1"), returning("2"))
        same(one.ended(one.deploy(one.group("behind"), function))["status"], "Succeeded")
        same(sandbox.alias(function), ("2", {}))
    finally:
        same(one.stop(), 0)
    with http.server.HTTPServer(("127.0.0.1", 0), Nothing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        one = Sandbox(sandbox.binary, "--upstream", address, stderr=subprocess.PIPE)
        same(one.stop(), 0)
        told = one.process.stderr.read()
        one.process.stderr.close()
        for service in ("lambda", "iam", "sts", "sns", "s3", "logs"):
            contains(told, f'service="{service}"')
        server.shutdown()
    gone = subprocess.run(
        [sandbox.binary, "--port", "0", "--upstream", address], capture_output=True, text=True, timeout=30
    )
    same((gone.returncode, gone.stdout), (1, ""))
    contains(gone.stderr, "cannot be used as upstream")


class Nothing(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_error(501)

    do_POST = do_GET

    def log_message(self, *_):
        pass


CHECKS = [
    rates_are_limited,
    accounts_have_smaller_quotas,
    many_deployments_throttle_codedeploy,
    rollback_info_comes_late,
    an_upstream_is_looked_at,
]
