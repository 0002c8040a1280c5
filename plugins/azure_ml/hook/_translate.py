"""Every failure of the SDK, of its transport, or of plain HTTP, as one of our errors with one sentence."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from azure_ml import errors

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
CAPACITY: Final = re.compile(
    r"AllocationFailed|OutOfCapacity|SkuNotAvailable|(not enough|out of) capacity", re.I
)
QUOTA: Final = re.compile(r"quota|core limit", re.IGNORECASE)
SIGNATURE: Final = re.compile(r"([?&](?:sig|se|sp|sv|skoid|sktid)=)[^&\s'\"]+", re.IGNORECASE)

CURES: Final[dict[type[errors.AzureMLError], str]] = {
    errors.AuthFailed: "check the connection's login, and that its identity has a role on the workspace",
    errors.NotFound: "check the name, and the connection's subscription, group, workspace and registry",
    errors.QuotaExceeded: "ask for more quota, or choose a smaller size or another region",
    errors.NoCapacity: "wait for machines, or choose another size or region",
    errors.Throttled: "wait, and send fewer requests",
    errors.Conflict: "wait until the operation under way has ended",
    errors.ServiceFailure: "try again; if it stays, look at the status page of Azure",
    errors.BadInput: "correct the value",
    errors.OperationFailed: "look at the resource in Azure ML Studio",
}


@contextmanager
def translated(action: str, *, operation: bool = False) -> Iterator[None]:
    """Raise our error, with ``action`` in its sentence, for whatever the SDK raises in the block.

    Args:
        action: what is being done and to what, to follow "Cannot ", for example ``"read the job 'x'"``.
        operation: a long operation is waited for; what looks like bad input is the operation's failure.

    Raises:
        AzureMLError: of the kind that the failure calls for.
    """
    try:
        yield
    except (errors.AzureMLError, errors.Killed, MemoryError):
        raise
    except Exception as error:
        raise translate(error, action, operation=operation) from error


def translate(error: Exception, action: str, *, operation: bool = False) -> errors.AzureMLError:
    """Our error for one of the SDK's; see :func:`translated`."""
    if address := unanswered_local_address():
        return errors.Unreachable(
            f"Cannot {action}: the local Azure ML is not running at {address}; "
            "start it with: make azureml-local"
        )
    kind, reason = _classify(error)
    if operation and kind in (errors.BadInput, errors.ServiceFailure):
        kind = errors.OperationFailed
    if kind is errors.Unreachable:
        return kind(
            f"Cannot {action}: nothing answers ({reason}); check the network and the cloud's addresses."
        )
    cure = CURES.get(kind)
    return kind(f"Cannot {action}: {reason}" + (f"; {cure}." if cure else "."))


def unanswered_local_address() -> str | None:
    """The address of a cloud on this machine that refuses connections, or ``None``."""
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
    return str(getattr(value, "value", value) or "")


def masked(words: str) -> str:
    """A text without the signatures of signed URLs."""
    return SIGNATURE.sub(r"\1***", words)


def reason_of(error: Any) -> str:
    """The service's own words without signatures, on one line."""
    inner = getattr(error, "error", None)
    words = getattr(inner, "message", None) or getattr(error, "message", None) or str(error)
    code = getattr(inner, "code", None)
    # Some refusals, quota for deployments among them, have the reason in the details alone.
    below = [getattr(one, "message", None) for one in getattr(inner, "details", None) or []]
    told = " ".join(str(one) for one in [words, *below] if one)
    line = " ".join(masked(told).split()).rstrip(" .")
    if code and code not in line:
        line = f"{line} ({code})"
    return line[:600] or type(error).__name__


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
        return _by_status(error.response.status_code, reason), f"{reason}: {error.response.text[:300]}"
    if isinstance(
        error, (core.ServiceRequestError, core.ServiceResponseError, httpx.TransportError, OSError)
    ):
        return errors.Unreachable, reason
    if isinstance(error, MlException):
        return (errors.NotFound if "does not exist" in reason else errors.BadInput), reason
    if isinstance(error, (ValueError, TypeError)):
        return errors.BadInput, reason
    return errors.ServiceFailure, f"{type(error).__name__}: {reason}"


def _by_status(status: int | None, reason: str) -> type[errors.AzureMLError]:
    if QUOTA.search(reason):
        return errors.QuotaExceeded
    if CAPACITY.search(reason):
        return errors.NoCapacity
    by_code = {
        401: errors.AuthFailed,
        403: errors.AuthFailed,
        404: errors.NotFound,
        409: errors.Conflict,
        429: errors.Throttled,
    }
    if status in by_code:
        return by_code[status]
    if status is not None and 400 <= status < 500:
        return errors.BadInput
    if status is not None and status >= 500:
        return errors.ServiceFailure
    # The poller of a long operation raises with the status of its last, successful, poll.
    return errors.OperationFailed
