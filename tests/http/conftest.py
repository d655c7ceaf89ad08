"""What the tests of the door share: a vault, a certificate."""

import pytest

from connector.secrets import Vault
from tests.http.certificate import Certificate, make


@pytest.fixture
def vault() -> Vault:
    return Vault({"TOKEN": "s3cr3t-t0ken"}, dotenv=None, folder=None)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("tls"))
