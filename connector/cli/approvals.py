"""`connector approvals`: what waits for a named person to let it go on (design §9)."""

from typing import Annotated

import typer

from connector.cli.options import AsJson, By, noun, person
from connector.cli.output import Column, emit_json, iso, relative, say, table
from connector.cli.regulations import tell_steps
from connector.cli.session import opened, reading, settings
from connector.engines.clock import now as clock

app = noun("Regulations that wait for a named person.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The whole id, from `approvals list`.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """What waits for approval, the most urgent first."""
    from connector.store import history  # noqa: PLC0415

    at = clock()
    with reading(settings()) as tx:
        asked = history.regulations(tx, limit=100_000)
        waiting = sorted((one for one in asked if one.waits_for_a_person), key=lambda one: one.due)
    if as_json:
        emit_json(
            [
                {
                    "id": one.id,
                    "type": one.type,
                    "user_id": one.user_id,
                    "reason": one.reason,
                    "recipe": one.recipe,
                    "event": one.event,
                    "account": one.account,
                    "held": one.held,
                    "since": iso(one.proposed),
                    "due": iso(one.due),
                }
                for one in waiting
            ]
        )
        return
    rows = [
        (one.id, one.type, one.user_id, relative(one.proposed, at), relative(one.due, at), one.recipe, one.held)
        for one in waiting
    ]
    table(["id", "type", Column("user", rigid=False), "since", "due", Column("recipe", rigid=False), "held by"], rows)
    say("next: connector approvals approve ID --by NAME, or reject" if waiting else "nothing waits for approval")


@app.command()
def approve(id: Id, by: By) -> None:
    """Let one regulation go on: it becomes a work item, or is sent where `regulations.mode` is api."""
    from connector.store import history, regulations  # noqa: PLC0415

    of, who = settings(), person(by)
    with opened(of) as store, store.write() as tx:
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

    who = person(by)
    with opened(settings()) as store, store.write() as tx:
        regulations.reject(tx, id, who, clock())
    say(f"rejected by {who}: {id} is discarded")
