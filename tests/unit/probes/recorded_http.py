"""Answers of real servers, as `curl -i` wrote them down: headers, an empty line, the body."""

from pathlib import Path

from quorate.model import HttpAnswer, HttpReply, NoReply

CASES = Path(__file__).parents[2] / "cases" / "probes"


def answer(path: str) -> HttpAnswer:
    """Return a recorded answer."""
    head, _, body = (CASES / path).read_bytes().partition(b"\n\n")
    status, *lines = head.decode().splitlines()
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return HttpAnswer(status=int(status.split()[1]), body=body, headers=headers)


def reply(*answers: HttpAnswer | NoReply | str) -> HttpReply:
    """Return what a server answered: recorded answers by their paths, others as they are."""
    found = tuple(answer(each) if isinstance(each, str) else each for each in answers)
    return HttpReply(answers=found, duration=0.02)


def page(body: str | bytes, status: int = 200) -> HttpAnswer:
    """Return an answer that is made up."""
    return HttpAnswer(status=status, body=body if isinstance(body, bytes) else body.encode())
