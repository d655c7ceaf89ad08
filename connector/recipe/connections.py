"""Which connection is asked or written to: the one that is named, else the event's own, else the only one that fits."""

from collections.abc import Mapping, Sequence

from connector.document import did_you_mean
from connector.recipe.findings import Place
from connector.recipe.recipe import Known
from connector.recipe.schema import shown


def choose(platform: str, written: str | None, own: str, known: Mapping[str, str]) -> str | None:
    """The name of the connection to ask or write to, None where none fits or several do.

    own: the event's connection. known: every connection with its platform.
    """
    if written is not None:
        return written if known.get(written) == platform else None
    if known.get(own) == platform:
        return own
    fitting = [name for name, its in known.items() if its == platform]
    return fitting[0] if len(fitting) == 1 else None


def check_connection(  # noqa: PLR0913  what may be wrong, and where
    kind: str, platform: str, verb: str, written: str | None, place: Place, *, feeds: Sequence[str], known: Known
) -> None:
    """Record where the feeds of the trigger do not each lead to one connection of the platform.

    verb: what `kind` does to it: `ask`, `write to`. place: what holds the key `connection`.
    """
    fitting = sorted(name for name, its in known.connections.items() if its == platform)
    listed = f"of that platform: {', '.join(fitting)}" if fitting else f"configure a connection of {platform}"
    if written is not None:
        if written not in known.connections:
            hint = did_you_mean(written, fitting) or listed
            place.at("connection").mistake(f"unknown connection {shown(written)}", hint)
        elif written not in fitting:
            its, (first, *rest) = known.connections[written], verb.split()
            does = " ".join([f"{first}s", *rest])
            place.at("connection").mistake(f"`{kind}` {does} {platform}; {written!r} is a connection of {its}", listed)
        return
    owners = {feed.partition(".")[0] for feed in feeds}
    if any(choose(platform, None, own, known.connections) is None for own in owners):
        if fitting:
            message = f"`{kind}` could {verb} {' or '.join(fitting)}"
            place.mistake(message, f"write connection: {fitting[0]}", key=True)
        else:
            place.mistake(f"`{kind}` has no connection to {verb}", listed, key=True)
