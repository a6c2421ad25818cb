"""Signing in and out, and the language of the pages."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from packshot.console import visitor
from packshot.console.pages import page
from packshot.console.visitor import SiteOf, Viewing
from packshot.console.words import LANGUAGES
from packshot.errors import NotAllowed, Refused
from packshot.store.persons import SignedIn

router = APIRouter(include_in_schema=False)

#: A year; the language is no secret and changes rarely.
_LANGUAGE_SECONDS = 365 * 86400
_Text = Annotated[str, Form(max_length=1024)]


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    """For probes: the process answers. Says nothing else, since anybody may ask."""
    return PlainTextResponse("ok")


@router.get("/")
def start(who: Viewing) -> Response:
    """The queue is where the day begins."""
    del who
    return RedirectResponse("/queue", 303)


@router.get("/sign-in")
def form(request: Request, next: Annotated[str, Query(max_length=2048)] = "") -> Response:  # noqa: A002
    """The sign-in."""
    return _form(request, onward=next)


@router.post("/sign-in", dependencies=[Depends(visitor.check_visit)])
def sign_in(
    request: Request,
    site: SiteOf,
    login: _Text = "",
    password: _Text = "",
    next: Annotated[str, Form(max_length=2048)] = "",  # noqa: A002
) -> Response:
    """Check login and password; the session's id is always a new one."""
    try:
        signed = site.people.sign_in(login, password, address=_address(request))
    except Refused as error:
        return _form(request, onward=next, login=login, problem=error.code)
    return _enter(request, signed, visitor.local_path(next))


@router.get("/welcome")
def welcome(request: Request) -> Response:
    """A link that signs in once: it asks first, as whatever previews links must not use it up.

    The secret stands behind the address's `#`, which browsers keep to themselves: no log of ours
    or of a proxy ever has it. The page's script puts it into the form.
    """
    return _form(request, welcome=True)


@router.post("/welcome", dependencies=[Depends(visitor.check_visit)])
def sign_in_once(request: Request, site: SiteOf, secret: _Text = "") -> Response:
    """Use the link up."""
    try:
        signed = site.people.sign_in_once(secret, address=_address(request))
    except Refused as error:
        return _form(request, problem=error.code)
    return _enter(request, signed, "/queue")


@router.post("/sign-out")
def sign_out(request: Request, site: SiteOf, who: Viewing) -> Response:
    """End the session."""
    site.people.sign_out(who.signed.token or request.cookies.get(visitor.COOKIE, ""))
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(visitor.COOKIE)
    return response


@router.post("/language")
async def language(request: Request) -> Response:
    """Choose the language of the pages; a cookie, so that it holds before the sign-in too."""
    data = await request.form()
    chosen = str(data.get("language", ""))
    if chosen not in LANGUAGES:
        raise NotAllowed("There is no such language.")
    response = RedirectResponse(visitor.local_path(str(data.get("next", ""))), 303)
    visitor.set_cookie(request, response, visitor.LANGUAGE_COOKIE, chosen, _LANGUAGE_SECONDS)
    return response


def _form(
    request: Request,
    *,
    onward: str = "",
    login: str = "",
    problem: str = "",
    welcome: bool = False,
) -> Response:
    visit, token = visitor.begin_visit(request)
    status = {"": 200, "too_many_attempts": 429}.get(problem, 401)
    response = page(
        request,
        "sign_in.html.j2",
        None,
        status=status,
        csrf=token,
        next=onward,
        login=login,
        problem=problem,
        welcome=welcome,
    )
    visitor.set_cookie(request, response, visitor.VISIT_COOKIE, visit)
    return response


def _enter(request: Request, signed: SignedIn, path: str) -> Response:
    # Whatever session this browser had, somebody else may have given it.
    if former := request.cookies.get(visitor.COOKIE):
        visitor.site_of(request).people.sign_out(former)
    response = RedirectResponse(path, 303)
    visitor.set_cookie(request, response, visitor.COOKIE, signed.token)
    response.delete_cookie(visitor.VISIT_COOKIE)
    if visitor.LANGUAGE_COOKIE not in request.cookies:
        visitor.set_cookie(
            request, response, visitor.LANGUAGE_COOKIE, signed.person.locale, _LANGUAGE_SECONDS
        )
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
