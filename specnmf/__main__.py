"""``python -m specnmf``."""

from specnmf.cli import main

main()
