"""Calling the version under test."""

from __future__ import annotations

import os
import unittest
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

from lambda_rollout_hooks import FunctionError, HookEvent, rollout
from support import run
from test_handler import GIVEN

ORDERS: dict[str, Any] = {"function_name": "orders", "target_version": "8"}


def invoking(event: HookEvent) -> None:
    rollout.invoke()


class Invoke(unittest.TestCase):
    def test_it_answers_what_the_version_under_test_answers(self) -> None:
        def hook(event: HookEvent) -> None:
            assert rollout.invoke({"price": "4 €"}) == {"got": {"price": "4 €"}}
            assert rollout.invoke() == {"got": {}}

        self.assertEqual(run(hook, answer=lambda got: {"got": got}, **ORDERS).reason, "")

    def test_it_raises_what_the_version_under_test_raises(self) -> None:
        def answer(payload: Any) -> None:
            raise TypeError("no basket")

        def catching(event: HookEvent) -> None:
            try:
                rollout.invoke()
            except FunctionError as error:
                assert error.error_type == "TypeError"

        reason = "FunctionError: version 8 of orders failed: TypeError: no basket"
        self.assertEqual(run(invoking, answer=answer, **ORDERS).reason, reason)
        self.assertEqual(run(catching, answer=answer, **ORDERS).reason, "")

    def test_many_threads_may_invoke(self) -> None:
        def hook(event: HookEvent) -> None:
            with ThreadPoolExecutor() as pool:
                assert list(pool.map(rollout.invoke, [1, 2, 3])) == [1, 2, 3]

        self.assertEqual(run(hook, answer=lambda got: got).reason, "")

    def test_without_the_permission_it_names_it(self) -> None:
        reason = run(invoking, denied=["Invoke"], **ORDERS).reason
        self.assertIn("allow lambda:InvokeFunction on orders:8 in the role of this function", reason)

    @mock.patch.dict(os.environ, {**GIVEN, "LAMBDA_ROLLOUT_TARGET_VERSION": "8"})
    def test_a_throttled_invocation_is_made_again(self) -> None:
        done = run(invoking, throttled=2, **ORDERS)
        self.assertEqual(done.reason, "")
        self.assertEqual(done.calls[:3], ["Invoke"] * 3)

    def test_when_it_does_not_know_the_version_it_says_what_to_allow_or_set(self) -> None:
        reason = run(invoking, denied=["GetDeploymentTarget"]).reason
        self.assertRegex(reason, "allow codedeploy:ListDeploymentTargets .* or set LAMBDA_ROLLOUT_FUNCTION_NAME")

    def test_outside_of_a_hook_it_refuses(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "only inside the function given to rollout.handler"):
            rollout.invoke({})


if __name__ == "__main__":
    unittest.main()
