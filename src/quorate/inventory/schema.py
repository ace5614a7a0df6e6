"""The JSON Schema of the inventory file, made from the models that check it."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from quorate.inventory.entries import SECTIONS, InventoryFile
from quorate.inventory.kinds import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE = "#/$defs/{model}"


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file, with a description for every key."""
    models: list[type[BaseModel]] = [InventoryFile, *(kind.entry for kind in KINDS.values())]
    _, schema = models_json_schema(
        [(model, "validation") for model in models], ref_template=_REFERENCE, schema_generator=_AsWritten
    )
    definitions = {name: _tidy(definition) for name, definition in schema["$defs"].items()}
    root = definitions.pop(InventoryFile.__name__)
    kinds = [{"$ref": _REFERENCE.format(model=kind.entry.__name__)} for kind in KINDS.values()]
    root["properties"]["checks"]["additionalProperties"] = {"oneOf": kinds}
    for section in SECTIONS:
        full = root["properties"][section]
        # pydantic leaves out a description that is the same as that of the model referred to.
        model = definitions.get(full.get("$ref", "").rpartition("/")[2], {})
        description = full.pop("description", model.get("description"))
        root["properties"][section] = {"description": description, "anyOf": [full, {"type": "null"}]}
    return {"$schema": DIALECT, "title": "Quorate inventory", **root, "$defs": definitions}


class _AsWritten(GenerateJsonSchema):
    """Keeps a default as it is written in the file (`5s`), not as what it becomes (5.0)."""

    def encode_default(self, dft: Any) -> Any:
        return dft


def _tidy(value: Any) -> Any:
    """Return a schema without titles, which only repeat the keys, and without defaults that are none."""
    if isinstance(value, list):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for key, item in value.items():
        if (key == "title" and isinstance(item, str)) or (key == "default" and item is None):
            continue
        kept[key] = {name: _tidy(of) for name, of in item.items()} if key == "properties" else _tidy(item)
    return kept
