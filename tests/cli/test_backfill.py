"""`connector backfill`: stored events through a recipe again."""

import pytest

from connector.model import DAY, HOUR, Planned, State
from tests.cli.house import RECIPE, House, a_delivery


def _outcomes(house: House, *arguments: str) -> dict[str, int]:
    return dict(house.run("backfill", "trial-click", "--dry-run", "--json", *arguments).json["outcomes"])


def _deliveries(house: House) -> list[tuple[str, str]]:
    store = house.store()
    with store.read() as tx:
        rows = tx.rows("SELECT e.event_id, d.state FROM deliveries d JOIN events e ON e.seq = d.event ORDER BY d.seq")
    store.close()
    return [(row[0], row[1]) for row in rows]


def test_events_from_before_the_recipe_are_run(house: House) -> None:
    house.live("trial-click", house.now)
    house.see(house.event(1, ago=2 * DAY), house.event(2, ago=HOUR), house.event(3, campaign_id="SUMMER"))
    said = house.run("backfill", "trial-click", "--by", "Ada")
    assert (0, [("event-0001", "pending"), ("event-0002", "pending")]) == (said.code, _deliveries(house))
    assert "trial-click: 2 fired, 1 not met; deliveries: 2 pending: start `connector run` to send\n" == said.out
    assert ("Ada", "recipe.backfilled") == tuple(house.ask("SELECT actor, action FROM audit"))


def test_a_dry_run_writes_nothing(house: House) -> None:
    house.see(house.event(1))
    before = (house.folder / "connector.db").read_bytes()
    said = house.run("backfill", "trial-click", "--dry-run")
    assert "trial-click would make: 1 fired; deliveries: 1 pending" in said.out
    assert "event-0001" in said.out
    assert before == (house.folder / "connector.db").read_bytes()


def test_since_is_seven_days_unless_said(house: House) -> None:
    house.see(house.event(1, ago=8 * DAY), house.event(2, ago=6 * DAY))
    assert {"fired": 1} == _outcomes(house)
    assert {"fired": 2} == _outcomes(house, "--since", "9d")


def test_what_fired_before_is_left_alone(house: House) -> None:
    house.see(house.event(1), house.event(2))
    house.run("backfill", "trial-click")
    said = house.run("backfill", "trial-click")
    assert ("trial-click: 2 already fired; deliveries: none\n", 2) == (said.out, len(_deliveries(house)))


def test_refire_delivers_again_under_new_ids(house: House) -> None:
    house.see(house.event(1))
    for _ in range(3):
        said = house.run("backfill", "trial-click", "--refire", "--yes")
    assert 0 == said.code
    assert 3 == house.ask("SELECT count(DISTINCT id) FROM deliveries")[0]
    assert "0,1,2" == house.ask("SELECT group_concat(refire) FROM outcomes")[0]


def test_refire_asks_before_anything_is_sent_again(house: House) -> None:
    house.see(house.event(1), house.event(2))
    house.run("backfill", "trial-click")
    said = house.run("backfill", "trial-click", "--refire")
    assert 2 == said.code
    assert "2 deliveries that were made before would be sent AGAIN. Go on?" in said.err
    assert 2 == len(_deliveries(house))


def test_regulations_become_what_the_configuration_makes_of_them(house: House) -> None:
    house.write(
        "recipes/trial-click.yaml",
        RECIPE[: RECIPE.index("actions:")] + "actions:\n  - regulation: {type: suppress, reason: asked}\ntests: []\n",
    )
    house.see(house.event(1))
    assert {"held": 1} == house.run("backfill", "trial-click", "--dry-run", "--json").json["deliveries"]
    house.run("backfill", "trial-click")
    assert [("event-0001", "held")] == _deliveries(house)


def test_what_a_mended_recipe_could_not_render_is_run_again_without_refire(house: House) -> None:
    event = house.event(1)
    house.fire(event, Planned("slack", "slack", "sales", state=State.DEAD, reason="error: absent"))
    house.change("UPDATE outcomes SET reason = 'error'")
    house.run("backfill", "trial-click")
    assert [("event-0001", "discarded"), ("event-0001", "pending")] == _deliveries(house)


def test_limits_hold_among_the_events_in_inbox_order(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("actions:", "limit: 1/24h\nactions:"))
    house.see(
        house.event(1, ago=30 * HOUR),
        house.event(2, ago=29 * HOUR),
        house.event(3, ago=1 * HOUR),
        house.event(4, user="u2"),
    )
    expected = {"fired": 3, "limited": 1}
    assert expected == _outcomes(house)
    house.run("backfill", "trial-click")
    assert ["event-0001", "event-0003", "event-0004"] == [event for event, _ in _deliveries(house)]
    assert expected == _outcomes(house, "--refire")


def test_what_was_limited_stays_so_even_when_the_limit_has_forgotten_why(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("actions:", "limit: 1/24h\nactions:"))
    house.see(house.event(1, ago=72 * HOUR), house.event(2, ago=71 * HOUR), house.event(3, ago=1 * HOUR))
    house.run("backfill", "trial-click")
    assert {"already fired": 2, "already limited": 1} == _outcomes(house)
    assert {"fired": 2, "limited": 1} == _outcomes(house, "--refire")


def test_customers_whose_ids_meet_share_a_limit_in_a_dry_run_too(house: House) -> None:
    house.write("recipes/trial-click.yaml", RECIPE.replace("actions:", "limit: 1/24h\nactions:"))
    first, second, joining = (house.event(n, user=f"u{n}") for n in (1, 2, 3))
    body = {**joining.body, "userId": "u1", "customerId": "c1"}
    later = house.event(4, user="")
    house.see(first, second, _with(joining, body), _with(later, {**later.body, "userId": None, "customerId": "c1"}))
    counted = _outcomes(house)
    house.run("backfill", "trial-click")
    assert {"fired": 2, "limited": 2} == counted
    assert 2 == len(_deliveries(house))


def _with(event: object, body: object) -> object:
    from msgspec.structs import replace

    return replace(event, body=body)  # type: ignore[type-var]  an Event


def test_more_than_a_hundred_need_a_persons_word(house: House) -> None:
    house.see(*(house.event(n) for n in range(101)))
    said = house.run("backfill", "trial-click")
    assert (2, [], True) == (said.code, _deliveries(house), "101 events would fire" in said.err)
    assert 0 == house.run("backfill", "trial-click", "--yes").code
    assert 101 == len(_deliveries(house))


def test_pages_join_without_a_gap(house: House) -> None:
    house.see(*(house.event(n, ago=HOUR) for n in range(450)))
    assert {"fired": 450} == _outcomes(house)
    house.run("backfill", "trial-click", "--yes")
    assert 450 == house.ask("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'held')")[0]


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        (RECIPE.replace("id: trial-click", "id: trial-click\nmode: disabled"), "is disabled"),
        ("id: trial-click\n", "mend the recipe first: recipes/trial-click.yaml"),
        (RECIPE.replace("id: trial-click", "id: trial-clock"), "did you mean 'trial-clock'?"),
    ],
)
def test_a_recipe_that_is_not_in_service_is_refused(house: House, recipe: str, told: str) -> None:
    house.see(house.event(1))
    house.write("recipes/trial-click.yaml", recipe)
    said = house.run("backfill", "trial-click")
    assert (2, True) == (said.code, told in said.err)


def test_a_recipe_in_shadow_sends_nothing(house: House) -> None:
    house.see(house.event(1))
    house.write("recipes/trial-click.yaml", RECIPE.replace("id: trial-click", "id: trial-click\nmode: shadow"))
    house.run("backfill", "trial-click")
    assert [("event-0001", "skipped")] == _deliveries(house)


def test_a_guard_holds_what_passes_it(house: House) -> None:
    house.see(*(house.event(n) for n in range(102)))
    house.run("backfill", "trial-click", "--yes")
    assert (100, 2) == tuple(
        house.ask("SELECT sum(state = 'pending'), sum(state = 'held' AND reason = 'guard') FROM deliveries")
    )


def test_other_recipes_deliveries_are_untouched(house: House) -> None:
    house.fire(house.event(1), a_delivery(State.DEAD, "HTTP 404"), recipe="other")
    house.run("backfill", "trial-click")
    assert [("event-0001", "dead"), ("event-0001", "pending")] == _deliveries(house)
