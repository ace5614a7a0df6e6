"""Asks the simulated cluster that is kept up in a folder to let another scenario begin.

A line of JSON on a Unix socket in the folder asks, another one answers:

    {"scenario": "split-brain"}  ──►  ◄──  {"about": "…"} or {"error": "…"}
"""

import json
import socket
from pathlib import Path

from quorate.simulation.folder import ServedFolder, ServingError

_PATIENCE = 20.0
"""Seconds that a switch may take; it takes a few milliseconds."""


def switch(scenario: str, path: Path) -> str:
    """Let another scenario begin in the cluster that is kept up in a folder; return what it is about.

    ServingError where there is none, or where it can't.
    """
    none = f"no simulated cluster is served in {path}; start one with `quorate demo --serve`"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            with ServedFolder(path).socket() as name:
                connection.connect(name)
            connection.sendall(json.dumps({"scenario": scenario}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                told = json.loads(answers.readline())
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise ServingError(none) from None
    except (OSError, ValueError) as error:
        raise ServingError(f"the cluster that is served in {path} does not answer: {error}") from None
    if "error" in told:
        raise ServingError(told["error"])
    return str(told["about"])
