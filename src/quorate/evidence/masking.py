"""Secrets taken out of log lines: those that are known, and what stands where secrets usually stand.

Every rule marks stretches of the original text; the stretches are joined and replaced at once. So no rule
can tear apart what another one would have found. A rule that sees its own mask finds nothing new.
"""

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from quorate.evidence.cleaning import clean_text
from quorate.evidence.labels import labelled_values
from quorate.evidence.tokens import bare_tokens, url_passwords

MASK = "***"
"""What stands in the place of a secret."""

Mask = Callable[[str], str]
Span = tuple[int, int]

CUT = "…"
"""What stands where a text was cut."""

_LINE_WORTH_MASKING = 8
_SHORTEST_PART = 3
_PASSES = 4


def make_mask(secrets: Iterable[str]) -> Mask:
    """Return a function that masks the given secrets, and what looks like one, in a text that was cleaned.

    Secrets are matched as fixed strings: as they are, quoted for a URL, and escaped for JSON; a secret of
    several lines also line by line, since a journal splits it; of one that was cut off, what stands before
    the `…`. Empty and blank ones are ignored. Beyond
    them the mask covers passwords in URLs, values after words such as `password=`, authorization headers,
    JSON web tokens and private keys. Masking twice changes nothing more; the time is linear in the text.
    """
    forms = tuple(sorted({form for secret in secrets for form in _forms(secret)}))

    def mask(text: str) -> str:
        for _ in range(_PASSES):
            masked = _replaced(text, _spans(text, forms))
            if masked == text:
                return text
            text = masked
        # Only a secret that itself holds asterisks can be found again and again in its own mask.
        return text if _replaced(text, _spans(text, forms)) == text else MASK

    return mask


def _spans(text: str, forms: tuple[str, ...]) -> list[Span]:
    known = [span for form in forms if form in text for span in _occurrences(text, form)]
    if CUT in text:
        known += [span for form in forms for span in _parts(text, form)]
    return sorted(known + url_passwords(text) + labelled_values(text) + bare_tokens(text))


def _occurrences(text: str, form: str) -> list[Span]:
    """Return where a form stands, occurrences that overlap included."""
    spans = []
    start = text.find(form)
    while start >= 0:
        spans.append((start, start + len(form)))
        start = text.find(form, start + 1)
    return spans


def _parts(text: str, form: str) -> list[Span]:
    """Return where a form was cut off: its beginning, of three characters or more, before a `…`."""
    spans = []
    for end, _ in _occurrences(text, CUT):
        behind = text[max(end - len(form) + 1, 0) : end]
        starts = (start for start, _ in _occurrences(behind, form[:_SHORTEST_PART]))
        size = next((len(behind) - start for start in starts if form.startswith(behind[start:])), 0)
        if size >= _SHORTEST_PART:
            spans.append((end - size, end))
    return spans


def _replaced(text: str, spans: list[Span]) -> str:
    """Return the text with each stretch replaced by one mask; stretches that touch count as one."""
    pieces = []
    done = 0
    start = end = -1
    for low, high in [*spans, (len(text) + 1, len(text) + 1)]:
        if low <= end:
            end = max(end, high)
            continue
        if end > start:
            pieces += [text[done:start], MASK]
            done = end
        start, end = low, high
    return "".join([*pieces, text[done:]])


def _forms(secret: str) -> set[str]:
    """Return the ways in which a secret may stand in a log; none for one that is blank or all asterisks."""
    cleaned = clean_text(secret)
    plain = {secret, secret.strip(), cleaned, cleaned.strip()}
    plain |= {line for line in cleaned.split("\n") if len(line.strip()) >= _LINE_WORTH_MASKING}
    forms = set(plain)
    for word in plain:
        encoded = word.encode("utf-8", "surrogatepass")
        for url in (
            quote(encoded, safe=""),
            quote(encoded),
            quote(encoded, safe="!'()*~"),
            quote_plus(encoded),
        ):
            forms |= {url, re.sub("%..", lambda match: match[0].lower(), url)}
        forms |= {json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1]}
    return {form for form in forms if form.strip().strip("*")}
