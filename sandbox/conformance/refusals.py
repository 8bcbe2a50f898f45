"""Every refusal of CodeDeploy's API that can be brought about, by operation."""

from harness import STYLE, contains, refused, returning, same

NO_ID, BAD_ID, GONE_ID = {}, {"deploymentId": "nonsense"}, {"deploymentId": "d-000000000"}
NO_APP, BAD_APP, GONE_APP = {}, {"applicationName": "bad name!"}, {"applicationName": "no-such-application"}
BY_APP = [
    (NO_APP, "ApplicationNameRequired"),
    (BAD_APP, "InvalidApplicationName"),
    (GONE_APP, "ApplicationDoesNotExist"),
]
BY_ID = [(NO_ID, "DeploymentIdRequired"), (BAD_ID, "InvalidDeploymentId"), (GONE_ID, "DeploymentDoesNotExist")]
BAD_TOKEN = ({"nextToken": "nonsense"}, "InvalidNextToken")
INLINE = {"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}}
BAD_REVISION = {"revisionType": "S3"}


def of_applications(app):
    named = {"applicationName": app}
    revised = [*BY_APP, (named, "RevisionRequired"), ({**named, "revision": BAD_REVISION}, "InvalidRevision")]
    return {
        "get_application": BY_APP,
        "batch_get_applications": [
            ({}, "ApplicationNameRequired"),
            ({"applicationNames": ["bad name!"]}, "InvalidApplicationName"),
        ],
        "update_application": [
            *BY_APP[:2],
            ({**GONE_APP, "newApplicationName": "new"}, "ApplicationDoesNotExist"),
            ({**named, "newApplicationName": "bad name!"}, "InvalidApplicationName"),
        ],
        "delete_application": BY_APP[:2],
        "list_applications": [BAD_TOKEN],
        "get_application_revision": revised,
        "register_application_revision": [
            *revised,
            ({**named, "revision": INLINE, "description": "x" * 257}, "DescriptionTooLong"),
        ],
        "batch_get_application_revisions": [
            *BY_APP,
            (named, "RevisionRequired"),
            ({**named, "revisions": [INLINE] * 26}, "BatchLimitExceeded"),
            ({**named, "revisions": [BAD_REVISION]}, "InvalidRevision"),
        ],
        "list_application_revisions": [
            *BY_APP,
            ({**named, "sortBy": "color"}, "InvalidSortBy"),
            ({**named, "sortOrder": "sideways"}, "InvalidSortOrder"),
            ({**named, "deployed": "perhaps"}, "InvalidDeployedStateFilter"),
            ({**named, **BAD_TOKEN[0]}, BAD_TOKEN[1]),
        ],
    }


def of_groups(app, group):
    named = {"applicationName": app}
    both = {**named, "deploymentGroupName": group}
    current = {**named, "currentDeploymentGroupName": group}
    new = {**named, "deploymentGroupName": "new", "serviceRoleArn": "r", "deploymentStyle": STYLE}
    new["deploymentConfigName"] = "CodeDeployDefault.LambdaAllAtOnce"
    trigger = {"triggerTargetArn": "arn:aws:sns:us-east-1:000000000000:t", "triggerEvents": ["DeploymentStart"]}
    triggers = [{"triggerName": str(n), **trigger} for n in range(11)]
    alarms = {"enabled": True, "alarms": [{"name": str(n)} for n in range(11)]}
    settings = [
        ({"alarmConfiguration": alarms}, "AlarmsLimitExceeded"),
        ({"alarmConfiguration": {"enabled": True}}, "InvalidAlarmConfig"),
        ({"triggerConfigurations": triggers}, "TriggerTargetsLimitExceeded"),
        ({"triggerConfigurations": triggers[:1] * 2}, "InvalidTriggerConfig"),
        ({"autoRollbackConfiguration": {"enabled": True, "events": ["NEVER"]}}, "InvalidAutoRollbackConfig"),
        ({"deploymentStyle": {"deploymentType": "IN_PLACE"}}, "InvalidDeploymentStyle"),
        ({"deploymentConfigName": "gone"}, "DeploymentConfigDoesNotExist"),
        ({"deploymentConfigName": "CodeDeployDefault.ECSAllAtOnce"}, "InvalidDeploymentConfigName"),
        ({"serviceRoleArn": "arn:aws:iam::000000000000:role/gone"}, "InvalidRole"),
        ({"autoScalingGroups": ["servers"]}, "InvalidInput"),
    ]
    return {
        "create_deployment_group": [
            *BY_APP[:2],
            ({**new, **GONE_APP}, "ApplicationDoesNotExist"),
            (named, "DeploymentGroupNameRequired"),
            ({**new, "deploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
            ({**new, "deploymentGroupName": group}, "DeploymentGroupAlreadyExists"),
            ({**new, "serviceRoleArn": ""}, "RoleRequired"),
            ({**new, "tags": [{"Key": "", "Value": ""}]}, "InvalidTagsToAdd"),
            *[({**new, **setting}, code) for setting, code in settings],
        ],
        "update_deployment_group": [
            *BY_APP[:2],
            ({**current, **GONE_APP}, "ApplicationDoesNotExist"),
            (named, "DeploymentGroupNameRequired"),
            ({**current, "currentDeploymentGroupName": "gone"}, "DeploymentGroupDoesNotExist"),
            ({**current, "newDeploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
            *[({**current, **setting}, code) for setting, code in settings],
        ],
        "get_deployment_group": [
            *BY_APP[:2],
            ({**both, **GONE_APP}, "ApplicationDoesNotExist"),
            (named, "DeploymentGroupNameRequired"),
            ({**both, "deploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
            ({**both, "deploymentGroupName": "gone"}, "DeploymentGroupDoesNotExist"),
        ],
        "batch_get_deployment_groups": [
            *BY_APP[:2],
            ({**GONE_APP, "deploymentGroupNames": ["g"]}, "ApplicationDoesNotExist"),
            (named, "DeploymentGroupNameRequired"),
            ({**named, "deploymentGroupNames": ["bad name!"]}, "InvalidDeploymentGroupName"),
            ({**named, "deploymentGroupNames": ["g"] * 101}, "BatchLimitExceeded"),
        ],
        "delete_deployment_group": [
            *BY_APP[:2],
            (named, "DeploymentGroupNameRequired"),
            ({**both, "deploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
        ],
        "list_deployment_groups": [*BY_APP, ({**named, **BAD_TOKEN[0]}, BAD_TOKEN[1])],
    }


def of_configs():
    new = {"deploymentConfigName": "new", "computePlatform": "Lambda"}
    bad = {"deploymentConfigName": "bad name!"}
    names = [({}, "DeploymentConfigNameRequired"), (bad, "InvalidDeploymentConfigName")]
    return {
        "create_deployment_config": [
            *names,
            ({**new, "computePlatform": "Nope"}, "InvalidComputePlatform"),
            ({**new, "minimumHealthyHosts": {"type": "HOST_COUNT", "value": 1}}, "InvalidMinimumHealthyHostValue"),
            ({**new, "zonalConfig": {}}, "InvalidZonalDeploymentConfiguration"),
        ],
        "get_deployment_config": [*names, ({"deploymentConfigName": "gone"}, "DeploymentConfigDoesNotExist")],
        "delete_deployment_config": names,
        "list_deployment_configs": [BAD_TOKEN],
    }


def of_deployments(app, group, queued, ended):
    both = {"applicationName": app, "deploymentGroupName": group}
    new = {**both, "revision": INLINE}
    alarms = {"enabled": True, "alarms": [{"name": str(n)} for n in range(11)]}
    waiting = ({"deploymentId": queued}, "UnsupportedActionForDeploymentType")
    instances = [*BY_ID, ({"deploymentId": ended}, "InvalidComputePlatform")]
    unstarted = [*BY_ID, ({"deploymentId": queued}, "DeploymentNotStarted")]
    no_target = ({"deploymentId": ended}, "DeploymentTargetIdRequired")
    over = ({"deploymentId": ended}, "DeploymentAlreadyCompleted")
    return {
        "create_deployment": [
            *BY_APP[:2],
            ({**new, "deploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
            ({**new, "deploymentConfigName": "bad name!"}, "InvalidDeploymentConfigName"),
            ({**new, "overrideAlarmConfiguration": alarms}, "AlarmsLimitExceeded"),
            ({**new, "targetInstances": {}}, "InvalidTargetInstances"),
            ({**new, "deploymentMode": "RESTART"}, "InvalidInput"),
            ({**new, "revision": {"revisionType": "GitHub", "gitHubLocation": {}}}, "InvalidRevision"),
        ],
        "get_deployment": BY_ID,
        "batch_get_deployments": [
            ({}, "DeploymentIdRequired"),
            ({"deploymentIds": ["nonsense"]}, "InvalidDeploymentId"),
        ],
        "list_deployments": [
            ({**both, "deploymentGroupName": "bad name!"}, "InvalidDeploymentGroupName"),
            ({**both, "deploymentGroupName": "gone"}, "DeploymentGroupDoesNotExist"),
            ({**both, **GONE_APP}, "ApplicationDoesNotExist"),
            ({**both, **BAD_APP}, "InvalidApplicationName"),
            BAD_TOKEN,
        ],
        "stop_deployment": [*BY_ID, over],
        "continue_deployment": [*BY_ID, over, waiting],
        "skip_wait_time_for_instance_termination": [*BY_ID, over, waiting],
        "get_deployment_instance": instances,
        "batch_get_deployment_instances": instances,
        "list_deployment_instances": instances,
        "list_deployment_targets": [*unstarted, ({"deploymentId": ended, **BAD_TOKEN[0]}, BAD_TOKEN[1])],
        "get_deployment_target": [*unstarted, no_target],
        "batch_get_deployment_targets": [
            *unstarted,
            no_target,
            ({"deploymentId": ended, "targetIds": ["gone"]}, "DeploymentTargetDoesNotExist"),
        ],
        "put_lifecycle_event_hook_execution_status": [
            *BY_ID[:2],
            ({**GONE_ID, "status": "Succeeded"}, "DeploymentDoesNotExist"),
        ],
    }


def of_tags():
    arn = "arn:aws:codedeploy:us-east-1:000000000000:"
    places = [
        ({}, "ResourceArnRequired"),
        ({"ResourceArn": "nonsense"}, "InvalidArn"),
        ({"ResourceArn": f"{arn}deployment:d"}, "ArnNotSupported"),
    ]
    gone = [
        ({"ResourceArn": f"{arn}application:gone"}, "ApplicationDoesNotExist"),
        ({"ResourceArn": f"{arn}deploymentgroup:refusing/gone"}, "DeploymentGroupDoesNotExist"),
        ({"ResourceArn": f"{arn}deploymentconfig:gone"}, "DeploymentConfigDoesNotExist"),
    ]
    tag, untag = {"Tags": [{"Key": "k", "Value": "v"}]}, {"TagKeys": ["k"]}
    untagged = ({"ResourceArn": f"{arn}application:refusing"}, "TagRequired")
    return {
        "list_tags_for_resource": places,
        "tag_resource": [*[({**place, **tag}, code) for place, code in places + gone], untagged],
        "untag_resource": [*[({**place, **untag}, code) for place, code in places + gone], untagged],
    }


def every_refusal_has_its_code(sandbox):
    deploy = sandbox.client("codedeploy")
    function = sandbox.function("refusing", returning("1"), returning("2"))
    app = group = sandbox.group("refusing")
    ended = sandbox.deploy(group, function)
    sandbox.ended(ended)
    for table in (of_applications(app), of_groups(app, group), of_configs(), of_tags()):
        check(deploy, table)
    # At this speed a deployment is queued for a moment only; at speed 1 it stays for a second.
    slow = sandbox.slow()
    function = slow.function("refusing", returning("1"), returning("2"))
    slow.group("refusing")
    done = slow.deploy(group, function)
    slow.client("codedeploy").stop_deployment(deploymentId=done)
    slow.ended(done)
    queued = slow.deploy(group, function)
    check(slow.client("codedeploy"), of_deployments(app, group, queued, done))


def check(deploy, table):
    for operation, cases in table.items():
        for arguments, code in cases:
            same(refused(getattr(deploy, operation), **arguments), f"{code}Exception", f"{operation} {arguments}")


def quotas_are_kept(sandbox):
    """As many as an account may have, and one more."""
    deploy = sandbox.client("codedeploy", account="333333333333")
    for n in range(1000):
        deploy.create_application(applicationName=f"a{n}", computePlatform="Lambda")
    same(refused(deploy.create_application, applicationName="one-more"), "ApplicationLimitExceededException")
    for n in range(200):
        deploy.create_deployment_config(deploymentConfigName=f"c{n}", computePlatform="Lambda")
    more = {"deploymentConfigName": "one-more", "computePlatform": "Lambda"}
    same(refused(deploy.create_deployment_config, **more), "DeploymentConfigLimitExceededException")


def operations_on_servers_say_so(sandbox):
    deploy = sandbox.client("codedeploy")
    try:
        deploy.list_on_premises_instances()
    except deploy.exceptions.ClientError as error:
        contains(error.response["Error"]["Message"], "ListOnPremisesInstances")
    for operation in (
        "add_tags_to_on_premises_instances",
        "batch_get_on_premises_instances",
        "delete_git_hub_account_token",
        "delete_resources_by_external_id",
        "deregister_on_premises_instance",
        "get_on_premises_instance",
        "list_git_hub_account_token_names",
        "register_on_premises_instance",
        "remove_tags_from_on_premises_instances",
    ):
        same(refused(getattr(deploy, operation)), "OperationNotSupportedException")


CHECKS = [every_refusal_has_its_code, quotas_are_kept, operations_on_servers_say_so]
