"""Loaded into ministack as it starts: sends the invocations that its own triggers make through the sandbox.

A queue, a topic or an API calls a function inside ministack, where nobody looks at an alias's weights and nobody
counts. Here such a call goes to the sandbox's address instead, which picks the version and asks ministack to run it.
The sandbox names each invocation, and what it logs has that name: see log_lines.py.
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
import uuid

import log_lines

LAMBDA = "ministack.services.lambda_svc"
HTTP_APIS = "ministack.services.apigateway"
REFERENCE = "_rollout_sandbox_reference"

# The functions' own processes are started with this environment, and are not to be changed.
os.environ.pop("PYTHONPATH", None)

# Whether the running call came in by Lambda's API, and so through the sandbox already.
came_in = contextvars.ContextVar("came_in", default=False)
# The name of the running invocation, which its retries share.
request_name = contextvars.ContextVar("request_name", default=None)


def change_apis(apigateway):
    """An integration may name its function with a stage's variables, as in `function:orders:${stageVariables.alias}`."""
    proxy = apigateway._invoke_lambda_proxy

    async def proxy_of_stage(integration, api_id, stage, *args, **kwargs):
        uri = integration.get("integrationUri", "")
        for name, value in apigateway._get_stage_variables(api_id, stage).items():
            uri = uri.replace("${stageVariables.%s}" % name, value)
        return await proxy({**integration, "integrationUri": uri}, api_id, stage, *args, **kwargs)

    apigateway._invoke_lambda_proxy = proxy_of_stage


def change_lambda(lambda_svc):
    invoke = lambda_svc._invoke
    execute = lambda_svc._execute_function
    find = lambda_svc._effective_func_record_for_qualifier
    invoke_later = lambda_svc.invoke_async_with_retry

    async def invoke_marked(name, event, headers, *args, **kwargs):
        came_in.set(True)
        request_name.set(headers.get("x-rollout-sandbox-request-id"))
        return await invoke(name, event, headers, *args, **kwargs)

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

    def invoke_later_named(func, event):
        token = request_name.set(request_name.get() or str(uuid.uuid4()))
        try:
            # Its attempts run in a copy of this context.
            return invoke_later(func, event)
        finally:
            request_name.reset(token)

    change_logs(lambda_svc)
    lambda_svc.invoke_async_with_retry = invoke_later_named
    lambda_svc._invoke = invoke_marked
    lambda_svc._execute_function = execute_through
    lambda_svc._effective_func_record_for_qualifier = find_marked


def change_logs(lambda_svc):
    from ministack.core import lambda_runtime
    from ministack.services import cloudwatch_logs

    dispatch = lambda_svc._execute_function_dispatch
    emit = lambda_svc._emit_lambda_logs

    def dispatch_logged(func, config, event, request_id, started):
        request_id = request_name.get() or request_id
        if config.get("PackageType") == "Image":
            return dispatch(func, config, event, request_id, started)
        stream = uuid.uuid4().hex
        log_lines.write(cloudwatch_logs, config, stream, log_lines.begun(config, request_id, started))
        log_lines.taken()
        result = dispatch(func, config, event, request_id, started)
        memory = lambda_svc._probe_peak_memory_mb(func)
        lines, result = log_lines.finished(config, request_id, started, memory, result, log_lines.taken())
        log_lines.write(cloudwatch_logs, config, stream, lines)
        return result

    def emit_of_containers(*args, log_source=None):
        # A container's own runtime writes the service's lines already.
        if log_source == "rie":
            emit(*args, log_source=log_source)

    log_lines.remember(lambda_runtime.Worker)
    lambda_svc._execute_function_dispatch = dispatch_logged
    lambda_svc._emit_lambda_logs = emit_of_containers


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
    if request_name.get():
        headers["X-Rollout-Sandbox-Request-Id"] = request_name.get()
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

    def __init__(self, module, change):
        self.module = module
        self.change = change

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        sys.meta_path.remove(self)
        self.real = importlib.util.find_spec(name)
        return importlib.util.spec_from_loader(name, self, origin=self.real.origin)

    def create_module(self, spec):
        return importlib.util.module_from_spec(self.real)

    def exec_module(self, module):
        self.real.loader.exec_module(module)
        self.change(module)


sys.meta_path[:0] = [AfterImport(LAMBDA, change_lambda), AfterImport(HTTP_APIS, change_apis)]
