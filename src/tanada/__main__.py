"""`python -m tanada`."""

from tanada.cli.main import run

run()
