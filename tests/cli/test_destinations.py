"""`connector destinations`: how receivers fare, and trying one over real HTTP."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook

from connector.model import State
from connector.sandbox import Sandbox
from tests.cli.house import ACCOUNT, CANARY, CONFIGURATION, DOTENV, House, a_delivery


def test_the_list_counts_what_waits_and_names_what_is_gone(house: House) -> None:
    house.fire(house.event(1), a_delivery(), a_delivery(State.DEAD, "HTTP 404", to="crm"))
    house.fire(house.event(2), a_delivery(State.HELD, "guard", to="old"))
    house.fire(house.event(3), a_delivery(State.DELIVERED))
    said = house.run("destinations", "list", "--json")
    counted = {one["name"]: (one["state"], one["pending"], one["held"], one["dead"]) for one in said.json}
    assert 0 == said.code
    assert {"sales": ("open", 1, 0, 0), "crm": ("open", 0, 0, 1), "old": ("gone", 0, 1, 0)} == counted
    assert "not in the configuration any more" in house.run("destinations", "list").out


def test_a_person_parks_and_releases(house: House) -> None:
    house.store().close()
    assert 0 == house.run("destinations", "park", "crm", "--by", "Ada").code
    (parked,) = [one for one in house.run("destinations", "list", "--json").json if one["name"] == "crm"]
    assert ("parked", "by Ada", "Ada", None) == (parked["state"], parked["reason"], parked["by"], parked["next_probe"])
    assert "crm is called again\n" == house.run("destinations", "release", "crm").out
    assert "crm was not parked\n" == house.run("destinations", "release", "crm").out
    actions = house.ask("SELECT group_concat(action) FROM audit")[0]
    assert "destination.parked,destination.released" == actions


def test_what_a_person_parked_is_not_probed(house: House) -> None:
    house.store().close()
    house.run("destinations", "park", "crm")
    assert house.ask("SELECT probe_at FROM destinations")[0] > house.now + 10**12


def test_an_unknown_name_is_guessed(house: House) -> None:
    said = house.run("destinations", "park", "crn")
    assert (2, True) == (said.code, "did you mean 'crm'" in said.err)


def test_an_account_that_is_written_to_is_one_of_them_while_something_waits_for_it(house: House) -> None:
    house.store().close()
    assert ["sales", "crm"] == [one["name"] for one in house.run("destinations", "list", "--json").json]
    house.fire(house.event(1), a_delivery(to=f"@{ACCOUNT}"))
    (_, _, found) = house.run("destinations", "list", "--json").json
    assert (f"@{ACCOUNT}", "open", 1) == (found["name"], found["state"], found["pending"])
    (line,) = house.run("deliveries", "list", "--destination", "@intilery", "--json").json
    assert f"@{ACCOUNT}" == line["destination"]
    assert 0 == house.run("deliveries", "discard", "--all", "--destination", "@intilery").code


def test_an_account_is_parked_by_its_connections_name(house: House) -> None:
    house.store().close()
    assert 0 == house.run("destinations", "park", "@intilery", "--by", "Ada").code
    assert f"@{ACCOUNT}" == house.ask("SELECT name FROM destinations")[0]
    assert "@intilery is called again\n" == house.run("destinations", "release", "@intilery").out
    assert 2 == house.run("destinations", "park", "@intelery").code
    said = house.run("destinations", "test", "@intilery")
    assert (2, True) == (said.code, "connector api" in said.err)


# ── trying one ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sandbox(house: House) -> Iterator[Sandbox]:
    """The sandbox in a thread of its own, and the configuration pointing at its receivers."""
    made, ready, stop = Sandbox(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with made:
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    text = CONFIGURATION.replace("https://crm.example.com/hooks", f"{made.url}/receiver/crm")
    house.write("connector.yaml", text + "egress: {allow: [127.0.0.1]}\n")
    house.write(".env", DOTENV.replace("https://hooks.slack.example.com/services", f"{made.url}/slack"))
    yield made
    stop.set()
    thread.join(10)


def test_a_test_request_is_signed_as_deliveries_are(house: House, sandbox: Sandbox) -> None:
    said = house.run("destinations", "test", "crm")
    (received,) = sandbox.receiver("crm").received
    secret = DOTENV.split("CRM_SECRET=")[1].strip()
    assert (0, True) == (said.code, "crm took it: HTTP 200, in " in said.out)
    assert "crm" in Webhook(secret).verify(received.body, received.headers)["text"]


def test_a_slack_destination_gets_a_message(house: House, sandbox: Sandbox) -> None:
    assert 0 == house.run("destinations", "test", "sales").code
    assert ["text"] == list(sandbox.slack(f"{CANARY}").received[0].json)


def test_a_refusal_and_silence_exit_1_and_name_no_secret(house: House, sandbox: Sandbox) -> None:
    sandbox.receiver("crm").behave(status=401)
    refused = house.run("destinations", "test", "crm")
    sandbox.receiver("crm").behave(down=True)
    silent = house.run("destinations", "test", "crm")
    assert (1, True) == (refused.code, "crm did not take it: HTTP 401" in refused.out)
    assert (1, True) == (silent.code, "crm did not answer: " in silent.out)
    assert CANARY not in refused.out + refused.err + silent.out + silent.err


def test_a_private_address_is_refused_unless_named(house: House, sandbox: Sandbox) -> None:
    text = (house.folder / "connector.yaml").read_text()
    house.write("connector.yaml", text.replace("egress: {allow: [127.0.0.1]}\n", ""))
    said = house.run("destinations", "test", "crm")
    assert 1 == said.code
    assert "egress" in said.out
    assert not sandbox.receiver("crm").received
