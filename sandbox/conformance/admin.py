"""The sandbox's own endpoints: what exists, what was called, and faults."""

import urllib.error

from botocore.exceptions import ClientError, ConnectionClosedError

from harness import refused, returning, same


def the_journal_has_every_call(sandbox):
    sandbox.admin("journal", "DELETE")
    since = sandbox.admin("journal")["last"]
    deploy = sandbox.client("codedeploy", account="777777777777", region="eu-west-1")
    deploy.create_application(applicationName="noted", computePlatform="Lambda")
    refused(deploy.create_application, applicationName="noted")
    sandbox.client("iam").list_roles()
    refused(sandbox.client("lambda").get_alias, FunctionName="none", Name="none")
    refused(sandbox.client("cloudwatch").set_alarm_state, AlarmName="none", StateValue="OK", StateReason="x")
    refused(sandbox.client("iam").get_role, RoleName="none")
    calls = sandbox.admin(f"journal?since={since}")["calls"]
    told = [(call["service"], call["operation"], call["mutating"], call["status"], call["errorCode"]) for call in calls]
    same(
        told,
        [
            ("codedeploy", "CreateApplication", True, 200, None),
            ("codedeploy", "CreateApplication", True, 400, "ApplicationAlreadyExistsException"),
            ("iam", "ListRoles", False, 200, None),
            ("lambda", "GetAlias", False, 404, "ResourceNotFoundException"),
            ("cloudwatch", "SetAlarmState", True, 404, "ResourceNotFound"),
            ("iam", "GetRole", False, 404, "NoSuchEntity"),
        ],
    )
    same((calls[0]["account"], calls[0]["region"]), ("777777777777", "eu-west-1"))
    assert "Botocore" in calls[0]["userAgent"]
    same([call["n"] for call in calls], list(range(since + 1, since + 7)))
    same(len(sandbox.admin(f"journal?since={since + 5}")["calls"]), 1)


def the_state_has_what_exists(sandbox):
    function = sandbox.function("stated", returning("1"), returning("2"))
    aws = sandbox.client("lambda")
    aws.update_alias(FunctionName=function, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
    aws.create_function_url_config(FunctionName=function, Qualifier="live", AuthType="AWS_IAM")
    aws.add_permission(
        FunctionName=function,
        Qualifier="live",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="sqs.amazonaws.com",
    )
    sandbox.group("stated")
    [scope] = [
        one
        for one in sandbox.admin("state")["scopes"]
        if (one["account"], one["region"]) == ("000000000000", "us-east-1")
    ]
    [found] = [one for one in scope["lambda"]["functions"] if one["name"] == "stated"]
    same(found["versions"], ["$LATEST", "1", "2"])
    same(
        [(alias["name"], alias["version"], alias["weights"]) for alias in found["aliases"]],
        [("live", "1", {"2": 0.25})],
    )
    same([url["AuthType"] for url in found["urls"]], ["AWS_IAM"])
    same([policy["qualifier"] for policy in found["policies"]], ["live"])
    [application] = [one for one in scope["codedeploy"]["applications"] if one["name"] == "stated"]
    same(application["groups"][0]["config"], "CodeDeployDefault.LambdaAllAtOnce")
    assert "stated-role" in scope["iam"]["roles"]
    same(sorted(scope), ["account", "cloudwatch", "codedeploy", "iam", "lambda", "region", "sns"])


def faults_happen(sandbox):
    deploy, aws = sandbox.client("codedeploy"), sandbox.client("lambda")

    def fault(**rule):
        sandbox.admin("faults", "POST", rule)

    def code(call, **arguments):
        try:
            call(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"]
        except ConnectionClosedError:
            return "closed"
        return None

    fault(service="codedeploy", operation="ListApplications", kind="throttle", count=1)
    same([code(deploy.list_applications), code(deploy.list_applications)], ["ThrottlingException", None])
    for service, call, throttled in [
        ("lambda", aws.list_functions, "TooManyRequestsException"),
        ("iam", sandbox.client("iam").list_roles, "Throttling"),
        ("cloudwatch", sandbox.client("cloudwatch").describe_alarms, "Throttling"),
    ]:
        fault(service=service, kind="throttle", count=1)
        same(code(call), throttled)
    fault(service="codedeploy", kind="500", count=1)
    same(code(deploy.list_applications), "InternalFailure")
    fault(operation="CreateApplication", kind="reset-before", count=1)
    same(code(deploy.create_application, applicationName="cut", computePlatform="Lambda"), "closed")
    same(code(deploy.get_application, applicationName="cut"), "ApplicationDoesNotExistException")
    fault(operation="CreateApplication", kind="reset-after", count=1)
    same(code(deploy.create_application, applicationName="cut", computePlatform="Lambda"), "closed")
    same(code(deploy.get_application, applicationName="cut"), None)
    fault(service="codedeploy", kind="throttle")
    same([code(deploy.list_applications) for _ in range(3)], ["ThrottlingException"] * 3)
    sandbox.admin("faults", "DELETE")
    same(code(deploy.list_applications), None)
    try:
        fault(kind="earthquake")
    except urllib.error.HTTPError as error:
        same(error.code, 400)
    else:
        raise AssertionError("a fault that does not exist was taken")


def health(sandbox):
    same(sandbox.admin("health")["status"], "ready")
    same(sandbox.admin("health")["speed"], 600.0)


CHECKS = [the_journal_has_every_call, the_state_has_what_exists, faults_happen, health]
