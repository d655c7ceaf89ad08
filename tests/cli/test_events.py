"""`connector events`: names, fields, ids."""

from connector.model import DAY, HOUR, MINUTE
from tests.cli.house import House


def test_names_are_counted_the_commonest_first(house: House) -> None:
    house.see(*(house.event(n, ago=n * MINUTE) for n in range(3)), house.event(9, name="product_added"))
    said = house.run("events", "--json").json
    assert [("email_link_clicked", 3), ("product_added", 1)] == [(one["name"], one["count"]) for one in said]
    assert "event-0000" == said[0]["example"]
    assert "email_link_clicked" in house.run("events").out


def test_since_leaves_older_ones_out(house: House) -> None:
    house.see(house.event(1, ago=2 * HOUR), house.event(2, ago=2 * DAY, name="old"))
    assert ["email_link_clicked"] == [one["name"] for one in house.run("events", "--json").json]
    assert [] == house.run("events", "--since", "1h", "--json").json
    assert "try --since 30d" in house.run("events", "--since", "1h").out


def test_fields_are_named_as_recipes_write_them(house: House) -> None:
    house.see(
        house.event(1, **{"utm-source": "mail", "price": 5, "products": [{"sku": "a"}]}),
        house.event(2, price="7", missing=None),
    )
    told = house.run("events", "Email Link Clicked", "--json").json
    fields = {one["path"]: one for one in told["fields"]}
    assert ("email_link_clicked", 2) == (told["name"], told["sampled"])
    assert {"a number", "text"} == set(fields["properties.price"]["types"])
    assert (2, "7") == (fields["properties.price"]["seen"], fields["properties.price"]["example"])
    assert "mail" == fields['properties."utm-source"']["example"]
    assert "a" == fields["properties.products.0.sku"]["example"]
    assert "u1" == fields["event.userId"]["example"]
    assert ["absent"] == fields["properties.missing"]["types"]
    assert not any(path.startswith("event.rawData") for path in fields)


def test_the_paths_it_names_can_be_used_in_a_recipe(house: House) -> None:
    house.see(house.event(1, **{"utm-source": "mail", 'odd "key"': {"in.ner": 1}}))
    for one in house.run("events", "email_link_clicked", "--json").json["fields"]:
        recipe = (house.folder / "recipes/trial-click.yaml").read_text()
        condition = f"  - '{one['path']}': {{exists: true}}\n"
        house.write(
            "recipes/trial-click.yaml", recipe.replace("  - properties.campaign_id: {starts_with: TRIAL}\n", condition)
        )
        assert 0 == house.run("check").code, one["path"]


def test_list_gives_ids_with_time_and_customer(house: House) -> None:
    house.see(house.event(1, ago=HOUR), house.event(2, user="u2"))
    said = house.run("events", "email_link_clicked", "--list", "--json").json
    assert ["event-0002", "event-0001"] == [one["id"] for one in said]
    assert {"userId": "u2"} == said[0]["user"]
    assert 1 == len(house.run("events", "email_link_clicked", "--list", "--limit", "1", "--json").json)
    assert "event-0002" in house.run("events", "email_link_clicked", "--list").out


def test_an_event_with_endless_fields_is_cut(house: House) -> None:
    house.see(house.event(1, **{f"key_{n}": n for n in range(2000)}))
    assert 300 == len(house.run("events", "email_link_clicked", "--json").json["fields"])
