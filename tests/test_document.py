"""YAML as people write it: what it means, and what a broken file is told."""

import contextlib
import json
import os
import tempfile
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connector.document import DEPTH, LIMIT, did_you_mean, read, read_file
from connector.document import reader as reading
from connector.errors import ConfigurationError

# ── what it means ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["NO", "yes", "on", "0123", "12:30", "12:30:45", "2026-11-01", ".nan", "-.inf", "0x1F"]
)
def test_what_other_yaml_readers_convert_stays_text(text: str) -> None:
    assert {"a": text} == read(f"a: {text}", "f").data


@pytest.mark.parametrize("text", ["1_000", "+1", "1.", ".5", "1e", "--1", "01.5", "tru", "nullable", "trueish", "-a"])
def test_what_is_nearly_a_literal_is_text(text: str) -> None:
    assert {"a": text} == read(f"a: {text}", "f").data


@pytest.mark.parametrize("text", ["null", "true", "false", "0", "-0", "17", "-1.5", "1e3", "1E-2", "2.50"])
def test_json_literals_are_what_json_says(text: str) -> None:
    value = read(f"a: {text}", "f").data["a"]
    assert (json.loads(text), type(json.loads(text))) == (value, type(value))


@pytest.mark.parametrize("text", ["'true'", '"17"', "'null'", "'NO'", '"~"', "''"])
def test_quotes_make_text(text: str) -> None:
    assert {"a": text[1:-1]} == read(f"a: {text}", "f").data


def test_integers_are_exact() -> None:
    assert {"id": 9_007_199_254_740_993} == read("id: 9007199254740993", "f").data


def test_a_number_can_be_read_as_it_was_written() -> None:
    document = read("version: 1.10\nnested: [{a: 2.50}, 1e3, text]\n", "f")
    assert ["1.10", "2.50", "1e3", "text", "", ""] == [
        document.source_text(path)
        for path in (("version",), ("nested", 0, "a"), ("nested", 1), ("nested", 2), ("nested",), ("absent",))
    ]


def test_block_texts_and_quoted_texts_keep_their_hashes_and_braces() -> None:
    text = "a: |\n  x #y {{ z }}\nb: >-\n  p\n  q\nc: 'it''s #1'\nd: \"{{ x }}\\n\"\n"
    assert {"a": "x #y {{ z }}\n", "b": "p q", "c": "it's #1", "d": "{{ x }}\n"} == read(text, "f").data


def test_a_file_may_begin_and_end_with_marks_and_comments() -> None:
    assert {"a": "b"} == read("# head\n---\n#foot\na: b\n...\n# end\n", "f").data


@pytest.mark.parametrize(
    "text",
    [
        "a: b # a note\n",
        "a: b  #\n",
        "a: b ## a heading\n",
        "#a: b\na: b\n",
        "a: b\n  # indented: as you like\n#commented_out: x\n",
        'a: "b" #noted\n',
        "a: 'b' #{{ x }}\n",
    ],
)
def test_a_comment_that_cannot_be_mistaken_is_welcome(text: str) -> None:
    assert {"a": "b"} == read(text, "f").data


def test_a_comment_after_a_mapping_or_list_is_welcome() -> None:
    assert {"a": {"b": ["c"]}} == read("a: #about a\n  b: [c] #about b\n", "f").data


def test_it_can_be_asked_whether_a_comment_stands_at_a_plain_text() -> None:
    document = read('a: b # note\nc: d\ne: "f" # note\ng: # note\n  h\ni: [j, # note\n  k]\nl:\n  - m # note\n', "f")
    assert [True, False, False, True, False, True, False] == [
        document.comment_after(path) for path in (("a",), ("c",), ("e",), ("g",), ("i", 0), ("l", 0), ("absent",))
    ]


# ── where it stands ─────────────────────────────────────────────────────────────────────────────

PLACES = """id: x
if:
  - a.b: {gt: 5}
  - any: [c, {é: d}]
text: "y"
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("id",), (1, 5), (1, 1)),
        (("if",), (3, 3), (2, 1)),
        (("if", 0), (3, 5), (3, 5)),
        (("if", 0, "a.b"), (3, 10), (3, 5)),
        (("if", 0, "a.b", "gt"), (3, 15), (3, 11)),
        (("if", 1, "any", 1, "é"), (4, 18), (4, 15)),
        (("text",), (5, 7), (5, 1)),
        (("if", 0, "a.b", "absent"), (3, 5), (3, 5)),
        (("if", 7), (2, 1), (2, 1)),
        (("absent", "too"), (1, 1), (1, 1)),
    ],
)
def test_every_value_and_key_has_its_place(
    path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]
) -> None:
    document = read(PLACES, "f")
    assert (value, key) == (document.place(path), document.key_place(path))


def test_a_mistake_of_the_caller_is_shown_at_value_or_key() -> None:
    document = read(PLACES, "recipes/x.yaml")
    assert [
        "recipes/x.yaml:3:15: too much - write 4",
        "recipes/x.yaml:3:11: warning: odd",
    ] == [
        str(document.mistake(("if", 0, "a.b", "gt"), "too much", "write 4")),
        str(document.mistake(("if", 0, "a.b", "gt"), "odd", key=True, severity="warning")),
    ]


# ── what a broken file is told ──────────────────────────────────────────────────────────────────

COMMENT = "'#' begins a comment here, which is not part of the value - put quotes around the text"
EMPTY = 'the value is empty - write a value, "" or null'
DEEP = "lists and mappings are nested too deeply - at most 32 levels"
TEMPLATE = 'a template needs quotes around it - write "{{ … }}"'
SECOND = "a second ': ' where no key can stand - mend the indentation, or put quotes around the text"
INDENT = "mend the indentation, or put quotes around the text"
REST = "what follows could not be read yet"
QUOTES = "put quotes around the text"
ALIAS = "a text that begins with '*' is an alias, which is not used here - put quotes around it"
ANCHOR = "a text that begins with '&' is an anchor, which is not used here - put quotes around it"
TAG = "a text that begins with '!' is a tag, which is not used here - put quotes around it"
ESCAPE = r"use single quotes, or write \\ for a backslash"

BROKEN = [
    # comments that swallow text
    ("text: Order #{{ x }}\n", f"f:1:13: {COMMENT}"),
    ("text: Order # {{ x }}\n", f"f:1:13: {COMMENT}"),
    ("a: b #c\n", f"f:1:6: {COMMENT}, or a space after '#'"),
    ("a: [b, #c\n  d]\n", f"f:1:8: {COMMENT}, or a space after '#'"),
    ("a: [#c\n  d]\n", f"f:1:5: {COMMENT}, or a space after '#'"),
    ("- #a\n  b\n", f"f:1:3: {COMMENT}, or a space after '#'"),
    ("channel: #sales\n", f"f:1:9: the value is empty: what follows '#' is a comment - {QUOTES}"),
    ("- #sales\n- b\n", f"f:1:2: the value is empty: what follows '#' is a comment - {QUOTES}"),
    ("text: a\n  # b\n  c\n", f"f:3:3: the text above ended before its comment - {QUOTES}"),
    ("text: a # b\n  c\n", f"f:2:3: the text above ended before its comment - {QUOTES}"),
    # templates without quotes
    ("msg: {{ x }}\n", f"f:1:6: {TEMPLATE}"),
    ("msg: {{ x }} and more\n", f"f:1:6: {TEMPLATE}"),
    ("msg: {{ a['b'] }}\n", f"f:1:6: {TEMPLATE}"),
    ("- {{ x | default('a') }}\n", f"f:1:3: {TEMPLATE}"),
    ("a: {to: b, text: {{ x }}}\n", f"f:1:18: {TEMPLATE}"),
    ("{{ x }}: a\n", f"f:1:1: {TEMPLATE}"),
    # values that are nothing
    ("a:\n", f"f:1:3: {EMPTY}"),
    ("a:\nb: c\n", f"f:1:3: {EMPTY}"),
    ("a:", f"f:1:3: {EMPTY}"),
    ("- a\n-\n", f"f:2:2: {EMPTY}"),
    ("{a, b: c}\n", f"f:1:3: {EMPTY}"),
    ("a: {b:1}\n", "f:1:8: the value is empty - is a space missing after ':'?"),
    ("a: ~\n", "f:1:4: ~ is neither text nor JSON - write null, or put quotes around it"),
    ("a: Null\n", "f:1:4: Null is neither text nor JSON - write null, or put quotes around it"),
    ("a: True\n", "f:1:4: True is neither text nor JSON - write true, or put quotes around it"),
    ("a: FALSE\n", "f:1:4: FALSE is neither text nor JSON - write false, or put quotes around it"),
    ("a: 1e999\n", "f:1:4: a number beyond 1.8e308 cannot be kept exactly - put quotes around it"),
    (f"a: {'1' * 301}\n", "f:1:4: a number of more than 300 digits cannot be kept exactly - put quotes around it"),
    # keys
    ("when: a\nb: c\nwhen: d\n", "f:3:1: the key 'when' is written twice, at lines 1 and 3"),
    ("a:\n  - b: c\n    b: d\n", "f:3:5: the key 'b' is written twice, at lines 2 and 3"),
    ("a: b\n'a': c\n", "f:2:1: the key 'a' is written twice, at lines 1 and 2"),
    ("44: a\n", "f:1:1: a key must be text - put quotes around it"),
    ("true: a\n", "f:1:1: a key must be text - put quotes around it"),
    ("~: a\n", "f:1:1: a key must be text - put quotes around it"),
    ("? [a]\n: b\n", "f:1:3: a key must be text - put quotes around it"),
    ("? \n: a\n", "f:1:2: there is no key before this ':' - write one, or put quotes around the text"),
    ("<<: {a: b}\n", "f:1:1: merge keys are not used here - write the keys out"),
    # what YAML has and we have not
    ("event: *_clicked\n", f"f:1:8: {ALIAS}"),
    ("event: *_clicked*\n", f"f:1:8: text cannot begin with '*' - {QUOTES}"),
    ("*a : b\n", f"f:1:1: {ALIAS}"),
    ("a: &b c\n", f"f:1:4: {ANCHOR}"),
    ("&a b: c\n", f"f:1:1: {ANCHOR}"),
    ("a: &b {c: d}\n", f"f:1:4: {ANCHOR}"),
    ("a: !!python/object/apply:os.system [b]\n", f"f:1:4: {TAG}"),
    ("a: !secret b\n", f"f:1:4: {TAG}"),
    ("a: !binary |\n  b\n", f"f:1:4: {TAG}"),
    ("a: !x!y z\n", f"f:1:4: text cannot begin with '!' - {QUOTES}"),
    ("%YAML 1.1\n---\na: b\n", "f:1:1: directives such as %YAML are not used here - delete this line"),
    ("%UNKNOWN x\n---\na: b\n", f"f:1:1: directives such as %YAML are not used here - delete this line; {REST}"),
    ("a: b\n---\nc: d\n", "f:2:1: a second document begins here - one file holds one: delete it, or the '---'"),
    ("a: b\n...\nc: d\n", f"f:3:1: nothing can follow here - {INDENT}"),
    # syntax
    ("msg: Hello: world\n", f"f:1:11: {SECOND}"),
    ("a: b\n c: d\n", f"f:2:3: {SECOND}"),
    ("{msg: Hello: world}\n", f"f:1:12: expected ',' or '}}' to go on with the '{{' of line 1 - close it, or {QUOTES}"),
    ("a:\n\tb: c\n", "f:2:1: a tab cannot indent - use spaces"),
    ("\ta: b\n", "f:1:1: a tab cannot indent - use spaces"),
    ("a: b\n\tc\n", "f:2:1: a tab cannot indent - use spaces"),
    ("a: |\n\tb\n", "f:2:1: a tab cannot indent - use spaces"),
    ("a: @b\n", f"f:1:4: text cannot begin with '@' - {QUOTES}"),
    ("a: `b`\n", f"f:1:4: text cannot begin with '`' - {QUOTES}"),
    ("a: % off\n", f"f:1:4: text cannot begin with '%' - {QUOTES}"),
    ("a: > b\n", f"f:1:4: after '|' or '>' the text begins on a new line - indent it, or {QUOTES}"),
    ("a: 'b\n", "f:1:4: this quote is never closed - close it"),
    ('a: "b\nc: d\n', f"f:1:4: this quote is never closed - close it; {REST}"),
    ('a: "b" c\n', "f:1:8: text follows the closing quote - put quotes around the whole text"),
    ("a: 'it's'\n", "f:1:8: text follows the closing quote - put quotes around the whole text"),
    (r'a: "\d+"' + "\n", f"f:1:5: this is no escape of double quotes - {ESCAPE}"),
    (r'a: "\x4"' + "\n", f"f:1:7: an escape lacks its digits - {ESCAPE}"),
    (r'a: "\ud83d\ude00"' + "\n", r"f:1:7: this escape is not a character - write the character itself, or \U0001F600"),
    ("a: [b, c\n", "f:1:4: this list or mapping is never closed - close it"),
    ("a: {b: [c\n", "f:1:8: this list or mapping is never closed - close it"),
    ("a: [b, c\nd: e\n", f"f:2:2: expected ',' or ']' to go on with the '[' of line 1 - close it, or {QUOTES}"),
    ("a: [,]\n", f"f:1:5: expected a value here - {QUOTES}"),
    ("a: - b\n", f"f:1:4: a list cannot begin here - begin it on a new line, or {QUOTES}"),
    ("- a\nb: c\n", f"f:2:1: expected '- ' to go on with the list of line 1 - {INDENT}"),
    ("a:\n  - b\n c: d\n", f"f:3:2: expected 'key: value' to go on with the mapping of line 1 - {INDENT}"),
    ("a: b\nc\nd: e\n", f"f:3:1: neither 'key: value' nor part of the text above - add ': ', or {QUOTES}"),
    # limits and characters
    (f"{'[' * 33}{']' * 33}\n", f"f:1:33: {DEEP}"),
    ("\n".join(" " * n + "a:" for n in range(40)), f"f:33:33: {DEEP}"),
    ("[" * 5000, f"f:1:1001: {DEEP}"),
    ("a" * (LIMIT + 1), "f: the file is larger than 256 KiB - split it"),
    ("\ufeffa: b\n", "f:1:1: the file begins with a byte order mark - save it as UTF-8 without BOM"),
    ("a: b\nc: \x07\n", r'f:2:4: the character U+0007 cannot stand here - write "\u0007" in quotes'),
    ("a: b\x85c: d\n", r'f:1:5: the character U+0085 cannot stand here - write "\u0085" in quotes'),
    ("a: b\u2028\n", r'f:1:5: the character U+2028 cannot stand here - write "\u2028" in quotes'),
    ("a: b\rc: d\n", r'f:1:5: the character U+000D cannot stand here - write "\u000d" in quotes'),
    ("", "f: the file is empty"),
    ("# only a comment\n", "f: the file is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BROKEN)
def test_a_broken_file_is_told_where_and_what_to_edit(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(text, "f")
    assert [told] == str(raised.value).split("\n")


@pytest.mark.parametrize(("text", "told"), BROKEN)
def test_the_parser_without_libyaml_refuses_the_same_files(
    text: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "parser", yaml.SafeLoader)
    with pytest.raises(ConfigurationError):
        read(text, "f")


def test_every_mistake_up_to_the_first_syntax_error_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read("a: True\nb: &x c\na: b #x\nd: 'open\n", "f")
    assert [
        "f:1:4: True is neither text nor JSON - write true, or put quotes around it",
        f"f:2:4: {ANCHOR}",
        "f:3:1: the key 'a' is written twice, at lines 1 and 3",
        f"f:3:6: {COMMENT}, or a space after '#'",
        "f:4:4: this quote is never closed - close it",
    ] == str(raised.value).split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "a: &a {x: y}\nb: {<<: [*a, *a, *a]}\n",
        "a: &a [*a]\n",
        "".join(f"- &a{n} x\n" for n in range(20_000)),
        "[" * (LIMIT - 1),
        "{a: " * 60_000,
        "- " * 100_000,
        "? " * 100_000,
        '"' + "\\" * 200_000,
        "{{ x }} " * 30_000,
        "a: b #c\n" * 30_000,
        "a: b\n" * 50_000,
        "a" * 10_000_000,
    ],
)
def test_a_hostile_file_is_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(ConfigurationError) as raised:
        read(text, "f")
    assert time.perf_counter() - begun < 1
    assert len(raised.value.mistakes) <= 100


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    value = read("[" * DEPTH + "]" * DEPTH, "f").data
    for _ in range(DEPTH - 1):
        (value,) = value
    assert value == []


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_read_under_the_name_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: é\n", encoding="utf-8")
    document = read_file(path, "recipes/x.yaml")
    assert ("recipes/x.yaml", {"a": "é"}, "a: é\n") == (document.file, document.data, document.text)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: b\nn\xe9: c\n", "f:2:2: byte 0xe9 is not UTF-8 text - save the file as UTF-8"),
        ("é: ü\xff".encode()[:-2] + b"\xff", "f:1:5: byte 0xff is not UTF-8 text - save the file as UTF-8"),
        ("a: b\n".encode("utf-16"), "f: the file is not UTF-8 text - save it as UTF-8"),
        ("a: b\n".encode("utf-16-le"), "f: the file is not UTF-8 text - save it as UTF-8"),
        ("a: b\n".encode("utf-8-sig"), "f:1:1: the file begins with a byte order mark - save it as UTF-8 without BOM"),
        (b"a" * (LIMIT + 1), "f: the file is larger than 256 KiB - split it"),
    ],
)
def test_a_file_that_is_not_plain_utf8_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        read_file(path, "f")
    assert told == str(raised.value)


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match=r"^f: this is not a regular file$"):
        read_file(path, "f")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^f: the file cannot be read: Is a directory$"):
        read_file(tmp_path, "f")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yaml: there is no such file$"):
        read_file(tmp_path / "x.yaml")


# ── did you mean ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("triger", "did you mean 'trigger'?"),
        ("Trigger", "did you mean 'trigger'?"),
        ("userid", "did you mean 'userId'?"),
        ("zzz", ""),
        ("", ""),
        ("x" * 100_000, ""),
    ],
)
def test_the_nearest_known_word_is_offered(word: str, hint: str) -> None:
    assert hint == did_you_mean(word, ["trigger", "actions", "userId"])


# ── any text ────────────────────────────────────────────────────────────────────────────────────

YAMLISH = st.lists(
    st.sampled_from(
        [*"ab1~#&*!|>%@`'\"[]{},:?- \t\n\\", "{{", "}}", ": ", "- ", "\n  ", "null", "True", "<<", " #", "é"]
    ),
    max_size=60,
).map("".join)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.text() | YAMLISH, st.sampled_from([reading.parser, yaml.SafeLoader]))
def test_any_text_is_read_or_refused_with_places_inside_it(text: str, parser: type) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "parser", parser)
        try:
            read(text, "f")
        except ConfigurationError as error:
            mistakes = error.mistakes
        else:
            mistakes = []
    assert all(0 <= mistake.line <= text.count("\n") + 1 for mistake in mistakes)


@given(YAMLISH)
def test_both_parsers_read_the_same(text: str) -> None:
    try:
        document = read(text, "f")
    except ConfigurationError:
        return
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(ConfigurationError):  # that parser knows less
        patch.setattr(reading, "parser", yaml.SafeLoader)
        assert document.data == read(text, "f").data


@given(JSON)
def test_json_is_read_as_it_is(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for character in {*text} - {*"\t\n"}:
        if reading._FORBIDDEN.match(character):
            text = text.replace(character, f"\\u{ord(character):04x}")
    read_back = read(text, "f").data
    assert json.dumps(value) == json.dumps(read_back)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file, contextlib.suppress(ConfigurationError):
        file.write(content)
        file.flush()
        read_file(Path(file.name))
