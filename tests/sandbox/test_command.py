"""`python -m connector.sandbox`, and the sandbox inside a program of one's own."""

import asyncio
import re
import signal
import socket
import subprocess
import sys

import pytest
import requests

from connector.errors import ConfigurationError
from connector.sandbox import Sandbox
from tests.sandbox.client import Client

COMMAND = [sys.executable, "-m", "connector.sandbox"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_when_told(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0", "--set", "from=pages"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            url = re.fullmatch(r"Sandbox on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())[1]
            state = requests.get(f"{url}/sandbox", timeout=10).json()
            assert ("pages", "2/1s") == (state["switches"]["from"], state["traffic"])
            process.send_signal(number)
            assert 0 == process.wait(10)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "fom=pages"], "--set: there is no switch 'fom' - did you mean 'from'?\n"),
        (["--set", "from"], "--set: expected NAME=VALUE, got 'from' - did you mean 'from'?\n"),
        (["--traffic", "2"], "--traffic: expected a rate such as 2/1s or 30/1m, got '2'\n"),
    ],
)
def test_a_wrong_option_ends_with_2_and_says_why(options: list[str], said: str) -> None:
    done = subprocess.run([*COMMAND, "--port", "0", *options], capture_output=True, text=True, timeout=20, check=False)
    assert (2, said) == (done.returncode, done.stderr)


def test_the_help_lists_the_switches() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=20, check=True)
    assert "time_field" in done.stdout


def test_a_taken_port_is_told() -> None:
    async def begin(port: int) -> None:
        async with Sandbox(port=port):
            pass

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=f"--port: port {port} is taken by another program - choose another"
        ):
            asyncio.run(begin(port))


def test_a_program_can_hold_one() -> None:
    async def look() -> list[str]:
        async with Sandbox() as sandbox:
            sandbox.account("a/b/C").inject([{"event": "page"}])
            sandbox.receiver("crm").behave(status=500)
            sandbox.faults.add("html", times=2)
            return [sandbox.url, *(event.action for event in sandbox.account("a/b/C").feed.all())]

    url, action = asyncio.run(look())
    assert "page" == action
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_it_listens_on_this_machine_only(sandbox: Client) -> None:
    assert sandbox.url.startswith("http://127.0.0.1:")
