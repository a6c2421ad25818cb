"""`packshot models`: bring, list and check the weights."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from packshot.errors import PackshotError

# The rest is imported by the commands themselves: `packshot --help` reads this file, too.
if TYPE_CHECKING:
    from models.manifest import Entry
    from models.registry import Registry

P = ParamSpec("P")
T = TypeVar("T")


def _sentences(command: Callable[P, T]) -> Callable[P, T]:
    """Show an error of ours as one sentence and exit 1, without a traceback."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except PackshotError as error:
            raise click.ClickException(str(error)) from error

    return wrapped


@click.group()
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the weights (default: packshot/models in the platform's cache folder).",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Another list of models, for instance one that points at a mirror.",
)
@click.pass_context
@_sentences
def models(context: click.Context, cache: Path | None, manifest: Path | None) -> None:
    """Bring, list and check the weights of the models."""
    from models.manifest import load_manifest
    from models.registry import Registry

    context.obj = Registry(cache, manifest=load_manifest(manifest))


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.option("--all", "everything", is_flag=True, help="Every model whose licence allows it.")
@click.option(
    "--allow-noncommercial",
    is_flag=True,
    help="Also weights whose licence forbids commercial use.",
)
@click.option(
    "--trust-on-first-use",
    is_flag=True,
    help="Also weights without a known SHA-256; what comes first is recorded and then demanded.",
)
@click.option("--offline", is_flag=True, help="Only from installed packages and local files.")
@click.pass_obj
@_sentences
def pull(
    registry: "Registry",
    names: tuple[str, ...],
    *,
    everything: bool,
    allow_noncommercial: bool,
    trust_on_first_use: bool,
    offline: bool,
) -> None:
    """Download, check and prepare weights; without a name, the default ones.

    What is there already is only checked. An interrupted download is continued.
    """
    from rich.console import Console
    from rich.filesize import decimal

    from models.weights.pull import Options, Outcome
    from models.weights.pull import pull as pull_weights
    from models.weights.reporter import Reporter

    options = Options(
        allow_noncommercial=allow_noncommercial,
        trust_on_first_use=trust_on_first_use,
        offline=offline,
    )
    chosen = names or tuple(
        entry.name
        for entry in registry.manifest.entries
        if entry.default
        or (everything and _allowed(entry, allow_noncommercial, trust_on_first_use))
    )
    with Reporter(Console(stderr=True)) as reporter:
        pulled = pull_weights(registry, chosen, options, reporter)
    new = sum(one.outcome is not Outcome.THERE for one in pulled)
    size = decimal(sum(one.receipt.size for one in pulled))
    click.echo(f"{len(pulled)} models ready ({new} new, {size}) in {registry.cache}")


@models.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
@_sentences
def list_(registry: "Registry", *, as_json: bool) -> None:
    """Show the models that are known, with their licences, and which are on this machine."""
    if as_json:
        rows = [
            entry.model_dump(mode="json") | {"present": _present(registry, entry)}
            for entry in registry.manifest.entries
        ]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table

    table = Table(box=None)
    for column in ("", "model", "task", "licence", "commercial", "size"):
        table.add_column(column, no_wrap=column in {"model", "size"})
    for entry in registry.manifest.entries:
        table.add_row(
            "[green]●[/]" if _present(registry, entry) else "○",
            f"[bold]{entry.name}[/]" if entry.default else entry.name,
            entry.task,
            entry.licence,
            "yes" if entry.commercial else "[red]no[/]",
            decimal(entry.size) if entry.size else "?",
        )
    Console().print(table)
    click.echo("● on this machine; default models in bold")


@models.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@click.pass_obj
@_sentences
def verify(registry: "Registry", names: tuple[str, ...]) -> None:
    """Read weights and compare them with their receipts; exit 1 unless all are in order.

    Without a name: the default models and whatever else is on this machine.
    """
    from models.weights.verify import State, check

    chosen = names or tuple(
        entry.name
        for entry in registry.manifest.entries
        if entry.default or _present(registry, entry)
    )
    states = {name: check(registry, name) for name in chosen}
    for name, state in states.items():
        colour = {State.OK: "green", State.MISSING: "yellow", State.DAMAGED: "red"}[state]
        click.echo(f"{click.style(state, fg=colour):<7} {name}")
    bad = [name for name, state in states.items() if state is not State.OK]
    if bad:
        raise click.ClickException(f"run: packshot models pull {' '.join(bad)}")


def _present(registry: "Registry", entry: "Entry") -> bool:
    return registry.folder(entry.name).exists()


def _allowed(entry: "Entry", noncommercial: bool, trust: bool) -> bool:
    return (entry.commercial or noncommercial) and (entry.pinned or trust)
