"""`connector api intilery regulate`: the call with the gate of design §9 before it: a named person, and the audit."""

from typing import Annotated

import typer

from connector.cli.api import call, given
from connector.cli.options import AsJson, By, Yes, confirm, decider
from connector.cli.output import emit_json, say
from connector.cli.session import opened, settings
from connector.engines.clock import now as clock
from connector.errors import ConnectorError
from connector.platforms.endpoint import ENDPOINTS
from connector.platforms.intilery import regulations


def regulate(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="TYPE", help="suppress_and_delete, delete, unsuppress, suppress, no_track, track or access."
        ),
    ],
    user: Annotated[str, typer.Argument(metavar="USER", help="The userId, character by character.")],
    by: By,
    connection: given.ConnectionName = "",
    as_json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Ask for a regulation of one user, by hand.

    POST …/v1/regulations, as documented in February 2021; today there may be nothing. A named person decides, the kill
    switch and the cap hold, one of its user and type may be open at a time, a delete needs a finished suppress, and
    ledger and audit keep it before it is sent. `connector regulations done` closes it once it has finished.
    """
    from connector.store import by_hand  # noqa: PLC0415
    from connector.store.regulations import Rules  # noqa: PLC0415

    of, who = settings(), decider(by)
    chosen = given.connection_of(of, "intilery", connection)
    try:
        regulations.regulate(chosen, kind, [user])  # a mistake in it is told before anybody is asked
        confirm(
            f"{kind} of {user} at {chosen.identity}, asked for at once: it cannot be undone once it runs. Go on?",
            yes=yes,
        )
        with opened(of) as store:
            with store.write() as tx:
                account = store.account(tx, chosen.identity)
                id = by_hand.begin(tx, Rules.of(of), account, kind, user, who, clock())
            try:
                exchange = call.call(of, chosen, ENDPOINTS["intilery", "regulate"].conversation(chosen, kind, [user]))
            except ConnectorError as error:
                with store.write() as tx:
                    surely = by_hand.failed(tx, id, who, error, clock())
                raise error if surely else _unsure(error, id) from None
            with store.write() as tx:
                by_hand.sent(tx, id, who, exchange.result, clock())
    except ConnectorError as error:
        raise call.told(error, of.vault) from None
    if as_json:
        emit_json({"id": id, "regulate_id": exchange.result})
        return
    say(f"asked for by {who}: connector api intilery regulation {exchange.result}", "green")
    say(f"when it has finished: connector regulations done {id} --by NAME")


def _unsure(error: ConnectorError, id: str) -> call.CallFailed:
    return call.CallFailed(
        f"{error}; it may have been taken: look at `connector api intilery regulations`, then write "
        f"`connector regulations done {id} --by NAME` or `connector approvals reject {id} --by NAME`"
    )
