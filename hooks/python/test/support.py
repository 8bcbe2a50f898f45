"""Runs a hook once against a CodeDeploy of its own, and collects what it wrote into its log."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

from lambda_rollout_hooks import HookFunction, HookPayload, Verdict, rollout
from lambda_rollout_hooks.testing import FakeCodeDeploy, Report, fake_context, fake_event


@dataclass
class Run:
    payload: HookPayload
    lines: list[dict[str, Any]]
    reports: list[Report]
    calls: list[str]
    verdict: Verdict | None = None
    error: Exception | None = None

    @property
    def reason(self) -> str:
        assert self.verdict is not None, self.error
        return self.verdict.get("reason", "")


def run(hook: HookFunction, timeout: float = 30, **options: Any) -> Run:
    log = io.StringIO()
    with FakeCodeDeploy(**options) as code_deploy, contextlib.redirect_stderr(log):
        done = Run(fake_event(), [], code_deploy.reports, code_deploy.calls)
        try:
            done.verdict = rollout.handler(hook)(done.payload, fake_context(timeout))
        except Exception as error:
            done.error = error
    for line in log.getvalue().splitlines():
        assert line.startswith(f'{{"lambdaRollout":"hook","deploymentId":"{done.payload["DeploymentId"]}"'), line
        done.lines.append(json.loads(line))
    return done
