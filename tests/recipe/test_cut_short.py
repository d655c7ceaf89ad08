"""A recipe file that was cut short anywhere, by a crash or a full disk, is refused or acts the same: never weaker."""

from typing import Any

import pytest

from connector import document
from connector.errors import ConfigurationError
from connector.recipe.parse import parse
from tests.recipe.samples import LARGE, SMALL

FLOW = (
    "{id: a, trigger: {feed: intilery.events, event: x}, limit: {max: 1/24h, key: customer}, if: [{properties.a: 10}],"
    ' actions: [{webhook: {to: crm}, if: {properties.b: "x"}, guard: 100/10m}], tests: []}'
)
PRIVACY = """\
id: forget-me
trigger: {feed: intilery.events, event: [forget_me, Erasure Requested]}
actions:
  - regulation:
      type: suppress_and_delete
      reason: >-
        Asked for in the preference centre
        by {{ event.userId }}
    if:
      - properties.confirmed: true
  - needs: regulation
    slack: {to: ops, text: "Größe: {{ event.userId }} 🗑"}
limit: 1/24h
tests:
  - name: once
    events: [{event: forget_me, userId: u1, properties: {confirmed: "true"}}]
    expect: [regulation: {type: suppress_and_delete}]
"""
QUOTED = """\
"id": 'a'
'trigger':
  feed: intilery.events
  event: x
actions:
- webhook:
    to: crm
    text: |
      tests: []

"tests":
- name: t
  events:
  - event: x
  expect: []
""".replace("\n", "\r\n")
WHOLE = {"small": SMALL, "large": LARGE, "flow": FLOW, "privacy": PRIVACY, "quoted": QUOTED}


def meaning(text: str) -> dict[str, Any] | None:
    """All that a recipe says but its tests; None when it is refused."""
    try:
        parse(text, "a.yaml")
        data = document.read(text, "a.yaml").data
    except ConfigurationError:
        return None
    return {key: value for key, value in data.items() if key != "tests"}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_every_prefix_is_refused_or_acts_the_same(text: str) -> None:
    whole, raw = meaning(text), text.encode()
    assert whole is not None
    weaker = []
    for end in range(len(raw)):
        try:
            prefix = raw[:end].decode()
        except UnicodeDecodeError:
            continue  # refused before it is parsed
        if meaning(prefix) not in (None, whole):
            weaker.append(prefix)
    assert [] == weaker
