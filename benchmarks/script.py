"""What a competent person writes in an afternoon: the same job in sixty lines, with `requests`.

It polls the feed window by window and page by page, dedupes by id in SQLite, tries the recipes that an event's name
wakes, commits what they ask for, then sends it and records that. No order, no retry schedule, no parking, no re-reads,
no validation.

    python script.py FEED_URL RECEIVER_URL RECIPES.json DATABASE START END

RECIPES.json: [{"event": name, "path": property, "gte": number}]. START, END: seconds since 1970. A window holds fewer
than 10,000 events, the most that can be paged through. Prints one JSON line: counts, and seconds in all and busy.
"""

import json
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import requests

WINDOW = 9  # seconds, at a thousand events a second


def main() -> None:
    feed, receiver, recipes_file, database, start, end = sys.argv[1:]
    by_name: dict[str, list[dict]] = {}
    for recipe in json.loads(Path(recipes_file).read_text()):
        by_name.setdefault(recipe["event"], []).append(recipe)
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT)")
    db.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, body TEXT, done INTEGER DEFAULT 0)")
    session = requests.Session()
    session.headers.update({"auth-token": "t", "content-type": "application/json"})
    seen, began, busy = 0, time.perf_counter(), time.process_time()
    for second in range(int(start), int(end), WINDOW):
        edges = [datetime.fromtimestamp(at, UTC).isoformat() for at in (second, second + WINDOW)]
        offset = 0
        while True:
            query = {"start": edges[0], "end": edges[1], "sort": "asc", "from": offset, "size": 100}
            events = session.get(feed, params=query, timeout=30).json()["data"]
            if not events:
                break
            offset += len(events)
            db.execute("BEGIN IMMEDIATE")
            for event in events:
                new = db.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", (event["eventId"], json.dumps(event)))
                if not new.rowcount:
                    continue
                seen += 1
                for recipe in by_name.get(event["eventAction"], ()):
                    value = event["rawData"].get("properties", {}).get(recipe["path"])
                    if value is not None and float(value) >= recipe["gte"]:
                        body = json.dumps({"id": event["eventId"], "price": value})
                        db.execute("INSERT INTO outbox (body) VALUES (?)", (body,))
            db.execute("COMMIT")
    ingest = time.perf_counter() - began, time.process_time() - busy
    sent, began, busy = 0, time.perf_counter(), time.process_time()
    for number, body in db.execute("SELECT id, body FROM outbox WHERE done = 0").fetchall():
        session.post(receiver, data=body, timeout=15).raise_for_status()
        db.execute("UPDATE outbox SET done = 1 WHERE id = ?", (number,))
        sent += 1
    deliver = time.perf_counter() - began, time.process_time() - busy
    print(json.dumps({"events": seen, "ingest": ingest, "sent": sent, "deliver": deliver}))


main()
