"""`connector.yaml` with its environment, `.env` and secrets folder: what it gives, and what a broken one is told."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connector.errors import ConfigurationError
from connector.model import DAY, Rate
from connector.secrets import Secret
from connector.settings import Section, Settings, load

INTILERY = """connections:
  intilery:
    client_id: acme
    account_id: acme
    brand_id: ACME
    auth_token: ${TOKEN}
"""
ENVIRONMENT = {"TOKEN": "canary-token-1234", "KEY": "canary.key-5678", "HOOK": "https://hooks.example/canary-9"}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(text: str, environ: Mapping[str, str] = ENVIRONMENT, **more: Any) -> Settings:
    path = Path("connector.yaml")
    path.write_text(text, encoding="utf-8")
    return load(path, environ, **more)


def told(text: str, environ: Mapping[str, str] = ENVIRONMENT, **more: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        loaded(text, environ, **more)
    return [str(mistake).removeprefix("connector.yaml:") for mistake in raised.value.mistakes]


# ── what it gives ───────────────────────────────────────────────────────────────────────────────


def test_a_small_configuration_has_sound_defaults() -> None:
    settings = loaded(INTILERY)
    connection = settings.connections["intilery"]
    assert ("intilery", "intilery", "intilery:acme/acme/ACME") == (
        connection.name,
        connection.platform,
        connection.identity,
    )
    assert ("https://tracking.intilery.com", Rate(100, 1000), 500) == (
        connection.base_url,
        connection.rate,
        connection.burst,
    )
    assert ({}, 0) == (connection.feeds, len(connection.dialect))
    assert "canary-token-1234" == connection.token.reveal()
    assert ("dry_run", Rate(20, DAY), [], False) == (
        settings.regulations.mode,
        settings.regulations.cap,
        settings.regulations.unattended,
        settings.regulations.assume_suppressed,
    )
    keep = settings.privacy.keep
    assert [30, 37, 30, 1095] == [span // DAY for span in (keep.events, keep.ids, keep.deliveries, keep.audit)]
    assert (None, [], [], {}) == (
        settings.privacy.max_size,
        settings.privacy.redact,
        settings.egress.allow,
        settings.destinations,
    )
    assert (None, None) == (settings.alarms.to, settings.alarms.heartbeat)
    assert ("127.0.0.1", 8321, None) == (settings.web.host, settings.web.port, settings.web.token)


def test_an_intempt_connection_is_named_by_organization_and_project() -> None:
    settings = loaded(
        "connections:\n"
        "  shop: {platform: intempt, organization: acme, project: shop, api_key: '${KEY}'}\n"
        "  all: {platform: intempt, organization: acme, api_key: '${KEY}', base_url: 'https://api.example.com/'}\n"
    )
    shop, everything = settings.connections["shop"], settings.connections["all"]
    assert ("intempt:acme/shop", "https://api.intempt.com", Rate(5, 1000), 5) == (
        shop.identity,
        shop.base_url,
        shop.rate,
        shop.burst,
    )
    assert ("intempt:acme", "https://api.example.com") == (everything.identity, everything.base_url)


def test_every_key_can_be_set() -> None:
    settings = loaded(
        """database: sqlite:////var/lib/connector.db
recipes: elsewhere
secrets_dir: keys
connections: {}
destinations:
  ops: {slack: "${HOOK}"}
egress: {allow: [127.0.0.1, 10.1.0.0/16, "[::1]:8300", "crm.internal:8080", "10.0.0.0/8:443"]}
regulations: {mode: manual, cap: 5/1d, unattended: [suppress, no_track], assume_suppressed: true}
privacy: {keep: {events: 10d, ids: 20d, deliveries: 15d, audit: 400d}, max_size: 20GB, redact: []}
alarms: {to: ops, heartbeat: "${HOOK}"}
web: {host: "::", port: 80, token: "${TOKEN}"}
"""
    )
    assert ("sqlite:////var/lib/connector.db", Path("elsewhere"), Path("keys")) == (
        settings.database,
        settings.recipes,
        settings.secrets_dir,
    )
    assert ("manual", Rate(5, DAY), ["suppress", "no_track"], True) == (
        settings.regulations.mode,
        settings.regulations.cap,
        settings.regulations.unattended,
        settings.regulations.assume_suppressed,
    )
    assert (20_000_000_000, []) == (settings.privacy.max_size, settings.privacy.redact)
    assert ("ops", "https://hooks.example/canary-9") == (settings.alarms.to, settings.alarms.heartbeat.reveal())
    assert ("::", 80, "canary-token-1234") == (settings.web.host, settings.web.port, settings.web.token.reveal())


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "connector.yaml").write_text("database: sqlite:///data/x.db?timeout=5\n")
    settings = load(folder / "connector.yaml", {})
    assert (f"sqlite:///{folder}/data/x.db?timeout=5", folder / "recipes") == (settings.database, settings.recipes)


@pytest.mark.parametrize("database", ["sqlite:////var/lib/x.db", "sqlite:///:memory:"])
def test_other_addresses_of_a_database_stay_as_they_are(database: str) -> None:
    assert database == loaded(f"database: '{database}'\n").database


def test_sections_stay_as_they_are_written_with_their_places() -> None:
    settings = loaded(
        INTILERY + "    feeds:\n      events: {poll: 10s, exclude: [page]}\n    dialect: {from: hits}\n"
        "destinations:\n  crm: {webhook: 'https://x/${HOOK}', retry: {attempts: 10}, order_by: event.userId}\n"
    )
    events, crm = settings.connections["intilery"].feeds["events"], settings.destinations["crm"]
    assert {"poll": "10s", "exclude": ["page"]} == dict(events)
    assert {"from": "hits"} == dict(settings.connections["intilery"].dialect)
    assert ("crm", "https://x/${HOOK}", {"attempts": 10}) == (crm.name, crm["webhook"], crm["retry"])
    assert "https://x/https://hooks.example/canary-9" == Secret(crm["webhook"], crm.vault).reveal()
    assert [
        "connector.yaml:8:37: no such event",
        "connector.yaml:8:22: how often? - write 10s",
        "connector.yaml:11:57: too many",
        "connector.yaml:11:3: warning: unused",
    ] == [
        str(events.mistake(("exclude", 0), "no such event")),
        str(events.mistake(("poll",), "how often?", "write 10s")),
        str(crm.mistake(("retry", "attempts"), "too many")),
        str(crm.mistake((), "unused", key=True, severity="warning")),
    ]


def test_settings_cannot_be_changed() -> None:
    settings = loaded(INTILERY)
    with pytest.raises(ValueError, match="frozen"):
        settings.database = "sqlite:///other.db"  # type: ignore[misc]  # that is the point
    with pytest.raises(ValueError, match="frozen"):
        settings.regulations.mode = "manual"  # type: ignore[misc]  # that is the point


# ── layers ──────────────────────────────────────────────────────────────────────────────────────


def test_the_command_line_wins_over_variables_and_these_over_dotenv_and_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CONNECTOR_WEB__PORT=2\nCONNECTOR_WEB__HOST=::1\n")
    text = "web: {port: 1, host: localhost}\nrecipes: one\n"
    assert (2, "::1") == ((web := loaded(text, {}).web).port, web.host)
    assert 3 == loaded(text, {"CONNECTOR_WEB__PORT": "3"}).web.port
    assert 4 == loaded(text, {"CONNECTOR_WEB__PORT": "3"}, overrides={"web": {"port": 4}}).web.port
    assert Path("two") == loaded(text, {"CONNECTOR_RECIPES": "two"}).recipes


def test_a_variable_reaches_every_kind_of_setting() -> None:
    settings = loaded(
        INTILERY + "destinations: {crm: {webhook: x}}\n",
        {
            "CONNECTOR_CONNECTIONS__INTILERY__AUTH_TOKEN": "[not-yaml",
            "connector_connections__intilery__rate": "7/1s",
            "CONNECTOR_CONNECTIONS__INTILERY__BURST": "9",
            "CONNECTOR_CONNECTIONS__INTILERY__FEEDS__EVENTS__POLL": "5s",
            "CONNECTOR_CONNECTIONS__INTILERY__FEEDS__EVENTS__SIZE": "50",
            "CONNECTOR_CONNECTIONS__OTHER__PLATFORM": "intempt",
            "CONNECTOR_CONNECTIONS__OTHER__ORGANIZATION": "acme",
            "CONNECTOR_CONNECTIONS__OTHER__API_KEY": "a.b",
            "CONNECTOR_DESTINATIONS__CRM__RETRY": "{attempts: 3}",
            "CONNECTOR_EGRESS__ALLOW": "[127.0.0.1, localhost]",
            "CONNECTOR_REGULATIONS__ASSUME_SUPPRESSED": "true",
            "CONNECTOR_PRIVACY__KEEP__EVENTS": "3d",
            "CONNECTOR_ALARMS__TO": "null",
            "CONNECTOR_PRIVACY__MAX_SIZE": "null",
            "CONNECTOR_WEB__TOKEN": "12345678",
        },
    )
    connection = settings.connections["intilery"]
    assert ("[not-yaml", Rate(7, 1000), 9) == (connection.token.reveal(), connection.rate, connection.burst)
    assert {"poll": "5s", "size": 50} == dict(connection.feeds["events"])
    assert "intempt:acme" == settings.connections["other"].identity
    assert {"webhook": "x", "retry": {"attempts": 3}} == dict(settings.destinations["crm"])
    assert (["127.0.0.1", "localhost"], True) == (settings.egress.allow, settings.regulations.assume_suppressed)
    assert (3 * DAY, None, None) == (settings.privacy.keep.events, settings.privacy.max_size, settings.alarms.to)
    assert "12345678" == settings.web.token.reveal()


@pytest.mark.parametrize(
    "name", ["CONNECTOR_PORT", "CONNECTOR_CONFIG", "CONNECTOR_SERVICE_HOST", "MYCONNECTOR_WEB__PORT"]
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert loaded("recipes: r\n", {name: "tcp://10.0.0.1:80"}).web.port == 8321


def test_an_empty_variable_counts_as_not_set() -> None:
    assert loaded("web: {port: 1}\n", {"CONNECTOR_WEB__PORT": ""}).web.port == 1


@pytest.mark.parametrize(
    ("environ", "mistakes"),
    [
        ({"CONNECTOR_WEB__PROT": "1"}, ["CONNECTOR_WEB__PROT: unknown key 'prot' in web - did you mean 'port'?"]),
        (
            {"CONNECTOR_WBE__PORT": "1"},
            ["CONNECTOR_WBE__PORT: no setting has this name - did you mean 'CONNECTOR_WEB__PORT'?"],
        ),
        ({"CONNECTOR_WEB__": "1"}, ["CONNECTOR_WEB__: no setting has this name"]),
        ({"CONNECTOR_FOO__BAR": "1"}, ["CONNECTOR_FOO__BAR: no setting has this name"]),
        ({"CONNECTOR_WEB__PORT": "many"}, ["CONNECTOR_WEB__PORT: web.port: expected a whole number"]),
        ({"CONNECTOR_WEB": "x"}, ["CONNECTOR_WEB: web: expected keys and values"]),
        (
            {"CONNECTOR_EGRESS__ALLOW": "[a, b"},
            ["CONNECTOR_EGRESS__ALLOW:1:1: this list or mapping is never closed - close it"],
        ),
        (
            {"CONNECTOR_CONNECTIONS__INTILERY__AUTH_TOKN": "canary"},
            [
                (
                    "CONNECTOR_CONNECTIONS__INTILERY__AUTH_TOKN: unknown key 'auth_tokn' in connections.intilery"
                    " - did you mean 'auth_token'?"
                )
            ],
        ),
    ],
)
def test_a_variable_that_cannot_be_meant_is_told_by_its_name(environ: dict[str, str], mistakes: list[str]) -> None:
    assert mistakes == told(INTILERY, ENVIRONMENT | environ)


def test_the_command_line_is_told_as_such() -> None:
    assert ["command line: web.port: expected at most 65535"] == told(INTILERY, overrides={"web": {"port": 70_000}})


# ── references ──────────────────────────────────────────────────────────────────────────────────


def test_settings_that_are_no_secrets_are_expanded_and_typed() -> None:
    settings = loaded(
        INTILERY.replace("client_id: acme", "client_id: ${CLIENT}") + "web: {port: '${PORT:99}', host: '${H:::1}'}\n",
        ENVIRONMENT | {"CLIENT": "initech"},
    )
    assert ("intilery:initech/acme/ACME", 99, "::1") == (
        settings.connections["intilery"].identity,
        settings.web.port,
        settings.web.host,
    )


def test_expanded_settings_are_plain_texts() -> None:
    settings = loaded(
        INTILERY.replace("  intilery:\n", "  main:\n    platform: ${P}\n") + "web: {host: '${H}'}\n",
        ENVIRONMENT | {"P": "intilery", "H": "localhost"},
    )
    assert ("intilery", str, str) == (
        settings.connections["main"].platform,
        type(settings.connections["main"].platform),
        type(settings.web.host),
    )


def test_secrets_come_from_dotenv_and_the_secrets_folder_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=id.from-dotenv\n")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "TOKEN").write_text("from-folder\n")
    text = f"secrets_dir: ${{DIR}}\n{INTILERY}  intempt: {{organization: acme, api_key: '${{KEY}}'}}\n"
    settings = loaded(text, {"DIR": "keys"})
    assert ["from-folder", "id.from-dotenv"] == [each.token.reveal() for each in settings.connections.values()]


def test_a_rotated_secret_counts_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TOKEN=first\n")
    token = loaded(INTILERY, {}).connections["intilery"].token
    assert "first" == token.reveal()
    (tmp_path / ".env").write_text("TOKEN=second\n")
    assert "second" == token.reveal()


MISSING = "{} is not set: export it, or write it to .env or the secrets folder"


def test_every_missing_secret_is_told_with_its_key() -> None:
    text = INTILERY + "destinations:\n  crm: {webhook: 'https://x', sign: '${SIGN}'}\nweb: {token: '${WEB}'}\n"
    assert [
        "6:17: connections.intilery.auth_token: " + MISSING.format("TOKEN"),
        "8:37: destinations.crm.sign: " + MISSING.format("SIGN"),
        "9:14: web.token: " + MISSING.format("WEB"),
    ] == told(text, {})


def test_missing_secrets_can_be_warnings() -> None:
    text = """database: sqlite:///${A}.db
connections:
  intilery: {client_id: "${B}", account_id: acme, brand_id: "${C}", auth_token: "${D}", base_url: "${E}", rate: "${F}"}
egress: {allow: ["${G}", localhost]}
web: {port: "${H}", token: "${I}"}
"""
    settings = loaded(text, {}, secrets="warn")
    unset = [mistake for mistake in settings.warnings if "nothing acts on" not in mistake.message]
    assert list("ABCDEFGHI") == [mistake.message.partition(": ")[2][0] for mistake in unset]
    assert {"warning"} == {mistake.severity for mistake in settings.warnings}
    assert "intilery:b/acme/C" == settings.connections["intilery"].identity
    assert (["localhost"], 8321, Rate(100, 1000)) == (
        settings.egress.allow,
        settings.web.port,
        settings.connections["intilery"].rate,
    )
    assert "web: unknown" not in repr(settings)


def test_a_warning_does_not_hide_an_error() -> None:
    assert [
        "6:17: warning: connections.intilery.auth_token: " + MISSING.format("TOKEN"),
        "7:7: unknown key 'prot' in web - did you mean 'port'?",
    ] == told(INTILERY + "web: {prot: 1}\n", {}, secrets="warn")


# ── what a broken one is told ───────────────────────────────────────────────────────────────────

ADDRESS = "connections.intilery.base_url: expected an address"
SPAN = "expected a duration such as 10s, 15m, 24h, 7d or 4w"
RATE = "expected a rate such as 100/1s, 5/1h or 1/ever"
NETWORK = "expected a network such as 10.1.0.0/16, without host bits"
HOST = "expected a network, address or host, such as 10.1.0.0/16, 127.0.0.1 or crm.internal"
ID = "expected letters, digits, '-', '_' and '.' only"
OLDEST = "ids must be kept 8d or longer: events are read again when they are 7d old"
NAME = "lower-case letters and digits, words joined by '_'"
TYPES = "expected 'suppress_and_delete', 'delete', 'unsuppress', 'suppress', 'no_track', 'track' or 'access'"
EXTRA = "    {}\n"

BROKEN = [
    # the whole file
    ("[a]\n", ["1:1: expected keys such as 'connections:'"]),
    ("recipes: [a\n", ["1:10: this list or mapping is never closed - close it"]),
    ("conections: {}\n", ["1:1: unknown key 'conections' - did you mean 'connections'?"]),
    ("Web: {port: 1}\n", ["1:1: unknown key 'Web' - did you mean 'web'?"]),
    ("_env_file: /etc/passwd\n", ["1:1: unknown key '_env_file'"]),
    ("_cli_parse_args: true\nself: 1\n", ["1:1: unknown key '_cli_parse_args'", "2:1: unknown key 'self'"]),
    ("database: mysql://x\n", ["1:11: database: only SQLite is available so far - write sqlite:///connector.db"]),
    ("database: postgresql+psycopg://u:${TOKEN}@db/x\n", ["1:11: database: only SQLite is available so far - write sqlite:///connector.db"]),
    ("database: [x]\n", ["1:11: database: only SQLite is available so far - write sqlite:///connector.db"]),
    ("recipes: 5\n", ["1:10: recipes: expected a path"]),
    ("connections: x\n", ["1:14: connections: expected keys and values"]),
    ("destinations: [x]\n", ["1:15: destinations: expected keys and values"]),
    ("destinations: {ops: x}\n", ["1:21: destinations.ops: expected keys and values"]),
    ("destinations: {Ops: {slack: x}}\n", [f"1:16: 'Ops' cannot be a name in destinations - {NAME}"]),
    ("destinations: {a__b: {slack: x}}\n", [f"1:16: 'a__b' cannot be a name in destinations - {NAME}"]),
    # connections
    ("connections: {intilery: x}\n", ["1:25: connections.intilery: expected keys and values"]),
    (
        "connections:\n  acme: {client_id: acme}\n",
        ["2:3: connections.acme needs a platform - expected intilery or intempt"],
    ),
    (
        "connections:\n  intilry: {client_id: acme}\n",
        ["2:3: connections.intilry needs a platform - did you mean 'intilery'?"],
    ),
    (
        "connections:\n  a: {platform: intemt}\n",
        ["2:17: connections.a needs a platform - did you mean 'intempt'?"],
    ),
    (
        "connections:\n  intilery:\n    client_id: acme\n",
        [
            "2:3: connections.intilery lacks the key 'account_id'",
            "2:3: connections.intilery lacks the key 'auth_token'",
            "2:3: connections.intilery lacks the key 'brand_id'",
        ],
    ),
    (
        "connections:\n  intempt: {organization: acme, auth_token: canary}\n",
        [
            "2:3: connections.intempt lacks the key 'api_key'",
            "2:33: unknown key 'auth_token' in connections.intempt",
        ],
    ),
    (
        INTILERY.replace("auth_token", "auth-token"),
        [
            "2:3: connections.intilery lacks the key 'auth_token'",
            "6:5: unknown key 'auth-token' in connections.intilery - did you mean 'auth_token'?",
        ],
    ),
    (INTILERY + EXTRA.format("name: x"), ["7:5: unknown key 'name' in connections.intilery"]),
    (
        INTILERY + EXTRA.format("token: x"),
        ["7:5: unknown key 'token' in connections.intilery - did you mean 'auth_token'?"],
    ),
    (
        INTILERY.replace("client_id: acme", "client_id: Acme"),
        ["3:16: connections.intilery.client_id: expected lower case - write acme"],
    ),
    (
        INTILERY.replace("ACME", "acme"),
        ["5:15: connections.intilery.brand_id: expected upper case - write ACME"],
    ),
    (
        INTILERY.replace("client_id: acme", "client_id: acme/x"),
        [f"3:16: connections.intilery.client_id: {ID}"],
    ),
    (
        INTILERY.replace("client_id: acme", "client_id: 12"),
        [f"3:16: connections.intilery.client_id: {ID} - put quotes around it"],
    ),
    (
        INTILERY.replace("${TOKEN}", "12345"),
        ["6:17: connections.intilery.auth_token: expected text - put quotes around it"],
    ),
    (INTILERY.replace("${TOKEN}", "null"), ["6:17: connections.intilery.auth_token: expected text"]),
    (
        INTILERY.replace("${TOKEN}", "${MY-TOKEN}"),
        ["6:17: connections.intilery.auth_token: a '${' that begins no reference - write ${NAME} or ${NAME:default}"],
    ),
    (INTILERY + EXTRA.format("rate: 100"), [f"7:11: connections.intilery.rate: {RATE}"]),
    (
        INTILERY + EXTRA.format("rate: 1/ever"),
        ["7:11: connections.intilery.rate: expected a rate such as 100/1s; 'ever' would end all polling"],
    ),
    (INTILERY + EXTRA.format("burst: 0"), ["7:12: connections.intilery.burst: expected at least 1"]),
    (INTILERY + EXTRA.format("burst: '5'"), ["7:12: connections.intilery.burst: expected a whole number"]),
    (INTILERY + EXTRA.format("feeds: [events]"), ["7:12: connections.intilery.feeds: expected keys and values"]),
    (
        INTILERY + EXTRA.format("feeds: {events: 10s}"),
        ["7:21: connections.intilery.feeds.events: expected keys and values"],
    ),
    (INTILERY + EXTRA.format("dialect: x"), ["7:14: connections.intilery.dialect: expected keys and values"]),
    *(
        (INTILERY + EXTRA.format(f"base_url: '{url}'"), [f"7:15: {ADDRESS} such as https://tracking.intilery.com"])
        for url in ("tracking.intilery.com", "ftp://x", "https://", "https://x y", "https://x:99999", "https://[::1")
    ),
    *(
        (
            INTILERY + EXTRA.format(f"base_url: '{url}'"),
            [f"7:15: {ADDRESS} without user, query and fragment - the secret stands under auth_token or api_key"],
        )
        for url in ("https://canary@x", "https://canary:canary@x", "https://x?canary", "https://x#canary")
    ),
    (
        INTILERY + EXTRA.format("base_url: http://tracking.intilery.com"),
        [
            ("7:15: connections.intilery.base_url: plain http shows the key to everyone on the way"
             " - write https, or add the host to egress.allow")
        ],
    ),
    (
        INTILERY + INTILERY.replace("connections:\n  intilery:", "  other:\n    platform: intilery"),
        [
            ("7:3: connections.other is the same account as connections.intilery: all state would be mixed up"
             " - delete one of the two")
        ],
    ),
    # the rest
    ("egress: {allow: localhost}\n", ["1:17: egress.allow: expected a list"]),
    ("egress: {allow: [https://x]}\n", [f"1:18: egress.allow.0: {HOST}"]),
    ("egress: {allow: [x, 10.0.0.1/8]}\n", [f"1:21: egress.allow.1: {NETWORK}"]),
    ("egress: {alow: []}\n", ["1:10: unknown key 'alow' in egress - did you mean 'allow'?"]),
    ("regulations: dry_run\n", ["1:14: regulations: expected keys and values"]),
    (
        "regulations: {mode: manul, cap: 1/1d}\n",
        ["1:21: regulations.mode: expected 'dry_run', 'manual' or 'api' - did you mean 'manual'?"],
    ),
    (
        "regulations: {mode: api, cap: 1/1d}\n",
        [
            "1:14: regulations: mode api lacks connection, path, body, types, list - see docs/configuration.md; or "
            "write mode: manual"
        ],
    ),
    ("regulations: {body: x}\n", ["1:21: regulations.body: expected keys and values"]),
    (
        "regulations: {mode: manual}\n",
        ["1:14: regulations: mode manual needs a cap: a file cut short must not lift it - write cap: 20/1d"],
    ),
    ("regulations: {cap: 20}\n", [f"1:20: regulations.cap: {RATE}"]),
    (
        "regulations: {unattended: [supress]}\n",
        [f"1:28: regulations.unattended.0: {TYPES} - did you mean 'suppress'?"],
    ),
    (
        "regulations: {assume_suppressed: yes}\n",
        ["1:34: regulations.assume_suppressed: expected true or false"],
    ),
    (
        "regulations:\n  mode: manual\n  cap: 1/1d",
        [
            ("1:1: regulations: the last line of the file has no end, so some of it may be missing"
             " - end it with a line break")
        ],
    ),
    ("privacy: {keep: {events: 30}}\n", [f"1:26: privacy.keep.events: {SPAN}"]),
    ("privacy: {keep: {event: 30d}}\n", ["1:18: unknown key 'event' in privacy.keep - did you mean 'events'?"]),
    (
        "privacy: {keep: {events: 7d, ids: 7d}}\n",
        [f"1:17: privacy.keep: {OLDEST} - write ids: 37d"],
    ),
    (
        "privacy: {keep: {events: 60d}}\n",
        ["1:17: privacy.keep: ids and deliveries must be kept at least as long as events - write ids: 67d, deliveries: 60d"],
    ),
    (
        "privacy: {keep: {events: 36h, deliveries: 1d}}\n",
        ["1:17: privacy.keep: deliveries must be kept at least as long as events - write deliveries: 2d"],
    ),
    (
        "privacy: {keep: {deliveries: 29d}}\n",
        ["1:17: privacy.keep: deliveries must be kept at least as long as events - write deliveries: 30d"],
    ),
    ("privacy: {max_size: 5}\n", ["1:21: privacy.max_size: expected a size such as 500MB or 20GB, or null"]),
    (
        "privacy: {redact: [context.ip]}\n",
        [
            "1:19: privacy.redact: not available yet, nothing would be left out of what is stored"
            " - remove it; see privacy.keep.events"
        ],
    ),
    ("privacy: {redact: [5]}\n", ["1:20: privacy.redact.0: expected text - put quotes around it"]),
    (
        "destinations: {ops: {slack: x}}\nalarms: {to: opps}\n",
        ["2:14: alarms.to: no destination has this name - did you mean 'ops'?"],
    ),
    ("alarms: {heartbeat: 5}\n", ["1:21: alarms.heartbeat: expected text - put quotes around it"]),
    ("web: {port: 70000}\n", ["1:13: web.port: expected at most 65535"]),
    ("web: {port: true}\n", ["1:13: web.port: expected a whole number"]),
    (
        "web: {host: db.internal}\n",
        ['1:6: web: a host that others can reach needs a token - write token: "${WEB_TOKEN}"'],
    ),
    # several at once
    (
        "web: {prot: 1}\nprivacy: {keep: {ids: x}, redact: y}\nregulatons: {}\n",
        [
            "1:7: unknown key 'prot' in web - did you mean 'port'?",
            f"2:23: privacy.keep.ids: {SPAN}",
            "2:35: privacy.redact: expected a list",
            "3:1: unknown key 'regulatons' - did you mean 'regulations'?",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "mistakes"), BROKEN)
def test_a_broken_configuration_is_told_where_and_what_to_edit(text: str, mistakes: list[str]) -> None:
    assert mistakes == told(text)


def test_mistakes_of_file_and_dotenv_are_told_together(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("canary\n")
    assert [
        ".env:1:1: this line is not NAME=value - close quotes on their line",
        "1:4: " + told("a: ~\n", {})[-1][5:],
    ] == (told("a: ~\n", {}))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^nowhere\.yaml: there is no such file$"):
        load(Path("nowhere.yaml"), {})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8300", "[::1]:8300"])
def test_plain_http_is_welcome_to_this_machine(host: str) -> None:
    settings = loaded(INTILERY + f"    base_url: http://{host}/track/\n")
    assert f"http://{host}/track" == settings.connections["intilery"].base_url


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("crm.internal", "crm.internal"),
        ("crm.internal:81", "CRM.internal:81"),
        ("10.1.2.3", "10.1.0.0/16"),
        ("10.1.2.3", "10.1.2.3:80"),
        ("[fd00::1]:80", "fd00::/8"),
        ("[fd00::1]", "[fd00::1]:80"),
    ],
)
def test_plain_http_is_welcome_to_what_egress_allows(host: str, entry: str) -> None:
    settings = loaded(INTILERY + f"    base_url: http://{host}\negress: {{allow: ['{entry}']}}\n")
    assert [entry] == settings.egress.allow


# ── changed ─────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    settings = loaded(INTILERY)
    assert not settings.changed()
    Path("connector.yaml").write_text(INTILERY + "# more\n", encoding="utf-8")
    assert settings.changed()
    Path("connector.yaml").write_text(INTILERY, encoding="utf-8")
    assert not settings.changed()


def test_a_file_that_was_only_touched_is_not_changed() -> None:
    settings = loaded(INTILERY)
    os.utime("connector.yaml", (1, 1))
    assert not settings.changed()


def test_a_dotenv_that_comes_changes_and_goes_is_noticed(tmp_path: Path) -> None:
    settings = loaded(INTILERY)
    (tmp_path / ".env").write_text("A=b\n")
    assert settings.changed()
    settings = loaded(INTILERY)
    (tmp_path / ".env").write_text("A=c\n")
    assert settings.changed()
    (tmp_path / ".env").unlink()
    assert settings.changed()


def test_a_file_that_is_gone_is_changed() -> None:
    settings = loaded(INTILERY)
    Path("connector.yaml").unlink()
    assert settings.changed()


# ── no secret is shown ──────────────────────────────────────────────────────────────────────────

CANARY = "canary-0123456789"
WHOLE = """database: sqlite:///${A}.db
recipes: ${A}
secrets_dir: ${A}
connections:
  intilery:
    client_id: ${A}
    account_id: ${A}
    brand_id: ${A}
    auth_token: ${A}
    base_url: ${A}
    rate: ${A}
    burst: ${A}
    feeds: {events: {poll: "${A}"}}
    dialect: {from: "${A}"}
  intempt: {platform: "${A}", organization: "${A}", project: "${A}", api_key: "${A}"}
destinations: {crm: {webhook: "${A}"}}
egress: {allow: ["${A}/${A}", "${A}"]}
regulations: {mode: "${A}", cap: "${A}", unattended: ["${A}"], assume_suppressed: "${A}"}
privacy: {keep: {events: "${A}", ids: "${A}", deliveries: "${A}", audit: "${A}"}, max_size: "${A}", redact: []}
alarms: {to: "${A}", heartbeat: "${A}"}
web: {host: "${A}", port: "${A}", token: "${A}"}
"""


@pytest.mark.parametrize("canary", [CANARY, "Canary-X", "canary: [", "/canary/", "https://canary:canary@x?canary"])
@pytest.mark.parametrize(
    "text", [WHOLE, WHOLE.replace("_id: ${A}", "_id: x").replace("${A}", CANARY), INTILERY.replace("TOKEN", "A")]
)
def test_no_value_is_ever_shown(canary: str, text: str) -> None:
    try:
        settings = loaded(text, {"A": canary})
    except ConfigurationError as error:
        shown = f"{error}{error!r}{error.mistakes}{error.__cause__}{error.__context__}"
    else:
        shown = f"{settings}{settings!r}{settings.connections}{settings.vault!r}{settings.document!r}"
        shown += repr(settings.model_dump())
    assert "canary" not in shown.lower()


@pytest.mark.parametrize("line", [line for line in WHOLE.splitlines() if "${A}" in line and line[0] != " "])
def test_a_single_wrong_value_is_never_shown(line: str) -> None:
    for template in (line, line.replace("${A}", CANARY)):
        try:
            shown = repr(loaded(INTILERY + template.replace("connections:", "x:") + "\n", ENVIRONMENT | {"A": CANARY}))
        except ConfigurationError as error:
            shown = f"{error}{error!r}{error.__context__}"
        assert CANARY not in shown.replace(f"recipes=PosixPath('{CANARY}')", "").replace(f"'{CANARY}'", "")


@pytest.mark.parametrize(
    "name", ["CONNECTOR_WEB__PORT", "CONNECTOR_WEB__PROT", "CONNECTOR_X__Y", "CONNECTOR_EGRESS__ALLOW"]
)
def test_no_value_of_a_variable_is_ever_shown(name: str) -> None:
    for value in (CANARY, f"[{CANARY}, {CANARY}: ", f"{{{CANARY}"):
        with pytest.raises(ConfigurationError) as raised:
            loaded(INTILERY, ENVIRONMENT | {name: value})
        assert CANARY not in f"{raised.value}{raised.value!r}{raised.value.__context__}"


# ── a file cut short ────────────────────────────────────────────────────────────────────────────

STRICTNESS = ["dry_run", "manual"]
SAMPLES = [
    INTILERY
    + "regulations: {mode: manual, cap: 2/10d, unattended: [suppress], assume_suppressed: true}\nweb: {port: 1}\n",
    INTILERY
    + "regulations:\n  mode: manual\n  cap: 2/10d\n  unattended:\n    - suppress_and_delete\n    - unsuppress\n",
    INTILERY + "regulations:\n  cap: 1/1d12h\n  unattended: [suppress_and_delete]\n  mode: manual\n",
    INTILERY + "regulations:\n  mode: manual\n  cap: 1/1d12h\n",
    INTILERY + "regulations: {}\nprivacy: {keep: {events: 1d, ids: 10d}}\n",
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_prefix_of_a_file_allows_more_regulations_than_the_whole(sample: str) -> None:
    whole = loaded(sample).regulations
    for end in range(len(sample)):
        try:
            part = loaded(sample[:end]).regulations
        except ConfigurationError:
            continue
        assert STRICTNESS.index(part.mode) <= STRICTNESS.index(whole.mode)
        if part.mode != "dry_run":
            assert part.cap == whole.cap
            assert set(part.unattended) <= set(whole.unattended)
            assert part.assume_suppressed <= whole.assume_suppressed


# ── any text ────────────────────────────────────────────────────────────────────────────────────

KEYS = st.sampled_from(
    [
        "connections",
        "intilery",
        "client_id",
        "auth_token",
        "feeds",
        "destinations",
        "egress",
        "allow",
        "web",
        "port",
        "x",
    ]
)
VALUES = st.recursive(
    st.sampled_from(["acme", "${TOKEN}", "${X:y}", "5/1s", "10s", 5, True, None, 1.5, "", "__proto__"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


@hypothesis_settings(deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_tree_is_settings_or_a_configuration_error(tree: dict[str, Any]) -> None:
    try:
        settings = loaded("regulations: {mode: dry_run}\n", ENVIRONMENT, overrides=tree)
    except ConfigurationError as error:
        shown = str(error)
    else:
        shown = repr(settings)
    assert "canary" not in shown


@given(st.text(max_size=80))
def test_any_file_is_settings_or_a_configuration_error(text: str) -> None:
    try:
        loaded(text)
    except (ConfigurationError, UnicodeEncodeError):
        return


def test_loading_takes_milliseconds() -> None:
    loaded(INTILERY)
    begun = time.perf_counter()
    loaded(INTILERY)
    assert time.perf_counter() - begun < 0.1


def test_a_section_is_a_mapping_that_shows_only_its_keys() -> None:
    section = loaded("destinations: {crm: {webhook: https://x/canary}}\n").destinations["crm"]
    assert isinstance(section, Section)
    assert "Section(destinations.crm: webhook)" == repr(section) == str(section)
