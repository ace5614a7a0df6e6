"""Pairs of limits, `{warning: 80%, critical: 90%}`, either of which may be `off`."""

from math import inf
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetJsonSchemaHandler,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema

from quorate.inventory.entries import Entry
from quorate.inventory.fields import Percentage, Size, not_text, unset, wrong

OFF = "off"
"""What stands where nothing is a limit; it becomes infinity."""

L = TypeVar("L", bound="LimitsEntry")


def _or_off(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    return inf if value == OFF else handler(value)


def _number(value: object) -> float:
    if value is None:
        raise not_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("must be a number", "such as 2 or 1.5")
    if not 0 < value < 1e6:
        raise wrong("must be more than 0", "write off where there is to be no limit")
    return float(value)


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern}|{OFF})$", "examples": [*examples, OFF]})


_MORE_THAN_0 = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "const": OFF}]}

PercentageOrOff = Annotated[Percentage, WrapValidator(_or_off), _schema("[0-9]{1,3}%", "80%")]
SizeOrOff = Annotated[Size, WrapValidator(_or_off), _schema("[0-9]+(B|KiB|MiB|GiB|TiB)", "20GiB")]
NumberOrOff = Annotated[float, BeforeValidator(_number), WrapValidator(_or_off), WithJsonSchema(_MORE_THAN_0)]


class LimitsEntry(Entry):
    """A pair of limits; `off` is short for both of them off."""

    warning: float | None = None
    critical: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if value == OFF:
            return {"warning": OFF, "critical": OFF}
        if value is None:
            raise not_text(value)
        if not isinstance(value, dict):
            raise wrong("must be a mapping or off", "write {warning: …, critical: …}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        definition = handler.resolve_ref_schema(reference := handler(core))
        full = dict(definition)
        short = {"type": "string", "const": OFF, "description": "No limit at all."}
        definition.clear()
        definition.update({"description": full.pop("description"), "anyOf": [short, full]})
        return reference


class PercentagesEntry(LimitsEntry):
    """Limits in percent; `off` is short for {warning: off, critical: off}."""

    warning: PercentageOrOff = unset("From so much on it is a warning, or `off`.")
    critical: PercentageOrOff = unset("From so much on it is critical, or `off`.")


class NumbersEntry(LimitsEntry):
    """Limits as numbers; `off` is short for {warning: off, critical: off}."""

    warning: NumberOrOff = unset("From so much on it is a warning, or `off`.")
    critical: NumberOrOff = unset("From so much on it is critical, or `off`.")


class SizesEntry(LimitsEntry):
    """Limits as sizes; `off` is short for {warning: off, critical: off}."""

    warning: SizeOrOff = unset("From so much on it is a warning, or `off`.")
    critical: SizeOrOff = unset("From so much on it is critical, or `off`.")


def filled(warning: float, critical: float) -> AfterValidator:
    """Return what gives a pair the limits that it leaves out, and refuses a warning above the critical."""

    def fill(entry: L) -> L:
        first = warning if entry.warning is None else entry.warning
        second = critical if entry.critical is None else entry.critical
        if second < first < inf:
            given = entry.warning is not None and entry.critical is not None
            hint = "lower warning, or raise critical" if given else "give both of them"
            raise wrong("has a warning above its critical", hint)
        return entry.model_copy(update={"warning": first, "critical": second})

    return AfterValidator(fill)
