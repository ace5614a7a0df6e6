"""The package's own data files, read once."""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


def folder() -> Traversable:
    """Return the folder that the data files lie in."""
    return files("quorate.simulation")


def parse_yaml(text: str) -> Any:
    """Return what a YAML text says; ruamel.yaml's YAMLError where it is none."""
    from ruamel.yaml import YAML  # noqa: PLC0415  only who reads a file pays for the parser

    return YAML(typ="safe", pure=True).load(text)


@cache
def load_yaml(name: str) -> Any:
    """Return what the data file `name` says; not to be changed by who gets it."""
    return parse_yaml((folder() / name).read_text("utf-8"))


@cache
def recorded(template: str) -> tuple[tuple[str, str], ...]:
    """Return the properties of a recorded `systemctl show --all`, in the order that systemctl prints."""
    text = (folder() / "recorded" / f"{template}.txt").read_text("utf-8")
    pairs = (line.split("=", 1) for line in text.splitlines())
    return tuple((pair[0], pair[1]) for pair in pairs)
