"""Runs the guide, block by block, as its reader would."""

import json
import os
import re
import subprocess
import sys
import tempfile

from harness import Sandbox, contains, same

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BLOCK = re.compile(r"^```(sh|python|ts)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Every block of shell begins with what the one before it left.
SHELL = """[ ! -e state ] || source state
{}
declare -p > all
grep -v '^declare -[a-z]*r' all > state
declare -f >> state
"""


class Reader:
    """Someone who follows the guide in a folder of their own."""

    def __init__(self, sandbox, folder):
        self.sandbox, self.folder = sandbox, folder
        tools = [os.path.dirname(sys.executable), os.path.dirname(pulumi())]
        path = os.pathsep.join([*tools, os.environ["PATH"]])
        aws = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.environment = {**aws, "PATH": path, "HOME": folder, "AWS_PAGER": ""}

    def run(self, *command):
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sh(self, block):
        # The guide has the usual port, and this sandbox any.
        block = block.replace("http://127.0.0.1:4566", self.sandbox.endpoint)
        told = self.run("bash", "-euo", "pipefail", "-c", SHELL.format(block))
        with open(os.path.join(self.folder, "all")) as names:
            exported = re.findall(r'^declare -x ((?:AWS|LAMBDA)_\w+)="(.*)"$', names.read(), re.MULTILINE)
        self.environment.update(exported)
        return told

    def python(self, block):
        return self.run(sys.executable, "-c", block)

    def ts(self, block):
        """The program, and then the change that the guide tells of."""
        state = os.path.join(self.folder, "pulumi")
        os.makedirs(state, exist_ok=True)
        program = os.path.join(self.folder, "index.ts")
        told = ""
        for text in (block, block.replace('version: "1"', 'version: "2"')):
            with open(program, "w") as file:
                file.write(text)
            plugins = os.path.dirname(os.path.abspath(self.sandbox.binary))
            told += self.run("node", os.path.join(HERE, "pulumi_program.js"), program, state, plugins)
        return told


def pulumi():
    """The CLI that the tests of this repository use."""
    return subprocess.check_output([os.path.join(ROOT, "tools", "pulumi.sh")], text=True).strip()


def every_block_runs(sandbox):
    with open(os.path.join(ROOT, "docs", "sandbox.md")) as file:
        blocks = BLOCK.findall(file.read())
    one = Sandbox(sandbox.binary, speed=60)
    try:
        with tempfile.TemporaryDirectory() as folder:
            reader = Reader(one, folder)
            told = [(language, getattr(reader, language)(block)) for language, block in blocks]
    finally:
        same(one.stop(), 0)
    cli, python, program = ("".join(text for of, text in told if of == language) for language in ("sh", "python", "ts"))
    contains(cli, " Succeeded\n\"2\"\n")
    contains(cli, "START RequestId: ")
    contains(cli, "ThrottlingException")
    contains(python, "Stopped ALARM_ACTIVE Deployment d-")
    contains(python, "live serves version 2\n")
    same([json.loads(line) for line in program.splitlines()], [{"servingVersion": "1"}, {"servingVersion": "2"}])


CHECKS = [every_block_runs]
