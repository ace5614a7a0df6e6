"""The commands and their options; what they do is imported only when they run, so that help is quick."""

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.errors import CommandError

app = typer.Typer(
    name="quorate",
    help="Tells whether a highly available Airflow cluster really is highly available right now.",
    epilog="Exit codes: 0 all well, 1 warning, 2 critical, 3 unknown or wrong usage, 130/143 interrupted.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

InventoryOption = Annotated[
    Path | None,
    typer.Option(
        "-i",
        "--inventory",
        metavar="FILE",
        help="The inventory; else $QUORATE_INVENTORY, ./cluster.yaml or /etc/quorate/cluster.yaml.",
    ),
]
OutputOption = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT[=FILE]",
        help="text, json, nagios, junit or prometheus; to a file with =FILE. May be given several times.",
    ),
]
TimeoutOption = Annotated[
    str, typer.Option("--timeout", metavar="DURATION", help="The longest that the whole sweep may take.")
]
EvidenceOption = Annotated[bool, typer.Option("--no-evidence", help="Collect no logs.")]


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Tells whether a highly available Airflow cluster really is highly available right now."""
    from quorate import __version__

    if version:
        typer.echo(f"quorate {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise CommandError("no command was given; `quorate --help` shows what there is")


@app.command()
def check(
    inventory: InventoryOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="SELECTOR",
            help="Report only verdicts with this id or prefix of it (nfs, nfs/nfs-1, host/rabbit-1).",
        ),
    ] = None,
    output: OutputOption = None,
    timeout: TimeoutOption = "60s",
    no_evidence: EvidenceOption = False,
) -> int:
    """Sweep the cluster and report what is wrong with it."""
    from quorate.cli.check import run_check

    return run_check(inventory, only or [], output or [], timeout, evidence=not no_evidence)


@app.command()
def demo(
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="What is wrong.")] = "nominal",
    list_scenarios: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
    output: OutputOption = None,
    timeout: TimeoutOption = "60s",
    no_evidence: EvidenceOption = False,
) -> int:
    """Sweep a simulated cluster on this machine."""
    from quorate.cli.demo import print_scenarios, run_demo

    if list_scenarios:
        return print_scenarios()
    return run_demo(scenario, output or [], timeout, evidence=not no_evidence)


@app.command()
def validate(inventory: InventoryOption = None) -> int:
    """Check the inventory and name all its faults at once."""
    from quorate.cli.inventory import run_validate

    return run_validate(inventory)


@app.command()
def plan(inventory: InventoryOption = None) -> int:
    """Show what would be asked of whom; connects to nothing."""
    from quorate.cli.plan import run_plan

    return run_plan(inventory)


@app.command()
def probe(
    host: Annotated[str, typer.Argument(metavar="HOST", help="A host of the inventory.")],
    units: Annotated[list[str] | None, typer.Argument(metavar="UNIT…", help="Units to ask for.")] = None,
    inventory: InventoryOption = None,
) -> int:
    """Ask one host and show the raw questions and answers."""
    from quorate.cli.probe import run_probe

    return run_probe(host, units or [], inventory)


@app.command()
def schema() -> int:
    """Print the JSON Schema of the inventory."""
    from quorate.cli.inventory import run_schema

    return run_schema()


@app.command()
def sudoers(inventory: InventoryOption = None) -> int:
    """Print the least sudo rule that the sweep needs on the hosts."""
    from quorate.cli.sudoers import run_sudoers

    return run_sudoers(inventory)
