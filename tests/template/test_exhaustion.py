"""Nothing is exhausted: the corpus of templates that would take the machine down."""

import tracemalloc

import pytest

from connector import template
from connector.errors import RenderError
from connector.template import SIZE, TemplateMistake
from tests.template.samples import SCOPE, refused, render

NINES = "{% for a in properties.many %}" * 3 + "x" + "{% endfor %}" * 3
EXHAUSTIONS = [
    "{{ '*' * 900000000 }}",
    "{{ '*' * (properties.price|number * 10000000) }}",
    "{{ 900000000 * '*' }}",
    "{{ [1] * 900000000 }}",
    "{{ (1, 2) * 900000000 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'.zfill(1000000000) }}",
    "{{ [1] | batch(100000000, 'x') }}",
    "{{ [1] | slice(100000000) }}",
    "{{ 'x\n' | indent(1000000) }}",
    "{{ 'x' | wordwrap(1, true, 'y' * 100) }}",
    "{{ 2 ** 100000000 }}",
    "{{ 9 ** 9 ** 9 ** 9 }}",
    "{{ 10 ** 400 }}",
    "{{ " + "9" * 5000 + " }}",
    "{{ 1e999 }}",
    "{{ 1e308 * 10 }}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{{ range(1000000000) | list }}",
    "{{ lipsum(100000) }}",
    NINES,
    "{% for a in properties.many %}{% for b in properties.many %}{{ 'z' in properties.text }}{% endfor %}{% endfor %}",
    "{% for a in properties.many %}{{ properties.text }}{% endfor %}",
    "{% for a in properties.many %}{% if 'zzz' in properties.text %}y{% endif %}{% endfor %}{{ properties.text * 2 }}",
    "{% for a in properties.many %}{% if properties.text | upper == 'X' %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if properties.many | sort == 1 %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if 'x' in properties.many %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if properties.many == properties.other %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if properties.many[:] == 1 %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if properties.text is lower %}{% endif %}{% endfor %}",
    "{% for a in properties.many %}{% if properties.many is eq(properties.other) %}{% endif %}{% endfor %}",
    "{{ properties.many | select('in', properties.other) | list }}",
    "{{ properties.many | map('replace', '1', properties.text) | list | length }}",
    "{{ properties.many | map('string') | join(properties.text) }}",
    "{{ properties.text | replace('x', properties.text) }}",
    "{{ properties.text | replace('', properties.text) }}",
    "{{ properties.text ~ properties.text ~ properties.text ~ properties.text ~ properties.text }}",
    "{{ [properties.text, properties.text, properties.text, properties.text, properties.text] | tojson }}",
    "{{ [properties.text, properties.text, properties.text, properties.text, properties.text] }}",
    "{{ properties.text * 5 }}",
    "{% set x = 'xxxxxxxx' %}" + "{% set x = x ~ x ~ x ~ x %}" * 30 + "{{ x }}",
    "{% set x = 'xxxxxxxx' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
    "{% set x = 'xxxxxxxx' %}" + "{% set x = x | replace('x', 'xxxxxxxx') %}" * 30 + "{{ x }}",
    "{% set x = 99999999 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = [x, x, x, x] %}" * 40 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = [x, x, x, x] %}" * 40 + "{% set y = x == [x] %}{{ x | length }}",
    "{% set x = {'a': 1} %}" + "{% set x = {'a': x, 'b': x} %}" * 60 + "{{ x | tojson }}",
    "{% for a in [[1, 1]] %}{% for b in [[a, a]] %}{% for c in [[b, b]] %}{% for d in [[c, c]] %}{% for e in [[d]] %}"
    + "{% endfor %}" * 5,
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "[" * 3000 + "]" * 3000 + " }}",
    "{{ " + "not " * 3000 + "1 }}",
    "{{ " + "-" * 3000 + "1 }}",
    "{{ 1" + " + 1" * 3000 + " }}",
    "{{ 'x'" + " | upper" * 1500 + " }}",
    "{{ properties" + ".a" * 5000 + " }}",
    "{% if 1 %}" * 1000 + "{% endif %}" * 1000,
    "x" * 20_000 + "{{ 1 }}",
    "{{ 1 }}" * 2_200,
    "{{ event.eventTime | time('%999999999d') }}",
    "{{ event.eventTime | time('%H', properties.text) }}",
    "{{ properties.text | number }}",
    "{{ properties.tags | map('truncate', 0, true, properties.text, -1) | join(properties.text) }}",
]


@pytest.mark.parametrize("source", EXHAUSTIONS, ids=lambda source: source[:60])
def test_an_exhaustion_is_refused_at_once(source: str) -> None:
    template.compile("{{ 1 }}").render({})  # what is loaded once is not counted
    refused(source)


@pytest.mark.parametrize("source", EXHAUSTIONS, ids=lambda source: source[:60])
def test_an_exhaustion_takes_no_memory(source: str) -> None:
    template.compile("{{ 1 }}").render({})
    tracemalloc.start()
    try:
        with pytest.raises((TemplateMistake, RenderError)):
            template.compile(source).render(SCOPE)
        assert 20_000_000 > tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_thousand_turns_are_allowed() -> None:
    assert 10_000 == len(render("{% for x in properties.many %}x{% endfor %}"))


def test_the_largest_text_is_allowed_and_one_more_character_is_not() -> None:
    scope = {"properties": {"x": "x" * SIZE}}
    assert SIZE == len(render("{{ properties.x }}", scope))
    with pytest.raises(RenderError, match="too large"):
        render("{{ properties.x }}y", scope)
    with pytest.raises(RenderError, match="too large"):
        render("{{ properties }}", scope)
