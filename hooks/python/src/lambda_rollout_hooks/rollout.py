"""Tests a new version of a Lambda function, and tells CodeDeploy."""

from ._handler import handler
from ._invoke import invoke
from ._report import report

__all__ = ["handler", "invoke", "report"]
