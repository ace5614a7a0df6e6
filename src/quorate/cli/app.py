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
    maintenance: Annotated[
        list[str] | None,
        typer.Option(
            "--maintenance",
            metavar="SELECTOR=DURATION",
            help="Let these verdicts raise no alarm from now on for so long (nfs=2h).",
        ),
    ] = None,
    output: OutputOption = None,
    timeout: TimeoutOption = "60s",
    no_evidence: EvidenceOption = False,
) -> int:
    """Sweep the cluster and report what is wrong with it."""
    from quorate.cli.check import run_check

    return run_check(
        inventory, only or [], output or [], timeout, evidence=not no_evidence, maintenance=maintenance or []
    )


@app.command()
def demo(
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="NAME", help="What is wrong; nothing unless given.")
    ] = None,
    list_scenarios: Annotated[bool, typer.Option("--list", help="List the scenarios.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Sweep nothing; keep the cluster up until Ctrl-C.")
    ] = False,
    switch: Annotated[
        str | None,
        typer.Option("--switch", metavar="NAME", help="Let a scenario begin in the cluster that is kept up."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where the cluster that is kept up has its inventory."),
    ] = None,
    output: OutputOption = None,
    timeout: TimeoutOption = "60s",
    no_evidence: EvidenceOption = False,
) -> int:
    """Sweep a simulated cluster on this machine, or keep one up."""
    if serve + list_scenarios + (switch is not None) > 1:
        raise CommandError("demo: --list, --serve and --switch exclude each other; give one of them")
    if switch is not None and scenario is not None:
        raise CommandError("demo: --switch names the scenario itself; leave --scenario out")
    if folder is not None and not (serve or switch is not None):
        raise CommandError("demo: --folder belongs to --serve and --switch")
    if output and (serve or switch is not None):
        raise CommandError("demo: --serve and --switch sweep nothing; leave -o out")
    if list_scenarios:
        from quorate.cli.scenarios import print_scenarios

        return print_scenarios()
    if serve:
        from quorate.cli.serving import run_serve

        return run_serve(scenario or "nominal", folder)
    if switch is not None:
        from quorate.cli.serving import run_switch

        return run_switch(switch, folder)
    from quorate.cli.demo import run_demo

    return run_demo(scenario or "nominal", output or [], timeout, evidence=not no_evidence)


@app.command()
def validate(inventory: InventoryOption = None) -> int:
    """Check the inventory and name all its faults at once.

    What is no fault, and hardly meant, follows as `note: …`: hosts with the same
    address and port, maintenance that is over.
    """
    from quorate.cli.inventory import run_validate

    return run_validate(inventory)


@app.command()
def plan(inventory: InventoryOption = None) -> int:
    """Show what would be asked of whom; connects to nothing."""
    from quorate.cli.plan import run_plan

    return run_plan(inventory)


@app.command("inventory")
def hosts_table(
    inventory: InventoryOption = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FORMAT", help="text or json.")] = "text",
    timeout: TimeoutOption = "60s",
) -> int:
    """List the hosts with their cores and memory, and whether they answer."""
    from quorate.cli.hosts_table import run_hosts_table

    return run_hosts_table(inventory, output, timeout)


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
