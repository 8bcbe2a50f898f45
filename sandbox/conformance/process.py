"""The sandbox as a process: how it starts, its options, and that it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone

from botocore.exceptions import ClientError

from harness import STYLE, Sandbox, contains, refused, returning, same, until


def supervisor(sandbox):
    """The process group in which ministack and its workers are."""
    return int(subprocess.check_output(["pgrep", "-P", str(sandbox.process.pid)], text=True).split()[0])


def alive(group):
    """Whether anything runs in a process group; what has ended and is not buried yet does not count."""
    listed = subprocess.check_output(["ps", "-A", "-o", "pgid=,stat="], text=True).splitlines()
    return any(int(pgid) == group and not state.startswith("Z") for pgid, state in map(str.split, listed))


def nothing_is_left_behind(sandbox):
    """Whether it is told to stop or killed: ministack, its workers and their files are gone."""
    for end, code in [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)]:
        with tempfile.TemporaryDirectory() as folder:
            one = Sandbox(sandbox.binary, environment={"TMPDIR": folder})
            group = supervisor(one)
            one.function("working", returning("x"))
            one.invoke("working")
            assert os.listdir(folder) and alive(group)
            one.process.send_signal(end)
            same(one.process.wait(timeout=20), code, end)
            until(lambda: not alive(group), f"ministack is gone after {end}")
            until(lambda: not os.listdir(folder), f"its files are gone after {end}")
            one.process.stdin.close()
            one.process.stdout.close()


def run(sandbox, *arguments, **environment):
    return subprocess.run(
        [sandbox.binary, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd="/",
        env={**os.environ, **environment},
    )


def mistakes_are_told(sandbox):
    port = sandbox.endpoint.rsplit(":", 1)[1]
    for arguments, words in [
        (["--ministack", "/no/such/thing"], "pip install ministack"),
        (["--port", port], "--port 0"),
        (["--nonsense"], "see --help"),
        (["--ministack", "/bin/false", "--port", "0"], "ministack ended before it was ready"),
    ]:
        told = run(sandbox, *arguments)
        same((told.returncode, told.stdout), (1, ""))
        contains(told.stderr, words)
    told = run(sandbox, "--port", "0", ROLLOUT_SANDBOX_MINISTACK="", PATH="/usr/bin:/bin")
    contains(told.stderr, "--ministack or ROLLOUT_SANDBOX_MINISTACK")
    for option, words in [("--help", "AWS_ENDPOINT_URL"), ("--version", "rollout-sandbox ")]:
        told = run(sandbox, option)
        same((told.returncode, told.stderr), (0, ""))
        contains(told.stdout, words)


def script(folder, text):
    path = os.path.join(folder, "ministack")
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
    return path


def another_port_is_taken_when_somebody_was_faster(sandbox):
    """The first two ports are taken when ministack binds them, and it says so in its own words."""
    real = os.environ["ROLLOUT_SANDBOX_MINISTACK"]
    with tempfile.TemporaryDirectory() as folder:
        taken = os.path.join(folder, "taken")
        unlucky = script(folder, f"""#!{sys.executable}
import os, socket
port = os.environ["GATEWAY_PORT"]
with open({taken!r}, "a+") as ports:
    ports.seek(0)
    if len(ports.readlines()) < 2:
        ports.write(port + "\\n")
        held = socket.create_server(("127.0.0.1", int(port)))
        held.set_inheritable(True)
os.execv({real!r}, [{real!r}])
""")
        one = Sandbox(sandbox.binary, "--ministack", unlucky)
        with open(taken) as ports:
            same(len(ports.readlines()), 2)
        one.function("lucky", returning("x"))
        one.process.send_signal(signal.SIGTERM)
        same(one.process.wait(timeout=20), 0)
        one.process.stdin.close()
        one.process.stdout.close()


def ports_are_not_tried_for_ever(sandbox):
    with tempfile.TemporaryDirectory() as folder:
        tries = os.path.join(folder, "tries")
        never = script(folder, f"#!/bin/sh\necho x >>{tries}\necho 'OSError: address already in use'\nexit 1\n")
        told = run(sandbox, "--ministack", never, "--port", "0")
        same((told.returncode, told.stdout), (1, ""))
        contains(told.stderr, "address already in use")
        with open(tries) as lines:
            same(len(lines.readlines()), 5)


def when_ministack_ends_so_does_the_sandbox(sandbox):
    one = Sandbox(sandbox.binary, stderr=subprocess.PIPE)
    group = supervisor(one)
    children = subprocess.check_output(["pgrep", "-P", str(group), "-f", "ministack"], text=True).split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    same(one.process.wait(timeout=20), 1)
    contains(one.process.stderr.read(), "ministack ended by itself")
    until(lambda: not alive(group), "nothing is left")
    for pipe in (one.process.stdin, one.process.stdout, one.process.stderr):
        pipe.close()


def a_new_role_needs_time(sandbox):
    """A quarter of an hour is a second and a half at this speed: time enough to see the refusal."""
    one = Sandbox(sandbox.binary, "--iam-delay", "900")
    try:
        one.client("codedeploy").create_application(applicationName="fresh", computePlatform="Lambda")
        make = {
            "applicationName": "fresh",
            "deploymentGroupName": "fresh",
            "deploymentStyle": STYLE,
            "deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
            "serviceRoleArn": one.role("fresh"),
        }
        create = one.client("codedeploy").create_deployment_group
        same(refused(create, **make), "InvalidRoleException")
        until(lambda: succeeds(create, **make), "the role can be used")
        function = one.function("fresh", returning("1"), returning("2"))
        one.client("iam").detach_role_policy(RoleName="fresh", PolicyArn=MANAGED)
        one.client("iam").attach_role_policy(RoleName="fresh", PolicyArn=MANAGED)
        info = one.ended(one.deploy("fresh", function))
        same(info["errorInformation"]["code"], "IAM_ROLE_PERMISSIONS", "a policy needs time as well")
        until(lambda: one.ended(one.deploy("fresh", function))["status"] == "Succeeded", "the policy counts")
    finally:
        same(one.stop(), 0)


def succeeds(call, **arguments):
    try:
        return call(**arguments)
    except ClientError:
        return None


MANAGED = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"


def metrics_can_be_late(sandbox):
    one = Sandbox(sandbox.binary, "--metric-delay", "600", "--executed-version-only-weighted")
    try:
        one.function("late", returning("1"))
        one.invoke("late:live")
        began = time.time()
        aws = one.client("cloudwatch")
        same(aws.list_metrics()["Metrics"], [])
        until(lambda: aws.list_metrics()["Metrics"], "they arrive")
        assert time.time() - began > 0.5
        sets = {
            tuple(d["Name"] for d in metric["Dimensions"])
            for metric in aws.list_metrics(MetricName="Errors")["Metrics"]
        }
        same(sets, {("FunctionName",), ("FunctionName", "Resource")}, "no executed version without weights")
        times = {"StartTime": datetime.fromtimestamp(began - 60, timezone.utc), "EndTime": datetime.now(timezone.utc)}
        same(
            len(
                aws.get_metric_statistics(
                    Namespace="AWS/Lambda",
                    MetricName="Invocations",
                    Period=60,
                    Statistics=["Sum"],
                    Dimensions=[{"Name": "FunctionName", "Value": "late"}],
                    **times,
                )["Datapoints"]
            ),
            1,
        )
    finally:
        same(one.stop(), 0)


CHECKS = [
    nothing_is_left_behind,
    mistakes_are_told,
    another_port_is_taken_when_somebody_was_faster,
    ports_are_not_tried_for_ever,
    when_ministack_ends_so_does_the_sandbox,
    a_new_role_needs_time,
    metrics_can_be_late,
]
