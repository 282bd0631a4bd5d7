"""The command line: its commands, what they say and draw, and the demo's story."""

from onelayer.cli.commands import cli, main

__all__ = ["cli", "main"]
