"""Holds every answer of the sandbox against botocore's model of the service, and counts the answers.

botocore itself drops members that it does not know and forgives those that are missing. This looks at the bytes.
"""

import json
from collections import Counter

# The services that the sandbox answers by itself.
SERVICES = ("codedeploy", "cloudwatch")
# What every service may answer, whatever its model lists for the operation.
COMMON = {"ThrottlingException", "Throttling", "SerializationException", "InternalFailure"}
# CloudWatch's errors of every operation, which its API reference has apart from the operations.
COMMON |= {"ValidationError", "MissingParameter", "InvalidParameterCombination", "UnknownOperationException"}
# CodeDeploy's operations on servers and GitHub tokens list no error for "not here".
ELSEWHERE = "OperationNotSupportedException"


class Contract:
    def __init__(self):
        self.answers = Counter()
        self.wrong = []
        self.models = {}

    def watch(self, session):
        """Looks at every answer that clients of this session get."""
        for service in SERVICES:
            session.register(f"before-parse.{service}", self.check)

    def check(self, operation_model, response_dict, **_):
        service = operation_model.service_model
        if service.resolved_protocol != "json":
            return
        self.models[service.service_name] = service
        name = operation_model.name
        body = response_dict["body"]
        problems = []
        if response_dict["status_code"] >= 400:
            code = error_code(response_dict)
            self.answers[service.service_name, name, code] += 1
            problems = [] if self.may_answer(operation_model, code) else [f"{code} is not one of its errors"]
        else:
            self.answers[service.service_name, name, "ok"] += 1
            problems = list(against(operation_model.output_shape, json.loads(body or b"{}"), "answer"))
        self.wrong += [f"{service.service_name} {name}: {problem}" for problem in problems]

    def may_answer(self, operation, code):
        listed = {shape.error_code or shape.name for shape in operation.error_shapes}
        listed |= {shape.name for shape in operation.error_shapes}
        known = {shape.name for shape in operation.service_model.error_shapes}
        elsewhere = code == ELSEWHERE and code in known and ("OnPremises" in operation.name or not listed)
        return code in listed | COMMON or elsewhere

    def table(self):
        """Operations and how often each of their answers came."""
        lines, totals = [], Counter()
        for service, model in sorted(self.models.items()):
            counted = {name: Counter() for name in model.operation_names}
            for (of, name, outcome), count in self.answers.items():
                if of == service:
                    counted[name][outcome] += count
            asked = {name: outcomes for name, outcomes in counted.items() if outcomes}
            lines.append(f"{service}: {len(asked)} of {len(counted)} operations")
            for name, outcomes in sorted(asked.items()):
                ok = outcomes.pop("ok", 0)
                refusals = ", ".join(f"{code.removesuffix('Exception')} {n}" for code, n in sorted(outcomes.items()))
                lines.append(f"  {name:<38} ok {ok:<5} {refusals}")
                totals.update(operations=1, ok=ok, errors=sum(outcomes.values()), codes=len(outcomes))
        lines.append(
            f"{totals['operations']} operations, {totals['ok']} answers ok, {totals['errors']} errors"
            f" of {totals['codes']} kinds (an operation with a code), {len(self.wrong)} not as the model says"
        )
        return "\n".join(lines + self.wrong)


def error_code(response):
    query = response["headers"].get("x-amzn-query-error")
    if query:
        return query.split(";")[0]
    return json.loads(response["body"])["__type"].rsplit("#", 1)[-1]


def against(shape, value, path):
    """What is wrong with a value, by its shape."""
    if shape is None:
        if value:
            yield f"{path}: {value!r}, and the operation answers nothing"
        return
    check = {"structure": of_structure, "list": of_list, "map": of_map}.get(shape.type_name, of_scalar)
    yield from check(shape, value, path)


def of_structure(shape, value, path):
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a structure"
        return
    for name in value.keys() - shape.members.keys():
        yield f"{path}.{name} is not in the model"
    for name in set(shape.required_members) - value.keys():
        yield f"{path}.{name} is required and missing"
    for name in value.keys() & shape.members.keys():
        yield from against(shape.members[name], value[name], f"{path}.{name}")


def of_list(shape, value, path):
    if not isinstance(value, list):
        yield f"{path}: {value!r} is not a list"
        return
    for number, item in enumerate(value):
        yield from against(shape.member, item, f"{path}[{number}]")


def of_map(shape, value, path):
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not a map"
        return
    for key, item in value.items():
        yield from against(shape.value, item, f"{path}[{key}]")


def of_scalar(shape, value, path):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": number and value == int(value),
        "long": number and value == int(value),
        "float": number,
        "double": number,
        "timestamp": number,
        "blob": isinstance(value, str),
    }
    if not fits[shape.type_name]:
        yield f"{path}: {value!r} is not a {shape.type_name}"
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {shape.enum}"
