"""The checks of the simulated cluster's inventory: as values, and as entries of an inventory file."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from quorate.model import Check, Host, LogsFrom, Secret
from quorate.simulation.units import full_name

Places = Mapping[tuple[str, str], tuple[str, int]]
"""Where the service of a check and its member really listens."""


def check_value(
    name: str, spec: Mapping[str, Any], hosts: Mapping[str, Host], *, password: str, limit: float
) -> Check:
    """Return the check as quorate.inventory would make it of the entry that `check_entry` returns.

    `password` is the path of the file that holds it, `limit` the seconds of each of the check's time-outs.
    """
    settings = _SETTINGS.get(spec["kind"])
    if settings is None:
        return Check(name=name, kind=spec["kind"])
    told = {"password": {"file": password}, **spec}
    source = told.get("logs_from")
    return Check(
        name=name,
        kind=told["kind"],
        hosts=tuple(told.get("hosts", ())),
        members=tuple(told.get("hosts", ())),
        settings=MappingProxyType({**settings(told, hosts, limit), "password": Secret(**told["password"])}),
        logs_from=LogsFrom(group=source["group"], unit=full_name(source["unit"])) if source else None,
    )


def _postgresql(told: Mapping[str, Any], _hosts: Mapping[str, Host], limit: float) -> dict[str, Any]:
    return {
        "host": told["host"],
        "port": told["port"],
        "database": told["database"],
        "user": told["user"],
        "query": told.get("query", "SELECT COUNT(*) FROM dag"),
        "parameters": tuple(told.get("parameters", ())),
        "connect_timeout": limit,
        "statement_timeout": limit,
        "depth": told.get("depth", "read"),
    }


def _rabbitmq(told: Mapping[str, Any], hosts: Mapping[str, Host], limit: float) -> dict[str, Any]:
    members = ({"name": name, "address": hosts[name].address, "port": told["port"]} for name in told["hosts"])
    return {
        "members": tuple(MappingProxyType(member) for member in members),
        "vhost": told["vhost"],
        "user": told["user"],
        "timeout": limit,
        "quorum": told.get("quorum"),
        "depth": told.get("depth", "connect"),
    }


_SETTINGS = {"postgresql": _postgresql, "rabbitmq": _rabbitmq}


def check_entry(
    name: str, spec: Mapping[str, Any], places: Places, *, password: str, limit: float
) -> dict[str, Any]:
    """Return the check's entry in an inventory file whose addresses and ports are those of `places`."""
    if spec["kind"] not in _SETTINGS:
        return dict(spec)
    entry: dict[str, Any] = {"password": {"file": password}, **spec}
    milliseconds = f"{round(limit * 1000)}ms"
    if spec["kind"] == "postgresql":
        entry["host"], entry["port"] = places[name, name]
        return entry | {"connect_timeout": milliseconds, "statement_timeout": milliseconds}
    entry["hosts"] = [_member(member, places.get((name, member))) for member in spec["hosts"]]
    return entry | {"timeout": milliseconds}


def _member(name: str, place: tuple[str, int] | None) -> dict[str, Any]:
    # A node whose host's name is not resolved is asked for by that name, so that it is not found either.
    return {"name": name} if place is None else {"name": name, "address": place[0], "port": place[1]}
