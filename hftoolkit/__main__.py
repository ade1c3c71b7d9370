"""``python -m hftoolkit``."""

from hftoolkit.cli.main import main

main()
