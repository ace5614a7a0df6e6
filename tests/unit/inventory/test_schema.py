"""The JSON Schema: that it fits the file format, by a walk through the keywords that it uses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from quorate.inventory import InventoryError, json_schema, parse_inventory
from quorate.inventory.build import build
from quorate.inventory.entries import EvidenceEntry, InventoryFile, JudgingEntry
from quorate.model import EvidenceSettings, JudgingSettings, SshSettings

EXAMPLE = Path(__file__).parents[3] / "examples" / "cluster.yaml"
SCHEMA = json_schema()
RABBIT = "{kind: rabbitmq, user: u, password: {env: P}, hosts: [a, {name: a, port: 1}]}"
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": (int, float),
}  # fmt: skip


def is_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and not (isinstance(value, bool) and name in ("integer", "number"))


def fits(value: Any, schema: dict[str, Any]) -> bool:
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    types = schema.get("type")
    rules = [
        types is None or any(is_type(value, t) for t in ([types] if isinstance(types, str) else types)),
        "const" not in schema or value == schema["const"],
        "enum" not in schema or value in schema["enum"],
        "not" not in schema or not fits(value, schema["not"]),
        "anyOf" not in schema or any(fits(value, s) for s in schema["anyOf"]),
        "oneOf" not in schema or sum(fits(value, s) for s in schema["oneOf"]) == 1,
        all(fits(value, s) for s in schema.get("allOf", ())),
        not isinstance(value, dict) or fits_keys(value, schema),
        not isinstance(value, list) or len(value) >= schema.get("minItems", 0),
        not isinstance(value, list) or all(fits(item, schema.get("items", {})) for item in value),
        not isinstance(value, str) or re.search(schema.get("pattern", ""), value) is not None,
        not isinstance(value, str) or len(value) >= schema.get("minLength", 0),
        not is_type(value, "number") or value >= schema.get("minimum", value),
        not is_type(value, "number") or value <= schema.get("maximum", value),
    ]
    return all(rules)


def fits_keys(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    properties, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
    return (
        value.keys() >= set(schema.get("required", ()))
        and schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value))
        and all(fits(key, schema.get("propertyNames", {})) for key in value)
        and all(
            fits(item, properties[key])
            if key in properties
            else rest is not False and (rest is True or fits(item, rest))
            for key, item in value.items()
        )
    )


def written(text: str) -> Any:
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))


def test_the_example_fits() -> None:
    assert fits(written(EXAMPLE.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("hosts: {a: 192.0.2.1}\ngroups:\nchecks:", True),
        ("hosts: {a: {address: x, ssh: {port: 22, jump: b}}}", True),
        ("hosts: {}", False),
        ("groups: {}", False),
        ("hosts: {a: 192.0.2.1}\nhots: {}", False),
        ("hosts: {vip: 192.0.2.1}", False),
        ("hosts: {a b: 192.0.2.1}", False),
        ("hosts: {a: {ssh: {port: 70000}}}", False),
        ("hosts: {a: 192.0.2.1}\nssh: {connect_timeout: 5}", False),
        ("hosts: {a: 192.0.2.1}\nssh: {passphrase: x}", False),
        ("hosts: {a: 192.0.2.1}\nssh: {passphrase: {env: A, file: B}}", False),
        ("hosts: {a: 192.0.2.1}\ngroups: {monitor: {hosts: [a]}}", False),
        ("hosts: {a: 192.0.2.1}\ngroups: {g: {hosts: [a], units: [x*]}}", False),
        ("hosts: {a: 192.0.2.1}\nchecks: {c: {kind: quux}}", False),
        ("hosts: {a: 192.0.2.1}\nmaintenance:", True),
        ('hosts: {a: 192.0.2.1}\nmaintenance: [{select: host, until: "2026-01-01 04:00Z", reason: r}]', True),
        ('hosts: {a: 192.0.2.1}\nmaintenance: [{select: host, until: "2026-01-01T04:00:00"}]', False),
        ("hosts: {a: 192.0.2.1}\nmaintenance: [{select: host}]", False),
        ("hosts: {a: 192.0.2.1}\nmaintenance: {select: host}", False),
        (f"hosts: {{a: 192.0.2.1}}\nchecks: {{c: {RABBIT}}}", True),
    ],
)
def test_the_schema_tells_good_from_bad_as_the_loader_does(text: str, good: bool) -> None:
    assert fits(written(text), SCHEMA) is good
    if not good:
        with pytest.raises(InventoryError):
            parse_inventory(text, source="F")


def test_every_key_is_described_and_no_mapping_is_open() -> None:
    def walk(schema: Any) -> None:
        if isinstance(schema, list):
            for item in schema:
                walk(item)
        if not isinstance(schema, dict):
            return
        for key, of in schema.get("properties", {}).items():
            assert of.get("description"), key
            walk(of)
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is not True
        for key, item in schema.items():
            if key != "properties":
                walk(item)

    walk(SCHEMA)
    for definition in SCHEMA["$defs"].values():
        walk(definition)


def test_defaults_are_shown_as_written_and_are_the_model_s() -> None:
    properties = SCHEMA["$defs"]["SshEntry"]["properties"]
    assert properties["connect_timeout"]["default"] == "5s"
    assert "default" not in properties["user"]
    file = InventoryFile.model_validate({"hosts": {"a": "192.0.2.1"}})
    inventory = build(file, {}, "/")
    assert inventory.evidence == EvidenceSettings()
    assert inventory.judging == JudgingSettings()
    for key in ("connect_timeout", "command_timeout", "host_timeout", "sudo", "user", "port", "jump"):
        assert getattr(inventory.hosts["a"].ssh, key) == getattr(SshSettings(), key)
    assert EvidenceEntry.model_fields.keys() == EvidenceSettings.__dataclass_fields__.keys()
    assert JudgingEntry.model_fields.keys() == JudgingSettings.__dataclass_fields__.keys()
