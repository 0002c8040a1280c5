"""Who may score: an endpoint's keys and tokens."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.identity import DATA_PLANE, SCORING, Identity
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store
from azureml_local.routing import part

# Kind of the keys, which are kept apart from the endpoints, so that no answer shows them.
KEYS = "endpointKeys"
MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}
# How long an endpoint's own token is good for.
TOKEN_SECONDS = 12 * 3600
_FIELDS = {"primary": "primaryKey", "secondary": "secondaryKey"}


def mode(name: str | None) -> str:
    """The authMode as Azure spells it; raises ArmError 400 if there is no such mode."""
    known = MODES.get((name or "").lower())
    if known is None:
        raise ArmError(
            400, "BadArgument", f"authMode {name!r} is none of Key, AMLToken, AADToken.", target="authMode"
        )
    return known


class Access(Part):
    """Gives out keys and tokens of endpoints, and checks them."""

    def __init__(self, store: Store, identity: Identity, base_url: str) -> None:
        self._store, self._identity, self._base_url = store, identity, base_url

    def keys(self, endpoint: Document) -> Json:
        """The endpoint's two keys, made when first needed; raises ArmError 400 if the endpoint takes none."""
        auth_mode = endpoint["properties"]["authMode"]
        if auth_mode != "Key":
            raise ArmError(
                400, "BadRequest", f"Endpoint {endpoint.key!r} has no keys: its authMode is {auth_mode}."
            )
        keys = self._store.get(KEYS, endpoint.key)
        return keys or self._store.put(
            KEYS, endpoint.key, {"primaryKey": _new_key(), "secondaryKey": _new_key()}
        )

    def regenerate_key(self, endpoint: Document, kind: str | None, value: str | None) -> None:
        """Replace one key: by the value given, or a random one if it has that value already, as the SDK sends.

        Raises:
            ArmError: 400 if the endpoint takes none, or there is no such kind of key.
        """
        keys = self.keys(endpoint)
        field = _FIELDS.get(str(kind).lower())
        if field is None:
            raise ArmError(
                400, "BadArgument", f"keyType {kind!r} is neither Primary nor Secondary.", target="keyType"
            )
        keys[field] = value if value and value != keys[field] else _new_key()
        self._store.put(KEYS, endpoint.key, keys)

    def token(self, endpoint: Document) -> Json:
        """A token that opens an endpoint of authMode AMLToken.

        Raises:
            ArmError: 400 if the endpoint takes keys.
        """
        if endpoint["properties"]["authMode"] == "Key":
            raise ArmError(
                400, "BadRequest", f"Endpoint {endpoint.key!r} takes keys, not tokens: its authMode is Key."
            )
        text, expires = self._identity.issue(self._audience(endpoint), lifetime=TOKEN_SECONDS)
        return {
            "accessToken": text,
            "tokenType": "Bearer",
            "expiryTimeUtc": expires,
            "refreshAfterTimeUtc": expires - 3600,
        }

    def admits(self, endpoint: Document, authorization: str | None) -> bool:
        """Whether an ``Authorization`` header lets its sender score."""
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            return False
        auth_mode = endpoint["properties"]["authMode"]
        if auth_mode == "Key":
            keys = [str(key).encode() for key in self.keys(endpoint).values()]
            # All are compared, so that the time of an answer says nothing of the keys.
            matches = [hmac.compare_digest(key, secret.encode()) for key in keys]
            return any(matches)
        try:
            own = (self._audience(endpoint),) if auth_mode == "AMLToken" else DATA_PLANE
            self._identity.require(authorization, *own)
        except ArmError:
            return False
        return True

    def _audience(self, endpoint: Document) -> str:
        """What the endpoint's tokens are for: itself, and no later endpoint of the same name."""
        return f"{self._base_url}{SCORING}{endpoint.key}#{endpoint.created}"


def _new_key() -> str:
    return secrets.token_urlsafe(32)


AccessDep = Annotated[Access, part(Access)]
