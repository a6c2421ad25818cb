"""What the deployment pages tell people to type exists: paths, make targets, commands, options."""

import re
import shlex
from pathlib import Path

import click
import pytest

from packshot.cli import _command as command

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("deploy.md", "security.md", "capacity.md")


def typed(page: str) -> list[str]:
    """The lines of a page's code blocks."""
    blocks = re.findall(r"(?ms)^```\n(.*?)^```", (ROOT / "docs" / page).read_text())
    return [line for block in blocks for line in block.splitlines() if line.strip()]


LINES = [pytest.param(page, line, id=line[:60]) for page in PAGES for line in typed(page)]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_line_can_be_typed(page: str, line: str) -> None:
    words = shlex.split(re.sub(r"  +\S.*$", "", line).replace("|", " | "))
    for word in words:
        if word.startswith("deploy/") and not word.startswith("deploy/packshot-"):
            assert (ROOT / word).exists(), word
    if words[0] == "make":
        assert re.search(rf"(?m)^{words[1]}:", (ROOT / "Makefile").read_text()), words[1]
    if found := re.search(r"(?:^|-- |-T console )packshot (.+)", shlex.join(words)):
        _parse(shlex.split(found[1]))


@pytest.mark.parametrize("page", PAGES)
def test_names_files_that_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for name in re.findall(r"`((?:deploy|tests|docs|tools|models)/[\w./-]+)`", text):
        assert (ROOT / name).exists() or name.endswith(".env"), name
    for name in re.findall(r"\]\(([\w./-]+)\)", text):
        assert (ROOT / "docs" / name).exists(), name


def _parse(arguments: list[str]) -> None:
    """Let the command read its arguments; `--help` and what needs a server end before it runs."""
    if arguments[-1] == "--help":
        arguments = arguments[:-1]
    group: click.Command = command()
    while isinstance(group, click.Group):
        name = arguments.pop(0)
        found = group.get_command(click.Context(group), name)
        assert found is not None, name
        group = found
    group.make_context(group.name, arguments)
