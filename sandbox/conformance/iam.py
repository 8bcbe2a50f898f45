"""IAM's policy simulator."""

import json

from harness import ROLE_POLICY, refused, same

HOOK = "arn:aws:lambda:us-east-1:000000000000:function:CodeDeployHook_pre"
OTHER = "arn:aws:lambda:us-east-1:000000000000:function:other"


def document(effect="Allow", action="*", resource="*", **more):
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


def decisions(answer):
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def the_managed_policy_is_simulated(sandbox):
    role = sandbox.role("simulated")
    simulate = sandbox.client("iam").simulate_principal_policy
    asked = {"PolicySourceArn": role, "ActionNames": ["lambda:InvokeFunction", "lambda:UpdateAlias"]}
    answer = simulate(**asked, ResourceArns=[HOOK, OTHER])
    same(decisions(answer), ["allowed", "implicitDeny", "allowed", "allowed"])
    pairs = [(result["EvalActionName"], result["EvalResourceName"]) for result in answer["EvaluationResults"]]
    same(pairs[1], ("lambda:InvokeFunction", OTHER))
    same(answer["EvaluationResults"][0]["MatchedStatements"][0]["SourcePolicyId"], ROLE_POLICY.rsplit("/", 1)[1])
    same(decisions(simulate(**asked)), ["implicitDeny", "allowed"], "on everything")
    # More than a page.
    paginator = sandbox.client("iam").get_paginator("simulate_principal_policy")
    pages = list(paginator.paginate(**asked, ResourceArns=[HOOK, OTHER], PaginationConfig={"PageSize": 3}))
    same([len(page["EvaluationResults"]) for page in pages], [3, 1])


def denials_and_boundaries_are_simulated(sandbox):
    iam = sandbox.client("iam")
    role = sandbox.role("bounded", policies=[])
    asked = {"PolicySourceArn": role, "ActionNames": ["lambda:InvokeFunction"], "ResourceArns": [HOOK]}
    same(decisions(iam.simulate_principal_policy(**asked)), ["implicitDeny"])
    iam.put_role_policy(RoleName="bounded", PolicyName="all", PolicyDocument=document())
    same(decisions(iam.simulate_principal_policy(**asked)), ["allowed"])
    policy = iam.create_policy(PolicyName="reads", PolicyDocument=document(action="lambda:Get*"))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=policy)
    answer = iam.simulate_principal_policy(**asked)
    same(decisions(answer), ["implicitDeny"])
    detail = answer["EvaluationResults"][0]["PermissionsBoundaryDecisionDetail"]
    same(detail, {"AllowedByPermissionsBoundary": False})
    iam.delete_role_permissions_boundary(RoleName="bounded")
    denial = document("Deny", "lambda:InvokeFunction", HOOK)
    iam.put_role_policy(RoleName="bounded", PolicyName="not", PolicyDocument=denial)
    same(decisions(iam.simulate_principal_policy(**asked)), ["explicitDeny"])


def conditions_are_simulated(sandbox):
    iam = sandbox.client("iam")
    role = sandbox.role("conditional", policies=[])
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    iam.put_role_policy(RoleName="conditional", PolicyName="c", PolicyDocument=document(Condition=condition))
    asked = {"PolicySourceArn": role, "ActionNames": ["lambda:InvokeFunction"], "ResourceArns": [HOOK]}
    [result] = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    same((result["EvalDecision"], result["MissingContextValues"]), ("implicitDeny", ["aws:ResourceTag/team"]))
    [specific] = result["ResourceSpecificResults"]
    same(specific["MissingContextValues"], ["aws:ResourceTag/team"])
    entry = {"ContextKeyName": "aws:ResourceTag/team", "ContextKeyValues": ["a"], "ContextKeyType": "string"}
    answer = iam.simulate_principal_policy(**asked, ContextEntries=[entry])
    same(decisions(answer), ["allowed"])
    same(answer["EvaluationResults"][0]["MissingContextValues"], [])


def the_simulator_refuses(sandbox):
    iam = sandbox.client("iam")
    simulate = iam.simulate_principal_policy
    gone = "arn:aws:iam::000000000000:role/no-such-role"
    same(refused(simulate, PolicySourceArn=gone, ActionNames=["a:B"]), "NoSuchEntity")
    same(refused(simulate, PolicySourceArn=gone.replace("role/", "user/"), ActionNames=["a:B"]), "NoSuchEntity")
    same(refused(simulate, PolicySourceArn=gone, ActionNames=["lambda:*"]), "InvalidInput")
    same(refused(simulate, PolicySourceArn=gone, ActionNames=["a:B"], CallerArn=gone), "InvalidInput")


def users_and_given_policies_are_simulated(sandbox):
    iam = sandbox.client("iam")
    user = iam.create_user(UserName="simulated")["User"]["Arn"]
    iam.create_group(GroupName="simulated")
    iam.add_user_to_group(UserName="simulated", GroupName="simulated")
    iam.put_group_policy(GroupName="simulated", PolicyName="g", PolicyDocument=document(action="lambda:*"))
    asked = {"ActionNames": ["lambda:InvokeFunction", "sns:Publish"]}
    same(decisions(iam.simulate_principal_policy(PolicySourceArn=user, **asked)), ["allowed", "implicitDeny"])
    given = [document(action="sns:*")]
    both = iam.simulate_principal_policy(PolicySourceArn=user, PolicyInputList=given, **asked)
    same(decisions(both), ["allowed", "allowed"])
    same(decisions(iam.simulate_custom_policy(PolicyInputList=given, **asked)), ["implicitDeny", "allowed"])


CHECKS = [
    the_managed_policy_is_simulated,
    denials_and_boundaries_are_simulated,
    conditions_are_simulated,
    the_simulator_refuses,
    users_and_given_policies_are_simulated,
]
