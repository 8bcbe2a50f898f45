"""CodeDeploy's API: what it keeps, what it shows, what it refuses."""

import hashlib

from harness import STYLE, appspec, contains, refused, returning, same, until

CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


def applications(sandbox):
    deploy = sandbox.client("codedeploy", account="111111111111")
    create = deploy.create_application
    assert create(applicationName="b", computePlatform="Lambda", tags=[{"Key": "k", "Value": "v"}])["applicationId"]
    create(applicationName="a", computePlatform="Lambda")
    same(refused(create, applicationName="a"), "ApplicationAlreadyExistsException")
    same(refused(create), "ApplicationNameRequiredException")
    same(refused(create, applicationName="bad name!"), "InvalidApplicationNameException")
    same(refused(create, applicationName="c", computePlatform="Nope"), "InvalidComputePlatformException")
    same(refused(create, applicationName="c", tags=[{"Key": "", "Value": "v"}]), "InvalidTagsToAddException")
    same(deploy.list_applications()["applications"], ["a", "b"])
    info = deploy.get_application(applicationName="b")["application"]
    same((info["applicationName"], info["computePlatform"], info["linkedToGitHub"]), ("b", "Lambda", False))
    same(len(deploy.batch_get_applications(applicationNames=["a", "b"])["applicationsInfo"]), 2)
    same(refused(deploy.batch_get_applications, applicationNames=["a", "x"]), "ApplicationDoesNotExistException")
    same(refused(deploy.batch_get_applications, applicationNames=["a"] * 101), "BatchLimitExceededException")
    same(
        refused(deploy.update_application, applicationName="a", newApplicationName="b"),
        "ApplicationAlreadyExistsException",
    )
    deploy.update_application(applicationName="a", newApplicationName="c")
    deploy.delete_application(applicationName="c")
    deploy.delete_application(applicationName="c")
    same(refused(deploy.get_application, applicationName="c"), "ApplicationDoesNotExistException")
    same(
        sandbox.client("codedeploy", account="111111111111", region="eu-west-1").list_applications()["applications"], []
    )


def pages(sandbox):
    deploy = sandbox.client("codedeploy", account="222222222222")
    names = [f"app-{n:03}" for n in range(205)]
    for name in names:
        deploy.create_application(applicationName=name, computePlatform="Lambda")
    first = deploy.list_applications()
    same(len(first["applications"]), 100)
    found = [name for page in deploy.get_paginator("list_applications").paginate() for name in page["applications"]]
    same(found, names)
    same(refused(deploy.list_applications, nextToken="nonsense"), "InvalidNextTokenException")


def configs(sandbox):
    deploy = sandbox.client("codedeploy")
    canary = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 5, "canaryInterval": 7}}
    make = {"deploymentConfigName": "own", "computePlatform": "Lambda", "trafficRoutingConfig": canary}
    create = deploy.create_deployment_config
    assert create(**make)["deploymentConfigId"]
    same(refused(create, **make), "DeploymentConfigAlreadyExistsException")
    info = deploy.get_deployment_config(deploymentConfigName="own")["deploymentConfigInfo"]
    same((info["trafficRoutingConfig"], info["computePlatform"]), (canary, "Lambda"))
    same(
        refused(create, **{**make, "deploymentConfigName": "CodeDeployDefault.Mine"}),
        "InvalidDeploymentConfigNameException",
    )
    wrong = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 100, "canaryInterval": 7}}
    same(
        refused(create, **{**make, "deploymentConfigName": "other", "trafficRoutingConfig": wrong}),
        "InvalidTrafficRoutingConfigurationException",
    )
    names = deploy.list_deployment_configs()["deploymentConfigsList"]
    same(len([name for name in names if name.startswith("CodeDeployDefault.Lambda")]), 9)
    known = deploy.get_deployment_config(deploymentConfigName=CANARY)["deploymentConfigInfo"]
    same(known["trafficRoutingConfig"]["timeBasedCanary"], {"canaryPercentage": 10, "canaryInterval": 5})
    delete = deploy.delete_deployment_config
    same(refused(delete, deploymentConfigName=CANARY), "InvalidOperationException")
    sandbox.group("uses-own", "own")
    same(refused(delete, deploymentConfigName="own"), "DeploymentConfigInUseException")
    deploy.delete_deployment_group(applicationName="uses-own", deploymentGroupName="uses-own")
    delete(deploymentConfigName="own")
    same(refused(deploy.get_deployment_config, deploymentConfigName="own"), "DeploymentConfigDoesNotExistException")


def groups(sandbox):
    deploy = sandbox.client("codedeploy")
    deploy.create_application(applicationName="grouped", computePlatform="Lambda")
    role = sandbox.role("group-role")
    names = {"applicationName": "grouped", "deploymentGroupName": "g"}
    make = {**names, "serviceRoleArn": role, "deploymentConfigName": CANARY, "deploymentStyle": STYLE}
    create = deploy.create_deployment_group
    stranger = sandbox.role("stranger", trusted="lambda.amazonaws.com")
    alarms = {"enabled": True, "alarms": [{"name": "x"}, {"name": "x"}]}
    topic = {
        "triggerName": "t",
        "triggerTargetArn": "arn:aws:sns:us-east-1:000000000000:none",
        "triggerEvents": ["DeploymentStop"],
    }
    for change, code in [
        ({"serviceRoleArn": None}, "RoleRequiredException"),
        ({"serviceRoleArn": stranger}, "InvalidRoleException"),
        ({"serviceRoleArn": role + "x"}, "InvalidRoleException"),
        ({"deploymentGroupName": "bad name"}, "InvalidDeploymentGroupNameException"),
        ({"applicationName": "none"}, "ApplicationDoesNotExistException"),
        ({"deploymentConfigName": "none"}, "DeploymentConfigDoesNotExistException"),
        ({"deploymentConfigName": "CodeDeployDefault.OneAtATime"}, "InvalidDeploymentConfigNameException"),
        ({"deploymentStyle": {**STYLE, "deploymentType": "IN_PLACE"}}, "InvalidDeploymentStyleException"),
        ({"deploymentStyle": None}, "InvalidDeploymentStyleException"),
        ({"alarmConfiguration": alarms}, "InvalidAlarmConfigException"),
        ({"autoRollbackConfiguration": {"enabled": True, "events": []}}, "InvalidAutoRollbackConfigException"),
        ({"triggerConfigurations": [topic]}, "InvalidTriggerConfigException"),
    ]:
        settings = {name: value for name, value in {**make, **change}.items() if value is not None}
        same(refused(create, **settings), code, change)
    assert create(**make, tags=[{"Key": "owner", "Value": "me"}])["deploymentGroupId"]
    same(refused(create, **make), "DeploymentGroupAlreadyExistsException")
    update_and_show(deploy, names)


def update_and_show(deploy, names):
    """An update changes what it names, and nothing else."""
    alarms = {"enabled": True, "ignorePollAlarmFailure": True, "alarms": [{"name": "a"}]}
    current = {"applicationName": "grouped", "currentDeploymentGroupName": "g"}
    deploy.update_deployment_group(**current, alarmConfiguration=alarms)
    deploy.update_deployment_group(
        **current, autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    )
    info = deploy.get_deployment_group(**names)["deploymentGroupInfo"]
    same((info["alarmConfiguration"], info["deploymentConfigName"]), (alarms, CANARY))
    same((info["deploymentStyle"], info["computePlatform"]), (STYLE, "Lambda"))
    deploy.update_deployment_group(
        **current, alarmConfiguration={"enabled": False, "alarms": []}, newDeploymentGroupName="h"
    )
    same(deploy.list_deployment_groups(applicationName="grouped")["deploymentGroups"], ["h"])
    found = deploy.batch_get_deployment_groups(applicationName="grouped", deploymentGroupNames=["h", "i"])
    same(len(found["deploymentGroupsInfo"]), 1)
    contains(found["errorMessage"], "i")
    same(refused(deploy.update_deployment_group, **current), "DeploymentGroupDoesNotExistException")
    deploy.delete_deployment_group(applicationName="grouped", deploymentGroupName="h")
    deploy.delete_deployment_group(applicationName="grouped", deploymentGroupName="h")
    same(refused(deploy.get_deployment_group, **names), "DeploymentGroupDoesNotExistException")


def tags(sandbox):
    deploy = sandbox.client("codedeploy")
    deploy.create_application(applicationName="tagged", computePlatform="Lambda", tags=[{"Key": "a", "Value": "1"}])
    arn = "arn:aws:codedeploy:us-east-1:000000000000:application:tagged"
    deploy.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    deploy.untag_resource(ResourceArn=arn, TagKeys=["a"])
    same(deploy.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])
    tag = deploy.tag_resource
    some = [{"Key": "a", "Value": "1"}]
    same(refused(tag, ResourceArn=arn + "x", Tags=some), "ApplicationDoesNotExistException")
    same(refused(tag, ResourceArn="nonsense", Tags=some), "InvalidArnException")
    same(refused(tag, ResourceArn=arn.replace("application", "instance"), Tags=some), "ArnNotSupportedException")
    same(refused(tag, ResourceArn=arn, Tags=[]), "TagRequiredException")
    same(refused(tag, Tags=some), "ResourceArnRequiredException")


def deployments_are_refused(sandbox):
    deploy = sandbox.client("codedeploy")
    function = sandbox.function("refuser", returning("1"), returning("2"))
    group = sandbox.group("refuser")
    content = appspec(function, "1", "2")
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    make = {"applicationName": group, "deploymentGroupName": group, "revision": revision}
    wrong_digest = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": "00"}}
    only_digest = {"revisionType": "AppSpecContent", "appSpecContent": {"sha256": "11" * 32}}
    for change, code in [
        ({"applicationName": None}, "ApplicationNameRequiredException"),
        ({"applicationName": "none"}, "ApplicationDoesNotExistException"),
        ({"deploymentGroupName": None}, "DeploymentGroupNameRequiredException"),
        ({"deploymentGroupName": "none"}, "DeploymentGroupDoesNotExistException"),
        ({"revision": None}, "RevisionRequiredException"),
        ({"revision": wrong_digest}, "InvalidRevisionException"),
        ({"revision": only_digest}, "RevisionDoesNotExistException"),
        ({"deploymentConfigName": "none"}, "DeploymentConfigDoesNotExistException"),
        ({"description": "x" * 257}, "DescriptionTooLongException"),
        ({"fileExistsBehavior": "DISALLOW"}, "InvalidFileExistsBehaviorException"),
        ({"updateOutdatedInstancesOnly": True}, "InvalidUpdateOutdatedInstancesOnlyValueException"),
        ({"ignoreApplicationStopFailures": True}, "InvalidIgnoreApplicationStopFailuresValueException"),
        ({"deploymentMode": "RESTART"}, "InvalidInputException"),
        ({"overrideAlarmConfiguration": {"enabled": True, "alarms": []}}, "InvalidAlarmConfigException"),
        ({"autoRollbackConfiguration": {"enabled": True, "events": ["NO"]}}, "InvalidAutoRollbackConfigException"),
    ]:
        settings = {name: value for name, value in {**make, **change}.items() if value is not None}
        same(refused(deploy.create_deployment, **settings), code, change)
    same(refused(deploy.create_deployment, applicationName=7), "SerializationException")
    same(deploy.list_deployments(applicationName=group, deploymentGroupName=group)["deployments"], [])


def deployments_are_found(sandbox):
    deploy = sandbox.client("codedeploy")
    function = sandbox.function("finder", returning("1"), returning("2"))
    group = sandbox.group("finder")
    ask = {"applicationName": group, "deploymentGroupName": group}
    first = sandbox.deploy(group, function)
    sandbox.ended(first)
    second = sandbox.deploy(group, function, "2", "1")
    info = sandbox.ended(second)
    assert info["previousRevision"]["appSpecContent"]["sha256"]
    same(deploy.list_deployments(**ask)["deployments"], [second, first])
    same(deploy.list_deployments(**ask, includeOnlyStatuses=["Failed"])["deployments"], [])
    later = {"start": info["createTime"].timestamp() - 0.001}
    same(deploy.list_deployments(**ask, createTimeRange=later)["deployments"], [second])
    same(deploy.list_deployments(externalId="nobody's")["deployments"], [])
    found = deploy.batch_get_deployments(deploymentIds=[second, "d-ZZZZZZZZZ", first])["deploymentsInfo"]
    same([one["deploymentId"] for one in found], [second, first])
    shown = deploy.get_deployment_group(**ask)["deploymentGroupInfo"]
    same(
        (shown["lastAttemptedDeployment"]["deploymentId"], shown["lastSuccessfulDeployment"]["status"]),
        (second, "Succeeded"),
    )
    for call, arguments, code in [
        (deploy.get_deployment, {}, "DeploymentIdRequiredException"),
        (deploy.get_deployment, {"deploymentId": "x"}, "InvalidDeploymentIdException"),
        (deploy.get_deployment, {"deploymentId": "d-ZZZZZZZZZ"}, "DeploymentDoesNotExistException"),
        (deploy.batch_get_deployments, {"deploymentIds": [first] * 26}, "BatchLimitExceededException"),
        (deploy.list_deployments, {"applicationName": group}, "DeploymentGroupNameRequiredException"),
        (deploy.list_deployments, {"deploymentGroupName": group}, "ApplicationNameRequiredException"),
        (deploy.list_deployments, {**ask, "includeOnlyStatuses": ["Nope"]}, "InvalidDeploymentStatusException"),
        (deploy.list_deployments, {**ask, "createTimeRange": {"start": 2, "end": 1}}, "InvalidTimeRangeException"),
        (deploy.stop_deployment, {"deploymentId": first}, "DeploymentAlreadyCompletedException"),
        (deploy.get_deployment_target, {"deploymentId": first}, "DeploymentTargetIdRequiredException"),
        (
            deploy.get_deployment_target,
            {"deploymentId": first, "targetId": "x"},
            "DeploymentTargetDoesNotExistException",
        ),
        (
            deploy.batch_get_deployment_targets,
            {"deploymentId": first, "targetIds": ["a", "b"]},
            "DeploymentTargetListSizeExceededException",
        ),
        (
            deploy.list_deployment_targets,
            {"deploymentId": first, "targetFilters": {"No": []}},
            "InvalidTargetFilterNameException",
        ),
    ]:
        same(refused(call, **arguments), code, arguments)


def revisions(sandbox):
    """Only here does the text of an AppSpec come back, for its digest alone."""
    deploy = sandbox.client("codedeploy")
    function = sandbox.function("revised", returning("1"), returning("2"))
    group = sandbox.group("revised")
    id = sandbox.deploy(group, function)
    revision = sandbox.ended(id)["revision"]
    found = deploy.get_application_revision(applicationName=group, revision=revision)
    content = appspec(function, "1", "2")
    same(found["revision"]["appSpecContent"]["content"], content)
    same(found["revisionInfo"]["deploymentGroups"], [group])
    same(revision["appSpecContent"]["sha256"], hashlib.sha256(content.encode()).hexdigest())
    other = {"revisionType": "String", "string": {"content": "{}"}}
    deploy.register_application_revision(applicationName=group, revision=other, description="later")
    same(len(deploy.list_application_revisions(applicationName=group)["revisions"]), 2)
    unused = deploy.list_application_revisions(applicationName=group, deployed="exclude")["revisions"]
    same([one["revisionType"] for one in unused], ["String"])
    both = deploy.batch_get_application_revisions(applicationName=group, revisions=[revision, other])
    same([one["genericRevisionInfo"].get("description") for one in both["revisions"]], [None, "later"])
    unknown = {"revisionType": "String", "string": {"sha256": "00" * 32}}
    same(
        refused(deploy.get_application_revision, applicationName=group, revision=unknown),
        "RevisionDoesNotExistException",
    )


def deleting_an_application_forgets_its_deployments(sandbox):
    deploy = sandbox.client("codedeploy")
    function = sandbox.function("forgotten", returning("1"), returning("2"))
    group = sandbox.group("forgotten", "CodeDeployDefault.LambdaLinear10PercentEvery10Minutes")
    id = sandbox.deploy(group, function)
    until(lambda: sandbox.alias(function)[1], "traffic moves")
    deploy.delete_application(applicationName=group)
    same(refused(deploy.get_deployment, deploymentId=id), "DeploymentDoesNotExistException")


CHECKS = [
    applications,
    pages,
    configs,
    groups,
    tags,
    deployments_are_refused,
    deployments_are_found,
    revisions,
    deleting_an_application_forgets_its_deployments,
]
