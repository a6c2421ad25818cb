"""Who has which item: leases that are renewed while a page is open, and end by themselves.

A claim gives out a token. Whoever comes without the latest token is refused, so that a page that
lost its lease while its reviewer was away cannot decide an item that somebody else has by now.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from packshot.errors import AlreadyDecided, ClaimLost, ItemTaken, NotFound
from packshot.store.audit import note
from packshot.store.enqueue import adopt
from packshot.store.persons import Person, Role
from packshot.store.queue import Queue, place
from packshot.store.review_items import Claim, Filters, Hold, Item, ReviewStatus
from packshot.store.tables import PersonRow, ReviewRow, SkipRow
from packshot.store.tickets import Artifact

#: Leases that are ended in one transaction.
EXPIRED_AT_ONCE = 200
#: The step that an artifact belongs to which a person made.
REVIEW_STEP = "review"


class Claims(Queue):
    """Taking items and giving them back. Thread-safe."""

    def claim(self, review: UUID, by: Person) -> Claim:
        """Take one item, or take it anew: an older page of the same person loses it.

        Raises `ItemTaken`, `AlreadyDecided`, `NotFound`, or `NotAllowed` for a viewer.
        """
        by.must(Role.REVIEWER)
        with self._transaction() as db:
            row = self._locked(db, review)
            if row.status == ReviewStatus.DECIDED:
                raise AlreadyDecided("This item has been decided meanwhile.")
            if row.holder not in (None, by.id) and not self._lapsed(db, row):
                raise ItemTaken(self._name(db, row.holder))
            return self._take(db, row, by.id)

    def claim_next(self, by: Person, filters: Filters | None = None) -> Claim | None:
        """Take the most urgent open item that `by` has not skipped; None when there is none.

        Reviewers who ask at the same moment get different items: rows that another one is just
        taking are passed over.
        """
        by.must(Role.REVIEWER)
        filters = replace(filters or Filters(), offered_to=by.id)
        with self._transaction() as db:
            self._expire(db)
            query = (
                self._filtered(db, select(ReviewRow), filters)
                .order_by(*place(filters))
                .limit(1)
                .with_for_update(skip_locked=True, of=ReviewRow)
            )
            row = db.scalars(query).first()
            return self._take(db, row, by.id) if row else None

    def renew(self, hold: Hold) -> datetime:
        """Prolong a lease; returns its new end. Raises `ClaimLost`."""
        with self._transaction() as db:
            row = self._held(db, hold)
            row.lease_until = self._now(db) + self._lease
            return row.lease_until

    def release(self, hold: Hold) -> bool:
        """Give an item back. False where it is not this page's any more; nothing changes then."""
        with self._transaction() as db:
            try:
                self._reopen(self._held(db, hold))
            except ClaimLost:
                return False
            return True

    def skip(self, hold: Hold, by: Person) -> None:
        """Give an item back, and do not get it again by `claim_next` for a while."""
        with self._transaction() as db:
            row = self._held(db, hold)
            self._reopen(row)
            db.merge(SkipRow(person=by.id, review=row.id, at=self._now(db)))

    def reassign(self, review: UUID, to: Person | None, by: Person) -> Item:
        """Give an item to somebody, or back to the queue; whoever had it loses it.

        Raises `NotAllowed` unless `by` is a lead and `to` may review, and `AlreadyDecided`.
        """
        by.must(Role.LEAD)
        if to:
            to.must(Role.REVIEWER)
        with self._transaction() as db:
            row = self._locked(db, review)
            if row.status == ReviewStatus.DECIDED:
                raise AlreadyDecided("This item has been decided meanwhile.")
            before = {"holder": str(row.holder) if row.holder else None}
            if to:
                db.execute(delete(SkipRow).where(SkipRow.person == to.id, SkipRow.review == review))
                self._take(db, row, to.id)
            else:
                self._reopen(row)
            note(
                db,
                by,
                "reassign",
                f"review:{review}",
                at=self._now(db),
                job=row.job,
                before=before,
                after={"holder": str(to.id) if to else None},
            )
            db.flush()
            return self._get(db, review)

    def keep_matte(self, hold: Hold, artifact: Artifact) -> int:
        """Take in an alpha matte that a person made; returns its version. Raises `ClaimLost`.

        The object is in the store already, under a key that names its content.
        """
        with self._transaction() as db:
            row = self._held(db, hold)
            return self._add_artifact(db, row.job, REVIEW_STEP, artifact)

    def expire(self) -> int:
        """Put items back whose lease has ended; returns how many there were."""
        with self._transaction() as db:
            adopt(db)
            return self._expire(db)

    def _expire(self, db: Session) -> int:
        ended = (
            select(ReviewRow.id)
            .where(ReviewRow.status == ReviewStatus.CLAIMED, ReviewRow.lease_until <= self._now(db))
            .limit(EXPIRED_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        rows = db.scalars(ended).all()
        if rows:
            db.execute(
                update(ReviewRow)
                .where(ReviewRow.id.in_(rows))
                .values(
                    status=ReviewStatus.OPEN,
                    holder=None,
                    token=None,
                    lease_until=None,
                    version=ReviewRow.version + 1,
                )
                .execution_options(synchronize_session=False)
            )
        return len(rows)

    def _take(self, db: Session, row: ReviewRow, person: UUID) -> Claim:
        row.status = ReviewStatus.CLAIMED
        row.holder = person
        row.token = uuid4()  # not uuid7: nobody may guess it
        row.lease_until = self._now(db) + self._lease
        row.version += 1
        db.flush()
        hold = Hold(row.id, row.token, row.version)
        return Claim(self._get(db, row.id), hold, row.lease_until)

    @staticmethod
    def _reopen(row: ReviewRow) -> None:
        row.status = ReviewStatus.OPEN
        row.holder = row.token = row.lease_until = None
        row.version += 1

    def _held(self, db: Session, hold: Hold) -> ReviewRow:
        """The row, locked, if the hold is the latest; a lease that nobody took over lives on."""
        row = self._locked(db, hold.review)
        if row.status == ReviewStatus.DECIDED:
            raise AlreadyDecided("This item has been decided meanwhile.")
        if row.token != hold.token or row.version != hold.version:
            raise ClaimLost("The lease on this item has ended: open it again to go on.")
        return row

    @staticmethod
    def _locked(db: Session, review: UUID) -> ReviewRow:
        query = select(ReviewRow).where(ReviewRow.id == review).with_for_update()
        row = db.scalars(query.execution_options(populate_existing=True)).one_or_none()
        if row is None:
            raise NotFound(f"There is no item {review} in the review queue.")
        return row

    def _lapsed(self, db: Session, row: ReviewRow) -> bool:
        return row.lease_until is None or row.lease_until <= self._now(db)

    @staticmethod
    def _name(db: Session, person: UUID | None) -> str:
        found = db.get(PersonRow, person) if person else None
        return found.name if found else "Somebody else"
