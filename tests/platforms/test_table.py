"""The table of endpoints: complete against our own list, true to its paths, and written in the documentation."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from connector.model import Request
from connector.platforms.endpoint import ENDPOINTS, Endpoint, load_all
from connector.platforms.intilery.tracking import COMMANDS as OURS
from connector.settings import Connection
from tests.platforms.documented import COMMANDS, DOCUMENTED
from tests.platforms.samples import sent

load_all()
ROOT = Path(__file__).parents[2]
ROWS = [
    pytest.param(row, path, id=f"{row.platform} {row.name} {path}") for row in ENDPOINTS.values() for path in row.paths
]
LISTED = {(platform, *one) for platform, known in DOCUMENTED.items() for one in known}


def _built(row: Endpoint, path: str, intilery: Connection, intempt: Connection) -> Request:
    return row.build({"intilery": intilery, "intempt": intempt}[row.platform], **row.paths[path])


def test_every_documented_endpoint_has_a_row() -> None:
    rows = {(row.platform, row.method, path) for row in ENDPOINTS.values() for path in row.paths}
    assert set() == LISTED - rows
    assert set() == rows - LISTED, "our own list of documented endpoints lacks some"


def test_every_documented_command_is_one_of_ours() -> None:
    assert set(COMMANDS) == set(OURS)


@pytest.mark.parametrize(("row", "path"), ROWS)
def test_a_builder_makes_the_documented_method_and_path(
    row: Endpoint, path: str, intilery: Connection, intempt: Connection
) -> None:
    request = sent(_built(row, path, intilery, intempt))
    own, _, query = path.partition("?")
    shape = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(own))
    before = "/track/acme/acme/ACME" if row.platform == "intilery" and path.startswith("/v1") else ""
    assert row.method == request.method
    assert re.fullmatch(before + shape, request.path), request.path
    assert query in {"", "&".join("=".join(pair) for pair in request.query)}


@pytest.mark.parametrize("row", ENDPOINTS.values(), ids=lambda row: f"{row.platform}-{row.name}")
def test_a_builder_says_what_it_does_where_and_by_which_document(row: Endpoint) -> None:
    text = row.build.__doc__ or ""
    assert row.summary.endswith((".", "list.")), row.builder
    assert row.method in text
    assert row.source
    assert all(one.about.text for one in row.parameters), "a parameter without a word about it"


@pytest.mark.parametrize(("row", "path"), ROWS)
def test_no_request_asks_for_compression_or_is_compressed(
    row: Endpoint, path: str, intilery: Connection, intempt: Connection
) -> None:
    headers = sent(_built(row, path, intilery, intempt)).headers
    assert "content-encoding" not in headers
    assert "identity" == headers["accept-encoding"]


# ── the documentation ─────────────────────────────────────────────────────────────────────────


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("endpoints_table", ROOT / "docs/endpoints.py")
    assert spec
    assert spec.loader
    module = sys.modules["endpoints_table"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_row_is_in_the_documentation_with_what_it_needs() -> None:
    rows = {(row.platform, row.method, row.path): row for row in _generator().rows()}
    assert LISTED == rows.keys()
    assert [] == [key for key, row in rows.items() if not row.test], "no test calls its builder"
    page = (ROOT / "docs/endpoints.md").read_text()
    assert [] == [key for key in rows if f"`{key[1]} {key[2]}`" not in page], "run ./dev docs"
    without_route = {key for key, row in rows.items() if not row.sandbox}
    assert set() == without_route, "the sandbox has no route"
