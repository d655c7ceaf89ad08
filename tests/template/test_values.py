"""Templates as recipes write them: types, text, what they read."""

import subprocess
import sys
from typing import Any

import pytest

from connector import template
from tests.template.samples import PROPERTIES, SCOPE, render, slack


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain }} text", "plain }} text"),
        ("", ""),
        ("{# a note #}", ""),
        ("{{ properties.quantity }}", 2),
        ("{{ properties.quantity }}\n", 2),  # YAML's block style ends in a line break
        ("{{- properties.quantity -}}", 2),
        ("{{ properties.big }}", 182233618306719715),
        ("{{ properties.products }}", PROPERTIES["products"]),
        ("{{ properties.quantity == 2 }}", True),
        ("{{ none }}", None),
        ("{{ (1, 2) }}", [1, 2]),
        ("{{ '[1, 2]' }}", "[1, 2]"),
        ("{{ properties.quantity }} ", "2 "),
        ("a {{ properties.big }}", "a 182233618306719715"),
        ("{{ properties.name }}\n{{ properties.name }}\n", "Wine\nWine\n"),
        ("is {{ true }} {{ 1.5 }} {{ properties.keys }}", 'is true 1.5 {"values":[1]}'),
        ("{{ 'a' ~ 1 ~ true }}", "a1true"),
        ("{{ {'a': properties.x | default(omit), 'b': [properties.y | default(omit), 1]} }}", {"b": [1]}),
        ("{% set total = properties.quantity * 3 %}{{ total }}", "6"),
        ("{% for x in properties.products if x.sku != 'a' %}{{ loop.index }}{{ x.sku }}{% else %}-{% endfor %}", "1b"),
        ("{% if properties.quantity > 1 %}many{% elif true %}one{% else %}none{% endif %}", "many"),
        ("{% for k, v in properties['keys'] | items %}{{ k }}={{ v }}{% endfor %}", "values=[1]"),
        ("{{ properties.name[1:3] }}", "in"),
        ("{{ -properties.quantity + 10 // 3 - 7 % 4 + 1 / 2 }}", -1.5),
    ],
)
def test_value_of_a_template(source: str, expected: Any) -> None:
    value = render(source)
    assert (expected, type(expected)) == (value, type(value))


def test_a_constant_knows_its_text_and_reads_nothing() -> None:
    made = template.compile("Hello")
    assert ("Hello", frozenset(), frozenset()) == (made.constant, made.reads, made.paths)


def test_a_text_without_expressions_does_not_load_jinja() -> None:
    code = (
        "import sys; from connector import template; template.compile('a').render({}); print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "False\n" == done.stdout


def test_reads_are_the_names_and_paths_of_the_scope() -> None:
    made = template.compile(
        "{% for item in properties.products %}{{ item.sku }}{% endfor %}"
        "{{ properties['utm-source'] }}{{ traits.a | default(event.userId) }}{{ properties.list[0].x }}"
    )
    assert frozenset({"properties", "traits", "event"}) == made.reads
    expected = {"properties.products", 'properties."utm-source"', "traits.a", "event.userId", "properties.list.0.x"}
    assert expected == made.paths


def test_templates_are_equal_by_source_and_escaping() -> None:
    assert template.compile("{{ now }}") == template.compile("{{ now }}")
    assert template.compile("{{ now }}") != template.compile("{{ now }}", escape=slack)
    assert 1 == len({template.compile("a"), template.compile("a")})


def test_text_of_any_value_is_json() -> None:
    assert ["2", "true", '["red",null,"dry"]'] == [
        template.compile(source).text(SCOPE)
        for source in ("{{ properties.quantity }}", "{{ true }}", "{{ properties.tags }}")
    ]
