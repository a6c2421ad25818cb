"""`packshot dead`: the messages that no worker could handle, and those that were refused."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from packshot.settings import Settings
    from packshot.store.views import JobView, Views
    from workers.dead import Letter, Look
    from workers.replay import Replay

_queue = click.option(
    "--queue",
    type=click.Choice(["dead", "rejected"]),
    help="Only packshot.dead (steps) or packshot.rejected (refused messages). Default: both.",
)
_all = click.option("--all", "everything", is_flag=True, help="Every letter there is.")


@click.group()
def dead() -> None:
    """Look at dead letters; bring them back to life or throw them away.

    packshot.rejected holds producers' messages that were refused, packshot.dead holds messages that
    no worker could handle. Looking changes nothing. IDs may be shortened.
    """


@dead.command(name="list")
@_queue
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Letters to show at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(queue: str | None, limit: int, *, as_json: bool) -> None:
    """Show what rests, oldest first."""
    from workers.deadtext import line, render

    settings = _settings()
    with _look(settings) as look:
        names = _queues(queue)
        total = sum(look.depth(name) for name in names)
        letters = list(islice(look.letters(names), limit))
    letters.sort(key=lambda letter: letter.since or datetime.max.replace(tzinfo=UTC))
    known = _known(settings, letters)
    now = datetime.now(UTC)
    if as_json:
        lines = [line(letter, known, now) for letter in letters]
        click.echo(json.dumps({"total": total, "letters": lines}, ensure_ascii=False, indent=1))
    elif not letters:
        click.echo("There are no dead letters.")
    else:
        from rich.console import Console

        Console().print(render(letters, known, now))
        if total > len(letters):
            click.echo(f"{len(letters)} of {total} letters; --limit shows more.")


@dead.command()
@click.argument("letter_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(letter_id: str, *, as_json: bool) -> int:
    """Show one letter: its headers, its body, and its job with the steps."""
    from workers.deadtext import describe, document

    settings = _settings()
    with _look(settings) as look:
        found, _ = _chosen(look, (letter_id,), _queues(None))
    if not found:
        click.echo(f"There is no letter {letter_id}.", err=True)
        return 1
    job = _job(settings, found[0])
    if as_json:
        click.echo(json.dumps(document(found[0], job), ensure_ascii=False, indent=1))
    else:
        click.echo(describe(found[0], job))
    return 0


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_all
@_queue
def replay(ids: tuple[str, ...], *, everything: bool, queue: str | None) -> int:
    """Bring letters back: a refused message to the intake, a step to where its job stands.

    What is not needed any more is removed with a word. Replaying twice is harmless. Exit code 1
    when a letter stayed where it was.
    """
    _exactly_one(ids, everything)
    settings = _settings()
    outcome: Counter[bool] = Counter()
    with _look(settings) as look, _replay(settings) as replay:
        letters, missing = _asked(look, ids, _queues(queue))
        for letter in letters:
            answer = replay.replay(letter)
            if answer.done:
                look.remove(letter)
            outcome[answer.done] += 1
            click.echo(f"{letter.id}  {answer.sentence}")
    _tell_missing(missing)
    click.echo(f"Replayed {outcome[True]}, left {outcome[False]}.")
    return 1 if outcome[False] or missing else 0


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_all
@_queue
@click.option("--yes", is_flag=True, help="Really do it.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("dead-letters.jsonl"),
    show_default=True,
    help="File that what is thrown away is appended to, one JSON line a letter.",
)
def discard(
    ids: tuple[str, ...], *, everything: bool, queue: str | None, yes: bool, save: Path
) -> int:
    """Throw letters away, after they have been written to a file."""
    from workers.deadtext import saved

    _exactly_one(ids, everything)
    settings = _settings()
    count = 0
    with _look(settings) as look:
        letters, missing = _asked(look, ids, _queues(queue))
        if not yes:
            click.echo(f"To throw away: {sum(1 for _ in letters)}. Say --yes to do it.")
            return 1
        for letter in letters:
            _append(save, json.dumps(saved(letter), ensure_ascii=False))
            look.remove(letter)
            count += 1
    _tell_missing(missing)
    click.echo(f"Thrown away: {count}." + (f" They are kept in {save}." if count else ""))
    return 1 if missing else 0


def _exactly_one(ids: tuple[str, ...], everything: bool) -> None:
    if bool(ids) == everything:
        raise click.UsageError("Name letters by their IDs, or say --all.")


def _queues(name: str | None) -> tuple[str, ...]:
    from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE

    queues = {"dead": DEAD_QUEUE, "rejected": REJECTED_QUEUE}
    return (queues[name],) if name else tuple(queues.values())


def _settings() -> "Settings":
    from packshot.settings import Settings

    return Settings.load()


def _look(settings: "Settings") -> "Look":
    from workers.dead import Look

    return Look(settings.broker_url.get_secret_value())


def _asked(
    look: "Look", ids: tuple[str, ...], queues: tuple[str, ...]
) -> tuple["Iterator[Letter]", list[str]]:
    """What was asked for: all letters, one by one, or those that are named."""
    if not ids:
        return look.letters(queues), []
    found, missing = _chosen(look, ids, queues)
    return iter(found), missing


def _chosen(
    look: "Look", ids: tuple[str, ...], queues: tuple[str, ...]
) -> tuple[list["Letter"], list[str]]:
    """The letters whose ids begin so, and the beginnings that fit none."""
    wanted = tuple(one.lower() for one in ids)
    found = [letter for letter in look.letters(queues) if letter.id.startswith(wanted)]
    for one in wanted:
        fitting = sorted({letter.id for letter in found if letter.id.startswith(one)})
        if len(fitting) > 1:
            raise click.UsageError(f"{one} may be any of {', '.join(fitting)}: say more of it.")
    return found, [one for one in wanted if not any(x.id.startswith(one) for x in found)]


def _tell_missing(missing: list[str]) -> None:
    for one in missing:
        click.echo(f"There is no letter {one}; it may have been replayed already.", err=True)


@contextmanager
def _replay(settings: "Settings") -> "Iterator[Replay]":
    from packshot.client import Client
    from packshot.errors import ConfigurationError
    from packshot.store.engine import open_engine
    from packshot.store.views import Views
    from tasks.app import create_app
    from workers.replay import Replay
    from workers.services import open_ledger

    if not _has_ledger(settings):
        raise ConfigurationError("There is no ledger here: set PACKSHOT_DATABASE_URL.")
    engine = open_engine(settings.ledger_url)
    try:
        with (
            Client(settings.broker_url.get_secret_value()) as client,
            create_app(settings) as app,
        ):
            yield Replay(client, app, open_ledger(settings, engine), Views(engine))
    finally:
        engine.dispose()


@contextmanager
def _views(settings: "Settings") -> "Iterator[Views | None]":
    """The ledger to read in, or None where there is none: looking works without it."""
    from packshot.errors import PackshotError
    from packshot.store.engine import open_engine
    from packshot.store.views import Views

    if not _has_ledger(settings):
        yield None
        return
    engine = open_engine(settings.ledger_url)
    try:
        yield Views(engine)
    except PackshotError as error:
        click.echo(f"Without the ledger: {error}", err=True)
    finally:
        engine.dispose()


def _has_ledger(settings: "Settings") -> bool:
    return settings.database_url is not None or (settings.data / "ledger.sqlite").exists()


def _known(settings: "Settings", letters: list["Letter"]) -> dict[str, tuple[str, str, str]]:
    """Source, job_id and status by the ids of those letters whose job is known."""
    known = {letter.id: (*letter.name, "") for letter in letters if letter.name}
    steps = {letter.id: letter.step[0] for letter in letters if letter.step}
    if steps:
        with _views(settings) as views:
            rows = views.names(set(steps.values())) if views else {}
            known |= {one: rows[row] for one, row in steps.items() if row in rows}
    return known


def _job(settings: "Settings", letter: "Letter") -> "JobView | None":
    from packshot.errors import NotFound

    if letter.step is None and letter.name is None:
        return None
    with _views(settings) as views:
        if views:
            try:
                return views.by_id(letter.step[0]) if letter.step else views.job(*letter.name)  # type: ignore[misc]
            except NotFound:
                return None
    return None


def _append(path: Path, text: str) -> None:
    """Write one line so that it survives a power cut: the letter is removed next."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
