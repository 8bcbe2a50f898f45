"""Runs the Pulumi program in this folder as Pulumi's language host for Python does."""

import asyncio
import os
import runpy
import sys

from pulumi.runtime import Settings, configure, run_in_stack


def settings() -> Settings:
    env = os.environ
    return Settings(
        project=env["PULUMI_PROJECT"],
        stack=env["PULUMI_STACK"],
        organization=env["PULUMI_ORGANIZATION"],
        root_directory=env["PULUMI_ROOT_DIRECTORY"],
        monitor=env["PULUMI_MONITOR"],
        engine=env["PULUMI_ENGINE"],
        parallel=int(env["PULUMI_PARALLEL"]),
        dry_run=env["PULUMI_DRY_RUN"] == "true",
    )


def main() -> None:
    configure(settings())
    sys.path.insert(0, os.getcwd())
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(run_in_stack(lambda: runpy.run_path("__main__.py", run_name="__main__")))


main()
