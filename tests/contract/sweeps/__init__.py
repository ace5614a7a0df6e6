"""One table of situations, swept in the simulated cluster and on real hosts: what differs is a fault."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))  # `lab` is no part of the installed package
