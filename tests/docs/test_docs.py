"""What the documents say is true: links lead somewhere, examples are valid, output is what is printed."""

import ast
import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PAGES, ROOT, blocks
from ruamel.yaml import YAML

from quorate.inventory import parse_inventory
from quorate.simulation import scenarios
from quorate.simulation.services.state import Manner

EXAMPLE = ROOT / "examples" / "cluster.yaml"
KEYS = {"name", "ssh", "evidence", "judging", "hosts", "groups", "checks", "airflow", "maintenance"}
COMMANDS = ("check", "demo", "validate", "plan", "inventory", "probe", "schema", "sudoers")


def quorate(*arguments: str) -> str:
    """Return what `quorate` prints, on a terminal of 100 columns."""
    command = [sys.executable, "-m", "quorate", *arguments]
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False).stdout


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def test_the_inventories_of_readme_are_valid() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        assert parse_inventory(block, source="README.md").hosts


def test_the_parts_of_inventories_fit_into_one() -> None:
    yaml = YAML(typ="safe", pure=True)
    parts = [(block, yaml.load(block.text)) for block in blocks("yaml")]
    parts = [(block, part) for block, part in parts if isinstance(part, dict) and KEYS.issuperset(part)]
    assert len(parts) >= 5
    for block, part in parts:
        if block.about("needs"):
            continue  # validated where that package is installed
        whole = part if "hosts" in part else {**yaml.load(EXAMPLE.read_text()), **part}
        text = io.StringIO()
        yaml.dump(whole, text)
        assert parse_inventory(text.getvalue(), source=block.id).hosts


def test_python_and_json_can_be_read() -> None:
    for block in blocks("python"):
        compile(block.text, block.id, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for block in blocks("json"):
        json.loads(block.text)


def shown_commands() -> dict[str, list[str]]:
    """Return the words of each call of quorate that stands behind a prompt, by where it stands."""
    found = {}
    for block in blocks("", "console"):
        text = block.text.replace("\\\n", " ")
        for line in re.findall(r"^\$ quorate (.*)$", text, flags=re.MULTILINE):
            words = shlex.split(line, comments=True)
            found[f"{block.page}: quorate {line.strip()}"] = words
    return found


def test_the_commands_on_the_pages_exist() -> None:
    helps = {name: quorate(name, "--help") for name in COMMANDS}
    commands = shown_commands()
    assert len(commands) >= 15
    for place, words in commands.items():
        if words == ["--help"]:
            continue
        command, options = words[0], [word.partition("=")[0] for word in words[1:] if word.startswith("-")]
        assert command in helps, place
        assert [o for o in options if not re.search(rf"(^|\W){o}\b", helps[command])] == [], place


def test_what_a_switch_prints_is_what_is_shown() -> None:
    about = {scenario.name: scenario.about for scenario in scenarios(rows=True)}
    said = re.compile(r"^The simulated cluster is in scenario (\S+) now\. (.*)$", re.MULTILINE)
    shown = [found for block in blocks("console") for found in said.findall(block.text)]
    assert len(shown) >= 3
    assert [name for name, sentence in shown if about[name] != sentence] == []


def test_what_a_cluster_that_is_kept_up_prints_is_what_is_shown(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "simulated-cluster.md").read_text()
    shown = page.partition("--serve --folder /tmp/cluster\n")[2].partition("```")[0]
    command = [sys.executable, "-m", "quorate", "demo", "--serve", "--folder", str(tmp_path / "c")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = "".join(process.stdout.readline() for _ in shown.splitlines())
        process.terminate()
    assert printed.replace(str(tmp_path / "c"), "/tmp/cluster") == shown


def test_every_manner_of_a_simulated_service_is_told() -> None:
    page = (ROOT / "docs" / "how-to" / "simulated-cluster.md").read_text()
    assert [manner.value for manner in Manner if f"`{manner.value}`" not in page] == []


def plain(line: str) -> str:
    """Return a line without what differs from sweep to sweep: times, ages and durations."""
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME", line)
    line = re.sub(r"\d+\.\d\d s", "N s", line)
    return re.sub(r"\(\d+ min( \d+ s)? ago\)", "(ago)", line).rstrip()


def test_the_output_in_readme_is_what_the_demo_prints() -> None:
    blocks = re.findall(
        r"<!-- demo:(\S+) -->\n```\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL
    )
    assert blocks
    for scenario, block in blocks:
        printed = {plain(line) for line in quorate("demo", "--scenario", scenario).splitlines()}
        shown = [plain(line) for line in block.splitlines() if line.strip() not in ("", "…")]
        assert [line for line in shown if line not in printed] == []


def reference() -> str:
    """Return the page of the command line, made from its own help."""
    parts = [
        "# Command line\n\nMade from the commands' own help; a test keeps it so.\n",
        f"```\n{quorate('--help').strip()}\n```\n",
    ]
    parts += [f"## quorate {name}\n\n```\n{quorate(name, '--help').strip()}\n```\n" for name in COMMANDS]
    parts.append((ROOT / "docs/reference/command-line.notes.md").read_text())
    return "\n".join(parts)


def test_the_command_line_reference_is_the_help() -> None:
    page = ROOT / "docs/reference/command-line.md"
    if os.environ.get("QUORATE_UPDATE_GOLDEN") and not os.environ.get("CI"):
        page.write_text(reference())
    assert page.read_text() == reference()


def test_every_command_is_in_the_reference() -> None:
    listed = re.findall(r"^  (\w+)  ", quorate("--help").partition("Commands:")[2], flags=re.MULTILINE)
    assert tuple(listed) == COMMANDS


def test_pages_name_no_path_of_anyones_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(root|home/\w+|work)/", page.read_text()), page
