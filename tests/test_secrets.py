"""Where secrets come from, when they are read, and that nothing shows them."""

import base64
import hashlib
import json
import os
import time
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigurationError, SecretMissing
from connector.secrets import Secret, Vault, parse_dotenv

TOKEN = "s3cr+t/Töken=="


def vault(**environ: str) -> Vault:
    return Vault(environ, None, None)


# ── looking up ──────────────────────────────────────────────────────────────────────────────────


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=dotenv\nB=dotenv\n")
    for name in "ABC":
        (tmp_path / name).write_text("folder\n")
    found = Vault({"A": "environment"}, tmp_path / ".env", tmp_path)
    assert ["environment", "dotenv", "folder", None] == [found.get(name) for name in "ABCD"]


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=\nB=dotenv\n")
    found = Vault({"A": "", "B": ""}, tmp_path / ".env", None)
    assert (None, "dotenv") == (found.get("A"), found.get("B"))


def test_a_folder_file_loses_only_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text(" -----BEGIN\nabc\n-----END \r\n")
    assert " -----BEGIN\nabc\n-----END " == Vault({}, None, tmp_path).get("KEY")


@pytest.mark.parametrize("name", ["../KEY", "a/b", ".", "", "KEY\0", "ключ"])
def test_a_name_never_leaves_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "KEY").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    assert Vault({}, None, folder).get(name) is None


def test_a_file_that_is_rewritten_counts_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=first\n")
    (tmp_path / "B").write_text("first")
    found = Vault({}, tmp_path / ".env", tmp_path)
    a, b = Secret("${A}", found), Secret("${B}", found)
    assert ("first", "first") == (a.reveal(), b.reveal())
    (tmp_path / ".env").write_text("A=second\n")
    (tmp_path / "B").write_text("second")
    assert ("second", "second") == (a.reveal(), b.reveal())


def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_counts_at_once(tmp_path: Path) -> None:
    path, other = tmp_path / "A", tmp_path / "other"
    path.write_text("first")
    found = Vault({}, None, tmp_path)
    assert found.get("A") == "first"
    other.write_text("later")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert found.get("A") == "later"


def test_a_dotenv_may_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    found = Vault({}, path, None)
    assert found.get("A") is None
    path.write_text("A=x\n")
    assert found.get("A") == "x"
    path.unlink()
    assert found.get("A") is None


def test_a_dotenv_that_breaks_later_keeps_its_last_good_values_and_tells(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=good\n")
    found = Vault({}, path, None)
    path.write_text("A=good\nsecretsecret\n")
    assert found.get("A") == "good"
    assert [f"{path}:2:1: this line is not NAME=value - close quotes on their line"] == list(map(str, found.mistakes))
    path.write_text("A=better\n")
    assert ("better", []) == (found.get("A"), found.mistakes)


def test_a_secret_file_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    with pytest.raises(SecretMissing, match=r"^A cannot be read from .*/A: Is a directory$"):
        Vault({}, None, tmp_path).get("A")


@pytest.mark.parametrize(
    ("content", "why"), [(b"canary\xff", "it is not UTF-8 text"), (b"c" * 300_000, "it is larger than 256 KiB")]
)
def test_a_file_that_is_no_secret_is_told_without_its_content(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "A").write_bytes(content)
    with pytest.raises(SecretMissing) as raised:
        Vault({}, None, tmp_path).get("A")
    assert f"A cannot be read from {tmp_path / 'A'}: {why}" == str(raised.value)


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "A")
    with pytest.raises(SecretMissing, match="it is not a regular file"):
        Vault({}, None, tmp_path).get("A")


# ── references ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${A}", "one"),
        ("Bearer ${A}", "Bearer one"),
        ("${A}${B}", "onetwo"),
        ("${MISSING:default}", "default"),
        ("${A:default}", "one"),
        ("${MISSING:}", ""),
        ("${MISSING:https://x.example/a:b}", "https://x.example/a:b"),
        ("$A $5 {A}", "$A $5 {A}"),
    ],
)
def test_references_are_replaced(text: str, value: str) -> None:
    assert value == vault(A="one", B="two").expand(text)


def test_a_value_is_never_expanded_again() -> None:
    assert vault(A="${B}", B="two").expand("${A}") == "${B}"


def test_a_name_that_is_set_nowhere_is_told_with_where_to_set_it() -> None:
    with pytest.raises(SecretMissing) as raised:
        vault().expand("x ${NOT_THERE}")
    assert "NOT_THERE is not set: export it, or write it to .env or the secrets folder" == str(raised.value)


def test_the_names_of_a_text_are_told_in_order() -> None:
    assert ("B", "A") == Vault.names("${B} and ${A:x}")


@pytest.mark.parametrize("text", ["${my-name}", "${A", "${}", "${1A}", "${A:${B}}", "${ A }"])
def test_what_only_looks_like_a_reference_is_known(text: str) -> None:
    assert Vault.malformed(text)


@pytest.mark.parametrize("text", ["", "${A}", "$A", "$ {A}", "${A:x}y${B}"])
def test_what_is_well_formed_is_known(text: str) -> None:
    assert not Vault.malformed(text)


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("${A}", "${A}"),
        ("https://hooks.example/${A}?k=${B:fallback-secret}", "${A} ${B}"),
        ("a-literal-secret", "***"),
        ("", "***"),
    ],
)
def test_a_secret_shows_only_its_names(template: str, shown: str) -> None:
    secret = Secret(template, vault(A=TOKEN))
    assert {shown} == {repr(secret), str(secret), f"{secret}", f"{secret!r}"}


def test_a_vault_shows_no_value() -> None:
    assert TOKEN not in repr(vault(A=TOKEN))


def test_secrets_are_equal_by_their_template() -> None:
    assert Secret("${A}", vault(A="x")) == Secret("${A}", vault(A="y"))
    assert Secret("${A}", vault(A="x")) != Secret("${B}", vault(A="x"))
    assert len({Secret("${A}", vault()), Secret("${A}", vault())}) == 1


def test_a_fingerprint_changes_with_the_value_only(tmp_path: Path) -> None:
    path = tmp_path / "A"
    path.write_text("first")
    secret = Secret("${A}", Vault({}, None, tmp_path))
    first = secret.fingerprint()
    assert first == Secret("${A}", vault(A="first")).fingerprint()
    path.write_text("second")
    assert first != secret.fingerprint()
    path.unlink()
    assert "" == secret.fingerprint()


def test_a_fingerprint_is_the_same_in_every_process_and_no_plain_hash() -> None:
    fingerprint = Secret("${A}", vault(A="hunter2")).fingerprint()
    assert "40fc9fcc197b59f4" == fingerprint
    assert fingerprint not in hashlib.sha256(b"hunter2").hexdigest()


# ── redaction ───────────────────────────────────────────────────────────────────────────────────


def revealed(value: str) -> Vault:
    found = vault(A=value)
    assert value == Secret("${A}", found).reveal()
    return found


def test_nothing_is_hidden_before_it_is_revealed() -> None:
    assert f"x {TOKEN}" == vault(A=TOKEN).redact(f"x {TOKEN}")


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        quote(TOKEN),
        quote(TOKEN, safe=""),
        "s3cr%2bt%2fT%c3%b6ken%3d%3d",
        quote_plus(TOKEN),
        json.dumps(TOKEN)[1:-1],
        json.dumps(TOKEN, ensure_ascii=False)[1:-1],
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
    ],
)
def test_a_revealed_value_is_hidden_in_every_spelling(form: str) -> None:
    hidden = revealed(TOKEN).redact(f"before {form} after")
    assert "before ***" == hidden[:10]
    assert form not in hidden
    assert " after" == hidden[-6:]


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "identifier:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_value_inside_a_base64_text_is_hidden(before: str, after: str) -> None:
    whole = base64.b64encode(f"{before}{TOKEN}{after}".encode()).decode()
    hidden = revealed(TOKEN).redact(f"Basic {whole}")
    assert "***" in hidden
    assert len(hidden.replace("***", "")) <= len("Basic ") + len(whole) - len(base64.b64encode(TOKEN.encode())) + 6


def test_the_reference_and_the_whole_text_around_it_are_hidden() -> None:
    found = vault(A="token-of-mine")
    Secret("https://hooks.example/${A}", found).reveal()
    assert "POST ***, then ***" == found.redact("POST https://hooks.example/token-of-mine, then token-of-mine")


def test_the_longest_value_is_hidden_first() -> None:
    found = vault(A="secret", B="secret-and-more")
    for name in ("A", "B"):
        found.expand(f"${{{name}}}")
    assert "*** ***" == found.redact("secret-and-more secret")


def test_old_values_stay_hidden_after_a_rotation(tmp_path: Path) -> None:
    (tmp_path / "A").write_text("first-token")
    found = Vault({}, None, tmp_path)
    secret = Secret("${A}", found)
    secret.reveal()
    (tmp_path / "A").write_text("second-token")
    secret.reveal()
    assert "*** ***" == found.redact("first-token second-token")


def test_short_values_are_not_looked_for() -> None:
    assert "a yes is a yes" == revealed("yes").redact("a yes is a yes")


def test_what_is_expanded_as_no_secret_stays_readable() -> None:
    found = vault(A="acme-corporation")
    found.expand("${A}", secret=False)
    assert "acme-corporation" == found.redact("acme-corporation")


def test_a_value_made_of_a_secret_can_be_hidden_too() -> None:
    found = vault()
    found.hide("identifier:secret")
    assert "Basic ***" == found.redact("Basic " + base64.b64encode(b"identifier:secret").decode())


@pytest.mark.parametrize("n", range(4, len(TOKEN)))
def test_the_beginning_of_a_value_that_was_cut_is_hidden(n: int) -> None:
    assert "token *** and ***…" == revealed(TOKEN).redact(f"token {TOKEN} and {TOKEN[:n]}…")


def test_a_text_that_was_cut_elsewhere_stays_readable() -> None:
    assert "no healthy ups… and s3c…" == revealed(TOKEN).redact("no healthy ups… and s3c…")


def test_redacting_a_short_text_costs_microseconds() -> None:
    found = vault(**{f"SECRET_{n}": f"value-number-{n}/+" for n in range(10)})
    for n in range(10):
        found.expand(f"${{SECRET_{n}}}")
    begun = time.perf_counter()
    for _ in range(1000):
        found.redact("tracking.intilery.com answered 503: no healthy upstream")
    assert (time.perf_counter() - begun) / 1000 < 100e-6


# ── .env ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b  ", "b"),
        ("A=", ""),
        ("A=b c", "b c"),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=#b", "#b"),
        ("A= # comment", ""),
        ("A=b=c==", "b=c=="),
        ("A='b # c'", "b # c"),
        ("A='b\\n'", "b\\n"),
        ('A="b # c" # comment', "b # c"),
        (r'A="b\n\t\"\\\$"', 'b\n\t"\\$'),
        ('A=""', ""),
        ('A=b"c', 'b"c'),
        ("A=${B}", "${B}"),
        ("A=b\r", "b"),
        ("\ufeffA=b", "b"),
    ],
)
def test_a_line_of_dotenv_is_read(line: str, value: str) -> None:
    assert {"A": value} == parse_dotenv(f"# head\n\n{line}\n" if line[0] != "\ufeff" else line, ".env")


@pytest.mark.parametrize(
    "line", ["canary", "can-ary: canary", "=canary", "A='canary", 'A="canary', 'A="can"ary', "1A=canary", "A B=canary"]
)
def test_a_line_of_dotenv_that_cannot_be_read_is_told_by_number_only(line: str) -> None:
    text = f"# head\n\n{line}\n"
    with pytest.raises(ConfigurationError) as raised:
        parse_dotenv(text, ".env")
    assert [(".env", 3)] == [(mistake.file, mistake.line) for mistake in raised.value.mistakes]
    assert "canary" not in str(raised.value)


def test_every_line_that_cannot_be_read_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_dotenv("x\nA=1\ny\nA=2\n", ".env")
    assert [
        ".env:1:1: this line is not NAME=value - close quotes on their line",
        ".env:3:1: this line is not NAME=value - close quotes on their line",
        ".env:4:1: this name is set at line 2 already",
    ] == str(raised.value).split("\n")


@pytest.mark.parametrize("content", [b"A=canary\xff\n", b"A=canary\n" + b"#" * 300_000])
def test_a_dotenv_that_is_no_text_is_refused_without_its_content(content: bytes, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        Vault({}, tmp_path / ".env", None)
    assert "the file cannot be read" in str(raised.value)
    assert "canary" not in str(raised.value)


@given(st.text(max_size=100))
def test_any_dotenv_is_read_or_refused(text: str) -> None:
    try:
        entries = parse_dotenv(text, ".env")
    except ConfigurationError:
        return
    assert all(isinstance(value, str) for value in entries.values())


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=6), st.text(max_size=20), st.text(max_size=20))
def test_a_revealed_value_appears_in_no_redacted_text(value: str, before: str, after: str) -> None:
    found = vault()
    found.hide(value)
    assert value not in found.redact(f"{before}{value}{after}") or value in f"{before}***{after}"
