"""What every answer carries and every request must pass: headers, sizes, the request's origin."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Only our own files and no inline code; pictures may also be made by the page itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: The largest body of a request in bytes: an alpha matte of 8192 x 8192 as PNG fits.
MAX_BODY = 64 * 1024 * 1024


class Shield:
    """ASGI middleware. Refuses unsafe requests from other sites and bodies that are too large."""

    def __init__(self, app: ASGIApp, *, max_body: int = MAX_BODY) -> None:
        self._app = app
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE and not _same_site(headers):
            await _refusal(403, "This request comes from another site.")(scope, receive, send)
            return
        if _length(headers) > self._max_body:
            await _refusal(413, "This is too large.")(scope, receive, send)
            return
        await self._app(scope, self._limited(receive), _with_headers(scope, send))

    def _limited(self, receive: Receive) -> Receive:
        """The body as it comes, cut off where it is longer than it may be."""
        left = self._max_body

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        return limited


def _same_site(headers: Headers) -> bool:
    """Whether a browser says that our own page sent this; other clients say nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _length(headers: Headers) -> int:
    try:
        return int(headers.get("content-length", "0"))
    except ValueError:
        return 0


def _with_headers(scope: Scope, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if not scope["path"].startswith("/static/"):
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending


def _refusal(status: int, sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, status, headers=HEADERS)
