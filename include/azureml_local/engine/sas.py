"""Shared access signatures of the storage account: signed, with permissions and an end, and really checked.

Source of the string to sign: Azure Storage's "Create a service SAS", version 2020-12-06, so that a client
that holds the account key may sign its own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlencode

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.identity import private_file
from azureml_local.settings import STORAGE_ACCOUNT, Settings

VERSION = "2021-12-02"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TIMES = (_TIME, "%Y-%m-%dT%H:%MZ", "%Y-%m-%d")
_SIGNED = (
    "sp",
    "st",
    "se",
    "=resource",
    "si",
    "sip",
    "spr",
    "sv",
    "sr",
    "snapshot",
    "ses",
    "rscc",
    "rscd",
    "rsce",
    "rscl",
    "rsct",
)


def account_key(settings: Settings) -> str:
    """The account's key, made at the first start and kept with mode 0600."""
    path = settings.home / "secrets" / "storage-key"
    if not path.exists():
        private_file(path, base64.b64encode(secrets.token_bytes(64)))
    return path.read_text()


def _signature(key: str, container: str, blob: str, fields: Mapping[str, str]) -> str:
    resource = f"/blob/{STORAGE_ACCOUNT}/{container}" + (f"/{blob}" if fields.get("sr") == "b" else "")
    text = "\n".join(resource if name == "=resource" else fields.get(name, "") for name in _SIGNED)
    return base64.b64encode(hmac.digest(base64.b64decode(key), text.encode(), hashlib.sha256)).decode()


def token(key: str, container: str, blob: str = "", *, permissions: str = "r", seconds: float = 3600) -> str:
    """Query string that opens a blob, or a whole container if ``blob`` is empty, for a time.

    Args:
        key: the account's key.
        container: the container.
        blob: path inside it.
        permissions: letters of r(ead), a(dd), c(reate), w(rite), d(elete), l(ist), in Azure's order.
        seconds: from now until it ends.
    """
    start = datetime.now(UTC)
    fields = {
        "sp": permissions,
        "st": (start - timedelta(minutes=5)).strftime(_TIME),
        "se": (start + timedelta(seconds=seconds)).strftime(_TIME),
        "sv": VERSION,
        "sr": "b" if blob else "c",
    }
    return urlencode({**fields, "sig": _signature(key, container, blob, fields)})


def _time(text: str) -> datetime:
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _refused(f"{text!r} is no time.")


def _refused(why: str, code: str = "AuthenticationFailed") -> ArmError:
    return ArmError(403, code, f"Server failed to authenticate the request: {why}")


def check(
    key: str, container: str, blob: str, query: Mapping[str, str], needed: str, *, client: str = ""
) -> None:
    """Check the SAS in a request's query.

    Args:
        key: the account's key.
        container: container of the request.
        blob: blob of the request; empty for the container itself.
        query: query parameters of the request.
        needed: the permissions of which one must be granted; empty for what no service SAS opens.
        client: IP address of the client, which ``sip`` may restrict.

    Raises:
        ArmError: 403, with the code that Azure Storage gives for the cause.
    """
    # Anything else is signed in another form, or names a stored access policy, and there is none.
    if query.get("sr") not in ("b", "c") or query.get("si"):
        raise _refused(
            "its fields sr or si are of no form that is served here: use sr=b or sr=c, without si."
        )
    signature = _signature(key, container, blob, query).encode()
    if not hmac.compare_digest(signature, query.get("sig", "").encode()):
        raise _refused("the signature does not match.")
    _check_time(query)
    if query.get("spr") and "https" not in query["spr"].split(","):
        raise _refused(f"the protocol https is not in {query['spr']!r}.", "AuthorizationProtocolMismatch")
    if query.get("sip") and not _in_range(client, query["sip"]):
        raise _refused(f"the address {client} is not in {query['sip']!r}.", "AuthorizationSourceIPMismatch")
    if not set(needed) & set(query.get("sp", "")):
        raise _refused(
            f"permission {needed!r} is not in {query.get('sp')!r}.", "AuthorizationPermissionMismatch"
        )


def _in_range(client: str, addresses: str) -> bool:
    """Whether an IP address is the one given, or in a range ``first-last``."""
    first, _, last = addresses.partition("-")
    try:
        return int(ip_address(first)) <= int(ip_address(client)) <= int(ip_address(last or first))
    except ValueError:
        return False


def _check_time(query: Mapping[str, str]) -> None:
    moment = datetime.now(UTC)
    if not query.get("se") or _time(query["se"]) <= moment:
        raise _refused(f"the signature ended at {query.get('se')}.")
    if query.get("st") and _time(query["st"]) > moment:
        raise _refused(f"the signature begins at {query['st']}.")
