"""A certificate for the servers of these tests, made by the openssl command."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Self-signed, for 127.0.0.1 and rebind.example: its files, the server's context, and one that trusts it."""

    cert: Path
    key: Path
    server: ssl.SSLContext
    client: ssl.SSLContext


def make(folder: Path) -> Certificate:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:rebind.example"]
    subprocess.run([*command.split(), *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return Certificate(cert, key, server, ssl.create_default_context(cafile=cert))
