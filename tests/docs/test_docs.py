"""What the documents say is true: links lead somewhere, examples are valid, output is what is printed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.inventory import parse_inventory

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = ("check", "demo", "validate", "plan", "probe", "schema", "sudoers")


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
