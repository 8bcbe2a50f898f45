import pulumi
import pulumi_lambda_rollout as lambda_rollout

api = lambda_rollout.FunctionRollout(
    "api",
    function_name="api",
    version="7",
    strategy={"type": "linear", "percentage": 20, "interval": "2 minutes"},
)

pulumi.export("target", api.target_arn)
