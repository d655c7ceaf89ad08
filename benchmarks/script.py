"""What a competent person writes in an afternoon: the same job in sixty lines, with `requests`.

It polls the feed page by page, dedupes by id in SQLite, tries the recipes that an event's name wakes, commits what
they ask for, then sends it and records that. No order, no retry schedule, no parking, no re-reads, no validation.

    python script.py FEED_URL RECEIVER_URL RECIPES.json DATABASE START END

RECIPES.json: [{"event": name, "path": property, "gte": number}]. Prints one JSON line with counts and seconds.
"""

import json
import sqlite3
import sys
import time

import requests


def main() -> None:
    feed, receiver, recipes_file, database, start, end = sys.argv[1:]
    by_name: dict[str, list[dict]] = {}
    for recipe in json.load(open(recipes_file)):
        by_name.setdefault(recipe["event"], []).append(recipe)
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE events (id TEXT PRIMARY KEY, body TEXT)")
    db.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, body TEXT, done INTEGER DEFAULT 0)")
    session = requests.Session()
    session.headers.update({"auth-token": "t", "content-type": "application/json"})
    seen, offset, began = 0, 0, time.perf_counter()
    while True:
        query = {"start": start, "end": end, "sort": "asc", "from": offset, "size": 100}
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
    ingested = time.perf_counter() - began
    began, sent = time.perf_counter(), 0
    for number, body in db.execute("SELECT id, body FROM outbox WHERE done = 0").fetchall():
        session.post(receiver, data=body, timeout=15).raise_for_status()
        db.execute("UPDATE outbox SET done = 1 WHERE id = ?", (number,))
        sent += 1
    delivered = time.perf_counter() - began
    print(json.dumps({"events": seen, "ingest_s": ingested, "deliveries": sent, "deliver_s": delivered}))


main()
