"""`connector test`: the recipes' own tests; nothing is sent, and no configuration is needed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from xml.etree import ElementTree as ET

import typer

from connector.cli import failure
from connector.cli.options import AsJson, WrongUse
from connector.cli.output import clean, complain, emit_json, plural, say
from connector.cli.session import config_file, settings

if TYPE_CHECKING:
    from connector.errors import Mistake
    from connector.replay import TestResult

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("test")
def run_tests(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH…", help="Recipes or folders, instead of those of the configuration."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the recipes' own tests. Exits 1 when one fails, or a recipe has mistakes."""
    mistakes, results = _run(paths or [_folder()])
    if junit is not None:
        junit.write_bytes(_report(mistakes, results))
    failed = [result for result in results if not result.passed]
    if as_json:
        emit_json([_as_json(result) for result in results])
    else:
        for result in failed:
            say(f"failed: {result.recipe}: {result.name} ({result.file}:{result.line})", "bold red")
            for line in result.message.splitlines():
                say(f"  {line}")
    for mistake in mistakes:
        complain(str(mistake))
    if not as_json:
        say(_sum(mistakes, results), "bold red" if failed or mistakes else "green")
    if failed or mistakes:
        raise typer.Exit(failure.NOT_WELL)


def _folder() -> Path:
    """The configuration's folder of recipes, else `recipes` here."""
    if config_file.get().exists():
        return settings(secrets="warn").recipes
    if Path("recipes").is_dir():
        return Path("recipes")
    raise WrongUse("there are no recipes here: name some, connector test PATH, or begin with `connector init`")


def _run(paths: list[Path]) -> "tuple[list[Mistake], list[TestResult]]":
    """The mistakes that keep recipes from being tested, and what the tests of the others came to."""
    from connector import replay  # noqa: PLC0415
    from connector.recipe.load import read_folder  # noqa: PLC0415

    mistakes, results = [], []
    for path in paths:
        loaded = read_folder(path)
        mistakes += [mistake for mistake in loaded.mistakes if mistake.severity == "error"]
        results += [result for recipe in loaded.recipes for result in replay.run_tests(recipe)]
    return mistakes, results


def _sum(mistakes: "list[Mistake]", results: "list[TestResult]") -> str:
    passed = sum(result.passed for result in results)
    counts = [f"{plural(passed, 'test')} passed"]
    if passed < len(results):
        counts.append(f"{len(results) - passed} failed")
    if mistakes:
        counts.append(f"{plural(len(mistakes), 'mistake')} in recipes: see `connector check`")
    return ", ".join(counts)


def _as_json(result: "TestResult") -> dict[str, object]:
    return {
        "recipe": result.recipe,
        "name": result.name,
        "passed": result.passed,
        "message": result.message,
        "file": result.file,
        "line": result.line,
    }


def _report(mistakes: "list[Mistake]", results: "list[TestResult]") -> bytes:
    """A JUnit report: a case a test, and one for each mistake."""
    failures = sum(not result.passed for result in results)
    counts = {"tests": len(results) + len(mistakes), "failures": failures, "errors": len(mistakes)}
    suite = ET.Element("testsuite", {"name": "connector", **{name: str(n) for name, n in counts.items()}})
    for result in results:
        case = ET.SubElement(suite, "testcase", classname=result.recipe, name=clean(result.name))
        case.attrib |= {"file": result.file, "line": str(result.line)}
        if not result.passed:
            first = clean(result.message.partition("\n")[0])
            ET.SubElement(case, "failure", message=first).text = _clean_lines(result.message)
    for mistake in mistakes:
        case = ET.SubElement(suite, "testcase", classname=mistake.file, name="can be read")
        ET.SubElement(case, "error", message=clean(mistake))
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite)


def _clean_lines(text: str) -> str:
    return "\n".join(map(clean, text.splitlines()))
