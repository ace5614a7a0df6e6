"""Tables for a terminal."""

from collections.abc import Sequence


def show_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their titles: the first column to the left, numbers to the right."""
    widths = [max(len(row[n]) for row in (titles, *rows)) for n in range(len(titles))]
    print()
    for row in (titles, *rows):
        first, *others = (
            f"{cell:<{width}}" if n == 0 else f"{cell:>{width}}"
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "   ".join([first, *others]).rstrip())
