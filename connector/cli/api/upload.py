"""`connector api intempt upload`: a CSV file into a collection, streamed to where the platform says, with its progress.

The platform answers with a signed address: the file is put there, without the key, over https only (unless egress.allow
names the host), and the address is shown nowhere.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final
from urllib.parse import parse_qsl, urlsplit

import typer

from connector.cli.api import call, given
from connector.cli.options import AsJson, WrongUse
from connector.cli.output import emit_json, say
from connector.cli.session import settings
from connector.errors import ConnectorError
from connector.model import Hidden
from connector.platforms.intempt import collections

if TYPE_CHECKING:
    from connector.secrets import Vault
    from connector.settings import Connection, Settings

_PIECE: Final = 256 * 1024  # bytes


def upload(
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="The id of the collection.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file; its first line names the fields.")],
    connection: given.ConnectionName = "",
    as_json: AsJson = False,
) -> None:
    """Upload a CSV file into a collection; its first line names the fields.

    POST /v1/{org}/collections/{id}/data with Content-Type text/csv and no body → 307 with Location, where the file is
    then put without the key (API reference of 2021). Rows are processed later; nobody hears of those that do not fit.
    """
    of = settings()
    chosen = given.connection_of(of, "intempt", connection)
    with _opened(file) as opened:
        size = os.fstat(opened.fileno()).st_size
        if not size:
            raise WrongUse(f"{file} is empty: its first line must name the fields")
        try:
            with _progress(size, shown=not as_json) as advance:
                asyncio.run(_upload(of, chosen, collection, opened, size, advance))
        except ConnectorError as error:
            raise call.told(error, of.vault) from None
    if as_json:
        emit_json({"collection": collection, "bytes": size})
        return
    say(f"uploaded {size:,} bytes to collection {collection}; its rows are processed from now on", "green")


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        opened = file.open("rb")
    except OSError as error:
        raise WrongUse(f"{file} cannot be read: {error.strerror}") from None
    with opened:
        yield opened


async def _upload(
    of: "Settings",
    connection: "Connection",
    collection: str,
    file: BinaryIO,
    size: int,
    advance: Callable[[int], object],
) -> None:
    from connector.http import Http  # noqa: PLC0415

    async with Http(of.egress.allow, of.vault) as http:
        # Once only: this POST has no body that a second try could get through.
        place = collections.parse_upload_place(await http.send(collections.upload_place(connection, collection)))
        _hide(place, of.vault)
        answer = await http.upload(collections.put_file(connection, place, size), _pieces(file, size, advance), size)
        collections.parse_put(answer)


def _hide(place: Hidden, vault: "Vault") -> None:
    """Have no message show the address, or any part of its query: the signature among them."""
    address = place.reveal()
    vault.hide(address)
    for _, value in parse_qsl(urlsplit(address).query):
        vault.hide(value)


async def _pieces(file: BinaryIO, size: int, advance: Callable[[int], object]) -> AsyncIterator[bytes]:
    """The file, never held whole. Raises WrongUse where it is not as long any more as it was announced."""
    left = size
    while left:
        piece = await asyncio.to_thread(file.read, min(left, _PIECE))
        if not piece:
            raise WrongUse(f"the file became shorter while it was sent: upload it again ({left:,} bytes were missing)")
        yield piece
        left -= len(piece)
        advance(len(piece))


@contextmanager
def _progress(size: int, *, shown: bool) -> Iterator[Callable[[int], object]]:
    """A bar on standard error while the file is sent, if somebody looks."""
    if not shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=size)
        yield lambda sent: progress.advance(task, sent)
