"""What the tests of the door share: a vault, certificates."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.secrets import Vault


@pytest.fixture
def vault() -> Vault:
    return Vault(
        {"TOKEN": "s3cr3t-t0ken", "SLACK": "https://hooks.slack.com/services/T0/B0/hookhookhook"},
        dotenv=None,
        folder=None,
    )


@dataclass
class Certificate:
    """A self-signed certificate for 127.0.0.1 and rebind.example: the server's context, and one that trusts it."""

    cert: Path
    key: Path
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    _openssl(key, cert)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return Certificate(cert, key, server, ssl.create_default_context(cafile=cert))


def _openssl(key: Path, cert: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:rebind.example"]
    subprocess.run([*command.split(), *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
