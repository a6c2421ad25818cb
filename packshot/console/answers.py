"""Errors as answers: a sentence and a code for programs, a page with a way on for people."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from packshot.console.pages import page
from packshot.console.shield import HEADERS
from packshot.console.visitor import SignInNeeded, present, sign_in_path, words_of
from packshot.errors import (
    AlreadyDecided,
    ClaimLost,
    Conflict,
    ForbiddenAddress,
    InvalidDecision,
    ItemTaken,
    NotAllowed,
    NotFound,
    PackshotError,
    Rejected,
    SignInFailed,
    TooManyAttempts,
    Transient,
)

#: The first class that an error belongs to decides its status.
STATUS: tuple[tuple[type[PackshotError], int], ...] = (
    (NotFound, 404),
    (ForbiddenAddress, 404),
    (NotAllowed, 403),
    (ItemTaken, 409),
    (ClaimLost, 409),
    (AlreadyDecided, 409),
    (Conflict, 409),
    (InvalidDecision, 422),
    (SignInFailed, 401),
    (TooManyAttempts, 429),
    (Rejected, 422),
    (Transient, 503),
)


def install(app: FastAPI) -> None:
    """Hang the handlers into an application."""
    app.add_exception_handler(PackshotError, _named)
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: PackshotError) -> int:
    """The HTTP status of a named error."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def _named(request: Request, error: Exception) -> Response:
    if not isinstance(error, PackshotError):
        raise error
    values = {"holder": error.holder} if isinstance(error, ItemTaken) else {}
    return _answer(request, status_of(error), error.code, str(error), **values)


def _sign_in(request: Request, error: Exception) -> Response:
    del error
    if _is_program(request):
        sentence = words_of(request).problem("sign_in_needed", "Sign in first.")
        return _json(401, "sign_in_needed", sentence)
    return RedirectResponse(sign_in_path(request), 303)


def _wrong_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(request, 422, "invalid_request", f"{where}: {first['msg']}.")


def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = "not_found" if error.status_code == 404 else "refused"
    return _answer(request, error.status_code, code, str(error.detail))


def _unexpected(request: Request, error: Exception) -> Response:
    """A mistake of ours. The server logs it with its traceback; people get a way on."""
    del error
    response = _answer(request, 500, "internal_error", "Packshot made a mistake. It is logged.")
    # This handler stands outside the shield, as it answers for the shield's own mistakes too.
    response.headers.update(HEADERS)
    return response


def _answer(request: Request, status: int, code: str, sentence: str, **values: str) -> Response:
    sentence = words_of(request).problem(code, sentence, **values)
    if _is_program(request):
        return _json(status, code, sentence)
    # The way on is the navigation; where the server itself fails, nobody is looked up.
    who = present(request) if status < 500 else None
    return page(request, "error.html.j2", who, status=status, code=code, sentence=sentence)


def _json(status: int, code: str, sentence: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": sentence}, status)


def _is_program(request: Request) -> bool:
    return request.url.path.startswith("/api/")
