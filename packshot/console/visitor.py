"""Who asks, and whether they may: sessions, roles and form tokens, before any route runs."""

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from packshot.console.shield import SAFE
from packshot.console.site import Site
from packshot.console.words import LANGUAGES, Words, preferred, words
from packshot.errors import NotAllowed, PackshotError
from packshot.store.persons import Person, Role, SignedIn

#: The cookie of a session; `__Host-` would need TLS even on a desk.
COOKIE = "packshot_session"
#: The cookie that binds the sign-in form to one browser.
VISIT_COOKIE = "packshot_visit"
LANGUAGE_COOKIE = "packshot_language"
#: The header, and the form's field, that carry the form token.
FORM_HEADER = "x-csrf-token"
FORM_FIELD = "csrf"
#: Hosts for which a browser needs no TLS to keep a secret.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SignInNeeded(Exception):
    """Nobody is signed in: pages lead to the sign-in, the API answers 401."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request's person."""

    signed: SignedIn
    words: Words

    @property
    def person(self) -> Person:
        """Who asks."""
        return self.signed.person

    def may(self, role: str) -> bool:
        """Whether this person may do what a role may do."""
        return self.person.may(Role(role))


def site_of(request: Request) -> Site:
    """What the application was built with."""
    site: Site = request.app.state.site
    return site


def words_of(request: Request) -> Words:
    """The language of a request: what was chosen, else what the browser prefers."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return words(chosen)
    return words(preferred(request.headers.get("accept-language", "")))


def visitor(role: Role) -> Callable[..., Any]:
    """A dependency: the person who asks, who may do what `role` may do.

    Raises `SignInNeeded`, or `NotAllowed` for a lower role and for an unsafe request without the
    session's form token. A bearer token needs none: no browser sends it by itself.
    """

    async def find(request: Request) -> Visitor:
        token, bearer = _token(request)
        site = site_of(request)
        signed = await run_in_threadpool(site.people.session, token) if token else None
        if signed is None:
            raise SignInNeeded
        if not bearer and request.method not in SAFE:
            await _check_form(request, signed.csrf)
        signed.person.must(role)
        return Visitor(signed, words_of(request))

    return find


def present(request: Request) -> Visitor | None:
    """Who asks, where that is easily known: for pages that must not fail, such as errors."""
    token = request.cookies.get(COOKIE, "")
    with suppress(PackshotError):
        signed = site_of(request).people.session(token) if token else None
        return Visitor(signed, words_of(request)) if signed else None
    return None


async def check_visit(request: Request) -> None:
    """Refuse a sign-in form that this browser was not given. Raises `NotAllowed`."""
    await _check_form(request, site_of(request).seals.form(request.cookies.get(VISIT_COOKIE, "")))
    if not request.cookies.get(VISIT_COOKIE):
        raise NotAllowed("The form has no cookie with it: allow cookies and load it again.")


def begin_visit(request: Request) -> tuple[str, str]:
    """The visit's cookie value, new where there is none, and the form token that belongs to it."""
    visit = request.cookies.get(VISIT_COOKIE) or secrets.token_urlsafe(18)
    return visit, site_of(request).seals.form(visit)


def set_cookie(
    request: Request, response: Response, name: str, value: str, seconds: int | None = None
) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="lax", secure=_secure(request)
    )


def local_path(wanted: str) -> str:
    """A path of our own to go on to; anything else becomes the queue."""
    plain = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if plain and wanted.isprintable() and "\\" not in wanted else "/queue"


def sign_in_path(request: Request) -> str:
    """The sign-in, which leads back to the page that was asked for."""
    query = f"?{request.url.query}" if request.url.query else ""
    wanted = request.url.path + query if request.method == "GET" else "/queue"
    return f"/sign-in?next={quote(wanted)}"


def _token(request: Request) -> tuple[str, bool]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip(), True
    return request.cookies.get(COOKIE, ""), False


async def _check_form(request: Request, expected: str) -> None:
    given = request.headers.get(FORM_HEADER, "")
    kind = request.headers.get("content-type", "")
    if not given and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        given = str((await request.form()).get(FORM_FIELD, ""))
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise NotAllowed("The form is out of date: load the page again.")


def _secure(request: Request) -> bool:
    return request.url.scheme == "https" or request.url.hostname not in LOOPBACK


Viewing = Annotated[Visitor, Depends(visitor(Role.VIEWER))]
Reviewing = Annotated[Visitor, Depends(visitor(Role.REVIEWER))]
Leading = Annotated[Visitor, Depends(visitor(Role.LEAD))]
SiteOf = Annotated[Site, Depends(site_of)]
