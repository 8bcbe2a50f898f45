"""Hooks that contain the packed SDKs, in real deployments in the sandbox.

    sandbox_test.py SANDBOX FOLDER

In FOLDER, `typescript` and `python` each hold what a user would upload: the hook of the README, and the SDK.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "sandbox/conformance"), str(Path(__file__).parent / "python/src")]

from harness import Sandbox, returning, same, until  # noqa: E402
from lambda_rollout_hooks.testing import FakeCodeDeploy  # noqa: E402

RUNTIMES = {"typescript": "nodejs20.x", "python": "python3.11"}

# What each hook does, said twice.
SOURCES = {
    "typescript": """
import {{ rollout }} from "lambda-rollout-hooks";
export const handler = rollout.handler(async (event) => {{ {} }});
""",
    "python": """
import json, threading
from lambda_rollout_hooks import rollout
@rollout.handler
def handler(event):
    {}
""",
}
TELLS = {
    "typescript": "throw new Error([event.functionName, event.alias, event.currentVersion, event.targetVersion, event.lifecycleEvent])",
    "python": "raise Exception(','.join([event.function_name, event.alias, event.current_version, event.target_version, event.lifecycle_event]))",
}
HANGS = {"typescript": "await new Promise(() => {})", "python": "threading.Event().wait()"}
PASSES = {"typescript": "", "python": "pass"}
REPORTED = dict.fromkeys(RUNTIMES, 'rollout.report(event, "Failed", "seen before")')
REPORTED["typescript"] = f"await {REPORTED['typescript']}"


class Hooks:
    """The hooks of one language, and the deployments that they decide."""

    def __init__(self, sandbox, language, folder):
        self.sandbox, self.language, self.folder = sandbox, language, folder / language

    def hook(self, name, does=None, **settings):
        """A hook function: that of the README, or one that does something else."""
        name = f"CodeDeployHook_{self.language}_{name}"
        suffix = {"typescript": "mjs", "python": "py"}[self.language]
        added = {f"index.{suffix}": SOURCES[self.language].format(does[self.language])} if does else {}
        self.sandbox.client("lambda").create_function(
            FunctionName=name,
            Runtime=RUNTIMES[self.language],
            Role=f"arn:aws:iam::{self.sandbox.account}:role/run",
            Handler="index.handler" if does else "hook.handler",
            Code={"ZipFile": archive(self.folder, added)},
            **{"Timeout": 30, **settings},
        )
        return name

    def deploy(self, name, answer, hooks):
        name = f"{self.language}-{name}"
        function = self.sandbox.function(name, returning("old"), f"def handler(event, context):\n    return {answer}\n")
        return self.sandbox.deploy(self.sandbox.group(name), function, hooks=hooks)

    def before(self, name, does=None, status=200, **settings):
        """A deployment with that hook before its traffic: its id, and the hook's name."""
        hook = self.hook(name, does, **settings)
        return self.deploy(name, {"statusCode": status}, {"BeforeAllowTraffic": hook}), hook

    def lines(self, hook):
        """What the SDK wrote into the hook's log."""
        logs = self.sandbox.client("logs")
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{hook}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [json.loads(event["message"]) for event in events if event["message"].startswith('{"lambdaRollout":"hook"')]

    def run(self):
        """All deployments are started first, since each mostly waits."""
        good = self.hook("good")
        passed = self.deploy("good", {"statusCode": 200}, {"BeforeAllowTraffic": good, "AfterAllowTraffic": good})
        bad, tells = self.before("bad", status=500), self.before("tells", TELLS)
        hangs, reported = self.before("hangs", HANGS, Timeout=4), self.before("reported", REPORTED)

        same(self.sandbox.ended(passed)["status"], "Succeeded", "a good version, before and after its traffic")
        self.failed(bad, r"health said 500")
        self.failed(tells, f"{self.language}-tells,live,1,2,BeforeAllowTraffic")
        self.failed(hangs, "still running after")
        self.failed(reported, "seen before")
        same([line["status"] for line in self.lines(reported[1])], ["Started", "Failed", "Succeeded"], "reported once")
        self.without_permission()

    def failed(self, deployment, reason):
        """CodeDeploy knows that the hook failed, and the log says why, for this deployment."""
        id, hook = deployment
        info = self.sandbox.ended(id)
        same((info["status"], info["errorInformation"]["code"]), ("Failed", "HOOK_EXECUTION_FAILURE"), hook)
        line = until(lambda: next((line for line in self.lines(hook) if line["status"] == "Failed"), None), f"{hook} says why")
        same(line["deploymentId"], id)
        assert reason in line["reason"], line

    def without_permission(self):
        """CodeDeploy hears nothing. The log says why, and Lambda saw an error, since it tries again."""
        with FakeCodeDeploy(denied=["PutLifecycleEventHookExecutionStatus"]) as refusing:
            variables = {"AWS_ENDPOINT_URL_CODEDEPLOY": refusing.url}
            id, hook = self.before("denied", PASSES, Environment={"Variables": variables})
            said = ["Started", "Succeeded", "NotReported"]
            until(lambda: [line["status"] for line in self.lines(hook)] == said * 3, "it is tried again, twice")
        assert "allow codedeploy:PutLifecycleEventHookExecutionStatus" in self.lines(hook)[2]["reason"]
        self.sandbox.client("codedeploy").stop_deployment(deploymentId=id)


def archive(folder, added):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for file in folder.rglob("*"):
            if file.is_file():
                zipped.write(file, file.relative_to(folder))
        for name, text in added.items():
            zipped.writestr(name, text)
    return buffer.getvalue()


def main(binary, folder):
    # A minute is a second: time for a hook to start on a busy machine before CodeDeploy's hour is over.
    sandbox = Sandbox(binary, speed=60)
    try:
        for language in RUNTIMES:
            Hooks(sandbox, language, Path(folder)).run()
            print(f"{language}: hooks pass, fail, hang, throw and are refused in the sandbox as they should")
    finally:
        code = sandbox.stop()
    same(code, 0, "exit code")


if __name__ == "__main__":
    main(*sys.argv[1:])
