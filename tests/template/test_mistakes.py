"""What cannot be used is refused with its place and a hint; conditions must be true or false."""

import pytest

from connector import template
from connector.errors import RenderError
from connector.template import TemplateMistake, compile_condition
from tests.template.samples import SCOPE


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ properties.quantity|number * properties.price|number > 100 }}", True),
        ("{{ properties.nothing }}", False),
        ("{{ properties.nothing and properties.x > 5 }}", False),
        ("{{ not properties.nothing }}", True),
    ],
)
def test_a_condition_is_true_or_false(source: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is compile_condition(source).render(SCOPE)


def test_a_condition_that_gives_anything_else_is_an_error() -> None:
    with pytest.raises(RenderError, match="must give true or false, got text 'Wine'"):
        compile_condition("{{ properties.name }}").render(SCOPE)
    with pytest.raises(RenderError, match="not a number: text 'abc'"):
        compile_condition("{{ properties.x|number > 1 }}").render({"properties": {"x": "abc"}})


@pytest.mark.parametrize("source", ["properties.name", "{{ true }} and more", "{% if true %}{{ true }}{% endif %}"])
def test_a_condition_is_one_whole_expression(source: str) -> None:
    with pytest.raises(TemplateMistake, match="a condition is one whole"):
        compile_condition(source)


@pytest.mark.parametrize(
    ("source", "message", "hint", "place"),
    [
        ("event.userId", "event.userId is sent as this very text", "`{{ event.userId }}`", (1, 1)),
        (' properties."utm-x".0', "sent as this very text", '`{{ properties["utm-x"][0] }}`', (1, 2)),
        ("properties.utm-x", "sent as this very text", "`{{ properties['utm-x'] }}`", (1, 1)),
        ("traits.firstName", "sent as this very text", "`{{ traits.firstName }}`", (1, 1)),
        ("lookups.profile.a", "sent as this very text", "`{{ 'lookups.profile.a' }}`", (1, 1)),
        ("Hi {{ propertis.a }}", "unknown name 'propertis'", "did you mean 'properties'?", (1, 7)),
        ("a\n{{ env.TOKEN }}", "unknown name 'env'", "did you mean 'properties.env' or 'traits.env'?", (2, 4)),
        ("{{ user_id }}", "unknown name 'user_id'", "did you mean 'event.userId'?", (1, 4)),
        ("{{ properties.utm-source }}", "unknown name 'source'", "properties['utm-source']", (1, 19)),
        ("{{ event.userID }}", "event has no 'userID'", "did you mean 'event.userId'?", (1, 10)),
        ("{{ event.user_id }}", "event has no 'user_id'", "did you mean 'event.userId'?", (1, 10)),
        ("{{ properties.x | uper }}", "unknown filter 'uper'", "did you mean 'upper'?", (1, 19)),
        ("{{ properties.x | int }}", "unknown filter 'int'", "did you mean 'number'?", (1, 19)),
        ("{{ properties.x is strin }}", "unknown test 'strin'", "did you mean 'string'?", (1, 20)),
        ("{{ properties.x | upper(1) }}", "filter 'upper': too many positional arguments", "", (1, 19)),
        ("{{ properties.x | map('uper') }}", "map needs the name of a filter", "did you mean 'upper'?", (1, 19)),
        ("{{ 'a' if properties.x }}", "needs an `else`", "", (1, 1)),
        ("{{ properties.x", "this {{ is never closed", "write }}", (1, 1)),
        ("a\n{{ properties.x } b {{ now }}", "this {{ is never closed", "write }}", (2, 1)),
        ("{{ properties.x y | upper }}", "a key with a space", "write properties['x y']", (1, 4)),
        ("{{ properties.x if now }}", "needs an `else`", "", (1, 1)),
        ("a\nb {% if properties.x %}", "Unexpected end of template", "", (2, 6)),
        ("{{ properties.x }", "this {{ is never closed", "write }}", (1, 1)),
        ("{{ properties.x } }}", "unexpected '}'", "", (1, 17)),
        ("{% break %}", "unknown tag 'break'", "", (1, 4)),
        ("{% set event = 1 %}", "'event' cannot be set", "another name", (1, 8)),
    ],
)
def test_mistakes_have_a_place_and_a_hint(source: str, message: str, hint: str, place: tuple[int, int]) -> None:
    with pytest.raises(TemplateMistake) as caught:
        template.compile(source)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert place == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    "source", ["{{ 'event.userId' }}", "event.userIds", "see event.userId", "properties", "event."]
)
def test_a_text_that_is_no_known_path_is_text(source: str) -> None:
    assert source in {template.compile(source).render(SCOPE), f"{{{{ '{template.compile(source).render(SCOPE)}' }}}}"}
