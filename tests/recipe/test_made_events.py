"""A recipe's own tests can state the events that feeds make of changes."""

import pytest

from connector.recipe.parse import parse
from connector.replay import run_tests

PROFILE = """
id: gold
trigger: {feed: intilery.profiles, event: [profile_created, profile_updated]}
if: [{traits.plan: gold}]
limit: {max: 1/24h, key: customer}
actions:
  - webhook: {to: crm, json: {id: "{{ event.customerId }}", mail: "{{ traits.email }}", plan: "{{ properties.plan }}"}}
tests:
  - name: gold, once
    events:
      - {event: profile_updated, customerId: p1, traits: {plan: gold, email: a@example.com}, properties: {plan: gold}}
      - {event: profile_updated, customerId: p1, traits: {plan: gold, email: a@example.com}, properties: {plan: gold}}
    expect: [{webhook: {json: {id: p1, mail: a@example.com, plan: gold}}}]
    because: limited
  - {name: lead, events: [{event: profile_created, customerId: p1, traits: {plan: lead}}], expect: [], because: if}
"""
ITEM = """
id: room
trigger: {feed: intempt.collection, event: item_created}
if: [{event.collectionId: "19554189106348032"}]
limit: {max: 1/ever, key: event.itemId}
actions: [{webhook: {to: crm, json: {id: "{{ event.itemId }}", price: "{{ properties.price }}"}}}]
tests:
  - name: a room
    events: [{event: item_created, collectionId: "19554189106348032", itemId: "24665844119130112", properties: {price: 80.5}}]
    expect: [{webhook: {json: {id: "24665844119130112", price: 80.5}}}]
  - {name: a guest, events: [{event: item_created, collectionId: "7", itemId: "1"}], expect: [], because: if}
"""
CUSTOMER = """
id: vip
trigger: {feed: [intilery.profile_events, intilery.events], event: Order Completed}
actions: [{webhook: {to: crm, json: {id: "{{ event.userId }}", mail: "{{ event.email | default(omit) }}"}}}]
tests:
  - name: seen by the one feed or the other
    events:
      - {event: Order Completed, userId: u1, email: a@example.com}
      - {feed: intilery.events, event: Order Completed, userId: u1}
    expect: [{webhook: {json: {id: u1, mail: a@example.com}}}, {webhook: {json: {id: u1}}}]
"""


@pytest.mark.parametrize("text", [PROFILE, ITEM, CUSTOMER], ids=["profiles", "collection", "profile_events"])
def test_a_made_event_can_be_stated(text: str) -> None:
    assert [] == [result.message for result in run_tests(parse(text, "a.yaml")) if not result.passed]
