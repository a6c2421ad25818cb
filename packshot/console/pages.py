"""Templates to answers."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from packshot import __version__
from packshot.console import visitor
from packshot.console.words import TAGS, Words
from packshot.results import Signal

#: Keys of the catalogue that scripts need, by their prefix.
SCRIPT_WORDS = ("script.", "key.", "tool.")


def page(
    request: Request,
    template: str,
    who: "visitor.Visitor | None",
    *,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """Render a page for a visitor, or for nobody."""
    words = who.words if who else visitor.words_of(request)
    return HTMLResponse(render(request, template, words, who=who, **values), status)


def render(request: Request, template: str, words: Words, **values: Any) -> str:
    """The text of a template, with everything that each page has."""
    who: visitor.Visitor | None = values.get("who")
    values.setdefault("csrf", who.signed.csrf if who else "")
    return (
        _environment()
        .get_template(template)
        .render(
            t=words,
            tag=TAGS[words.language],
            now=datetime.now(UTC),
            version=__version__,
            path=request.url.path,
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            picture=_links(request, who),
            script_words=_script_words(words),
            **values,
        )
    )


def script_data(value: Any) -> Markup:
    """JSON for a data block of a page: nothing in it can end the block."""
    text = json.dumps(value, ensure_ascii=False)
    for dangerous, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(dangerous, escaped)
    return Markup(text)  # noqa: S704 - every character that ends a script block is escaped


def reason_text(words: Words, reason: Signal | dict[str, Any]) -> str:
    """A reason in the reader's language; one that we have no words for as it was written."""
    one = reason if isinstance(reason, Signal) else Signal.model_validate(reason)
    return words.either(f"reason.{one.code}", one.message)


def _links(request: Request, who: "visitor.Visitor | None") -> Any:
    seals = visitor.site_of(request).seals

    def link(key: str | None, view: str = "screen") -> str:
        if not key or who is None:
            return "/static/none.svg"
        return "/pictures/" + seals.link(str(who.person.id), key, view)

    return link


def _plain_json(value: Any) -> str:
    """Indented JSON for people; the template escapes it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _script_words(words: Words) -> dict[str, str]:
    return {key: text for key, text in words.catalogue.items() if key.startswith(SCRIPT_WORDS)}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("packshot.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data"] = script_data
    environment.filters["plain"] = _plain_json
    environment.globals["reason_text"] = reason_text
    return environment
