"""What a person at a terminal sees of the requests that receivers take."""

from connector.sandbox.console import Console, line
from connector.sandbox.receiver import Received
from tests.sandbox.client import NOON, Client, Start


def received(at: int = NOON, body: bytes = b'{"id":1}') -> Received:
    return Received(at, "POST", "/receiver/crm/notes", (), body, 200)


def test_a_request_is_one_line() -> None:
    assert '12:00:00 200 POST /receiver/crm/notes {"id":1}' == line(received())


def test_a_line_is_cut_and_holds_no_control_characters() -> None:
    shown = line(received(body=b"\x1b[2J\n" + b"x" * 500))
    assert 160 == len(shown)
    assert shown.isprintable()


def test_a_flood_is_counted_instead_of_shown() -> None:
    lines: list[str] = []
    console = Console(lines.append)
    for _ in range(50):
        console.show(received())
    console.show(received(at=NOON + 1_000))
    assert 22 == len(lines)
    assert "  … and 30 more" == lines[20]


def test_receivers_show_what_they_take(start: Start) -> None:
    seen: list[Received] = []
    sandbox: Client = start(watch=seen.append)
    sandbox.http.post(f"{sandbox.url}/slack/sales", data=b"Hi", timeout=10)
    assert [("/slack/sales", b"Hi")] == [(one.path, one.body) for one in seen]
