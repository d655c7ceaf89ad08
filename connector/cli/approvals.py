"""`connector approvals`: what waits for a named person to let it go on (design §9)."""

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.options import AsJson, By, WrongUse, decider, noun
from connector.cli.output import Column, emit_json, iso, relative, say, table
from connector.cli.regulations import asked, ledger, tell_steps
from connector.cli.session import opened, settings
from connector.engines.clock import now as clock
from connector.model import State

if TYPE_CHECKING:
    from connector.store.database import Tx

app = noun("Regulations that wait for a named person.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The whole id, from `approvals list`.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """What waits for approval, the most urgent first."""
    at = clock()
    known = ledger(to_people=not as_json)
    waiting = sorted((one for one in known.requests if one.waits_for_a_person), key=lambda one: one.due)
    if as_json:
        emit_json(
            [{**asked(one), "held": one.held, "since": iso(one.proposed), "due": iso(one.due)} for one in waiting]
        )
        return
    rows = [
        (one.id, one.type, one.user_id, one.reason, relative(one.proposed, at), relative(one.due, at), one.held)
        for one in waiting
    ]
    user, reason = Column("user", rigid=False), Column("reason", rigid=False)
    table(["id", "type", user, reason, "since", "due", "held by"], rows)
    if not waiting:
        say("nothing waits for approval")
    elif not known.stopped:
        say("next: connector approvals approve ID --by NAME, or reject")


@app.command()
def approve(id: Id, by: By) -> None:
    """Let one regulation go on: it becomes a work item, or is sent where `regulations.mode` is api."""
    from connector.store import history, regulations  # noqa: PLC0415

    of, who = settings("warn"), decider(by)
    with opened(of) as store, store.write() as tx:
        _must_be_one(tx, id)
        way = regulations.approve(tx, regulations.Rules.of(of), id, who, clock())
        (request,) = history.regulations(tx, delivery=id)
    say(f"approved by {who}")
    if way == regulations.TO_SEND:
        say(f"it is sent through the API; see: connector deliveries show {id}")
    else:
        tell_steps(request)


@app.command()
def reject(id: Id, by: By) -> None:
    """Turn one regulation down."""
    from connector.store import regulations  # noqa: PLC0415

    who = decider(by)
    with opened(settings("warn")) as store, store.write() as tx:
        _must_be_one(tx, id)
        regulations.reject(tx, id, who, clock())
    say(f"rejected by {who}: {id}")


def _must_be_one(tx: "Tx", id: str) -> None:
    """Raises WrongUse for half an id, and for a delivery that nobody can decide on; for what there is not, too."""
    from connector.store import history  # noqa: PLC0415
    from connector.store.regulations import BY_HAND  # noqa: PLC0415

    if id.startswith(BY_HAND) and history.regulations(tx, delivery=id):
        return
    try:
        line = history.delivery(tx, id)
    except history.Unknown:
        raise WrongUse(f"there is no regulation {id!r}: see `connector approvals list`") from None
    if line.id != id:
        raise WrongUse(f"write the whole id, not {id!r}: see `connector approvals list`")
    if line.kind == "regulation" and line.state == State.DEAD and not history.regulations(tx, delivery=id):
        raise WrongUse(
            f"{id} never became a regulation ({line.reason}): mend the recipe, "
            f"and give it up with `connector deliveries discard {id}`"
        )
