"""Why a job failed: from the published shapes of run history's errors to a cause and a cure."""

from __future__ import annotations

import pytest
from azure.ai.ml._restclient.runhistory.models import InnerErrorResponse, RootError

from azure_ml.errors import Cause
from azure_ml.hook.causes import cause_of
from azure_ml.hook.jobs.failures import FAILURES, failure
from azure_ml.retries import PAID_AGAIN


def inner(*codes: str) -> InnerErrorResponse | None:
    return InnerErrorResponse(code=codes[0], inner_error=inner(*codes[1:])) if codes else None


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        ("ServiceError", "The service failed.", Cause.PLATFORM),
        ("TransientError", "Try later.", Cause.PLATFORM),
        ("AzureStorageError", "The blob is not there.", Cause.PLATFORM),
        ("RequestThrottled", "Slow down.", Cause.THROTTLED),
        ("ValidationError", "The input is wrong.", Cause.BAD_PARAMETER),
        ("UserError", "It failed.", Cause.UNKNOWN),
        ("UserError", "The node was preempted.", Cause.PREEMPTION),
        ("UserError", "Allocation failed in this region.", Cause.CAPACITY),
        ("UserError", "The quota of the family is used up.", Cause.QUOTA),
        ("UserError", "exit code 137", Cause.OUT_OF_MEMORY),
        ("UserError", "OSError: [Errno 28] No space left on device", Cause.DISK_FULL),
        ("UserError", "Disk quota exceeded", Cause.DISK_FULL),
        ("ServiceError", "CUDA out of memory.", Cause.OUT_OF_MEMORY),
        ("UserError", "rows.jsonl line 3: not valid JSON", Cause.BAD_DATA),
        ("UserError", "train.py: error: argument --epochs: invalid", Cause.BAD_PARAMETER),
        ("UserError", "AuthorizationPermissionMismatch on the blob", Cause.AUTH),
        ("SomethingNew", "", Cause.UNKNOWN),
    ],
)
def test_each_error_has_its_cause(code: str, message: str, cause: Cause) -> None:
    assert failure(RootError(code=code, message=message), "step", []).cause is cause


@pytest.mark.parametrize(
    ("codes", "cause"),
    [
        (("JobNodePreempted",), Cause.PREEMPTION),
        (("Compute", "ClusterCoreQuotaReached"), Cause.QUOTA),
        (("Compute", "AllocationTimedOut"), Cause.CAPACITY),
        (("OutOfMemory",), Cause.OUT_OF_MEMORY),
        (("AuthorizationFailed",), Cause.AUTH),
    ],
)
def test_a_code_far_within_is_found(codes: tuple[str, ...], cause: Cause) -> None:
    assert failure(RootError(code="UserError", inner_error=inner(*codes)), "", []).cause is cause
    details = [RootError(code=codes[-1])]
    assert failure(RootError(code="UserError", details=details), "", []).cause is cause


@pytest.mark.parametrize("word", ["preempted", "quota", "allocation failed", "too many requests"])
def test_a_word_in_somebodys_log_does_not_make_us_pay_again(word: str) -> None:
    message = f"The step ended with exit code 1.\nIts log ends with: {word}"
    assert cause_of(["UserError"], message, [f"the text says {word}"]) is Cause.UNKNOWN


def test_every_cause_of_a_failed_job_has_an_error_and_a_cure() -> None:
    assert set(FAILURES) == set(Cause) - {Cause.CANCELED, Cause.TIMEOUT, Cause.MACHINE}
    assert all(kind.cure for kind in FAILURES.values())
    assert {kind.cause for kind in FAILURES.values()} == set(FAILURES)
    assert {Cause.PREEMPTION, Cause.CAPACITY, Cause.THROTTLED, Cause.PLATFORM} == PAID_AGAIN


def test_the_message_has_step_reason_cause_cure_and_last_lines_without_signatures() -> None:
    error = RootError(code="UserError", message="CUDA out of memory; see https://x/y?sig=secret1&se=1")
    told = str(failure(error, "finetune", ["loss 1.0", "at https://x/z?sig=secret2"]).error("j"))
    for part in ("'j'", "'finetune'", "CUDA out of memory", "out_of_memory", "batch size", "loss 1.0"):
        assert part in told
    assert "secret" not in told
