"""A pytest plugin for the SDK's tests: stands in for Microsoft's own test tools, and sends the client to us.

The tests import ``devtools_testutils``, which is on no package index. Of it they use what records and replays
requests; here all is live, so that nothing of it does anything.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Callable
from typing import Any

import azure.identity
import pytest
from azure.ai.ml import MLClient

ENVIRONMENT = {
    "ML_SUBSCRIPTION_ID": "AZURE_SUBSCRIPTION_ID",
    "ML_RESOURCE_GROUP": "AZURE_RESOURCE_GROUP",
    "ML_WORKSPACE_NAME": "AZURE_ML_WORKSPACE",
}
KEYS = {
    "ML_FEATURE_STORE_NAME": "none",
    "ML_TEST_STORAGE_ACCOUNT_NAME": "ouraccount",
    "ML_TEST_STORAGE_ACCOUNT_PRIMARY_KEY": "Zmlyc3Q=",
    "ML_TEST_STORAGE_ACCOUNT_SECONDARY_KEY": "c2Vjb25k",
}


class Variables(dict[str, str]):
    """Names made up by a test; and the environment that it is given."""

    def get_or_record(self, name: str, value: str) -> str:
        """The name that a test gets when it asks again."""
        return self.setdefault(name, value)

    def sanitize_batch(self, _: dict[str, str]) -> Variables:
        """Nothing is recorded, so nothing is hidden."""
        return self


def _nothing(*_: Any, **__: Any) -> None:
    """Whatever would be set in the recorder."""


def _yes() -> bool:
    return True


def _no() -> bool:
    return False


def _module(name: str, **content: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(content)
    sys.modules[name] = module


_SANITIZERS = (
    "add_body_key_sanitizer add_general_regex_sanitizer add_general_string_sanitizer add_remove_header_sanitizer "
    "remove_batch_sanitizers set_bodiless_matcher set_custom_default_matcher"
)
_module(
    "devtools_testutils",
    AzureRecordedTestCase=object,
    is_live=_yes,
    **dict.fromkeys(_SANITIZERS.split(), _nothing),
)
_module("devtools_testutils.fake_credentials", FakeTokenCredential=object)
# As when Microsoft records: content is then known by its real hash.
_module("devtools_testutils.helpers", is_live_and_not_recording=_no)
_module(
    "devtools_testutils.proxy_fixtures", VariableRecorder=Variables, EnvironmentVariableSanitizer=Variables
)

# The tests log in by the command line of Azure, and name the public cloud and Microsoft's registries.
vars(azure.identity)["AzureCliCredential"] = azure.identity.ManagedIdentityCredential
_init: Callable[..., None] = MLClient.__init__


def _local(self: MLClient, *args: Any, **kwargs: Any) -> None:
    kwargs.pop("cloud", None)
    if kwargs.get("registry_name"):
        kwargs["registry_name"] = os.environ["AZURE_ML_REGISTRY"]
    _init(self, *args, **kwargs)


MLClient.__init__ = _local


@pytest.hookimpl
def pytest_collection_finish() -> None:
    """Nothing here is only visible after a while: what the tests would sleep for is there at once."""
    utils = sys.modules.get("test_utilities.utils")
    if utils is not None:
        vars(utils)["time"] = types.SimpleNamespace(**{**vars(utils.time), "sleep": _nothing})


@pytest.fixture(scope="session")
def test_proxy() -> None:
    """The recorder, which is not there."""


@pytest.fixture
def recorded_test() -> None:
    """The recording of one test, which is not made."""


@pytest.fixture
def variable_recorder() -> Variables:
    """The names of one test."""
    return Variables()


@pytest.fixture(scope="session")
def environment_variables() -> Variables:
    """The workspace of the local Azure ML, and names for what is not ours."""
    return Variables({**KEYS, **{name: os.environ[ours] for name, ours in ENVIRONMENT.items()}})
