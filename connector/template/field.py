"""A text or template as a field of a pydantic model, and how such a model says what is wrong with a value."""

from collections.abc import Callable
from typing import Annotated, TypeAlias

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from connector import template
from connector.template import Template, TemplateMistake


def wrong(message: str, hint: str = "", line: int = 1, column: int = 1) -> PydanticCustomError:
    """An error of a validator, as `findings` reads it. line and column count from 1 within the text at fault."""
    return PydanticCustomError(
        "mistake", "{message}", {"message": message, "hint": hint, "line": line, "column": column}
    )


def read_template(value: object, escape: Callable[[str], str] | None = None) -> Template:
    """The template of a text. Raises PydanticCustomError."""
    if not isinstance(value, str):
        raise wrong("must be text", f'put it in quotes: "{value}"' if isinstance(value, int | float) else "")
    try:
        return template.compile(value, escape=escape)
    except TemplateMistake as error:
        raise wrong(error.message, error.hint, error.line, error.column) from None


Text: TypeAlias = Annotated[Template, PlainValidator(read_template, json_schema_input_type=str)]
