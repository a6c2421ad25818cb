"""Seals: tokens that only this installation can make. Of forms, and of links to pictures."""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from packshot.errors import ForbiddenAddress

#: How long a link to a picture works (seconds). A page that is open longer asks for new ones.
LINK_SECONDS = 1800
#: Links of one window are equal, so that a browser's cache can keep the pictures.
WINDOW_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Seals:
    """Makes and checks seals under one secret, which all console processes share."""

    secret: bytes
    clock: Callable[[], float] = time.time

    @classmethod
    def fresh(cls) -> "Seals":
        """Under a secret of this process: its seals end with it."""
        return cls(secrets.token_bytes(32))

    def form(self, session: str) -> str:
        """The token that every unsafe request of a session must bring back."""
        return self._seal("form", session)

    def form_holds(self, session: str, token: str) -> bool:
        """Whether a form's token belongs to the session; takes equally long either way."""
        return hmac.compare_digest(self.form(session).encode(), token.encode())

    def link(self, session: str, key: str, view: str) -> str:
        """The path of a picture below `/pictures/`: what it is, until when, for whom, sealed."""
        until = (int(self.clock()) // WINDOW_SECONDS) * WINDOW_SECONDS + LINK_SECONDS
        name = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
        return f"{view}/{until}/{self._seal('link', session, key, view, str(until))}/{name}"

    def opened(self, session: str, path: str) -> tuple[str, str]:
        """The key and view of a sealed path. Raises `ForbiddenAddress` for any other path."""
        try:
            view, until, seal, name = path.split("/")
            key = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
            late = int(until) < self.clock()
        except ValueError as error:
            raise ForbiddenAddress("This is no link to a picture.") from error
        wanted = self._seal("link", session, key, view, until)
        if late or not hmac.compare_digest(wanted.encode(), seal.encode()):
            raise ForbiddenAddress("This link to a picture has ended: open its page again.")
        return key, view

    def _seal(self, *parts: str) -> str:
        # The lengths keep two lists of parts apart whose texts are equal when joined.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        digest = hmac.new(self.secret, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
