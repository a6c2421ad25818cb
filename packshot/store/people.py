"""Accounts, sessions and the throttling of sign-ins.

Passwords are kept as argon2id hashes, secrets of sessions as SHA-256: a copy of the database opens
no door. A failed sign-in costs the same time whether the login exists or not.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from packshot.clock import Clock
from packshot.errors import NotFound, Refused, SignInFailed, TooManyAttempts
from packshot.identity import uuid7
from packshot.store.audit import note
from packshot.store.base import LedgerBase
from packshot.store.persons import Person, Role, SignedIn
from packshot.store.tables import AttemptRow, PersonRow, SessionRow

#: A session ends after this time without a request, and in any case after the second one.
IDLE, LONGEST = timedelta(hours=12), timedelta(days=7)
#: How often a session's last sign of life is written.
SEEN_EVERY = timedelta(minutes=1)
#: How long a one-time link opens.
ONCE = timedelta(minutes=10)
#: Failed sign-ins under one login, and from one address, in `WINDOW`.
LOGIN_FAILURES, ADDRESS_FAILURES = 10, 50
WINDOW = timedelta(minutes=15)
#: Shortest and longest password, characters.
PASSWORD = (10, 1024)
#: Locales of the pages.
LOCALES = ("en", "zh")

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class People(LedgerBase):
    """Everything about accounts. Thread-safe; argon2 runs outside of every transaction."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock | None = None,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """Take the database; tests bring a clock and a cheaper hasher."""
        super().__init__(engine, pipeline="", clock=clock)
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def add(
        self,
        login: str,
        name: str,
        role: Role,
        password: str,
        *,
        locale: str = "en",
        by: Person | None = None,
    ) -> Person:
        """Make an account. Raises `Refused` for a login that is taken or what is not allowed."""
        login = login.lower()
        if not _LOGIN.fullmatch(login):
            raise Refused("A login has 1 to 64 characters of a-z, 0-9, '.', '_', '@' and '-'.")
        if locale not in LOCALES:
            raise Refused(f"There is no locale '{locale}': take one of {', '.join(LOCALES)}.")
        hashed = self._hashed(password)
        with self._transaction() as db:
            if db.scalar(select(PersonRow.id).where(PersonRow.login == login)):
                raise Refused(f"There is a person with the login '{login}' already.")
            row = PersonRow(
                id=uuid7(),
                login=login,
                name=name or login,
                role=role,
                locale=locale,
                password=hashed,
                disabled=False,
                created_at=self._now(db),
            )
            db.add(row)
            self._note(db, by, "user_add", row, {"role": role, "name": row.name})
            return _person(row)

    def list(self) -> tuple[Person, ...]:
        """Everybody, by login."""
        with self._transaction() as db:
            rows = db.scalars(select(PersonRow).order_by(PersonRow.login))
            return tuple(_person(row) for row in rows)

    def names(self) -> dict[UUID, str]:
        """The names of everybody who is or was here, by id."""
        return {person.id: person.name for person in self.list()}

    def get(self, login: str) -> Person:
        """One person. Raises `NotFound`."""
        with self._transaction() as db:
            return _person(self._row(db, login))

    def by_id(self, person: UUID) -> Person:
        """One person. Raises `NotFound`."""
        with self._transaction() as db:
            row = db.get(PersonRow, person)
            if row is None:
                raise NotFound(f"There is no person {person}.")
            return _person(row)

    def set_password(self, login: str, password: str, *, by: Person | None = None) -> None:
        """Give a new password and end every session of this person."""
        hashed = self._hashed(password)
        with self._transaction() as db:
            row = self._row(db, login)
            row.password = hashed
            db.execute(delete(SessionRow).where(SessionRow.person == row.id))
            self._note(db, by, "user_passwd", row, {})

    def disable(self, login: str, *, disabled: bool = True, by: Person | None = None) -> None:
        """Close an account and end its sessions, or open it again."""
        with self._transaction() as db:
            row = self._row(db, login)
            row.disabled = disabled
            if disabled:
                db.execute(delete(SessionRow).where(SessionRow.person == row.id))
            self._note(db, by, "user_disable", row, {"disabled": disabled})

    def set_role(self, login: str, role: Role, *, by: Person | None = None) -> None:
        """Change what a person may do; holds at once, for open sessions too."""
        with self._transaction() as db:
            row = self._row(db, login)
            self._note(db, by, "user_role", row, {"role": role}, {"role": row.role})
            row.role = role

    def set_locale(self, person: Person, locale: str) -> None:
        """Change the language of a person's pages. Raises `Refused` for one that there is not."""
        if locale not in LOCALES:
            raise Refused(f"There is no locale '{locale}': take one of {', '.join(LOCALES)}.")
        with self._transaction() as db:
            self._row(db, person.login).locale = locale

    def sign_in(self, login: str, password: str, *, address: str) -> SignedIn:
        """Open a session under a secret that was never used before.

        Raises `SignInFailed`, or `TooManyAttempts` for this login or this address.
        """
        login = login.lower()[:64]
        with self._transaction() as db:
            # Counted before the password is looked at: guesses at the same moment count too.
            waits = self._attempt(db, f"login:{login}", LOGIN_FAILURES)
            waits = self._attempt(db, f"from:{address}"[:128], ADDRESS_FAILURES) or waits
            row = db.scalars(select(PersonRow).where(PersonRow.login == login)).one_or_none()
        if waits:
            minutes = int(WINDOW.total_seconds() // 60)
            raise TooManyAttempts(f"Too many failed sign-ins: try again in {minutes} minutes.")
        right = self._verify(row.password if row else self._nobody, password[: PASSWORD[1]])
        if row is None or row.disabled or not right:
            raise SignInFailed("Login and password do not belong together.")
        with self._transaction() as db:
            names = (f"login:{login}", f"from:{address}"[:128])
            db.execute(delete(AttemptRow).where(AttemptRow.name.in_(names)))
            if self._hasher.check_needs_rehash(row.password):
                self._row(db, login).password = self._hasher.hash(password)
            self._note(db, _person(row), "sign_in", row, {"address": address})
            return self._open(db, row, "session")

    def session(self, token: str) -> SignedIn | None:
        """Who comes with this token; None when it is unknown, over, or its person disabled."""
        with self._transaction() as db:
            now = self._now(db)
            found = db.execute(
                select(SessionRow, PersonRow)
                .join(PersonRow, PersonRow.id == SessionRow.person)
                .where(SessionRow.secret == _digest(token), SessionRow.kind != "once")
            ).one_or_none()
            if found is None or found[0].expires_at <= now or found[1].disabled:
                return None
            row, person = found
            if row.kind == "session" and now - row.seen_at >= SEEN_EVERY:
                row.seen_at = now
                row.expires_at = min(now + IDLE, row.created_at + LONGEST)
            return SignedIn(_person(person), token, row.csrf, row.expires_at)

    def sign_out(self, token: str) -> None:
        """End one session. Harmless for one that has ended."""
        with self._transaction() as db:
            db.execute(delete(SessionRow).where(SessionRow.secret == _digest(token)))

    def sign_out_everywhere(self, person: Person) -> None:
        """End every session and token of a person."""
        with self._transaction() as db:
            db.execute(delete(SessionRow).where(SessionRow.person == person.id))

    def issue_token(self, login: str, name: str, days: int, *, by: Person | None = None) -> str:
        """A token for the REST API; `session` reads it, and it needs no CSRF token."""
        with self._transaction() as db:
            row = self._row(db, login)
            self._note(db, by, "token", row, {"name": name, "days": days})
            return self._open(db, row, "token", timedelta(days=days), name[:64]).token

    def one_time(self, login: str) -> str:
        """The secret of a link that signs in once, within `ONCE`."""
        with self._transaction() as db:
            return self._open(db, self._row(db, login), "once", ONCE).token

    def sign_in_once(self, secret: str, *, address: str) -> SignedIn:
        """Use up a one-time secret. Raises `SignInFailed` when it is unknown, used or over."""
        with self._transaction() as db:
            query = delete(SessionRow).where(
                SessionRow.secret == _digest(secret),
                SessionRow.kind == "once",
                SessionRow.expires_at > self._now(db),
            )
            person = db.scalar(query.returning(SessionRow.person))
            row = db.get(PersonRow, person) if person else None
            if row is None or row.disabled:
                raise SignInFailed("This link has been used, or its time is over: ask for another.")
            self._note(db, _person(row), "sign_in", row, {"address": address, "once": True})
            return self._open(db, row, "session")

    def forget(self) -> int:
        """Delete what is over: sessions, links and old failures; returns how many sessions."""
        with self._transaction() as db:
            now = self._now(db)
            db.execute(delete(AttemptRow).where(AttemptRow.since < now - WINDOW))
            gone = db.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            return int(gone.rowcount)  # type: ignore[attr-defined] # a DELETE's result

    def _open(
        self,
        db: Session,
        row: PersonRow,
        kind: str,
        lasts: timedelta = IDLE,
        name: str = "",
    ) -> SignedIn:
        token, now = secrets.token_urlsafe(32), self._now(db)
        csrf = secrets.token_urlsafe(32) if kind == "session" else ""
        db.add(
            SessionRow(
                secret=_digest(token),
                person=row.id,
                kind=kind,
                name=name,
                csrf=csrf,
                created_at=now,
                seen_at=now,
                expires_at=now + lasts,
            )
        )
        return SignedIn(_person(row), token, csrf, now + lasts)

    def _attempt(self, db: Session, name: str, limit: int) -> bool:
        """Count a try; returns whether there were too many."""
        now = self._now(db)
        remote = db.get_bind().dialect.name == "postgresql"
        insert: Any = postgresql.insert if remote else sqlite.insert
        query = insert(AttemptRow).values(name=name, failures=1, since=now)
        over = AttemptRow.since < now - WINDOW
        query = query.on_conflict_do_update(
            index_elements=[AttemptRow.name],
            set_={
                "failures": case((over, 1), else_=AttemptRow.failures + 1),
                "since": case((over, now), else_=AttemptRow.since),
            },
        )
        return int(db.scalar(query.returning(AttemptRow.failures))) > limit

    def _hashed(self, password: str) -> str:
        shortest, longest = PASSWORD
        if not shortest <= len(password) <= longest:
            raise Refused(f"A password has {shortest} to {longest} characters.")
        return self._hasher.hash(password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    @staticmethod
    def _row(db: Session, login: str) -> PersonRow:
        row = db.scalars(select(PersonRow).where(PersonRow.login == login.lower())).one_or_none()
        if row is None:
            raise NotFound(f"There is no person with the login '{login}'.")
        return row

    def _note(
        self,
        db: Session,
        by: Person | None,
        action: str,
        row: PersonRow,
        after: dict[str, Any],
        before: dict[str, Any] | None = None,
    ) -> None:
        subject = f"person:{row.login}"
        note(db, by, action, subject, at=self._now(db), before=before, after=after)


def _person(row: PersonRow) -> Person:
    created: datetime = row.created_at
    return Person(row.id, row.login, row.name, Role(row.role), row.locale, row.disabled, created)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
