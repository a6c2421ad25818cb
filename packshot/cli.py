"""The `packshot` command: finds its subcommands by entry point, and turns errors into exit codes.

0 done; 1 something failed, with a sentence on stderr; 2 the command line is wrong; 130 interrupted.
"""

import logging
import sys
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from packshot import __version__
from packshot.errors import PackshotError

if TYPE_CHECKING:
    import click

#: Entry point group in which the layers above the kernel register their commands.
GROUP = "packshot.commands"


def main() -> None:
    """Run the command line."""
    try:
        import click
    except ModuleNotFoundError:
        sys.exit(
            "The packshot command needs the worker extra: pip install 'packshot[worker,cpu]'.\n"
            "(The base install is the producer's client: from packshot.client import Client.)"
        )
    try:
        exit_code = _command().main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except PackshotError as error:
        click.echo(f"packshot: {error.code}: {error}", err=True)
        sys.exit(1)
    sys.exit(exit_code if isinstance(exit_code, int) else 0)


def _command() -> "click.Group":
    import click

    class Lazy(click.Group):
        """Loads a subcommand when it is asked for, so that `--help` is instant."""

        points: dict[str, EntryPoint] = {  # noqa: RUF012 - made once, read only
            point.name: point for point in entry_points(group=GROUP)
        }

        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return sorted(self.points)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx
            point = self.points.get(cmd_name)
            if point is None:
                return None
            command: Any = point.load()
            assert isinstance(command, click.Command)  # noqa: S101 - our own entry points
            return command

    @click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="packshot")
    @click.option("-v", "--verbose", count=True, help="Say more; twice for debugging.")
    def packshot(verbose: int) -> None:
        """Turn raw product photos into catalogue-ready data and pictures.

        \b
        Try it without any server:
          packshot run photos/            every photo in a folder
          packshot run --sample           the photos that come with Packshot

        \b
        Run it as a service (settings: PACKSHOT_BROKER_URL, PACKSHOT_DATABASE_URL, ...):
          packshot models pull            bring the weights, once per machine
          packshot db upgrade             make or migrate the ledger
          packshot worker all             take jobs in and do every stage
          packshot submit photo.json      hand in a job
        """
        levels = {0: logging.WARNING, 1: logging.INFO}
        logging.basicConfig(
            level=levels.get(verbose, logging.DEBUG),
            format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        )

    return packshot
