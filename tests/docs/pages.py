"""The documents, and the examples that stand in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """An example: its language, its text, and what the comment right above it says (`tasks: a b`)."""

    page: str
    line: int
    kind: str
    text: str
    mark: str | None

    @property
    def id(self) -> str:
        """Where it stands, for the name of a test."""
        return f"{self.page}:{self.line}"

    def about(self, subject: str) -> str | None:
        """Return what the mark says of a subject, None where it is of something else."""
        said, found, rest = (self.mark or "").partition(":")
        return rest.strip() if found and said == subject else None


def blocks(*kinds: str) -> list[Block]:
    """Return all examples of these languages, in the order of the pages."""
    return [block for page in PAGES for block in _of_page(page) if block.kind in kinds]


def _of_page(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        yield Block(
            page=str(page.relative_to(ROOT)),
            line=text.count("\n", 0, found.start()) + 1,
            kind=found["kind"],
            text=found["text"],
            mark=found["mark"],
        )
