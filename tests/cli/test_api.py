"""`connector api`: every endpoint from the command line, over real HTTP against the sandbox."""

import asyncio
import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from connector.cli.api import call
from connector.platforms.endpoint import ENDPOINTS, load_all
from connector.sandbox import Sandbox
from tests.cli.house import CANARY, House, Said, connector

load_all()
CONFIGURATION = """\
connections:
  intilery: {client_id: acme, account_id: acme, brand_id: ACME, auth_token: "${INTILERY_TOKEN}", base_url: "URL"}
  intempt: {organization: acme, project: shop, api_key: "${INTEMPT_KEY}", base_url: "URL"}
egress: {allow: [127.0.0.1, localhost]}
"""
DOTENV = f"INTILERY_TOKEN={CANARY}-token\nINTEMPT_KEY={CANARY}.{CANARY}-secret\n"
BOOKING, ITEM = "19554189106348032", "24663674875432960"  # the documents' own
PROFILE, SOURCE = "182233618306719744", "23525541210886144"
CALL = '{"userId": "u1", "event": "Product Added"}'
LINE = '[{"name": "Purchase", "payload": [{"eventId": "e1", "userId": "u1"}]}]'


@pytest.fixture
def sandbox(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox in a thread of its own, a configuration that has both platforms there, and a customer u1."""
    made, ready, stop = Sandbox(switches={"regulations": "historical"}), threading.Event(), threading.Event()

    async def serve() -> None:
        async with made:
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    monkeypatch.setattr(call, "PAUSE", 1)
    house.write("connector.yaml", CONFIGURATION.replace("URL", made.url))
    house.write(".env", DOTENV)
    traits = '{"userId": "u1", "traits": {"firstName": "Ada", "email": "ada@example.com"}}'
    assert 0 == house.run("api", "intilery", "identify", "--data", traits).code
    yield made
    stop.set()
    thread.join(10)


def _subscription(house: House) -> str:
    meta = house.run("api", "intilery", "meta", "userId:u1", "--json").json
    return str(meta["_subscriptionId"])


def _regulation(house: House) -> str:
    said = house.run("api", "intilery", "regulate", "suppress", "u1", "--by", "Ada", "--yes", "--json")
    return str(said.json["regulate_id"])


# ── each endpoint ─────────────────────────────────────────────────────────────────────────────

CALLS: dict[tuple[str, str], tuple[list[str], str]] = {
    ("intilery", "events"): (["--start", "1h", "--sort", "asc", "--exclude", "page"], "identify"),
    ("intilery", "profiles"): ([], "firstName"),
    ("intilery", "traits"): (["userId:u1"], "ada@example.com"),
    ("intilery", "meta"): (["email:ada@example.com"], "lastActivityTime"),
    ("intilery", "profile-events"): (["userId:u1", "--size", "1"], "identify"),
    ("intilery", "identify"): (["--data", '{"userId": "u1", "traits": {}}'], "taken, event id "),
    ("intilery", "track"): (["--data", CALL], "taken, event id "),
    ("intilery", "page"): (["--data", '{"userId": "u1"}'], "taken, event id "),
    ("intilery", "screen"): (["--data", '{"userId": "u1", "name": "Home"}'], "taken, event id "),
    ("intilery", "command"): (["send_email", "--data", '{"userId": "u1", "assetId": "a"}'], "taken, event id "),
    ("intilery", "batch"): (["--data", f"[{CALL}]"], "taken, event id "),
    ("intilery", "segment"): (["--data", '{"type": "track", "userId": "u1", "event": "X"}'], "taken"),
    ("intilery", "segment-batch"): (["--data", '[{"type": "track", "userId": "u1", "event": "X"}]'], "taken"),
    ("intilery", "preferences"): (["SUBSCRIPTION"], "unsubscribed from all"),
    ("intilery", "set-preferences"): (["SUBSCRIPTION", "--data", '{"unsubscribeAll": true}'], "taken"),
    ("intilery", "regulate"): (["suppress", "u7", "--by", "Ada", "--yes"], "asked for by Ada"),
    ("intilery", "regulations"): (["--type", "suppress", "--status", "initialized"], "initialized"),
    ("intilery", "regulation"): (["REGULATION"], "initialized"),
    ("intilery", "cancel-regulation"): (["REGULATION", "--yes"], "taken"),
    ("intempt", "service"): ([], "metadata"),
    ("intempt", "matches"): (["--profile", PROFILE], "newtestevent"),
    ("intempt", "segmentations"): (["--master", "200382140847620096"], "200382528132874240"),
    ("intempt", "all-segmentations"): ([], "200382528132874240"),
    ("intempt", "segmentation"): (["200382528132874240"], "200382140847620096"),
    ("intempt", "items"): ([BOOKING], ITEM),
    ("intempt", "item"): ([BOOKING, ITEM], "data.roomId"),
    ("intempt", "delete-item"): ([BOOKING, ITEM, "--yes"], ITEM),
    ("intempt", "add-item"): ([BOOKING, "--data", '{"id": 7}'], "taken"),
    ("intempt", "add-data"): ([SOURCE, "--suppress-errors", "--data", '{"profile": [{"visitorId": "v"}]}'], "taken"),
    ("intempt", "upload"): ([BOOKING, "rows.csv"], "uploaded 20 bytes"),
    ("intempt", "track"): (["--source", SOURCE, "--ip", "0", "--data", LINE], "taken"),
    ("intempt", "consents"): (["--data", '{"action": "accept", "userId": "u1", "source": "x"}'], "taken"),
    ("intempt", "choose"): (["--user", "u1", "--name", "checkout_v2"], "checkout_v2"),
    ("intempt", "choose-web"): (["--user", "u1"], "checkout_v2"),
    ("intempt", "feeds"): ([], "Popular products"),
    ("intempt", "feed"): (["5292", "--user", "u1", "--field", "id", "--field", "title", "--limit", "1"], "TITLE"),
}


@pytest.mark.parametrize(("platform", "name"), ENDPOINTS, ids=lambda word: word)
def test_an_endpoint_is_called_and_its_answer_shown(house: House, sandbox: Sandbox, platform: str, name: str) -> None:
    arguments, expected = CALLS[platform, name]
    house.write("rows.csv", "id,roomId\n77,5\n78,6\n")
    stand_ins = {"SUBSCRIPTION": _subscription, "REGULATION": _regulation}
    made = [stand_ins[one](house) if one in stand_ins else one for one in arguments]
    if name == "regulations":
        _regulation(house)
    plain = house.run("api", platform, name, *made)
    assert (0, "") == (plain.code, plain.err)
    assert expected in plain.out
    assert CANARY not in plain.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["intilery", "traits", "userId:u1"],
        ["intilery", "events"],
        ["intempt", "matches", "--profile", PROFILE],
        ["intempt", "items", BOOKING],
        ["intempt", "track", "--data", LINE],
    ],
    ids=" ".join,
)
def test_programs_get_the_platform_s_own_json(house: House, sandbox: Sandbox, arguments: list[str]) -> None:
    said = house.run("api", *arguments, "--json")
    assert 0 == said.code
    assert said.out.isascii()
    body = said.json
    if "matches" in arguments:
        assert [182233618306719744, 182233618306719715, 182233618306771518] == body["profileIds"]
    if "track" in arguments:
        assert body is None
    if "items" in arguments:
        assert int(BOOKING) == body["_embedded"]["dataItemList"][0]["collId"]


# ── what is given ─────────────────────────────────────────────────────────────────────────────


def test_a_body_is_given_as_it_stands_by_a_file_or_on_standard_input(
    house: House, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write("call.json", CALL)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CALL.encode())))
    for given in (CALL, "@call.json", "-"):
        assert 0 == house.run("api", "intilery", "track", "--data", given).code
    events = house.run("api", "intilery", "events", "--include", "product_added", "--json").json["data"]
    assert 3 == len(events)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "--data is no JSON"),
        ("@none.json", "none.json cannot be read: No such file"),
        ("[1e999]", "--data is no JSON"),
        ("[" * 20_000, "--data is no JSON"),
        ('{"userId": "u1"}', "event is needed: what the customer did. Nothing was sent"),
    ],
)
def test_a_body_that_is_none_is_told(house: House, sandbox: Sandbox, data: str, words: str) -> None:
    said = house.run("api", "intilery", "track", "--data", data)
    assert (2, "", True) == (said.code, said.out, words in said.err)


def test_two_megabytes_are_not_sent(house: House, sandbox: Sandbox) -> None:
    house.write("call.json", json.dumps({"id": 1, "text": "x" * 2_000_000}))
    said = house.run("api", "intempt", "add-item", BOOKING, "--data", "@call.json")
    assert (2, True) == (said.code, "at most 1,000,000 are taken" in said.err)
    house.write("call.json", json.dumps({"text": "x" * 9_000_000}))
    said = house.run("api", "intempt", "add-item", BOOKING, "--data", "@call.json")
    assert (2, "--data is larger than 8 MB\n") == (said.code, said.err)


def test_an_identity_is_given_as_json(house: House, sandbox: Sandbox) -> None:
    assert 0 == house.run("api", "intempt", "add-data", SOURCE, "--data", '{"profile": [{"visitorId": "v1"}]}').code
    told = house.run("api", "intempt", "segmentations", "--source", SOURCE, "--identity", '{"visitorId": "v1"}')
    assert (0, "nothing\n") == (told.code, told.out)
    wrong = house.run("api", "intempt", "segmentations", "--source", SOURCE, "--identity", "v1")
    assert (2, True) == (wrong.code, "--identity is no JSON" in wrong.err)


def test_which_connection_is_meant_must_be_clear(house: House, sandbox: Sandbox) -> None:
    one = (house.folder / "connector.yaml").read_text()
    other = one.splitlines()[1].replace("intilery:", "outlet:").replace("brand_id: ACME", "brand_id: OUT")
    other = other.replace("{client_id", "{platform: intilery, client_id")
    house.write("connector.yaml", one.replace("connections:\n", f"connections:\n{other}\n"))
    several = house.run("api", "intilery", "events")
    assert (2, True) == (several.code, "add --connection with one of outlet, intilery" in several.err)
    assert 0 == house.run("api", "intilery", "events", "--connection", "outlet").code
    wrong = house.run("api", "intilery", "events", "--connection", "outlte")
    assert (2, True) == (wrong.code, "did you mean 'outlet'" in wrong.err)
    house.write("connector.yaml", "connections: {}\n")
    none = house.run("api", "intempt", "feeds")
    assert (2, True) == (none.code, "has no connection to intempt: add one under `connections:`" in none.err)


def test_a_mistake_in_the_dialect_is_told_with_its_place(house: House, sandbox: Sandbox) -> None:
    text = (house.folder / "connector.yaml").read_text()
    house.write("connector.yaml", text.replace("brand_id: ACME,", "brand_id: ACME, dialect: {metta: meta},"))
    said = house.run("api", "intilery", "meta", "userId:u1")
    assert (2, True) == (said.code, "unknown key metta - did you mean 'meta'?" in said.err)


# ── deletes ───────────────────────────────────────────────────────────────────────────────────


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "code"), [("n\n", 130), ("y\n", 0)])
def test_a_delete_asks_first(
    house: House, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(typed))
    said = house.run("api", "intempt", "delete-item", BOOKING, ITEM)
    assert (code, True) == (said.code, "the item is deleted for good. Go on?" in said.out)
    left = house.run("api", "intempt", "item", BOOKING, ITEM)
    assert (0 if code else 2) == left.code


def test_where_nobody_can_be_asked_nothing_is_deleted(house: House, sandbox: Sandbox) -> None:
    said = connector("api", "intempt", "delete-item", BOOKING, ITEM, cwd=house.folder)
    assert (2, True) == (said.code, "add --yes" in said.err)
    assert 0 == house.run("api", "intempt", "item", BOOKING, ITEM).code


# ── regulations ───────────────────────────────────────────────────────────────────────────────


def test_a_regulation_by_hand_needs_a_name_and_is_kept_in_the_audit(house: House, sandbox: Sandbox) -> None:
    assert 2 == house.run("api", "intilery", "regulate", "suppress", "u1", "--yes").code
    assert 0 == house.run("api", "intilery", "regulate", "suppress", "u1", "--by", "Ada", "--yes").code
    row = house.ask("SELECT actor, action, subject, detail FROM audit")
    assert ("Ada", "regulation.by_hand", "hand_1", '{"type":"suppress","user_id":"u1"}') == tuple(row)
    assert 1 == len(sandbox.account().regulations.all)


def _regulate(house: House, *what: str) -> Said:
    return house.run("api", "intilery", "regulate", *what, "--by", "Ada", "--yes")


def test_a_second_regulation_of_a_user_and_type_waits_for_the_first_to_be_closed(
    house: House, sandbox: Sandbox
) -> None:
    assert 0 == _regulate(house, "suppress", "u1").code
    again = _regulate(house, "suppress", "u1")
    assert (2, True) == (again.code, "the same was asked for already (hand_1, sent)" in again.err)
    assert 0 == house.run("regulations", "done", "hand_1", "--by", "Bo").code
    assert 0 == _regulate(house, "suppress", "u1").code
    assert 2 == len(sandbox.account().regulations.all)


def test_a_finished_suppress_by_hand_lets_a_delete_go(house: House, sandbox: Sandbox) -> None:
    assert 0 == _regulate(house, "suppress", "u1").code
    assert 0 == house.run("regulations", "done", "hand_1", "--by", "Bo").code
    assert 0 == _regulate(house, "delete", "u1").code


def test_regulations_by_hand_count_against_the_cap(house: House, sandbox: Sandbox) -> None:
    house.write("connector.yaml", (house.folder / "connector.yaml").read_text() + "regulations: {cap: 2/1d}\n")
    assert [0, 0, 2] == [_regulate(house, "suppress", user).code for user in ("u1", "u2", "u3")]
    assert "more than 2/1d regulations" in _regulate(house, "suppress", "u3").err
    assert 2 == len(sandbox.account().regulations.all)
    assert 2 == house.ask("SELECT count(*) FROM regulations")[0]


def test_a_regulation_that_was_refused_may_be_asked_for_again(house: House, sandbox: Sandbox) -> None:
    sandbox.faults.add("status", status=403, only="regulations")
    assert 2 == _regulate(house, "suppress", "u1").code
    assert 0 == _regulate(house, "suppress", "u1").code


def test_a_regulation_without_an_answer_is_not_repeated_blindly(house: House, sandbox: Sandbox) -> None:
    sandbox.faults.add("lost", only="regulations")
    lost = _regulate(house, "suppress", "u1")
    assert (2, True) == (lost.code, "connector approvals reject hand_1 --by NAME" in lost.err)
    assert 2 == _regulate(house, "suppress", "u1").code
    assert 1 == len(sandbox.account().regulations.all)
    assert 0 == house.run("approvals", "reject", "hand_1", "--by", "Bo").code
    assert 0 == _regulate(house, "suppress", "u1").code


def test_the_gate_of_regulations_holds_for_calls_too(house: House, sandbox: Sandbox) -> None:
    deleted = house.run("api", "intilery", "regulate", "delete", "u1", "--by", "Ada", "--yes")
    assert (2, True) == (deleted.code, "a delete needs a finished suppress of the same user first" in deleted.err)
    house.run("regulations", "stop", "--by", "Ada")
    stopped = house.run("api", "intilery", "regulate", "suppress", "u1", "--by", "Ada", "--yes")
    assert (2, True) == (stopped.code, "regulations are stopped" in stopped.err)
    unknown = house.run("api", "intilery", "regulate", "access", "u1", "--by", "Ada", "--yes")
    assert (2, True) == (unknown.code, "has no name on the wire that is known" in unknown.err)
    assert not sandbox.account().regulations.all


# ── CSV files ─────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_uploaded_with_its_progress_and_no_address_is_shown(
    house: House, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = house.write("rows.csv", "id,roomId,note\n" + "".join(f"{n},1,{'x' * 300}\n" for n in range(1000, 3000)))
    shown = _Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    said = house.run("api", "intempt", "upload", BOOKING, "rows.csv")
    assert (0, True) == (said.code, f"uploaded {file.stat().st_size:,} bytes" in said.out)
    assert "kB" in shown.getvalue()
    assert "Signature" not in said.out + shown.getvalue()
    items = house.run("api", "intempt", "items", BOOKING, "--json").json["_embedded"]["dataItemList"]
    assert 2_002 == len(items)


def test_a_place_on_a_private_host_gets_nothing(house: House, sandbox: Sandbox) -> None:
    text = (house.folder / "connector.yaml").read_text()
    house.write("connector.yaml", text.replace(", localhost]", "]"))  # where the sandbox's storage is
    house.write("rows.csv", "id\n7\n")
    said = house.run("api", "intempt", "upload", BOOKING, "rows.csv")
    assert (2, True) == (said.code, "add localhost to egress.allow" in said.err)
    assert "Signature" not in said.err
    assert "intempt.upload" not in sandbox.requests.as_dict()["counts"]


@pytest.mark.parametrize(
    ("file", "words"), [("none.csv", "cannot be read: No such file"), ("empty.csv", "empty.csv is empty")]
)
def test_a_file_that_cannot_be_sent_is_told(house: House, sandbox: Sandbox, file: str, words: str) -> None:
    house.write("empty.csv", "")
    said = house.run("api", "intempt", "upload", BOOKING, file)
    assert (2, True) == (said.code, words in said.err)


def test_an_unknown_collection_is_told(house: House, sandbox: Sandbox) -> None:
    house.write("rows.csv", "id\n7\n")
    said = house.run("api", "intempt", "upload", "7", "rows.csv")
    assert (2, True) == (said.code, "nobody has this id, or nothing is at this address" in said.err)


# ── what goes wrong ───────────────────────────────────────────────────────────────────────────


def test_a_refusal_names_the_request_and_what_to_do(house: House, sandbox: Sandbox) -> None:
    said = house.run("api", "intilery", "traits", "userId:nobody")
    assert (2, "") == (said.code, said.out)
    assert "nobody has this id, or nothing is at this address; it says: Custmer not found. (HTTP 404)" in said.err
    assert "[x-amzn-RequestId " in said.err


def test_bytes_that_are_refused_once_are_sent_again(house: House, sandbox: Sandbox) -> None:
    sandbox.switches.set({"intempt_new_event": "400"})
    assert 0 == house.run("api", "intempt", "track", "--data", LINE.replace("Purchase", "New")).code
    assert {"201": 1, "400": 1} == sandbox.requests.as_dict()["counts"]["intempt.track"]


def test_what_stays_refused_is_tried_three_times(house: House, sandbox: Sandbox) -> None:
    said = house.run("api", "intempt", "add-item", BOOKING, "--data", '{"id": "x"}')
    assert (2, True) == (said.code, 'id must be "long"' in said.err)
    assert {"400": 3} == sandbox.requests.as_dict()["counts"]["intempt.items"]


def test_an_id_that_is_a_key_comes_from_standard_input_and_is_not_repeated(
    house: House, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = _subscription(house)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{subscription}\n"))
    assert "unsubscribed from all" in house.run("api", "intilery", "preferences", "-").out
    assert subscription not in house.run("api", "intilery", "meta", "userId:u1").out


class _Echo(BaseHTTPRequestHandler):
    """Says what it was told, the key among it: with an error, or with success."""

    status = 400

    def do_GET(self) -> None:
        body = json.dumps({"message": str(self.headers), "matchedEvents": [str(self.headers)]}).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize("status", [400, 200])
@pytest.mark.parametrize("auth", ["basic", "apikey", "query"])
def test_a_key_that_is_said_back_is_not_shown(
    house: House, monkeypatch: pytest.MonkeyPatch, status: int, auth: str
) -> None:
    monkeypatch.setattr(_Echo, "status", status)
    server = HTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    text = CONFIGURATION.replace("URL", f"http://127.0.0.1:{server.server_port}")
    house.write("connector.yaml", text.replace("project: shop,", f"project: shop, dialect: {{auth: {auth}}},"))
    house.write(".env", DOTENV)
    said = [house.run("api", "intempt", "matches", "--profile", "1", *more) for more in ([], ["--json"])]
    server.shutdown()
    thread.join()
    server.server_close()
    shown = "".join(one.out + one.err for one in said)
    assert {0 if status == 200 else 2} == {one.code for one in said}
    assert CANARY not in shown
    import base64

    assert base64.b64encode(f"{CANARY}:{CANARY}-secret".encode()).decode() not in shown
    assert auth == "query" or "***" in shown


def test_silence_is_told(house: House) -> None:
    house.write("connector.yaml", CONFIGURATION.replace("URL", "http://127.0.0.1:9"))
    house.write(".env", DOTENV)
    said = house.run("api", "intempt", "service")
    assert (2, True) == (said.code, "no connection (connection refused)" in said.err)
