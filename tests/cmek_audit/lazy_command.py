"""A command in a module of its own, for the tests of the group."""

from __future__ import annotations

import click


@click.command
def one() -> int:
    click.echo("one is done")
    return 1
