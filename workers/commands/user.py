"""`packshot user`."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from packshot.store.people import People

_ROLES = click.Choice(("viewer", "reviewer", "lead"))
_STDIN = click.option(
    "--password-stdin", "stdin", is_flag=True, help="Read the password from standard input."
)


def _people() -> "People":
    from packshot.errors import ConfigurationError
    from packshot.settings import Settings
    from packshot.store.engine import open_engine

    try:
        from packshot.store.people import People
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Accounts need the console extra: pip install 'packshot[console]'."
        ) from error
    return People(open_engine(Settings.load().ledger_url))


def _password(*, stdin: bool) -> str:
    """Asked for twice, or the first line of standard input; arguments can be seen by all."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return asked


@click.group()
def user() -> None:
    """The people who review: accounts, roles, passwords."""


@user.command()
@click.argument("login")
@click.option("--name", default="", help="Name that others see. Default: the login.")
@click.option(
    "--role", type=_ROLES, default="reviewer", show_default=True, help="What they may do."
)
@click.option("--locale", type=click.Choice(("en", "zh")), default="en", show_default=True)
@_STDIN
def add(login: str, name: str, role: str, locale: str, *, stdin: bool) -> None:
    """Make an account."""
    from packshot.store.persons import Role

    person = _people().add(login, name, Role(role), _password(stdin=stdin), locale=locale)
    click.echo(f"{person.login} is a {person.role}.")


@user.command("list")
def list_() -> None:
    """Show everybody."""
    for person in _people().list():
        closed = " (disabled)" if person.disabled else ""
        click.echo(f"{person.login:24} {person.role:10} {person.locale:4} {person.name}{closed}")


@user.command()
@click.argument("login")
@_STDIN
def passwd(login: str, *, stdin: bool) -> None:
    """Give a new password; every session of this person ends."""
    people = _people()
    people.get(login)  # before anybody types a password in vain
    people.set_password(login, _password(stdin=stdin))
    click.echo(f"{login} has a new password.")


@user.command()
@click.argument("login")
@click.option("--enable", is_flag=True, help="Open the account again.")
def disable(login: str, *, enable: bool) -> None:
    """Close an account; its sessions end at once."""
    _people().disable(login, disabled=not enable)
    click.echo(f"{login} is {'enabled' if enable else 'disabled'}.")


@user.command()
@click.argument("login")
@click.argument("role", type=_ROLES)
def role(login: str, role: str) -> None:
    """Change what somebody may do; holds at once."""
    from packshot.store.persons import Role

    _people().set_role(login, Role(role))
    click.echo(f"{login} is a {role}.")


@user.command()
@click.argument("login")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
def token(login: str, name: str, days: int) -> None:
    """Print a token for the REST API. It is shown once."""
    click.echo(_people().issue_token(login, name, days))
