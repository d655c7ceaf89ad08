"""Collections' schemas: as much of Apache Avro as their data needs.

Unions of one type and null take a bare value; where several types compete, the value says which: `{"double": 3.14}`.
A field may be left out, whatever its type: the documents' own two items of one collection have different fields.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from connector.sandbox.intempt.refused import Refused

_WHOLE: Final = {"int": 2**31, "long": 2**63}


def fields_of(schema: Any) -> dict[str, Any]:
    """Field → type of a record's schema. Raises Refused for what is none."""
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list) or schema.get("type", "record") != "record":
        raise Refused(400, "schema must be an Avro record")
    for one in fields:
        if not isinstance(one, dict) or not isinstance(one.get("name"), str) or "type" not in one:
            raise Refused(400, "each field of a schema must have a name and a type")
    return {one["name"]: one["type"] for one in fields}


def conform(fields: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """What of the item the schema has, unwrapped. Raises Refused where a value does not fit its field."""
    return {name: _value(name, fields[name], value) for name, value in item.items() if name in fields}


def _value(name: str, kind: Any, value: Any) -> Any:
    if isinstance(kind, list):
        types = {_name_of(one): one for one in kind if one != "null"}
        if isinstance(value, dict) and len(value) == 1 and set(value) <= set(types):
            ((chosen, value),) = value.items()
            kind = types[chosen]
        elif value is not None and len(types) > 1:
            raise Refused(400, f'{name} must say its type, for example {{"{name}": {{"{next(iter(types))}": …}}}}')
    if not fits(kind, value):
        raise Refused(400, f"{name} must be {json.dumps(kind)}")
    return value


def _name_of(kind: Any) -> str:
    return str(kind.get("name", kind.get("type"))) if isinstance(kind, dict) else str(kind)


def fits(kind: Any, value: Any) -> bool:
    """Whether a value is of this type."""
    if isinstance(kind, list):
        return any(fits(one, value) for one in kind)
    if isinstance(kind, dict):
        return _fits_complex(kind, value)
    if kind in _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool) and -_WHOLE[kind] <= value < _WHOLE[kind]
    if kind in {"float", "double"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    kinds = {"null": type(None), "boolean": bool, "string": str, "bytes": str}
    return kind in kinds and isinstance(value, kinds[kind])


def _fits_complex(kind: Mapping[str, Any], value: Any) -> bool:
    match kind.get("type"):
        case "record":
            return isinstance(value, dict) and all(
                fits(of, value[name]) for name, of in fields_of(kind).items() if name in value
            )
        case "array":
            item = kind.get("items", kind.get("elementType"))  # the older documents' word
            return isinstance(value, list) and all(fits(item, one) for one in value)
        case "map":
            return isinstance(value, dict) and all(fits(kind.get("values"), one) for one in value.values())
        case "enum":
            return value in kind.get("symbols", ())
        case "fixed":
            return isinstance(value, str)
    return fits(kind.get("type"), value)


def from_text(kind: Any, text: str) -> Any:
    """A value of a CSV file, read as its field's type. Raises ValueError where it is none."""
    if text == "":
        return None
    if isinstance(kind, dict):
        return from_text(kind["type"], text) if isinstance(kind.get("type"), str) else json.loads(text)
    for one in kind if isinstance(kind, list) else [kind]:
        try:
            return _READERS[one](text)
        except (KeyError, ValueError):
            continue
    raise ValueError(f"{text!r} is no {json.dumps(kind)}")


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_READERS: Final[Mapping[str, Any]] = {
    "boolean": _boolean,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "bytes": str,
}
