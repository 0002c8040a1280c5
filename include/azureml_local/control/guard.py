"""Who may use the control routes: no page of somebody else's, which a browser on this machine may have open.

They ask for no token, so that a shell can use them. A page can send a form, but no header of its own choice
without asking first; and it can give its own name this machine's address, which then stands in ``Host``.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from azureml_local.arm.grammar import ArmError

HEADER = "X-AzureML-Local"


def refusal(method: str, headers: Iterable[tuple[bytes, bytes]]) -> ArmError | None:
    """The 403 for a request that a foreign page may have sent; None for every other."""
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    host, origin = given.get("host", ""), given.get("origin")
    if not _is_own(host):
        return _forbidden(f"The host {host!r} is not this service's: ask for localhost.")
    if origin is not None and origin != f"https://{host}":
        return _forbidden(f"The page {origin!r} is not this service's.")
    media = given.get("content-type", "").partition(";")[0].strip().lower()
    if method not in ("GET", "HEAD") and HEADER.lower() not in given and media != "application/json":
        return _forbidden(f"A form may have sent this: add the header '{HEADER}: control'.")
    return None


def _is_own(host: str) -> bool:
    """Whether it is no name that somebody else could have given to this machine."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False


def _forbidden(message: str) -> ArmError:
    return ArmError(403, "Forbidden", message)
