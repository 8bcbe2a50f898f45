"""The test kit: a CodeDeploy on this machine, and what Lambda hands to a hook."""

from ._fake_code_deploy import FakeCodeDeploy, Report
from ._fakes import FakeContext, fake_context, fake_event

__all__ = ["FakeCodeDeploy", "FakeContext", "Report", "fake_context", "fake_event"]
