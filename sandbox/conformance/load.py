"""Many deployments at once, and much traffic: `python load.py PATH-TO-BINARY [DEPLOYMENTS]`.

Prints what it took. A command and no check of a time: how long it takes is the machine's business.
"""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import ALARM, STYLE, Sandbox, appspec, returning, same

SPEED = 60
ALIASES = 10
INVOCATIONS = 2000
# A hook that needs no SDK, so that many of them fit on a small machine.
HOOK = """
import json, os, urllib.request
def handler(event, context):
    region = os.environ["AWS_REGION"]
    account = context.invoked_function_arn.split(":")[4]
    urllib.request.urlopen(urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], headers={
        "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/0/{region}/codedeploy/aws4_request, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus",
    }, data=json.dumps({"deploymentId": event["DeploymentId"], "status": "Succeeded",
        "lifecycleEventHookExecutionId": event["LifecycleEventHookExecutionId"]}).encode()))
"""


class Memory:
    """The most memory that the sandbox and everything below it had at one time."""

    def __init__(self, root):
        self.root, self.peak, self.alone = root, 0, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.alone = kilobytes(self.root, "VmHWM")

    def watch(self):
        while not self.over.wait(0.25):
            self.peak = max(self.peak, sum(kilobytes(process, "VmRSS") for process in below(self.root)))


def below(root):
    """A process and all its descendants."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat:
                parents.setdefault(int(stat.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
        except OSError:
            pass  # It has ended since.
    found = [root]
    for process in found:
        found += parents.get(process, [])
    return found


def kilobytes(process, field):
    try:
        with open(f"/proc/{process}/status") as status:
            lines = [line.split() for line in status if line.startswith(f"{field}:")]
    except OSError:
        return 0
    return int(lines[0][1]) if lines else 0


def prepare(sandbox, deployments):
    """Functions with aliases, and a deployment group for each alias."""
    deploy, role = sandbox.client("codedeploy"), sandbox.role("load")
    sandbox.function("CodeDeployHook_load", HOOK)
    sandbox.client("cloudwatch").put_metric_alarm(AlarmName="load", **ALARM)
    deploy.create_application(applicationName="load", computePlatform="Lambda")
    places = []
    for n in range(deployments):
        function, alias = f"load-{n // ALIASES}", f"alias-{n % ALIASES}"
        if n % ALIASES == 0:
            sandbox.function(function, returning("one"), returning("two"))
        sandbox.client("lambda").create_alias(FunctionName=function, Name=alias, FunctionVersion="1")
        deploy.create_deployment_group(
            applicationName="load",
            deploymentGroupName=f"{function}-{alias}",
            serviceRoleArn=role,
            deploymentConfigName="CodeDeployDefault.LambdaCanary10Percent5Minutes",
            deploymentStyle=STYLE,
            alarmConfiguration={"enabled": True, "alarms": [{"name": "load"}]},
        )
        places.append((function, alias))
    return places


def deploy_all(sandbox, places):
    deploy = sandbox.client("codedeploy")
    ids = []
    for n, (function, alias) in enumerate(places):
        hooks = {"BeforeAllowTraffic": "CodeDeployHook_load"} if n % ALIASES == 0 else None
        content = appspec(function, "1", "2", hooks, alias)
        group = {"applicationName": "load", "deploymentGroupName": f"{function}-{alias}"}
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
        ids.append(deploy.create_deployment(**group, revision=revision)["deploymentId"])
    ended = []
    while len(ended) < len(ids):
        time.sleep(0.5)
        ended = list(pages(deploy, ["Succeeded", "Failed", "Stopped"]))
    same(sorted(pages(deploy, ["Succeeded"])), sorted(ids), "all of them succeed")


def pages(deploy, statuses):
    for page in deploy.get_paginator("list_deployments").paginate(includeOnlyStatuses=statuses):
        yield from page["deployments"]


def traffic(sandbox):
    """How many of the invocations went to the version with a tenth of the traffic."""
    aws = sandbox.client("lambda")
    sandbox.function("divided", returning("one"), returning("two"))
    aws.update_alias(
        FunctionName="divided", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: sandbox.invoke("divided:live")["ExecutedVersion"], range(INVOCATIONS)))
    return answers.count("2")


def main(binary, deployments="300"):
    deployments = int(deployments)
    sandbox = Sandbox(binary, speed=SPEED)
    try:
        with Memory(sandbox.process.pid) as memory:
            places = prepare(sandbox, deployments)
            began = time.monotonic()
            deploy_all(sandbox, places)
            took = time.monotonic() - began
        alone, everything = memory.alone // 1024, memory.peak // 1024
        print(f"{deployments} deployments at speed {SPEED} on {os.cpu_count()} cores: {took:.0f} s")
        print(f"memory at most: {alone} MB the sandbox alone, {everything} MB with ministack and functions")
        moved = traffic(sandbox)
        print(f"{INVOCATIONS} invocations at 10 %: {moved} went to the other version ({moved / INVOCATIONS:.1%})")
        # 99.9 % of all binomial draws lie here.
        assert 156 <= moved <= 245, moved
    finally:
        same(sandbox.stop(), 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
