"""pydantic's findings in our words: which key, and what was expected. Never what was given: it may be a secret."""

from collections.abc import Collection
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from connector.document import Where, did_you_mean
from connector.errors import Mistake
from connector.settings.layers import Layers, at, dotted
from connector.settings.models import Settings
from connector.settings.prepare import PLATFORMS

_EXPECTED: Final = {
    "string_type": "expected text",
    "path_type": "expected a path",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
    "is_instance_of": "expected {class}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "literal_error": "expected {expected}",
    "value_error": "{error}",
}
_CLASSES: Final = {"Secret": "text", "Section": "keys and values"}


def mistakes_of(error: ValidationError, layers: Layers) -> list[Mistake]:
    """A Mistake for each finding, where the setting was written."""
    return [_mistake(finding, layers) for finding in error.errors(include_url=False, include_input=False)]


def _mistake(finding: Any, layers: Layers) -> Mistake:
    kind, path, context = finding["type"], _written(finding["loc"], layers), dict(finding.get("ctx", {}))
    if kind == "extra_forbidden":
        return layers.unknown(path, _known(path[:-1]))
    if "class" in context:
        context["class"] = _CLASSES[context["class"]]
    message = _EXPECTED[kind].format(**context) if kind in _EXPECTED else "this cannot stand here"
    return layers.mistake(path, f"{dotted(path)}: {message}", _hint(kind, at(layers.tree, path), context))


def _hint(kind: str, given: Any, context: dict[str, Any]) -> str:
    if (kind == "string_type" or context.get("class") == "text") and isinstance(given, int | float):
        return "put quotes around it"
    if kind == "literal_error" and isinstance(given, str):
        return did_you_mean(given, context["expected"].replace(" or ", ", ").replace("'", "").split(", "))
    return getattr(context.get("error"), "hint", "")


def _written(location: Where, layers: Layers) -> tuple[Any, ...]:
    """The path as the file has it: a connection's `token` stands under its platform's own key."""
    if location[:1] == ("connections",) and location[2:] == ("token",):
        written = at(layers.tree, location[:2])
        return (
            *location[:2],
            next((platform.token for platform in PLATFORMS.values() if platform.token in written), ""),
        )
    return location


def _known(path: Where) -> Collection[str]:
    """The keys that the model at the path has."""
    model: type[BaseModel] = Settings
    for step in path:
        annotation = model.model_fields[str(step)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return ()
        model = annotation
    return model.model_fields.keys()
