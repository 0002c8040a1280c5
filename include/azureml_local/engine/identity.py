"""Who calls: a token service in the form of App Service's managed identity, and the check of every token.

Tokens are RS256 JWTs with the resource as audience, as Entra ID issues them. The signing key and the
identity header's value are made at the first start and kept with mode 0600.
"""

from __future__ import annotations

import secrets
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.lifecycle import Part
from azureml_local.settings import TENANT_ID, Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

# Seconds that a token is good for.
LIFETIME = 3600
# Part of the audience of tokens that open an endpoint.
SCORING = "/inference/"
# Audiences of the resource manager, besides the service's own address: clients name the public cloud's, too.
RESOURCE_MANAGER = ("https://management.azure.com", "https://management.core.windows.net")
# Audiences of the data planes; the first one's suffix is that of the portal in the cloud's metadata.
DATA_PLANE = ("https://ml.azure.local", "https://ml.azure.com")
# Audience of Blob storage, the same in every cloud.
STORAGE = "https://storage.azure.com"
# Audience of a running step's token, which opens the tracking API and nothing else.
TRACKING = "https://mlflow.azureml.local"
CLIENT_ID = "00000000-0000-4000-8000-0000000000c1"


def private_file(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; killed in between, the old content is still there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_bytes(content)
    fresh.replace(path)


class Identity(Part):
    """Issues and checks the tokens of this service.

    Attributes:
        arm: audiences of Azure Resource Manager's tokens.
        issuer: who issues, in each token.
        header: what a client of the token service must show.
        lifetime: seconds that a client's token is good for.
    """

    def __init__(self, settings: Settings) -> None:
        folder = settings.home / "secrets"
        self.issuer, self.arm = f"{settings.base_url}/{TENANT_ID}/", (settings.base_url, *RESOURCE_MANAGER)
        self._key_file, header_file = folder / "signing.pem", folder / "identity-header"
        if not self._key_file.exists():
            _new_key(self._key_file)
        if not header_file.exists():
            private_file(header_file, secrets.token_hex(24).encode())
        self.header = header_file.read_text()
        self._checked: dict[str, tuple[float, str]] = {}
        self.lifetime = LIFETIME
        self._revocations = folder / "revocations"
        self._revoked = int(self._revocations.read_text()) if self._revocations.exists() else 0

    @cached_property
    def _private(self) -> rsa.RSAPrivateKey:
        """The signing key; read with the first token, as cryptography is a fifth of the service's memory."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{self._key_file} holds no RSA key: delete it and start again.")
        return key

    def clear(self) -> None:
        """Issue tokens of the usual length again."""
        self.lifetime = LIFETIME

    def issue(
        self, audience: str, *, subject: str = CLIENT_ID, lifetime: int | None = None
    ) -> tuple[str, int]:
        """Sign a token; returns it and the Unix time of its end.

        Args:
            audience: whoever may accept it.
            subject: object id of the caller.
            lifetime: seconds; without it the token is a client's, lasts as :attr:`lifetime` says, and can be
                revoked.
        """
        import jwt

        issued = int(time.time())
        expires = issued + (self.lifetime if lifetime is None else lifetime)
        claims = {
            "aud": audience,
            "iss": self.issuer,
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "tid": TENANT_ID,
            "oid": subject,
            "sub": subject,
            "appid": subject,
            "jti": secrets.token_hex(8),
            "ver": "1.0",
        }
        if lifetime is None:
            claims["rev"] = self._revoked
        return jwt.encode(claims, self._private, algorithm="RS256"), expires

    def revoke(self) -> None:
        """Refuse every client's token that was issued until now; those of running steps stay good."""
        self._revoked += 1
        private_file(self._revocations, str(self._revoked).encode())
        self._checked.clear()

    def require(self, authorization: str | None, *audiences: str) -> None:
        """Check the ``Authorization`` header of a request.

        Args:
            authorization: the header.
            audiences: what the token may be for; a slash at the end makes no difference.

        Raises:
            ArmError: 401, as ARM answers a missing, foreign or expired token, or one for another audience.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise _unauthorized("AuthenticationFailed", message)
        end, audience = self._checked.get(token, (0.0, ""))
        if end <= time.time():
            audience = self._check(token)
        if audience not in audiences:
            raise _unauthorized(
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for the wrong audience '{audience}': "
                f"it must be for one of {', '.join(map(repr, audiences))}.",
            )

    def _check(self, token: str) -> str:
        """The audience of a good token, without a slash at its end."""
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._private.public_key(),
                algorithms=["RS256"],
                issuer=self.issuer,
                options={"verify_aud": False, "require": ["aud", "exp"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise _unauthorized(
                "ExpiredAuthenticationToken", "The access token expiry is in the past."
            ) from error
        except jwt.InvalidTokenError as error:
            raise _unauthorized(
                "InvalidAuthenticationToken", f"The access token is invalid: {error}."
            ) from error
        if claims.get("rev", self._revoked) < self._revoked:
            raise _unauthorized("InvalidAuthenticationToken", "The access token has been revoked.")
        if len(self._checked) > 1000:
            self._checked.clear()
        audience = str(claims["aud"]).rstrip("/")
        self._checked[token] = claims["exp"], audience
        return audience


def _new_key(file: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private_file(
        file,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def _unauthorized(code: str, message: str) -> ArmError:
    challenge = f'Bearer authorization_uri="", error="invalid_token", error_description="{code}"'
    return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})
