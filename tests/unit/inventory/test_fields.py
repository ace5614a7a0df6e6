"""How each kind of value is written."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from quorate.inventory import fields
from quorate.inventory.scalars import plain_value

FOUR = datetime(2026, 1, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (fields.Duration, "500ms", 0.5),
        (fields.Duration, "5s", 5.0),
        (fields.Duration, "2m", 120.0),
        (fields.Duration, "1h", 3600.0),
        (fields.Duration, "365d", 31536000.0),
        (fields.Pause, "0s", 0.0),
        (fields.Size, "16MiB", 16 * 1024 * 1024),
        (fields.Size, "0B", 0),
        (fields.Size, "2TiB", 2 * 1024**4),
        (fields.Percentage, "80%", 80.0),
        (fields.Percentage, "100%", 100.0),
        (fields.VirtualIp, "2001:DB8:0::9", "2001:db8::9"),
        (fields.Address, "db_1.example.org.", "db_1.example.org."),
        (fields.Unit, r"dev-disk-by\x2dlabel-x.swap", r"dev-disk-by\x2dlabel-x.swap"),
        (fields.Port, 65535, 65535),
        (fields.Line, "/", "/"),
        (fields.Paragraph, "SELECT 1\nFROM dag", "SELECT 1\nFROM dag"),
        (fields.HostPath, "//srv/./airflow//x", "/srv/airflow/x"),
        (fields.Moment, "2026-01-01T04:00:00Z", FOUR),
        (fields.Moment, "2026-01-01t04:00:00z", FOUR),
        (fields.Moment, "2026-01-01 04:00:00Z", FOUR),
        (fields.Moment, "2026-01-01 04:00:00 Z", FOUR),
        (fields.Moment, "2026-01-01T04:00Z", FOUR),
        (fields.Moment, " 2026-01-01T04:00:00.000Z ", FOUR),
        (fields.Moment, "2026-01-01T05:30:00+01:30", FOUR),
        (fields.Moment, "2026-01-01T05:30:00+0130", FOUR),
        (fields.Moment, "2026-01-01  03:00:00 -01", FOUR),
        (fields.Moment, "2025-12-31T23:00:00-05:00", FOUR),
    ],
)
def test_good_values(kind: Any, written: object, value: object) -> None:
    assert TypeAdapter(kind).validate_python(written) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (fields.Duration, "0h"),
        (fields.Duration, "-5s"),
        (fields.Duration, "5S"),
        (fields.Duration, "٥s"),
        (fields.Duration, "5s\n"),
        (fields.Duration, True),
        (fields.Duration, "366d"),
        (fields.Duration, "9999999999999s"),
        (fields.Size, "16MB"),
        (fields.Size, 16),
        (fields.Size, "1.5GiB"),
        (fields.Percentage, "101%"),
        (fields.Percentage, 80),
        (fields.Percentage, "80"),
        (fields.VirtualIp, "fe80::1%eth0"),
        (fields.VirtualIp, "192.0.2.01"),
        (fields.Address, "a,b"),
        (fields.Address, "a\n"),
        (fields.Unit, "x" * 250),
        (fields.Unit, "x y"),
        (fields.Unit, ".service"),
        (fields.Unit, "lsyncd.service\n"),
        (fields.Port, True),
        (fields.Port, 22.0),
        (fields.Line, " "),
        (fields.Line, "a\x1b[2J"),
        (fields.Paragraph, "\n"),
        (fields.HostPath, "srv"),
        (fields.HostPath, "/srv\n"),
        (fields.HostPath, "/" + "x" * 1000),
        (fields.Moment, "2026-01-01T04:00:00"),
        (fields.Moment, "2026-01-01"),
        (fields.Moment, "20260101T040000Z"),
        (fields.Moment, "2026-W01-4T04:00:00Z"),
        (fields.Moment, "2026-13-01T04:00:00Z"),
        (fields.Moment, "2026-01-01T24:00:00Z"),
        (fields.Moment, "2026-01-01T04:00:60Z"),
        (fields.Moment, "2026-01-01T04:00:00+25:00"),
        (fields.Moment, "2026-01-01T04:00:00 CET"),
        (fields.Moment, "0001-01-01T00:00:00+01:00"),
        (fields.Moment, "9999-12-31T23:59:59-01:00"),
        (fields.Moment, "\u0662026-01-01T04:00:00Z"),
        (fields.Moment, 1767240000),
        (fields.Moment, None),
    ],
)
def test_bad_values(kind: Any, written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("yes", "yes"),
        ("on", "on"), ("12", 12), ("-3", -3), ("0o17", 15), ("0x1f", 31), ("017", 17), ("1_000", "1_000"),
        ("12:30", "12:30"), ("1.5", 1.5), (".5e1", 5.0), ("-.inf", float("-inf")),
        ("2026-01-01", "2026-01-01"), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_plain_words_by_the_core_schema(text: str, value: object) -> None:
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)
