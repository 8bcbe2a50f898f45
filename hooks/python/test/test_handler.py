"""What a hook tells CodeDeploy, and what it writes into its log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import unittest
from typing import Any
from unittest import mock

from lambda_rollout_hooks import HookContext, HookEvent, NotReportedError, rollout
from lambda_rollout_hooks.testing import FakeCodeDeploy, Report, fake_context, fake_event
from support import run


def passing(event: HookEvent) -> None:
    pass


def raising(error: BaseException) -> Any:
    def hook(event: HookEvent) -> None:
        raise error

    return hook


GIVEN = {
    "LAMBDA_ROLLOUT_LIFECYCLE_EVENT": "BeforeAllowTraffic",
    "LAMBDA_ROLLOUT_FUNCTION_NAME": "orders",
    "LAMBDA_ROLLOUT_ALIAS": "live",
    "LAMBDA_ROLLOUT_CURRENT_VERSION": "7",
    "LAMBDA_ROLLOUT_TARGET_VERSION": "latest",
}


class Verdicts(unittest.TestCase):
    def test_returning_is_success(self) -> None:
        done = run(passing)
        self.assertEqual(done.verdict, {"status": "Succeeded"})
        ids = done.payload["DeploymentId"], done.payload["LifecycleEventHookExecutionId"]
        self.assertEqual(done.reports, [Report(*ids, "Succeeded")])
        self.assertEqual([line["status"] for line in done.lines], ["Started", "Succeeded"])

    def test_raising_is_failure_with_the_reason(self) -> None:
        done = run(raising(Exception("health said 503")))
        self.assertEqual(done.verdict, {"status": "Failed", "reason": "health said 503"})
        self.assertEqual([report.status for report in done.reports], ["Failed"])
        line = done.lines[1]
        self.assertRegex(line.pop("timestamp"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(line.pop("requestId"), r"^[0-9a-f-]{36}$")
        self.assertTrue(line.pop("stack").endswith("Exception: health said 503"))
        self.assertEqual(
            line,
            {
                "lambdaRollout": "hook",
                "deploymentId": done.payload["DeploymentId"],
                "status": "Failed",
                "reason": "health said 503",
                "lifecycleEvent": "BeforeAllowTraffic",
                "hookExecutionId": done.payload["LifecycleEventHookExecutionId"],
                "level": "ERROR",
            },
        )

    def test_the_reason_tells_the_kind_of_an_error_and_its_causes(self) -> None:
        error = ValueError("no total")
        error.__cause__ = KeyError("total")
        self.assertEqual(run(raising(error)).reason, "ValueError: no total: KeyError: 'total'")
        self.assertEqual(run(raising(AssertionError())).reason, "AssertionError")

    def test_leaving_is_failure(self) -> None:
        self.assertEqual(run(lambda event: sys.exit(0)).reason, "SystemExit: 0")

    def test_a_long_reason_is_cut_and_stays_json(self) -> None:
        reason = run(raising(Exception("\ud83d" + "x" * 2000))).lines[1]["reason"]
        self.assertEqual((len(reason), reason[0], reason[-1]), (1000, "?", "…"))

    def test_a_hook_that_hangs_is_reported_as_failed_before_its_time_is_up(self) -> None:
        def hanging(event: HookEvent) -> None:
            threading.Event().wait()

        done = run(hanging, timeout=3)
        self.assertIsNone(done.error)
        self.assertRegex(done.reason, r"^still running after \d+\.\d s, when the function's time was nearly up$")
        self.assertEqual([report.status for report in done.reports], ["Failed"])

    def test_a_hook_that_computes_for_ever_too(self) -> None:
        ended = threading.Event()

        def endless(event: HookEvent) -> None:
            while not ended.is_set():
                pass

        self.addCleanup(ended.set)
        self.assertRegex(run(endless, timeout=3).reason, "^still running")

    def test_coroutines_are_awaited(self) -> None:
        async def hook(event: HookEvent) -> None:
            raise ValueError("from a coroutine")

        self.assertEqual(run(hook).reason, "ValueError: from a coroutine")

    def test_a_hook_may_take_the_context(self) -> None:
        def hook(event: HookEvent, context: HookContext) -> None:
            raise ValueError(context.aws_request_id)

        done = run(hook)
        self.assertEqual(done.reason, f"ValueError: {done.lines[0]['requestId']}")


class Knowledge(unittest.TestCase):
    def setUp(self) -> None:
        self.seen: list[HookEvent] = []

    def test_the_event_says_what_is_tested(self) -> None:
        options: dict[str, Any] = {
            "lifecycle_event": "AfterAllowTraffic",
            "function_name": "orders",
            "alias": "live",
            "current_version": "7",
            "target_version": "8",
        }
        done = run(self.seen.append, **options)
        ids = done.payload["DeploymentId"], done.payload["LifecycleEventHookExecutionId"]
        self.assertEqual(self.seen, [HookEvent(*ids, **options)])

    def test_without_the_permission_to_look_it_knows_the_two_ids_and_why(self) -> None:
        done = run(self.seen.append, denied=["ListDeploymentTargets"])
        self.assertEqual(done.verdict, {"status": "Succeeded"})
        self.assertIsNone(self.seen[0].target_version)
        self.assertIn("not authorized to perform ListDeploymentTargets", self.seen[0].lookup_error or "")

    @mock.patch.dict(os.environ, GIVEN)
    def test_what_the_environment_says_is_not_asked(self) -> None:
        done = run(self.seen.append)
        self.assertEqual(self.seen[0].target_version, "latest")
        self.assertEqual(done.calls, ["PutLifecycleEventHookExecutionStatus"])

    @mock.patch.dict(os.environ, {**GIVEN, "LAMBDA_ROLLOUT_ALIAS": ""})
    def test_the_environment_comes_first(self) -> None:
        run(self.seen.append, alias="stable", target_version="9")
        self.assertEqual((self.seen[0].alias, self.seen[0].target_version), ("stable", "latest"))


class Reports(unittest.TestCase):
    def test_that_it_was_reported_already_is_no_error(self) -> None:
        done = run(lambda event: rollout.report(event, "Failed", "seen before"))
        self.assertIsNone(done.error)
        self.assertEqual([report.status for report in done.reports], ["Failed"])

    def test_without_the_permission_lambda_sees_an_error_that_names_it(self) -> None:
        done = run(passing, denied=["PutLifecycleEventHookExecutionStatus"])
        self.assertIsInstance(done.error, NotReportedError)
        self.assertIn("allow codedeploy:PutLifecycleEventHookExecutionStatus", str(done.error))
        last = done.lines[-1]
        self.assertEqual((last["status"], last["verdict"], last["level"]), ("NotReported", "Succeeded", "ERROR"))
        self.assertEqual(last["reason"], str(done.error))
        self.assertEqual(done.reports, [])

    def test_throttled_calls_are_made_again(self) -> None:
        done = run(passing, throttled=2)
        self.assertEqual(done.verdict, {"status": "Succeeded"})
        self.assertEqual(done.calls[:3], ["ListDeploymentTargets"] * 3)

    def test_a_code_deploy_that_cannot_be_reached_is_said_with_the_cure(self) -> None:
        with FakeCodeDeploy() as gone:
            pass
        with FakeCodeDeploy(), mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL_CODEDEPLOY": gone.url}):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaisesRegex(NotReportedError, "VPC endpoint for CodeDeploy"):
                rollout.handler(passing)(fake_event(), fake_context(2))

    def test_anything_but_an_event_of_code_deploy_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "not an event of CodeDeploy"):
            rollout.handler(passing)({}, fake_context())  # type: ignore[typeddict-item]


if __name__ == "__main__":
    unittest.main()
