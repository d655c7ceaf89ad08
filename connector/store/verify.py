"""Whether a database is sound: SQLite's own check, the audit's chain, and rows that must agree with each other."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DatabaseError

from connector.store import audit
from connector.store.database import Tx

_NONE_MAY_BE: Final = {  # what is checked → the rows that break it
    "attempts belong to deliveries": (
        "SELECT count(*) FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = a.delivery)"
    ),
    "deliveries are settled once they are decided": (
        "SELECT count(*) FROM deliveries WHERE (state IN ('held', 'pending')) <> (settled IS NULL)"
    ),
    "open deliveries have their event": (
        "SELECT count(*) FROM deliveries d WHERE d.state IN ('held', 'pending') "
        "AND NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = d.event)"
    ),
    "waiting runs have their event, and keys their run": (
        "SELECT (SELECT count(*) FROM waiting_runs w WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = w.event "
        "AND e.payload IS NOT NULL)) + (SELECT count(*) FROM waiting_keys k WHERE NOT EXISTS "
        "(SELECT 1 FROM waiting_runs w WHERE w.seq = k.run))"
    ),
    "answers belong to runs": (
        "SELECT count(*) FROM answers a WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.seq = a.run)"
    ),
    "limits remember whole sets": (
        "SELECT count(*) FROM memory_keys k WHERE NOT EXISTS (SELECT 1 FROM memories m WHERE m.id = k.memory)"
    ),
    "regulations wait until they are decided": (
        "SELECT count(*) FROM regulations r JOIN deliveries d ON d.id = r.delivery "
        "WHERE (r.state = 'proposed' AND d.state <> 'held') OR (r.state = 'approved' AND d.state NOT IN "
        "('held', 'pending')) OR (r.state IN ('sent', 'done') AND d.state <> 'delivered')"
    ),
    "rows name known accounts": (
        "SELECT count(*) FROM (SELECT account FROM cursors UNION SELECT account FROM feeds UNION "
        "SELECT account FROM regulations) known WHERE account NOT IN (SELECT id FROM accounts)"
    ),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at. fault: "" when all is well."""

    name: str
    fault: str


def verify(tx: Tx) -> list[Check]:
    """Look at everything; takes a while on a large database."""
    checks: list[Check] = []
    try:
        if tx.connection.dialect.name == "sqlite":
            faults = [str(row[0]) for row in tx.run("PRAGMA integrity_check(10)")]
            checks.append(Check("the file is whole", "" if faults == ["ok"] else "; ".join(faults)))
        broken = audit.verify(tx)
        checks.append(Check("the audit is unchanged", f"row {broken} does not fit the chain" if broken else ""))
        for name, question in _NONE_MAY_BE.items():
            n = int(tx.one(question)[0])
            checks.append(Check(name, f"{n} do not" if n else ""))
    except DatabaseError as error:
        tx.connection.rollback()  # to commit what could not be read would fail once more
        checks.append(Check("the file can be read", f"{error.orig}: restore a backup"))
    return checks
