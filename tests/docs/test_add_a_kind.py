"""The package of docs/how-to/add-a-kind.md is installed, and asked as any other kind is."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT, blocks

PACKAGE = ROOT / "docs/how-to/vault-kind"
PAGE = (ROOT / "docs/how-to/add-a-kind.md").read_text()
CODE = {0: "ok", 1: "warning", 2: "critical", 3: "unknown"}


class Vault(BaseHTTPRequestHandler):
    """A server whose state is in the first part of the path that its address has: it is told by its port."""

    states: Mapping[int, str] = {}

    def do_GET(self) -> None:
        body = self.states[self.server.server_address[1]].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as http.server names it
        """Say nothing on standard error."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the package is installed in, as `pip install` of the page does it."""
    target = tmp_path_factory.mktemp("vault")
    offline = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(PACKAGE)],
        check=True,
        timeout=100,
    )
    return target


@pytest.fixture
def vaults() -> Iterator[list[ThreadingHTTPServer]]:
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Vault) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield servers
    for server in servers:
        server.shutdown()
        server.server_close()


def run(folder: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quorate", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=where,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(where)},
        check=False,
    )


def declared(where: Path, *ports: int, kind: str = "vault") -> None:
    members = [{"name": f"vault-{n}", "port": port} for n, port in enumerate(ports, 1)]
    inventory = {
        "hosts": {member["name"]: "127.0.0.1" for member in members},
        "checks": {"vault": {"kind": kind, "hosts": members}},
    }
    (where / "cluster.yaml").write_text(json.dumps(inventory))


def swept(folder: Path, where: Path) -> tuple[str, dict[str, Any]]:
    done = run(folder, where, "check", "--only", "vault", "-o", "json")
    assert done.stderr == ""
    report = json.loads(done.stdout)
    return CODE[done.returncode], {v["id"]: v for v in report["verdicts"]}


OPEN, SEALED = (
    json.dumps({"sealed": sealed, "version": "1.18.3", "standby": False}) for sealed in (False, True)
)
CASES = {
    "all unsealed": ((OPEN, OPEN), "ok", "ok", ["ok", "ok"]),
    "one sealed": ((OPEN, SEALED), "warning", "redundancy_lost", ["ok", "unhealthy"]),
    "all sealed": ((SEALED, SEALED), "critical", "none_alive", ["unhealthy", "unhealthy"]),
    "no JSON": (("<html>", "<html>"), "unknown", "unparsable", ["unparsable", "unparsable"]),
}


@pytest.mark.parametrize(("bodies", "state", "reason", "members"), CASES.values(), ids=CASES)
def test_the_kind_is_asked_and_judged(
    installed: Path,
    tmp_path: Path,
    vaults: list[ThreadingHTTPServer],
    bodies: tuple[str, str],
    state: str,
    reason: str,
    members: list[str],
) -> None:
    ports = [server.server_address[1] for server in vaults]
    Vault.states = dict(zip(ports, bodies, strict=True))
    declared(tmp_path, *ports)
    code, found = swept(installed, tmp_path)
    assert (code, found["vault"]["state"], found["vault"]["reason"]) == (state, state, reason)
    assert [found[f"vault/vault-{n}"]["reason"] for n in (1, 2)] == members


def test_what_the_page_promises_is_printed(
    installed: Path, tmp_path: Path, vaults: list[ThreadingHTTPServer]
) -> None:
    ports = [server.server_address[1] for server in vaults]
    Vault.states = dict.fromkeys(ports, OPEN)
    declared(tmp_path, *ports)
    promised = re.search(r"a sweep shows `([^`]+)`", PAGE)
    assert promised is not None
    assert promised[1] in run(installed, tmp_path, "check", "--only", "vault").stdout
    assert "vault-1 at 127.0.0.1" in run(installed, tmp_path, "plan").stdout


def test_the_inventory_of_the_page_is_valid(installed: Path, tmp_path: Path) -> None:
    (example,) = (block.text for block in blocks("yaml") if block.about("needs") == "quorate-vault")
    (tmp_path / "cluster.yaml").write_text(example)
    assert run(installed, tmp_path, "validate").returncode == 0


def test_its_keys_are_validated_as_all_others_are(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(
        "hosts: {vault-1: 192.0.2.1}\nchecks: {vault: {kind: vault, hosts: [vault-2], prot: 8200}}\n"
    )
    done = run(installed, tmp_path, "validate")
    assert done.returncode == 3
    assert "did you mean 'port'" in done.stderr
    assert "names a host that is not declared" in done.stderr


def test_without_the_package_the_kind_is_unknown(tmp_path: Path) -> None:
    declared(tmp_path, 8200)
    done = run(tmp_path, tmp_path, "validate")
    assert (done.returncode, "unknown kind of check" in done.stderr) == (3, True)


HEAD = "from quorate_vault import *; from dataclasses import replace\n"
BROKEN = {
    "that can't be loaded": ("import nothing_of_that_name", "unsupported_kind", "ModuleNotFoundError"),
    "that is none": ("EXTENSION = 1", "unsupported_kind", "is no quorate.model.Extension"),
    "whose judgement fails": (
        f"{HEAD}EXTENSION = replace(EXTENSION, judge=Judge(verdicts=lambda *_: 1 / 0))",
        "internal_error",
        "ZeroDivisionError",
    ),
    "whose questions fail": (
        f"{HEAD}EXTENSION = replace(EXTENSION, probe=Probe(questions=lambda *_: 1 / 0))",
        "internal_error",
        "please report it",
    ),
}


@pytest.mark.parametrize(("module", "reason", "said"), BROKEN.values(), ids=BROKEN)
def test_a_package_that_is_broken_costs_its_own_check_alone(
    installed: Path, tmp_path: Path, module: str, reason: str, said: str
) -> None:
    broken = tmp_path / "site"
    info = broken / "quorate_broken-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: quorate-broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quorate.checks]\nbroken = quorate_broken:EXTENSION\n")
    (broken / "quorate_broken.py").write_text(f"{module}\n")
    if "quorate_vault" in module:
        (broken / "quorate_vault.py").write_text((installed / "quorate_vault.py").read_text())
    declared(tmp_path, 1, kind="broken")
    if reason == "internal_error":
        text = (broken / "quorate_vault.py").read_text().replace('Literal["vault"]', "str")
        (broken / "quorate_vault.py").write_text(text)
    code, found = swept(broken, tmp_path)
    assert (code, found["vault"]["reason"]) == ("unknown", reason)
    assert said in found["vault"]["detail"]
