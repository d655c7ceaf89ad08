"""A scope to render with, and Slack's escaping."""

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from connector import template
from connector.errors import RenderError
from connector.template import TemplateMistake

EVENT = {"eventId": "e1", "userId": "u1", "eventTime": "2026-11-01T12:30:00.000Z"}
PROPERTIES = {
    "name": "Wine",
    "price": "60",
    "quantity": 2,
    "big": 182233618306719715,
    "none": None,
    "utm-source": "mail",
    "tags": ["red", None, "dry"],
    "products": [{"sku": "a", "price": "1.5"}, {"sku": "b", "price": 2}],
    "items": "five",
    "get": "got",
    "keys": {"values": [1]},
    "__class__": "a key",
    "text": "x" * 60_000,
    "many": list(range(10_000)),
    "other": list(range(10_000)),
}
SCOPE = {"event": EVENT, "properties": PROPERTIES, "traits": {"email": "ada@example.com"}, "context": {}}


def render(source: str, scope: Mapping[str, Any] = SCOPE) -> Any:
    return template.compile(source).render(scope)


def slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def refused(source: str) -> None:
    """Refused at compile or at render, within a quarter of a second of this thread's time (best of three), and the event untouched."""
    before, times = json.dumps(SCOPE), []
    for _ in range(3):
        started = time.thread_time()
        with pytest.raises((TemplateMistake, RenderError)):
            template.compile(source).render(SCOPE)
        times.append(time.thread_time() - started)
    assert 0.25 > min(times)
    assert before == json.dumps(SCOPE)
