"""``python -m pipeline`` is the command ``footage``."""

from pipeline.cli import main

main()
