"""`connector sandbox`, from the command line."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.house import House, connector


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    arguments = [sys.executable, "-m", "connector", "sandbox", "--port", "0", "--traffic", "off"]
    with subprocess.Popen(arguments, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert found, first
        with urlopen(found[0], timeout=10) as answer:
            assert 200 == answer.status
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert 0 == process.returncode


@pytest.mark.parametrize("option", [("--set", "nonsense=1"), ("--set", "from"), ("--traffic", "often")])
def test_what_cannot_be_exits_2(house: House, option: tuple[str, str]) -> None:
    said = connector("sandbox", "--port", "0", *option, cwd=house.folder)
    assert (2, "") == (said.code, said.out)
    assert said.err
    assert "Traceback" not in said.err
