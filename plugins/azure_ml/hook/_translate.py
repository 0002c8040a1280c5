"""Every failure of the SDK, of its transport, or of plain HTTP, as one of our errors with one sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from azure_ml import errors
from azure_ml.bounds import ERROR, MESSAGE, NAME, cut
from azure_ml.hook.causes import CAPACITY, QUOTA, mentions
from azure_ml.machine import machine_failure
from azure_ml.masking import masked, without_secrets

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")

_BY_STATUS: Final[dict[int, type[errors.AzureMLError]]] = {
    401: errors.AuthFailed,
    403: errors.AuthFailed,
    404: errors.NotFound,
    409: errors.Conflict,
    429: errors.Throttled,
}


@contextmanager
def translated(
    action: str,  # for example "read the job 'x'"
    *,
    operation: bool = False,  # a long operation is awaited: what looks like bad input is its failure
) -> Iterator[None]:
    """Raise an :class:`AzureMLError`, "Cannot ``action``: ...", for whatever the SDK raises in the block."""
    try:
        yield
    except (errors.AzureMLError, errors.Killed, MemoryError):
        raise
    except Exception as error:
        # Airflow logs the cause of an error, too.
        cause = without_secrets(error) if len(str(error)) <= ERROR else None
        raise translate(error, action, operation=operation) from cause


def translate(error: Exception, action: str, *, operation: bool = False) -> errors.AzureMLError:
    """Our error for one of the SDK's; see :func:`translated`."""
    if not _answered(error) and (failure := machine_failure(error, action)):
        return failure
    if address := _silent_local_address():
        return errors.Unreachable(
            f"Cannot {action}: the local Azure ML is not running at {address}; "
            "start it with: make azureml-local"
        )
    kind, reason = _classify(error)
    if operation and kind in (errors.BadInput, errors.ServiceFailure):
        kind = errors.OperationFailed
    if kind is errors.Unreachable:
        reason = f"nothing answers ({reason})"
    return kind(f"Cannot {action}: {reason}" + (f"; {kind.cure}." if kind.cure else "."))


def _silent_local_address() -> str | None:
    """The address of a cloud on this machine that refuses connections."""
    url = urlsplit(os.environ.get("ARM_CLOUD_METADATA_URL", ""))
    if url.hostname not in LOCAL_HOSTS:
        return None
    try:
        socket.create_connection((url.hostname, url.port or 443), timeout=2).close()
    except OSError:
        return f"{url.scheme}://{url.netloc}"
    return None


def text(value: object) -> str:
    """A value of the SDK's as text; its enumerations would print their own names, not the service's."""
    return cut(str(getattr(value, "value", value) or ""), NAME)


def reason_of(error: object) -> str:
    """The service's own words on one line, without secrets."""
    inner = getattr(error, "error", None)
    message = getattr(inner, "message", None) or getattr(error, "message", None) or str(error)
    code = getattr(inner, "code", None)
    # Some refusals, quota for deployments among them, have the reason in the details alone.
    details = [getattr(detail, "message", None) for detail in getattr(inner, "details", None) or []]
    words = " ".join(str(part) for part in [message, *details] if part)
    line = " ".join(masked(words[:ERROR]).split()).rstrip(" .")
    if code and code not in line:
        line = f"{line} ({code})"
    return cut(line, MESSAGE) or type(error).__name__


def _answered(error: Exception) -> bool:
    """Whether a service refused: what failed on this machine before that, and was got over, is not why."""
    import httpx
    from azure.core import exceptions as core

    return isinstance(error, (core.HttpResponseError, httpx.HTTPStatusError))


def _classify(error: Exception) -> tuple[type[errors.AzureMLError], str]:
    import httpx
    from azure.ai.ml.exceptions import MlException
    from azure.core import exceptions as core

    reason = reason_of(error)
    if isinstance(error, core.ClientAuthenticationError):
        return errors.AuthFailed, reason
    if isinstance(error, core.HttpResponseError):
        return _by_status(error.status_code, reason), reason
    if isinstance(error, httpx.HTTPStatusError):
        return _by_status(
            error.response.status_code, reason
        ), f"{reason}: {masked(error.response.text)[:300]}"
    transport = (core.ServiceRequestError, core.ServiceResponseError, httpx.TransportError, OSError)
    if isinstance(error, transport):
        return errors.Unreachable, reason
    if isinstance(error, MlException):
        return (errors.NotFound if "does not exist" in reason else errors.BadInput), reason
    if isinstance(error, (ValueError, TypeError)):
        return errors.BadInput, reason
    return errors.ServiceFailure, f"{type(error).__name__}: {reason}"


def _by_status(status: int | None, reason: str) -> type[errors.AzureMLError]:
    if mentions(QUOTA, reason):
        return errors.QuotaExceeded
    if mentions(CAPACITY, reason):
        return errors.NoCapacity
    # The poller of a long operation raises with the status of its last, successful, poll.
    if status is None or status < 400:
        return errors.OperationFailed
    return _BY_STATUS.get(status, errors.BadInput if status < 500 else errors.ServiceFailure)
