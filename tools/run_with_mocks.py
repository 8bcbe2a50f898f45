"""Runs a Pulumi program without an engine, and fails unless it declares exactly one valid FunctionRollout."""

import runpy
import sys

import pulumi


class Recorder(pulumi.runtime.Mocks):
    def __init__(self):
        self.declared = []

    def new_resource(self, args):
        self.declared.append((args.typ, args.inputs))
        return f"{args.name}-id", {**args.inputs, "targetArn": "arn"}

    def call(self, args):
        return {}


recorder = Recorder()
pulumi.runtime.set_mocks(recorder)


@pulumi.runtime.test
def run():
    runpy.run_path(sys.argv[1])


run()
expected = (
    "lambda-rollout:index:FunctionRollout",
    {
        "functionName": "api",
        "version": "7",
        "strategy": {"type": "linear", "percentage": 20, "interval": "2 minutes"},
    },
)
declared = [resource for resource in recorder.declared if not resource[0].startswith("pulumi:")]
if declared != [expected]:
    sys.exit(f"the program declared {declared}")
