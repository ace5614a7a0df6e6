"""docs/reference/inventory.md is true: its tables have every key and default, and its example every key."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from quorate.inventory import json_schema, parse_inventory
from quorate.inventory.kinds import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "inventory.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[-1]
SCHEMA = json_schema()
SECTIONS = {
    "Top level": "",
    "ssh": "SshEntry",
    "evidence": "EvidenceEntry",
    "judging": "JudgingEntry",
    "hosts": "HostEntry",
    "groups": "GroupEntry",
    "active_passive": "ActivePassiveEntry",
    "sync": "SyncEntry",
    "postgresql": "PostgresqlEntry",
    "rabbitmq": "RabbitmqEntry",
    "management": "ManagementEntry",
    "rabbitmq members": "RabbitmqMemberEntry",
    "etcd": "EtcdEntry",
    "patroni": "PatroniEntry",
    "lag": "LagEntry",
    "levels": "LevelsEntry",
    "haproxy": "HaproxyEntry",
    "backends": "BackendEntry",
    "tcp": "TcpEntry",
    "http": "HttpEntry",
    "airflow checks": "AirflowCheckEntry",
    "certificate": "CertificateEntry",
    "celery": "CeleryEntry",
    "workers": "WorkerEntry",
    "resources": "ResourcesEntry",
    "limits in percent": "PercentagesEntry",
    "limits as numbers": "NumbersEntry",
    "limits as sizes": "SizesEntry",
    "clock": "ClockEntry",
    "members": "MemberEntry",
    "tls": "TlsEntry",
    "airflow": "AirflowEntry",
    "maintenance": "MaintenanceEntry",
    "logs_from and task_logs": "LogsFromEntry",
    "Secrets": "SecretEntry",
}
OF_EVERY_CHECK = {"kind", "logs_from"}


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMA["$defs"][name] if name else SCHEMA
    return next((of for of in found.get("anyOf", ()) if of["type"] == "object"), found)


def rows(heading: str) -> dict[str, str]:
    """Return the defaults that the first table below a heading gives, by key."""
    section = re.split(rf"^#+ {heading}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|", section, flags=re.MULTILINE))


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_table_has_every_key_and_its_default(heading: str) -> None:
    schema = definition(SECTIONS[heading])
    own = schema["properties"].keys() - (
        OF_EVERY_CHECK if "kind" in schema["properties"] else frozenset[str]()
    )
    table = rows(heading)
    assert table.keys() == own
    for key, default in table.items():
        assert ("required" in default) is (key in schema.get("required", ())), key
        written = schema["properties"][key].get("default")
        if written not in (None, []):
            text = str(written).lower() if isinstance(written, bool) else str(written)
            assert default.strip() == f"`{text}`", key


def test_every_model_has_a_table() -> None:
    assert set(SECTIONS.values()) == {"", *SCHEMA["$defs"]}
    assert rows("checks").keys() == OF_EVERY_CHECK
    for kind in KINDS:
        assert f"`{kind}`" in PAGE


def test_the_example_is_valid_and_has_every_key() -> None:
    parse_inventory(EXAMPLE, source="F")
    used: set[str] = set()

    def walk(value: Any) -> None:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(item)
        used.update(value if isinstance(value, dict) else ())

    walk(YAML(typ="safe", pure=True).load(EXAMPLE))
    for name in SECTIONS.values():
        assert definition(name)["properties"].keys() <= used


def test_importing_the_room_does_not_import_pydantic() -> None:
    code = "import sys, quorate.inventory; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
