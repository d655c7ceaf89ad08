"""`connector test` and `explain`: a recipe's own tests, and why an event fired or did not."""

from typing import Any

import pytest

from connector.model import HOUR
from connector.recipe.memory import DictMemory
from connector.recipe.parse import parse
from connector.replay import explain, run_tests, same
from tests.recipe.samples import LARGE, NOON, SMALL, event, recipe

HEAD = "id: a\ntrigger: {feed: intilery.events, event: x}\n"
SLACK = "actions: [{slack: {to: sales, text: 'Hi {{ traits.name }}'}}]\n"


def results(text: str) -> list[tuple[str, bool, str]]:
    return [(result.name, result.passed, result.message) for result in run_tests(parse(text, "a.yaml"))]


def message(case: str, actions: str = SLACK, more: str = "") -> str:
    """What one test of a recipe says; "" when it passes."""
    ((_, passed, told),) = results(f"{HEAD}{more}{actions}tests:\n  - {{name: t, {case}}}\n")
    assert passed is (told == "")
    return told


ABSENT = "traits.name is absent (missing or null): use default(...)"
ADA = "{event: x, userId: u1, traits: {name: Ada}}"


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["small", "large"])
def test_the_recipes_of_the_documentation_pass_their_own_tests(text: str) -> None:
    assert [] == [told for _, passed, told in results(text) if not passed]


@pytest.mark.parametrize(
    "case",
    [
        f"events: [{ADA}], expect: [{{slack: {{text: Hi Ada}}}}]",
        f"events: [{ADA}], expect: [{{slack: {{}}}}]",
        f"events: [{ADA}], expect: [{{slack: {{text: Hi Ada, to: sales}}}}], because: fired",
        f"events: [{ADA}, {ADA}], expect: [{{slack: {{}}}}, {{slack: {{}}}}]",
        "events: [{event: other}], expect: []",
        "events: [{event: x}], expect: [], because: error",
        'events: [{event: x}], expect: [], because: "error: traits.name"',
        "events: [{event: x}], expect: [{slack: {error: traits.name is absent}}], because: error",
        "events: [{event: x, eventTime: 2012-01-01T00:00:00Z}], expect: [], because: stale",
        "events: [{event: x, traits: {name: 'A & <b>'}}], expect: [{slack: {text: 'Hi A & <b>'}}]",
    ],
)
def test_a_test_that_is_right_passes(case: str) -> None:
    assert "" == message(case)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (
            f"events: [{ADA}], expect: [{{slack: {{text: Hi Bob}}}}]",
            'delivery 1: slack.text: expected "Hi Bob", got "Hi Ada"\noutcome of the last event: fired',
        ),
        (
            f"events: [{ADA}], expect: []",
            """\
expected 0 deliveries, got 1
delivery 1: not expected, got slack: {"text": "Hi Ada", "to": "sales"}
outcome of the last event: fired""",
        ),
        (
            "events: [{event: other}], expect: [{slack: {}}]",
            "expected 1 delivery, got 0\ndelivery 1: missing, expected slack: {}\nno event met the trigger",
        ),
        (
            f"events: [{ADA}], expect: [{{slack: {{}}}}], because: limited",
            "because: expected 'limited', got 'fired'\noutcome of the last event: fired",
        ),
        (
            "events: [{event: x}], expect: [{slack: {text: Hi Ada}}]",
            f"delivery 1: slack: error: {ABSENT}\noutcome of the last event: error: {ABSENT}",
        ),
    ],
)
def test_a_test_that_fails_says_what_was_expected_and_what_came(case: str, told: str) -> None:
    assert told == message(case)


def test_a_failing_test_shows_which_condition_did_not_hold() -> None:
    told = message(
        f"events: [{ADA}], expect: [{{slack: {{}}}}]",
        more="if: [{traits.name: {starts_with: A}}, {any: [{properties.price: {gt: 5}}, {event.userId: [u2]}]}]\n",
    )
    assert (
        """\
expected 1 delivery, got 0
delivery 1: missing, expected slack: {}
outcome of the last event: if
  no   all
    yes  traits.name starts_with "A" ("Ada")
    no   any
      no   properties.price gt 5 (absent)
      no   event.userId in ["u2"] ("u1")"""
        == told
    )


WEBHOOK = """actions: [{webhook: {to: crm, method: PUT, path: "/c/{{ event.userId }}", headers: {X-A: b}, json:
  {list: [1, {a: "{{ traits.name }}"}], gone: "{{ traits.gone | default(omit) }}", n: "{{ properties.n }}"}}}]
"""


@pytest.mark.parametrize(
    ("fields", "passes"),
    [
        ("{json: {n: 5}}", True),
        ("{json: {n: 5.0, gone: null}}", True),
        ('{json: {n: "5"}}', False),
        ("{json: {n: true}}", False),
        ("{json: {list: [1, {a: Ada}]}}", True),
        ("{json: {list: [1]}}", False),
        ("{json: {list: [1, {}]}}", False),
        ("{json: {gone: x}}", False),
        ("{method: PUT, path: /c/u/1, headers: {X-A: b}, to: crm}", True),
        ("{path: /c}", False),
        ("{text: x}", False),
    ],
)
def test_mappings_are_compared_in_part_lists_and_texts_whole_before_escaping(*, fields: str, passes: bool) -> None:
    happened = "{event: x, userId: u/1, properties: {n: 5}, traits: {name: Ada}}"
    assert passes is (message(f"events: [{happened}], expect: [{{webhook: {fields}}}]", WEBHOOK) == "")


def test_after_counts_from_the_event_before() -> None:
    told = message(
        f"events: [{ADA}, {{after: 40m, event: x, userId: u1}},"
        " {after: 20m, event: x, userId: u1, traits: {name: B}}],"
        " expect: [{slack: {text: Hi Ada}}, {slack: {text: Hi B}}], because: fired",
        more="limit: 1/1h\n",
    )
    assert "" == told


def test_a_recipe_in_shadow_or_disabled_can_be_tested() -> None:
    for mode in ("shadow", "disabled"):
        assert "" == message(f"events: [{ADA}], expect: [{{slack: {{}}}}]", more=f"mode: {mode}\n")


NEEDS = """actions:
  - id: note
    webhook: {to: crm, json: {name: "{{ traits.name }}"}}
  - {id: told, needs: note, slack: {to: ops, text: "{{ actions.note.state }} {{ actions.note.status }}"}}
  - {id: lost, needs: {note: dead}, slack: {to: ops, text: "not told"}}
  - {id: last, needs: [told], slack: {to: ops, text: "all done"}}
  - {id: never, needs: {last: dead}, slack: {to: ops, text: "not all done"}}
"""


def test_needs_are_met_by_the_answer_200() -> None:
    expected = "{webhook: {}}, {told: {text: delivered 200}}, {last: {text: all done}}"
    assert "" == message(f"events: [{ADA}], expect: [{expected}]", NEEDS)


def test_what_needs_a_failure_happens_when_the_other_could_not_be_made() -> None:
    expected = "{note: {error: traits.name is absent}}, {lost: {}}, {never: {}}"
    assert "" == message(f"events: [{{event: x}}], expect: [{expected}]", NEEDS)


def test_events_have_ids_and_times_of_their_own() -> None:
    text = "{{ event.eventId }} {{ event.eventTime }} {{ event.receivedTime }} {{ event.eventAction }}"
    told = message(
        "events: [{event: x}, {after: 1m, event: X}], expect: [{slack: {text: test-1 2026-01-05T09:00:00.000Z"
        " 2026-01-05T09:00:00.000Z x}}, {slack: {text: test-2 2026-01-05T09:01:00.000Z 2026-01-05T09:01:00.000Z x}}]",
        f'actions: [{{slack: {{to: sales, text: "{text}"}}}}]\n',
    )
    assert "" == told


def test_a_result_says_where_its_test_stands() -> None:
    (result,) = run_tests(parse(SMALL, "recipes/trial.yaml"))
    assert ("trial-click", "recipes/trial.yaml", 10) == (result.recipe, result.file, result.line)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        ([1, {"a": 1}], [1, {"a": 1}], True),
        ([1], [1, 2], False),
        ({}, {"a": 1}, False),
    ],
)
def test_values_are_compared_as_json(*, one: Any, other: Any, expected: bool) -> None:
    assert expected is same(one, other)


# ── explain ───────────────────────────────────────────────────────────────────────────────────


def test_explain_shows_each_condition_with_its_value_and_verdict() -> None:
    made = recipe(
        "if: [{properties.price: {gte: 50}}, {traits.email: {exists: true}}, {properties.word: {gt: 1}}]",
    )
    found = explain(made, event(properties={"price": "60", "word": "abc"}), DictMemory())
    assert """\
a: if
  if
    no   all
      yes  properties.price gte 50 ("60")
      no   traits.email exists true (absent)
      error  properties.word gt 1 ("abc"): not a number""" == "\n".join(found.lines())


def test_explain_shows_the_items_of_lists_and_the_conditions_of_actions() -> None:
    made = recipe(
        "if: [{properties.tags: {any_item: {starts_with: r}}}, '{{ properties.n > 1 }}']",
        actions="[{for_each: properties.products, if: {item.price: {gt: 1}}, webhook: {to: crm}}]",
    )
    properties = {"tags": ["blue", "red"], "n": 2, "products": [{"price": 1}, {"price": 2}]}
    assert """\
a: fired
  if
    yes  all
      yes  properties.tags any_item
        no   item starts_with "r" ("blue")
        yes  item starts_with "r" ("red")
      yes  {{ properties.n > 1 }} (properties.n = 2)
  webhook if
    no   item.price gt 1 (1)
    yes  item.price gt 1 (2)
  webhook to crm: pending""" == "\n".join(explain(made, event(properties=properties), DictMemory()).lines())


def test_explain_says_when_the_trigger_does_not_name_the_event() -> None:
    found = explain(recipe(), event("y"), DictMemory())
    assert (False, ["a: not woken, its trigger does not name this event"]) == (found.woken, found.lines())


@pytest.mark.parametrize(
    ("fields", "options", "first"),
    [
        ({"time": NOON - 25 * HOUR}, {}, "a: stale"),
        ({"own": True}, {}, "a: own"),
    ],
)
def test_explain_names_the_stops_before_the_conditions(fields: Any, options: Any, first: str) -> None:
    assert [first] == explain(recipe("if: [{properties.a: 1}]"), event(**fields), DictMemory(), **options).lines()


@pytest.mark.parametrize("mode", ["live", "disabled"])
def test_explain_shows_what_an_event_of_before_would_make_of_a_live_recipe(mode: str) -> None:
    made = recipe(f"mode: {mode}\nif: [{{properties.a: 1}}]")
    found = explain(made, event(properties={"a": 1}), DictMemory(), live_from=NOON + 1)
    assert ["a: not_live", "  were it live: fired", "  if", "    yes  properties.a eq 1 (1)"] == found.lines()
    assert (mode == "disabled") is found.disabled


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("'{{ properties.a|number > 1 }}'", '    yes  {{ properties.a|number > 1 }} (properties.a = "2")'),
        (
            "\"{{ properties['utm-source'] == traits.x }}\"",
            '    no   {{ properties[\'utm-source\'] == traits.x }} (properties."utm-source" = "ad"; traits.x = absent)',
        ),
        (
            "{properties.a: {eq: '{{ properties.b }}'}}",
            '    no   properties.a eq "{{ properties.b }}" ("2"; properties.b = 3)',
        ),
        (
            "'{{ properties.a > 1 }}'",
            '    error  {{ properties.a > 1 }} (properties.a = "2"): '
            "cannot order text and number: write both as value|number",
        ),
        ("'{{ properties.long == 1 }}'", f'    no   {{{{ properties.long == 1 }}}} (properties.long = "{"x" * 76}...)'),
    ],
)
def test_explain_shows_the_values_that_a_template_reads(condition: str, line: str) -> None:
    properties = {"a": "2", "b": 3, "utm-source": "ad", "long": 100 * "x"}
    assert line == explain(recipe(f"if: [{condition}]"), event(properties=properties), DictMemory()).lines()[2]


def test_explain_spends_nothing() -> None:
    made, memory = recipe("limit: 1/1h"), DictMemory()
    assert ["a: fired", "  webhook to crm: pending"] == explain(made, event(userId="u1"), memory).lines()
    assert ["a: fired", "  webhook to crm: pending"] == explain(made, event(userId="u1"), memory).lines()


# ── lookups ───────────────────────────────────────────────────────────────────────────────────

LOOKUPS = """\
lookups:
  profile: {intilery_traits: {user_id: "{{ event.userId }}"}}
  matched: {intempt_matches: {profile_id: "{{ traits.intempt | default('') }}"}, optional: true}
if: [{properties.a: 1}, {lookups.profile.tier: gold}]
actions:
  - slack: {to: sales, text: "Hi {{ lookups.profile.name }} {{ lookups.matched.matchedEvents.0 | default('-') }}"}
"""
WOKEN = "{event: x, userId: u1, properties: {a: 1}}"
INTEMPT = (
    "events: [{event: x, userId: u1, properties: {a: 1}, traits: {intempt: 7}}],"
    " lookups: {profile: {tier: gold, name: A}, matched: {matchedEvents: [sale]}}, expect: [{slack: {text: Hi A sale}}]"
)


@pytest.mark.parametrize(
    "case",
    [
        f"events: [{WOKEN}], lookups: {{profile: {{tier: gold, name: Ada}}}}, expect: [{{slack: {{text: Hi Ada -}}}}]",
        f"events: [{WOKEN}], lookups: {{profile: {{tier: none}}}}, expect: [], because: if",
        f'events: [{WOKEN}], lookups: {{profile: null}}, expect: [], because: "lookup: profile: not found"',
        "events: [{event: x, userId: u1}], expect: [], because: if",
        'events: [{event: x, properties: {a: 1}}], expect: [], because: "error: lookups.profile: user_id"',
        INTEMPT,
    ],
)
def test_a_test_says_what_lookups_find(case: str) -> None:
    assert "" == message(case, LOOKUPS)


def test_an_answer_that_is_missing_is_asked_for() -> None:
    told = message(f"events: [{WOKEN}], expect: []", LOOKUPS)
    assert (
        "the test does not say what is found: write lookups: {profile: {...}}, or null for nothing\n"
        "outcome of the last event: waiting"
    ) == told


def test_a_failing_test_shows_the_condition_that_read_the_lookup() -> None:
    told = message(f"events: [{WOKEN}], lookups: {{profile: {{tier: none}}}}, expect: [{{slack: {{}}}}]", LOOKUPS)
    assert told.endswith('outcome of the last event: if\n  no   lookups.profile.tier eq "gold" ("none")')


def test_a_limit_counts_what_lookups_let_through() -> None:
    second = "{after: 1m, event: x, userId: u1, properties: {a: 1}}"
    case = f"events: [{WOKEN}, {second}], lookups: {{profile: {{tier: gold, name: A}}}}, expect: [{{slack: {{}}}}]"
    assert "" == message(f"{case}, because: limited", LOOKUPS, more="limit: 1/1h\n")


def test_an_event_is_explained_with_what_was_found_then() -> None:
    made = parse(f"{HEAD}{LOOKUPS}tests: []\n", "a.yaml")
    happened = event(userId="u1", properties={"a": 1})
    before = explain(made, happened, DictMemory())
    assert before.outcome is not None
    assert ("waiting", None) == (before.outcome.reason, before.late)
    after = explain(made, happened, DictMemory(), answers={"profile": {"tier": "gold", "name": "A"}, "matched": None})
    assert [
        "a: fired",
        "  if",
        "    yes  properties.a eq 1 (1)",
        '  lookups.profile: {"tier": "gold", "name": "A"}',
        "  lookups.matched: not found",
        "  if",
        '    yes  lookups.profile.tier eq "gold" ("gold")',
        "  slack to sales: pending",
    ] == after.lines()


def test_an_action_that_needs_another_reads_lookups_too() -> None:
    then = """\
  - {id: note, webhook: {to: crm, json: {}}}
  - {id: then, needs: note, slack: {to: ops, text: "{{ lookups.profile.name }} {{ actions.note.status }}"}}
"""
    expect = "[{slack: {}}, {note: {}}, {then: {text: A 200}}]"
    case = f"events: [{WOKEN}], lookups: {{profile: {{tier: gold, name: A}}}}, expect: {expect}"
    assert "" == message(case, LOOKUPS + then)
