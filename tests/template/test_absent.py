"""Missing and null are one thing, everywhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import RenderError
from connector.template import OMIT
from tests.template.samples import render

ABSENT = ["properties.nothing", "properties.none", "properties.none.a.b", "properties.name.first", "lookups.x", "item"]


@pytest.mark.parametrize("path", ABSENT)
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 'yes' if PATH else 'no' }}", "no"),
        ("{{ PATH == PATH }}", False),
        ("{{ PATH == none }}", False),
        ("{{ PATH == '' }}", False),
        ("{{ PATH != 1 }}", True),
        ("{{ PATH in ['a', ''] }}", False),
        ("{{ PATH in 'abc' }}", False),
        ("{{ 'a' in PATH }}", False),
        ("{{ 'a' not in PATH }}", True),
        ("{% for x in PATH %}{{ x }}{% else %}empty{% endfor %}", "empty"),
        ("{{ PATH | default('x') }}", "x"),
        ("{{ PATH.deeper[0].still | default('x') }}", "x"),
        ("{{ PATH | default(omit) }}", OMIT),
        ("{{ PATH is defined }}", False),
        ("{{ PATH is none }}", True),
        ("{{ PATH is string }}", False),
    ],
)
def test_absent_is_false_equal_to_nothing_and_empty(path: str, source: str, expected: Any) -> None:
    assert expected == render(source.replace("PATH", path))


@pytest.mark.parametrize("path", ABSENT)
@pytest.mark.parametrize(
    "source",
    [
        "{{ PATH }}",
        "Hello {{ PATH }}",
        "{{ PATH ~ 'x' }}",
        "{{ PATH < 1 }}",
        "{{ 1 >= PATH }}",
        "{{ PATH + 1 }}",
        "{{ -PATH }}",
        "{{ 2 * PATH }}",
        "{{ PATH | upper }}",
        "{{ PATH | length }}",
        "{{ PATH | join(',') }}",
        "{{ PATH | number }}",
        "{{ 'a' | replace('a', PATH) }}",
        "{{ PATH[1:] }}",
        "{{ [PATH] }}",
        "{{ [PATH] | join }}",
        "{{ PATH is gt(1) }}",
    ],
)
def test_any_other_use_of_absent_is_an_error_that_names_the_path(path: str, source: str) -> None:
    with pytest.raises(RenderError, match=rf"^{path} is absent \(missing or null\)"):
        render(source.replace("PATH", path))


def test_nulls_inside_lists_are_absent_too() -> None:
    source = "{% for tag in properties.tags %}{{ tag | default('?') }}{% if tag == none %}!{% endif %},{% endfor %}"
    assert "red,?,dry," == render(source)
    with pytest.raises(RenderError, match=r"an item of properties\.tags is absent"):
        render("{% for tag in properties.tags %}{{ tag }}{% endfor %}")


def test_nulls_inside_pairs_are_absent_too() -> None:
    scope = {"properties": {"a": None, "b": 1}}
    assert "a?b1" == render("{% for k, v in properties | items %}{{ k }}{{ v | default('?') }}{% endfor %}", scope)


def test_omit_within_a_text_is_an_error() -> None:
    with pytest.raises(RenderError, match="omit leaves out a whole value"):
        render("Hello {{ properties.nothing | default(omit) }}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAME = st.from_regex(r"\A[a-z_][a-z0-9_]{0,8}\Z").filter(
    lambda name: name not in {"not", "is", "in", "if", "and", "or"}
)


@given(body=st.dictionaries(NAME, JSON, max_size=5), path=st.lists(NAME, min_size=1, max_size=4))
def test_a_path_gives_exactly_what_is_there_and_default_catches_the_rest(body: dict[str, Any], path: list[str]) -> None:
    found: Any = body
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    value = render(f"{{{{ properties.{'.'.join(path)} | default('ABSENT') }}}}", {"properties": body})
    assert ("ABSENT" if found is None else found) == value
