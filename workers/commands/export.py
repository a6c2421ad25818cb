"""`packshot export`."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

#: What `--since` may count back in.
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def since_when(
    _ctx: click.Context | None, _param: click.Parameter | None, value: str | None
) -> datetime | None:
    """Read a date (2026-11-01, midnight UTC), a time with its zone, or how long ago (12h, 7d)."""
    if value is None:
        return None
    if ago := re.fullmatch(r"(\d{1,4})([hdw])", value):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"'{value}' is neither a date such as 2026-11-01 nor a time such as 7d."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command()
@click.option(
    "--format",
    "name",
    required=True,
    type=click.Choice(("jsonl", "coco", "ppocr", "folders")),
    help="jsonl: everything that was said. coco: boxes, masks and text. ppocr: text with crops. "
    "folders: image, alpha, trimap.",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write into.",
)
@click.option(
    "--since", callback=since_when, help="Only what was decided since: 2026-11-01, 7d, 12h."
)
@click.option("--corrected", is_flag=True, help="Only items in which something was corrected.")
def export(name: str, out: Path, since: datetime | None, *, corrected: bool) -> None:
    """Write what people decided as training data.

    The same items give the same files. Of corrections, those are written whose pictures are
    rendered.
    """
    from packshot.export.pixels import Pixels
    from packshot.export.run import export as write
    from packshot.imaging.decode import Limits
    from packshot.settings import Settings
    from packshot.store.engine import open_engine
    from packshot.store.examples import Examples
    from workers.services import open_store

    settings = Settings.load()
    limits = Limits(max_bytes=settings.max_bytes, max_pixels=settings.max_pixels)
    examples = Examples(open_engine(settings.ledger_url))
    done = write(
        examples.each(since=since, corrected_only=corrected),
        name,
        out,
        Pixels(open_store(settings), limits),
    )
    click.echo(f"{done.written} items written to {out}.")
    if done.without:
        click.echo(f"{done.without} have nothing for {name}.")
    if done.gone:
        click.echo(f"{done.gone} are left out: their pictures are gone.", err=True)
