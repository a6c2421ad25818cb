"""The people who review and what they may do: frozen values, no rows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from packshot.errors import NotAllowed


class Role(StrEnum):
    """What a person may do; each role may do what the ones before it may."""

    VIEWER = "viewer"  # looks at jobs and at the queue
    REVIEWER = "reviewer"  # claims and decides items
    LEAD = "lead"  # gives items to others, accepts many at once, exports, sees the audit log


#: From least to most.
_ORDER = tuple(Role)


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `id` is what events and results carry; login and name stay in the ledger."""

    id: UUID
    login: str
    name: str
    role: Role
    locale: str
    disabled: bool
    created_at: datetime

    def may(self, role: Role) -> bool:
        """Whether this person may do what `role` may do."""
        return not self.disabled and _ORDER.index(self.role) >= _ORDER.index(role)

    def must(self, role: Role) -> None:
        """Raise `NotAllowed` unless this person may do what `role` may do."""
        if not self.may(role):
            raise NotAllowed(f"This needs the role '{role}'; {self.login} is '{self.role}'.")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session. `token` is given out once, at its start; the ledger keeps its hash alone.

    `csrf` belongs to the session: forms carry it, and a request that changes something without it
    is refused.
    """

    person: Person
    token: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did. `subject` is `kind:id`, such as `review:0195…`."""

    id: UUID
    at: datetime
    person: UUID | None
    login: str
    action: str
    subject: str
    job: UUID | None
    before: dict[str, object] | None
    after: dict[str, object] | None
