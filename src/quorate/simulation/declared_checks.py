"""The checks of the simulated cluster's inventory, as entries of its file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quorate.simulation.listener import is_address, loopback

Numbers = Mapping[int, int]
"""The port number that stands for a declared one."""

_LIMITS = ("connect_timeout", "statement_timeout", "timeout")
_PLACES = ("host", "address")


def check_entry(
    spec: Mapping[str, Any], *, password: str, limit: float, folder: Path, numbers: Numbers | None
) -> dict[str, Any]:
    """Return a check's entry: what is told of it, and with it where its password is and its limits.

    `password` is the path of the file that holds it, `limit` the seconds of each of the check's time-outs,
    `folder` where other files lie. With `numbers`, addresses and ports are those where all really listens.
    """
    from quorate.inventory.kinds import KINDS  # noqa: PLC0415  as in declared.py

    kind = KINDS.get(spec["kind"])
    if kind is None:
        return dict(spec)
    limits = {key: f"{round(limit * 1000)}ms" for key in _LIMITS if key in kind.entry.model_fields}
    entry = _completed(kind.entry, {**limits, **spec}, password, folder)
    return entry if numbers is None else _moved(kind.entry, entry, numbers)


def _completed(model: Any, told: Mapping[str, Any], password: str, folder: Path) -> dict[str, Any]:
    """Return an entry in which each user has a password, and each file its full path."""
    found = {
        key: _completed(part, value, password, folder) if (part := _part(model, key)) is not None else value
        for key, value in told.items()
    }
    if "user" in found and "password" in model.model_fields:
        found = {"password": {"file": password}, **found}
    return found | ({"ca_file": str(folder / told["ca_file"])} if "ca_file" in told else {})


def _part(model: Any, key: str) -> Any:
    """Return the model of an entry within an entry, None for what is none."""
    field = model.model_fields.get(key)
    annotation = None if field is None else field.annotation
    return annotation if hasattr(annotation, "model_fields") else None


def _moved(model: Any, told: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    """Return an entry with the addresses and port numbers where all really listens."""
    found: dict[str, Any] = {}
    for key, value in told.items():
        part = _part(model, key)
        if part is not None:
            found[key] = _moved(part, value, numbers)
        elif key == "url":
            found[key] = _moved_url(value, numbers)
        elif key in _PLACES and is_address(value):
            found[key] = loopback(value)
        else:
            found[key] = value
    port: Any = found.get("port", getattr(model.model_fields.get("port"), "default", None))
    return {**found, "port": numbers[port]} if port in numbers and "url" not in found else found


def _moved_url(url: str, numbers: Numbers) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    place = f"{loopback(parts.hostname or '')}:{numbers.get(port, port)}"
    return parts._replace(netloc=place).geturl()
