"""Bounds that a run must keep, told with what was measured; never a test, since machines differ."""

from dataclasses import dataclass, field

from benchmarks.tables import show_table


@dataclass(kw_only=True)
class Bounds:
    """What was promised, and whether it held in this run."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def at_least(self, what: str, value: float, bound: float, unit: str = "×") -> None:
        """Note a value that must not be smaller than its bound."""
        self.rows.append((what, f"{value:.3g} {unit}", f"≥ {bound:g}", value >= bound))

    def at_most(self, what: str, value: float, bound: float, unit: str) -> None:
        """Note a value that must not be larger than its bound."""
        self.rows.append((what, f"{value:.3g} {unit}", f"≤ {bound:g}", value <= bound))

    def show(self) -> None:
        """Print all bounds."""
        print("\nBounds, which say what to expect and fail nothing")
        rows = [(what, value, bound, "holds" if held else "BROKEN") for what, value, bound, held in self.rows]
        show_table(("", "here", "bound", ""), rows)
