"""Lets `python -m quorate` do what `quorate` does."""

from quorate.cli import main

main()
