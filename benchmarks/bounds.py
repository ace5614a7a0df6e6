"""Bounds that a run must keep, told with what was measured; never a test, since machines differ."""

from dataclasses import dataclass, field

from benchmarks.tables import show_table


@dataclass(kw_only=True)
class Bounds:
    """What was promised, and whether it held in this run."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def at_least(self, what: str, value: float, bound: float, unit: str = "×") -> None:
        """Note a value that must not be smaller than its bound."""
        self.rows.append((what, f"{value:.3g} {unit}", f"≥ {bound:g}", _held(value >= bound)))

    def beside(self, what: str, value: float, bound: float, unit: str = "×") -> None:
        """Note a value to which the bound before it is not put, and whether it reaches it all the same."""
        word = "reaches it" if value >= bound else "does not reach it"
        self.rows.append((what, f"{value:.3g} {unit}", f"({bound:g})", word))

    def at_most(self, what: str, value: float, bound: float, unit: str) -> None:
        """Note a value that must not be larger than its bound."""
        self.rows.append((what, f"{value:.3g} {unit}", f"≤ {bound:g}", _held(value <= bound)))

    def show(self) -> None:
        """Print all bounds."""
        print("\nBounds, which say what to expect and fail nothing")
        show_table(("", "here", "bound", ""), self.rows)


def _held(kept: bool) -> str:
    return "holds" if kept else "BROKEN"
