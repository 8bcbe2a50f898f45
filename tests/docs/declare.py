"""Runs programs for Pulumi without an engine, and says what each of them declared; other code is compiled alone.

Reads [{"place", "code"}] from standard input, and writes for each {"place", "problem"} or {"place", "resources"}: what
was declared, as a program in YAML has it.
"""

import inspect
import json
import linecache
import re
import sys
import traceback
import typing

import pulumi
import pulumi.config

IS_FOR_PULUMI = re.compile(r"^(import|from) pulumi", re.MULTILINE)
SAMPLES = {str: "text", bool: True, int: 1, float: 1.0}


def sample(getter):
    """A value of a property's type, if it is a plain one."""
    wanted = typing.get_type_hints(getter).get("return")
    while typing.get_args(wanted):
        wanted = typing.get_args(wanted)[0]
    return SAMPLES.get(wanted)


def outputs(kind):
    """A value for each plain property of a class, and none for lists and objects, by its name in the schema."""
    getters = [value.fget for _, value in inspect.getmembers(kind) if isinstance(value, property)]
    named = {getattr(getter, "_pulumi_name", None): getter for getter in getters}
    return {name: sample(getter) for name, getter in named.items() if name}


def descendants(kind):
    for heir in kind.__subclasses__():
        yield heir
        yield from descendants(heir)


def resource_class(token):
    return next((kind for kind in descendants(pulumi.CustomResource) if getattr(kind, "pulumi_type", None) == token), None)


def result_class(token):
    """The class of what a function answers: GetRolloutResult in the module get_rollout."""
    name = token.split(":")[-1]
    module = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    modules = [value for key, value in sys.modules.items() if key.endswith(f".{module}")]
    return next(getattr(value, f"{name[0].upper()}{name[1:]}Result") for value in modules)


def declared(value):
    """A value as a program in YAML has it."""
    if isinstance(value, pulumi.FileArchive):
        return {"fn::fileArchive": value.path}
    if isinstance(value, dict):
        return {key: declared(member) for key, member in value.items()}
    if isinstance(value, list):
        return [declared(item) for item in value]
    # Whole numbers come back as others.
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Recorder(pulumi.runtime.Mocks):
    def __init__(self):
        self.resources = {}

    def new_resource(self, args):
        kind = resource_class(args.typ)
        if kind is None:
            return args.name, args.inputs
        self.resources[f"r{len(self.resources)}"] = {"type": args.typ, "properties": declared(args.inputs)}
        return args.name, {**outputs(kind), **args.inputs}

    def call(self, args):
        return {**outputs(result_class(args.token)), **args.args}


def run(program):
    """What is exported is awaited: only then is it known whether an output has what is asked of it."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder)
    exported = []
    pulumi.export = lambda name, value: exported.append(pulumi.Output.from_input(value))

    @pulumi.runtime.test
    def complete():
        exec(program, {"__name__": "__main__"})
        return pulumi.Output.all(*exported)

    complete()
    return recorder.resources


def answer(place, code):
    # For the lines in a traceback.
    linecache.cache[place] = (len(code), None, code.splitlines(True), place)
    try:
        program = compile(code, place, "exec")
        return {"place": place, "resources": run(program) if IS_FOR_PULUMI.search(code) else {}}
    except Exception:
        return {"place": place, "problem": traceback.format_exc(limit=-3)}


# A program's settings: any value will do.
pulumi.config.get_config = lambda key: "7"
json.dump([answer(**program) for program in json.load(sys.stdin)], sys.stdout)
