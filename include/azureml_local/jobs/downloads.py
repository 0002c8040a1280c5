"""Inputs that lie on other machines: one file of a web server, or the blobs below a path of Blob storage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from azureml_local.arm.grammar import ArmError
from azureml_local.settings import Settings
from azureml_local.storage.addresses import blob_url

if TYPE_CHECKING:
    import httpx

_TIMEOUT = 30.0


class Downloads:
    """Fetches what an address names; without credentials, as Azure does for a public address."""

    def __init__(self, settings: Settings) -> None:
        self._certificates = settings.home / "ca-bundle.pem"

    async def fetch(self, address: str, place: Path, *, folder: bool) -> Path:
        """Download into the folder ``place``; the path of the file, or of the folder.

        Args:
            address: ``https://``, ``http://``, ``wasbs://`` or ``abfss://``.
            place: made here.
            folder: whether the address is of a folder.

        Raises:
            ArmError: 400 with the address and the reason.
        """
        import httpx

        url = blob_url(address)
        place.mkdir(parents=True, exist_ok=True)
        context = httpx.create_ssl_context(verify=str(self._certificates))
        try:
            async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT, follow_redirects=True) as http:
                if folder:
                    await self._folder(http, url, place)
                    return place
                target = place / (Path(unquote(urlsplit(url).path)).name or "data")
                await _file(http, url, target)
                return target
        except (httpx.HTTPError, OSError) as error:
            raise ArmError(
                400,
                "UserError",
                f"The input {address} cannot be downloaded: {error or type(error).__name__}.",
            ) from error

    async def _folder(self, http: httpx.AsyncClient, url: str, place: Path) -> None:
        """All blobs below a path, by the list of its container."""
        parts = urlsplit(url)
        container, _, prefix = unquote(parts.path).strip("/").partition("/")
        if not container:
            raise ArmError(400, "UserError", f"The input {url} names no container.")
        base = f"{parts.scheme}://{parts.netloc}/{container}"
        names = await _names(http, base, f"{prefix}/" if prefix else "", parts.query)
        if not names:
            raise ArmError(400, "UserError", f"There is no blob below {url}.")
        for name in names:
            target = place / name.removeprefix(f"{prefix}/" if prefix else "")
            if not target.resolve().is_relative_to(place.resolve()):
                raise ArmError(
                    400, "UserError", f"The blob {name!r} below {url} leads outside of its folder."
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            await _file(http, f"{base}/{_quoted(name)}" + (f"?{parts.query}" if parts.query else ""), target)


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


async def _names(http: httpx.AsyncClient, base: str, prefix: str, query: str) -> list[str]:
    """Names of the blobs of a container that begin with a prefix.

    Source: the operation List Blobs of Blob storage; its pages are joined by ``NextMarker``.
    """
    import httpx
    from defusedxml import ElementTree

    names: list[str] = []
    marker = ""
    while True:
        asked = httpx.QueryParams(query).merge(
            {
                "restype": "container",
                "comp": "list",
                "prefix": prefix,
                **({"marker": marker} if marker else {}),
            }
        )
        answer = await http.get(base, params=asked)
        answer.raise_for_status()
        root = ElementTree.fromstring(answer.content)
        names += [name.text or "" for name in root.iterfind("./Blobs/Blob/Name")]
        marker = root.findtext("NextMarker") or ""
        if not marker:
            return [name for name in names if name and not name.endswith("/")]


async def _file(http: httpx.AsyncClient, url: str, target: Path) -> None:
    async with http.stream("GET", url) as answer:
        answer.raise_for_status()
        with target.open("wb") as out:
            async for piece in answer.aiter_bytes():
                out.write(piece)
