"""Loaded into ministack as it starts: sends the invocations that its own triggers make through the sandbox.

A queue, a topic or an API calls a function inside ministack, where nobody looks at an alias's weights and nobody
counts. Here such a call goes to the sandbox's address instead, which picks the version and asks ministack to run it.
"""

import base64
import contextvars
import importlib.abc
import importlib.util
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

MODULE = "ministack.services.lambda_svc"
REFERENCE = "_rollout_sandbox_reference"

# The functions' own processes are started with this environment, and are not to be changed.
os.environ.pop("PYTHONPATH", None)

# Whether the running call came in by Lambda's API, and so through the sandbox already.
came_in = contextvars.ContextVar("came_in", default=False)


def change(lambda_svc):
    invoke = lambda_svc._invoke
    execute = lambda_svc._execute_function
    find = lambda_svc._effective_func_record_for_qualifier

    async def invoke_marked(*args, **kwargs):
        came_in.set(True)
        return await invoke(*args, **kwargs)

    def find_marked(func, qualifier):
        record, config = find(func, qualifier)
        if record is not None and qualifier in func.get("aliases", {}):
            record = {**record, REFERENCE: f"{func['config']['FunctionName']}:{qualifier}"}
        return record, config

    def execute_through(func, event):
        if came_in.get():
            return execute(func, event)
        config = func.get("config") or func
        return ask_sandbox(func.get(REFERENCE) or named(config), config["FunctionArn"], event)

    lambda_svc._invoke = invoke_marked
    lambda_svc._execute_function = execute_through
    lambda_svc._effective_func_record_for_qualifier = find_marked


def named(config):
    version = config.get("Version", "$LATEST")
    return config["FunctionName"] if version == "$LATEST" else f"{config['FunctionName']}:{version}"


def ask_sandbox(reference, arn, event):
    region, account = arn.split(":")[3:5]
    path = f"/2015-03-31/functions/{urllib.parse.quote(reference, safe='')}/invocations"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/lambda/aws4_request, Signature=0",
        "Content-Type": "application/json",
        "X-Amz-Log-Type": "Tail",
        "X-Rollout-Sandbox": "trigger",
    }
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + path, json.dumps(event).encode(), headers)
    try:
        # The sandbox is on this machine, whatever proxies there are.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return result(answer)
    except urllib.error.HTTPError as error:
        return result(error)


def result(answer):
    """What ministack's own executor would have returned."""
    body = json.loads(answer.read() or b"null")
    log = base64.b64decode(answer.headers.get("X-Amz-Log-Result") or "").decode("utf-8", "replace")
    failed = answer.headers.get("X-Amz-Function-Error")
    if answer.status == 429:
        return {"body": body, "log": log, "error": True, "throttle": True}
    if failed or answer.status >= 400:
        return {"body": body, "log": log, "error": True, "function_error": failed or "Unhandled"}
    return {"body": body, "log": log}


class AfterImport(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, and changes it as soon as it is there."""

    def find_spec(self, name, path, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        self.real = importlib.util.find_spec(name)
        return importlib.util.spec_from_loader(name, self, origin=self.real.origin)

    def create_module(self, spec):
        return importlib.util.module_from_spec(self.real)

    def exec_module(self, module):
        self.real.loader.exec_module(module)
        change(module)


sys.meta_path.insert(0, AfterImport())
