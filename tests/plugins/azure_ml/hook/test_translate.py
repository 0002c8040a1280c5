"""Failures of the SDK as errors of ours."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from azure.ai.ml.exceptions import ErrorTarget, ValidationException
from azure.core import exceptions as core
from azure.core.pipeline.transport import HttpRequest, HttpResponse

from azure_ml import errors
from azure_ml.hook._translate import translated
from azure_ml.masking import masked


class Answer(HttpResponse):
    """An answer of the service as azure-core holds it."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(HttpRequest("GET", "https://x"), None)
        self.status_code, self.reason, self.headers = status, "reason", {}
        self.content_type, self._body = "application/json", json.dumps(body).encode()

    def body(self) -> bytes:
        """The JSON."""
        return self._body


def http_error(status: int, code: str, message: str) -> core.HttpResponseError:
    return core.HttpResponseError(response=Answer(status, {"error": {"code": code, "message": message}}))


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (http_error(400, "BadArgument", "no"), errors.BadInput),
        (http_error(401, "Unauthorized", "no"), errors.AuthFailed),
        (http_error(403, "AuthorizationFailed", "no"), errors.AuthFailed),
        (http_error(404, "NotFound", "no"), errors.NotFound),
        (http_error(409, "Conflict", "no"), errors.Conflict),
        (http_error(429, "TooManyRequests", "no"), errors.Throttled),
        (http_error(503, "ServerBusy", "no"), errors.ServiceFailure),
        (http_error(409, "ClusterCoreQuotaReached", "the quota is used up"), errors.QuotaExceeded),
        (http_error(200, "ResourceNotReady", "container crashed"), errors.OperationFailed),
        (core.ClientAuthenticationError("no credential"), errors.AuthFailed),
        (core.ServiceRequestError("refused"), errors.Unreachable),
        (httpx.ConnectError("refused"), errors.Unreachable),
        (ValueError("bad"), errors.BadInput),
    ],
)
def test_each_failure_has_its_error_which_says_what_was_tried(
    failure: Exception, kind: type[errors.AzureMLError]
) -> None:
    with (
        pytest.raises(errors.AzureMLError, match="Cannot read the thing 'x'") as caught,
        translated("read the thing 'x'"),
    ):
        raise failure
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_the_services_own_words_are_in_the_sentence() -> None:
    with (
        pytest.raises(errors.NotFound, match=r"Model m is gone \(NotFound\); check the name"),
        translated("read"),
    ):
        raise http_error(404, "NotFound", "Model m is gone.")


def test_the_sdks_own_check_is_bad_input() -> None:
    failure = ValidationException(
        message="name is wrong", no_personal_data_message="", target=ErrorTarget.JOB
    )
    with pytest.raises(errors.BadInput, match="name is wrong"), translated("submit"):
        raise failure


def test_our_own_errors_pass_unchanged() -> None:
    with pytest.raises(errors.JobFailed, match=r"^as it is$"), translated("anything"):
        raise errors.JobFailed("as it is")


def test_signatures_of_urls_never_reach_a_sentence() -> None:
    assert "secret" not in masked("https://x/y?sv=2024&se=2026&sig=secret%3D&sp=r")


def test_a_reason_that_stands_in_the_details_alone_is_found() -> None:
    detail = {"code": "InferencingClientCallFailed", "message": "Not enough quota available for Standard_X"}
    body = {"error": {"code": "BadRequest", "message": "The request is invalid.", "details": [detail]}}
    failure = core.HttpResponseError(response=Answer(400, body))
    with pytest.raises(errors.QuotaExceeded, match="Not enough quota available"), translated("deploy"):
        raise failure
