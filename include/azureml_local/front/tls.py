"""The TLS side: a local certificate authority and its certificate for ``localhost``, made at the first start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import certifi

from azureml_local.engine.identity import private_file
from azureml_local.settings import Settings


@dataclass(frozen=True)
class Certificates:
    """Files that the server and its clients need."""

    # The authority's certificate; what a client trusts.
    ca: Path
    # The authority's certificate and the public roots, so that a client also reaches the internet.
    bundle: Path
    # Certificate chain and key of the server, one file.
    server: Path


def ensure(settings: Settings) -> Certificates:
    """Make what is missing under the service's home."""
    secrets = settings.home / "secrets"
    ca_file, key_file, server = settings.home / "ca.pem", secrets / "ca-key.pem", secrets / "server.pem"
    if not (ca_file.exists() and key_file.exists() and server.exists()):
        _issue(ca_file, key_file, server)
    bundle = settings.home / "ca-bundle.pem"
    bundle.write_bytes(ca_file.read_bytes() + Path(certifi.where()).read_bytes())
    return Certificates(ca_file, bundle, server)


def _issue(ca_file: Path, key_file: Path, server: Path) -> None:
    import trustme  # with cryptography's X.509 a tenth of a second, which only the first start needs

    if ca_file.exists() and key_file.exists():
        authority = trustme.CA.from_pem(ca_file.read_bytes(), key_file.read_bytes())
    else:
        authority = trustme.CA(organization_name="Local Azure ML")
        private_file(key_file, authority.private_key_pem.bytes())
        ca_file.write_bytes(authority.cert_pem.bytes())
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1")
    private_file(server, leaf.private_key_and_cert_chain_pem.bytes())
