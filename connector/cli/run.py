"""`connector run`: the daemon."""

import asyncio
import os
import signal
from pathlib import Path

from connector.engines import logs
from connector.engines.local import Daemon
from connector.settings import load


def run(config: Path) -> None:
    """Run until SIGTERM or SIGINT; a second one ends at once. Raises ConfigurationError and DatabaseBusy."""
    settings = load(config, os.environ)
    logs.set_up(settings.vault.redact, os.environ.get("CONNECTOR_LOG", "INFO").upper())
    os.umask(0o077)
    asyncio.run(_run(Daemon(settings, asyncio.Event())))


async def _run(daemon: Daemon) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, daemon)
    await daemon.run()


def _stop(daemon: Daemon) -> None:
    if daemon.stop.is_set():
        os._exit(1)  # asked twice: everything that matters is committed
    daemon.stop.set()
