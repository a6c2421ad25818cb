"""`packshot up`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from packshot.console.site import Site
    from packshot.store.people import People

#: Login of the account that the first start makes.
FIRST_LOGIN = "lead"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--sample", is_flag=True, help="Begin with the sample photos that come along.")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("packshot-data"),
    show_default=True,
    help="Folder for the ledger and the pictures; `packshot run` may have filled it.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8321, show_default=True)
@click.option("-c", "--concurrency", type=click.IntRange(1, 64), help="Photos at once.")
@click.option(
    "--review-all", is_flag=True, help="Send every photo to a person, not the unsure ones alone."
)
def up(
    paths: tuple[Path, ...],
    *,
    sample: bool,
    out: Path,
    port: int,
    concurrency: int | None,
    review_all: bool,
) -> None:
    """Start the worker and the review console on this machine, without any server.

    PATHS are photos or folders to begin with. The first start makes an account and prints a link
    that signs in once; set a password with `packshot user passwd`, or start again for a new link.
    """
    from rich.console import Console

    from packshot.contract import CUTOUT, MAIN, Step
    from packshot.store.engine import open_engine
    from workers import photos
    from workers.embedded import Embedded, settings_for
    from workers.samples import photos as samples
    from workers.services import load_models
    from workers.site import build_site
    from workers.weights import ensure

    console = Console(stderr=True)
    found = photos.find([*paths, *(samples() if sample else ())])
    settings = settings_for(out)
    ensure(settings, console)
    with console.status("Loading the models"):
        models = load_models(settings, tuple(Step))
        embedded = Embedded(settings, models, concurrency=concurrency or os.cpu_count() or 1)
    outputs = (CUTOUT, MAIN)
    wanted = {"review": "always"} if review_all else {}
    jobs = [photos.job(path, outputs).model_copy(update=wanted) for path in found]
    engine = open_engine(settings.ledger_url, pool_size=20)
    with embedded.serving(jobs) as restart:
        site = build_site(settings, engine, restart)
        _serve(site, port, console)


def _serve(site: "Site", port: int, console: "Console") -> None:
    import uvicorn

    from packshot.console.app import create_app
    from packshot.console.listener import listen

    listener = listen(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    link = f"{address}/welcome#{first_link(site.people)}"
    console.print(f"Console:  {address}", highlight=False)
    console.print(f"Sign in:  {link}", soft_wrap=True, highlight=False)
    console.print("The link works once, for ten minutes. Ctrl-C ends everything.")
    config = uvicorn.Config(create_app(site), log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def first_link(people: "People") -> str:
    """The secret of a link for the first account, which is made where there is none."""
    import secrets

    from packshot.store.persons import Role

    if not any(one.login == FIRST_LOGIN for one in people.list()):
        # Nobody knows this password: the link is the way in until one is set.
        people.add(FIRST_LOGIN, "Lead", Role.LEAD, secrets.token_urlsafe(32))
    return people.one_time(FIRST_LOGIN)
