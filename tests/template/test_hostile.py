"""Data stays data: it is printed, escaped once, and never read as a template."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector import template
from tests.template.samples import render, slack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(hostile=st.text() | st.sampled_from(["{{ 7*7 }}", "{% raw %}", "{# x #}", "{%- include '/etc/passwd' %}", "}}"]))
def test_data_never_becomes_template(hostile: str) -> None:
    scope = {"properties": {"name": hostile}}
    assert hostile == render("{{ properties.name }}", scope)
    assert f"[{hostile}]" == render("[{{ properties.name }}]", scope)
    assert hostile + hostile == render("{{ [properties.name, properties.name] | join }}", scope)


@given(value=JSON)
def test_printed_json_is_json(value: Any) -> None:
    if value is not None:
        assert value == json.loads(render("{{ properties.x | tojson }}", {"properties": {"x": value}}))


@given(hostile=st.text(alphabet="<>&!@|abc;{}%", max_size=20))
def test_every_interpolated_value_is_escaped_once_and_the_own_text_is_not(hostile: str) -> None:
    scope = {"properties": {"x": hostile, "list": [hostile]}}
    for expression in ("properties.x", "properties.list[0]", "properties.list | join", "properties.x ~ ''"):
        assert slack(hostile) == template.compile(f"{{{{ {expression} }}}}", escape=slack).render(scope)
        assert f"<{slack(hostile)}>" == template.compile(f"<{{{{ {expression} }}}}>", escape=slack).render(scope)
