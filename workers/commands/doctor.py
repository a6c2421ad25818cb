"""`packshot doctor`."""

import click


@click.command()
def doctor() -> None:
    """Check this installation and say what to do."""
