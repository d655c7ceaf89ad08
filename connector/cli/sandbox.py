"""`connector sandbox`: both platforms, emulated (design §10)."""

from typing import Annotated

import typer


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free one.")] = 8300,
    traffic: Annotated[str, typer.Option(metavar="RATE", help="Live events for each account, or off.")] = "2/1s",
    switches: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a switch; may be repeated.")
    ] = None,
) -> None:
    """The platforms, emulated, with live traffic and a receiver: no credentials needed."""
    from connector.sandbox import run  # noqa: PLC0415

    run(port, traffic, switches or [], lambda line: print(line, flush=True))  # noqa: T201  its words may be piped
