"""CloudWatch: data and alarms, in each of its three protocols."""

import time
from datetime import datetime, timezone

import botocore.session

from harness import CONTRACT, connect, contains, refused, same, until

PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")


def client(sandbox, protocol, account):
    """A client that speaks one protocol."""
    session = botocore.session.Session()
    CONTRACT.watch(session)
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def only(service, kind, api_version=None):
        model = load(service, kind, api_version=api_version)
        if service == "cloudwatch" and kind == "service-2":
            metadata = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
            model = {**model, "metadata": metadata}
        return model

    loader.load_service_model = only
    return connect(session, sandbox.endpoint, "cloudwatch", account)


def in_every_protocol(check):
    def run(sandbox):
        for number, protocol in enumerate(PROTOCOLS):
            try:
                check(sandbox, client(sandbox, protocol, f"{number + 3}" * 12))
            except Exception as error:
                raise AssertionError(f"in {protocol}") from error

    run.__name__, run.__module__ = check.__name__, check.__module__
    return run


ERRORS = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}
SIMPLE = {
    **ERRORS,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


@in_every_protocol
def alarms_are_kept(sandbox, aws):
    aws.put_metric_alarm(
        AlarmName="simple", AlarmDescription='<said> & "quoted"', Tags=[{"Key": "k", "Value": "v"}], **SIMPLE
    )
    [alarm] = aws.describe_alarms(AlarmNames=["simple"])["MetricAlarms"]
    same({name: alarm[name] for name in SIMPLE}, SIMPLE)
    same((alarm["AlarmDescription"], alarm["ActionsEnabled"]), ('<said> & "quoted"', True))
    assert abs(alarm["StateUpdatedTimestamp"].timestamp() - time.time()) < 10, alarm["StateUpdatedTimestamp"]
    arn = alarm["AlarmArn"]
    same(aws.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "k", "Value": "v"}])
    aws.tag_resource(ResourceARN=arn, Tags=[{"Key": "l", "Value": "w"}])
    aws.untag_resource(ResourceARN=arn, TagKeys=["k"])
    same(aws.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "l", "Value": "w"}])
    aws.disable_alarm_actions(AlarmNames=["simple"])
    same(aws.describe_alarms(AlarmNamePrefix="sim")["MetricAlarms"][0]["ActionsEnabled"], False)
    aws.delete_alarms(AlarmNames=["simple", "never there"])
    same(aws.describe_alarms()["MetricAlarms"], [])


@in_every_protocol
def errors_have_their_codes(sandbox, aws):
    def codes(call, *expected, **arguments):
        assert refused(call, **arguments) in expected, (expected, arguments)

    codes(aws.set_alarm_state, "ResourceNotFound", AlarmName="none", StateValue="OK", StateReason="x")
    codes(aws.put_metric_alarm, "MissingParameter", "MissingRequiredParameterException", **SIMPLE)
    codes(aws.put_metric_alarm, "ValidationError", AlarmName="a", **{**SIMPLE, "Period": 7})
    codes(aws.put_metric_alarm, "ValidationError", AlarmName="a", **{**SIMPLE, "DatapointsToAlarm": 2})
    codes(aws.put_metric_alarm, "ValidationError", AlarmName="a", **{**SIMPLE, "Statistic": None})
    codes(aws.put_metric_alarm, "ValidationError", AlarmName="a", **{**SIMPLE, "TreatMissingData": "maybe"})
    codes(aws.put_composite_alarm, "ValidationError", AlarmName="a", AlarmRule="MAYBE(x)")
    codes(
        aws.describe_alarms,
        "InvalidParameterCombination",
        "InvalidParameterCombinationException",
        AlarmNames=["a"],
        AlarmNamePrefix="a",
    )
    codes(aws.list_dashboards, "UnknownOperationException")


@in_every_protocol
def data_come_back(sandbox, aws):
    """A minute is a tenth of a second here; what is asked for is in real time."""
    now = time.time()
    at = datetime.fromtimestamp(now, timezone.utc)
    dimensions = [{"Name": "a", "Value": "1"}]
    data = [
        {"MetricName": "m", "Dimensions": dimensions, "Value": 3.0, "Timestamp": at, "Unit": "Count"},
        {"MetricName": "m", "Dimensions": dimensions, "Values": [1.0, 2.0], "Counts": [2.0, 1.0], "Timestamp": at},
        {"MetricName": "other", "StatisticValues": {"Sum": 10.0, "SampleCount": 4.0, "Minimum": 1.0, "Maximum": 5.0}},
    ]
    aws.put_metric_data(Namespace="Own", MetricData=data)
    listed = aws.list_metrics(Namespace="Own", Dimensions=[{"Name": "a"}])["Metrics"]
    same(listed, [{"Namespace": "Own", "MetricName": "m", "Dimensions": dimensions}])
    window = {
        "StartTime": datetime.fromtimestamp(now - 1, timezone.utc),
        "EndTime": datetime.fromtimestamp(now + 1, timezone.utc),
    }
    metric = {"Namespace": "Own", "MetricName": "m", "Dimensions": dimensions}
    statistics = ["Sum", "SampleCount", "Minimum", "Maximum", "Average"]
    [point] = aws.get_metric_statistics(**metric, **window, Period=60, Statistics=statistics)["Datapoints"]
    same([point[name] for name in statistics], [7.0, 4.0, 1.0, 3.0, 1.75])
    assert 0 <= now - point["Timestamp"].timestamp() <= 0.101, (now, point)
    queries = [
        {"Id": "rate", "Expression": "100 * m / FILL(none, 14)", "Label": "share"},
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "none", "MetricStat": {"Metric": {**metric, "MetricName": "no"}, "Period": 60, "Stat": "Sum"}},
    ]
    results = {
        result["Id"]: result for result in aws.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    }
    same(sorted(results), ["none", "rate"])
    same(
        (results["rate"]["Values"], results["rate"]["Label"], results["rate"]["StatusCode"]),
        ([50.0], "share", "Complete"),
    )
    same(results["none"]["Values"], [])
    same(len(results["rate"]["Timestamps"]), 1)


@in_every_protocol
def an_alarm_fires_and_calms_down(sandbox, aws):
    aws.put_metric_alarm(AlarmName="live", **SIMPLE)

    def history():
        return aws.describe_alarm_history(AlarmName="live")["AlarmHistoryItems"]

    until(lambda: len(history()) == 1, "nothing is fine")
    aws.put_metric_data(
        Namespace="AWS/Lambda", MetricData=[{"MetricName": "Errors", "Dimensions": ERRORS["Dimensions"], "Value": 2.0}]
    )
    until(lambda: len(history()) == 3, "it fires and calms down")
    calm, fired, fine = history()
    same(
        [item["HistorySummary"] for item in (fine, fired, calm)],
        [
            "Alarm updated from INSUFFICIENT_DATA to OK",
            "Alarm updated from OK to ALARM",
            "Alarm updated from ALARM to OK",
        ],
    )
    contains(fired["HistoryData"], "Threshold Crossed: 1 out of the last 1 datapoints [2.0 (")
    same(aws.describe_alarms(AlarmNames=["live"])["MetricAlarms"][0]["StateValue"], "OK")
    aws.delete_alarms(AlarmNames=["live"])


@in_every_protocol
def metric_math_and_composite_alarms(sandbox, aws):
    def stat(id, name):
        return {
            "Id": id,
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "Math", "MetricName": name, "Dimensions": []},
                "Period": 60,
                "Stat": "Sum",
            },
        }

    queries = [
        {"Id": "e", "Expression": "IF(FILL(bad, 0) > 0 AND bad / all > 0.5, 1, 0)", "Label": "rate"},
        stat("bad", "bad"),
        stat("all", "all"),
    ]
    aws.put_metric_alarm(
        AlarmName="math",
        Metrics=queries,
        EvaluationPeriods=1,
        Threshold=0.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    aws.put_composite_alarm(AlarmName="both", AlarmRule='ALARM(math) AND NOT ALARM("none")')
    same(
        [len(aws.describe_alarms()[kind]) for kind in ("MetricAlarms", "CompositeAlarms")],
        [1, 0],
        "metric alarms alone",
    )
    [shown] = aws.describe_alarms(AlarmNames=["math"])["MetricAlarms"]
    same([query["Id"] for query in shown["Metrics"]], ["e", "bad", "all"])
    data = [{"MetricName": "bad", "Value": 3.0}, {"MetricName": "all", "Value": 4.0}]
    aws.put_metric_data(Namespace="Math", MetricData=data)

    def fired(name):
        items = aws.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
        return any(item["HistorySummary"].endswith("to ALARM") for item in items)

    until(lambda: fired("math") and fired("both"), "the composite alarm follows")
    same(
        [alarm["AlarmName"] for alarm in aws.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]],
        ["both"],
    )
    same(
        refused(
            aws.put_metric_alarm,
            AlarmName="bad",
            Metrics=queries[:1],
            EvaluationPeriods=1,
            Threshold=0.0,
            ComparisonOperator="GreaterThanThreshold",
        ),
        "ValidationError",
    )


@in_every_protocol
def a_set_state_is_told_and_kept_when_edited(sandbox, aws):
    aws.put_metric_alarm(AlarmName="set", **{**SIMPLE, "Period": 3600})
    aws.set_alarm_state(AlarmName="set", StateValue="ALARM", StateReason="by hand")
    aws.put_metric_alarm(AlarmName="set", **{**SIMPLE, "Period": 3600, "Threshold": 5.0})
    [alarm] = aws.describe_alarms(AlarmNames=["set"])["MetricAlarms"]
    same((alarm["StateValue"], alarm["Threshold"]), ("ALARM", 5.0))


@in_every_protocol
def alarms_come_in_pages(sandbox, aws):
    names = [f"page-{n:03}" for n in range(7)]
    for name in names:
        aws.put_metric_alarm(AlarmName=name, **SIMPLE)
    found, token = [], {}
    while True:
        page = aws.describe_alarms(AlarmNamePrefix="page-", MaxRecords=3, **token)
        found.append([alarm["AlarmName"] for alarm in page["MetricAlarms"]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    same(found, [names[:3], names[3:6], names[6:]])


def a_topic_is_told_of_an_alarm(sandbox):
    import json

    sns, sqs, aws = (sandbox.client(service) for service in ("sns", "sqs", "cloudwatch"))
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:alarms")
    aws.put_metric_alarm(AlarmName="telling", AlarmActions=[topic], **{**SIMPLE, "Period": 3600})
    aws.set_alarm_state(AlarmName="telling", StateValue="ALARM", StateReason="by hand")
    messages = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the topic is told")
    told = json.loads(json.loads(messages[0]["Body"])["Message"])
    same((told["AlarmName"], told["NewStateValue"], told["NewStateReason"]), ("telling", "ALARM", "by hand"))


CHECKS = [
    alarms_are_kept,
    errors_have_their_codes,
    data_come_back,
    an_alarm_fires_and_calms_down,
    metric_math_and_composite_alarms,
    a_set_state_is_told_and_kept_when_edited,
    alarms_come_in_pages,
    a_topic_is_told_of_an_alarm,
]
