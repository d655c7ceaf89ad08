"""Writes the parts of docs/*.md that come from the code, between `<!-- from the code: NAME -->` and `<!-- end -->`.

`python docs/generate.py` writes them; `--check` only says which are out of date, and exits 1 if any is.
"""  # noqa: INP001  a script

import importlib.util
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer.main
from pydantic import BaseModel

from connector import actions, feeds, lookups
from connector.actions import Action, Destination
from connector.cli.app import app
from connector.feeds import Feed
from connector.lookups import Lookup
from connector.model import Rate, span_text
from connector.sandbox import catalog, control, faults, receiver
from connector.sandbox.intempt import orders
from connector.sandbox.switches import EVERY
from connector.settings.models import Settings
from connector.settings.prepare import PLATFORMS
from connector.template.filters import FILTERS
from connector.template.runtime import FILTER_NAMES, TEST_NAMES, sandbox

DOCS: Final = Path(__file__).parent
_PART: Final = re.compile(r"(<!-- from the code: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_UNSET: Final = "required"


def main(*, check: bool) -> int:
    """Bring every page up to date, or say which is not."""
    stale = []
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        fresh = _PART.sub(lambda part: f"{part[1]}{PARTS[part[2]]()}\n{part[3]}", text)
        if fresh != text:
            stale.append(page.name)
            if not check:
                page.write_text(fresh)
    if stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {', '.join(stale)}\n")
    return int(check and bool(stale))


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def _table(titles: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(titles), ["---"] * len(list(titles)), *(list(map(_cell, row)) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _doc(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _yaml(text: str, *, under: str = "", indent: int = 0) -> str:
    return "```yaml\n" + under + textwrap.indent(text.strip("\n"), " " * indent) + "\n```"


def _value(value: Any, schema: Mapping[str, Any]) -> str:
    """A default as the YAML would have it."""
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and schema.get("type") != "integer":
        return f"`{span_text(value)}`"
    if isinstance(value, list | tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`"


def _keys(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()["properties"]
    rows = []
    for name, field in model.model_fields.items():
        key = field.alias or name
        known = schema[key].get("enum") or ()
        default = _UNSET if field.is_required() else _value(field.get_default(call_default_factory=True), schema[key])
        rows.append((f"`{key}`", default, " ".join(f"`{one}`" for one in known)))
    return _table(("key", "default", "one of"), rows)


# ── parts ─────────────────────────────────────────────────────────────────────────────────────


def _actions() -> str:
    actions.load_all()
    return "\n\n".join(
        f"### {kind}\n\n{_doc(action)}\n\n{_keys(action)}\n\n{_gates(action)}"
        + _yaml("- " + textwrap.indent(action.example.strip("\n"), "  ").lstrip(), under="actions:\n", indent=2)
        for kind, action in sorted(Action.kinds.items())
    )


def _lookups() -> str:
    lookups.load_all()
    return "\n\n".join(
        f"### {kind}\n\n{_doc(lookup)}\n\n{_keys(lookup)}\n\n" + _yaml(lookup.example, under="lookups:\n", indent=2)
        for kind, lookup in sorted(Lookup.kinds.items())
    )


def _gates(action: type[Action]) -> str:
    gates = [f"`guard: {action.guard}`"] if action.guard else []
    gates += [f"`expires: {span_text(action.expires)}`"] if action.expires else []
    return f"By itself {' and '.join(gates)}.\n\n" if gates else ""


def _destinations() -> str:
    actions.load_all()
    return "\n\n".join(
        f"### A {kind} destination\n\n{_doc(one)}\n\n{_keys(one)}\n\n"
        + _yaml(one.example, under="destinations:\n", indent=2)
        for kind, one in sorted(Destination.kinds.items())
    )


def _feeds() -> str:
    feeds.load_all()
    return "\n\n".join(
        f"### {platform}.{kind}\n\n{_doc(inspect.getmodule(feed))}\n\n{_doc(feed)}\n\n{_keys(feed)}"
        for (platform, kind), feed in sorted(Feed.kinds.items())
    )


def _settings() -> str:
    return _table(("key", "default"), [row for row in _flat(Settings, "") if row[0]])


def _flat(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    """Every setting with its default; those of a part come in its place."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            yield from _flat(type(default), f"{prefix}{name}.")
        else:
            schema = {"type": "integer"} if name == "port" else {}
            shown = str(default) if isinstance(default, Rate | Path) else default
            yield f"`{prefix}{name}`", _value(shown, schema)


def _connections() -> str:
    rows = []
    for name, platform in PLATFORMS.items():
        for key in platform.keys:
            defaults = {"base_url": platform.base_url, "rate": platform.rate, "burst": platform.burst}
            default = _UNSET if key in (*platform.ids, platform.token) else defaults.get(key, "")
            rows.append((name, f"`{key}`", default if default in {_UNSET, ""} else f"`{default}`"))
    return _table(("platform", "key", "default"), rows)


def _filters() -> str:
    functions = sandbox(None).filters
    docs = {name: _doc(FILTERS.get(name, functions[name])) for name in FILTER_NAMES - {"d"}}
    return _table(("filter", "gives"), [(f"`{name}`", doc) for name, doc in sorted(docs.items())])


def _tests() -> str:
    return " ".join(f"`{name}`" for name in sorted(TEST_NAMES) if name[0].isalpha())


def _switches() -> str:
    rows = [(f"`{one.name}`", " ".join(f"`{value}`" for value in one.values), one.emulates) for one in EVERY]
    return _table(("switch", "values", "emulates"), rows)


def _docstring(thing: object) -> Callable[[], str]:
    """All but the first line of a docstring: its tables and what stands around them."""
    return lambda: _doc(thing).partition("\n\n")[2].replace("<name>", "&lt;name&gt;")


# ── commands ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its whole name, how it is called, what it does, and each parameter with its help."""

    name: str
    usage: str
    help: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def options(self) -> frozenset[str]:
        """The spellings of its options."""
        return frozenset(re.findall(r"-{1,2}[a-z][a-z-]*", " ".join(spelling for spelling, _ in self.parameters)))


def commands(group: Any = None, path: str = "connector") -> Iterator[Command]:
    """Every command, those of a noun in its place."""
    group = group or typer.main.get_command(app)
    context = group.context_class(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if hasattr(command, "list_commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield _command(command, f"{path} {name}")


def _command(command: Any, name: str) -> Command:
    context = command.context_class(command)
    records = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    shown = tuple((_spelling(spelling), said) for spelling, said in records if spelling != "--help")
    usage = " ".join([name, *(piece.strip("{}") for piece in command.collect_usage_pieces(context))])
    return Command(name, usage, inspect.cleandoc(command.help or ""), shown)


def _spelling(text: str) -> str:
    """`--limit N`, `ID`: without the types that Typer calls by Python's names."""
    if not text.startswith("-"):
        return text.partition(" ")[0]
    return re.sub(r"<(?:int|float)[^>]*>", "N", text)


def _commands() -> str:
    return "\n\n".join(_described(command) for command in commands())


def _described(command: Command) -> str:
    rows = [(f"`{spelling}`", said) for spelling, said in command.parameters]
    table = f"\n\n{_table(('', ''), rows)}" if rows else ""
    return f"### {command.name}\n\n`{command.usage}`\n\n{command.help}{table}"


def _beside() -> Mapping[str, Callable[[], str]]:
    """The parts that the script beside this one makes."""
    spec = importlib.util.spec_from_file_location("endpoints_table", DOCS / "endpoints.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(DOCS / "endpoints.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parts: Mapping[str, Callable[[], str]] = module.PARTS
    return parts


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    **_beside(),
    "actions": _actions,
    "lookups": _lookups,
    "destinations": _destinations,
    "feeds": _feeds,
    "settings": _settings,
    "connections": _connections,
    "filters": _filters,
    "template tests": _tests,
    "commands": _commands,
    "switches": _switches,
    "control": _docstring(control),
    "faults": _docstring(faults),
    "receivers": _docstring(receiver.Behaviour),
    "traffic": _docstring(catalog),
    "orders": _docstring(orders),
}

if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
