"""`python -m orchestration` is `kairos`."""

from orchestration.cli.app import main

main()
