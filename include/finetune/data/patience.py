"""Requests to the Hub, repeated while what went wrong may pass."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import tenacity

from azure_ml.backoff import ATTEMPTS, REPEATED, pause_seconds
from azure_ml.machine import machine_failure
from azure_ml.masking import masked, without_secrets
from include.finetune.errors import HubUnreachableError, InputError

log = logging.getLogger(__name__)

Pause = Callable[[float], None]
T = TypeVar("T")


def patiently(call: Callable[[], T], dataset: str, pause: Pause = time.sleep) -> T:
    """The result of a request; what may pass is asked again.

    After a lost connection, 429 or 5xx it asks again, up to six times; it waits as long as ``Retry-After``
    says, at most a minute, else twice as long each time.

    Raises:
        HubUnreachableError: if the Hub does not answer.
        MachineFailure: if the worker's own disk is full or refuses.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=pause,
        before_sleep=_warn,
        reraise=True,
    )
    try:
        return retrying(call)
    except InputError:
        raise
    except Exception as error:
        if failure := machine_failure(error, f"read the data set {dataset!r}"):
            raise failure from without_secrets(error)
        if not is_of_the_network(error):
            raise
        raise HubUnreachableError(
            f"The Hub does not answer for the data set {dataset!r}: {root_cause(error)}"
        ) from without_secrets(error)


def is_of_the_network(error: BaseException) -> bool:
    """Whether a request went wrong; by name, as the Hub's client has changed its HTTP library before."""
    ancestors = {kind.__name__ for kind in type(error).__mro__}
    return bool(ancestors & {"OSError", "TransportError", "HTTPError"})


def _may_pass(error: BaseException) -> bool:
    from datasets.exceptions import DatasetsError

    if isinstance(error, DatasetsError) or machine_failure(error, "") or not is_of_the_network(error):
        return False
    answer = _answer(error)
    return answer is None or answer.status_code in REPEATED


def _answer(error: BaseException | None) -> Any:
    """The Hub's answer behind an error; ``None`` if there was none."""
    while error is not None:
        if (answer := getattr(error, "response", None)) is not None:
            return answer
        error = error.__cause__
    return None


def _wait(state: tenacity.RetryCallState) -> float:
    return pause_seconds(_answer(state.outcome.exception() if state.outcome else None), state.attempt_number)


def _warn(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if error is not None and state.next_action is not None:
        log.warning("The Hub: %s; asking again in %.0f s.", root_cause(error), state.next_action.sleep)


def root_cause(error: BaseException) -> str:
    """What the first of a chain of errors says."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(masked(str(error)).split())[:300]
