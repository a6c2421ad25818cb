"""One delivery of one step: begin in the ledger, work, commit, and say what to do with the message.

Knows no Celery: the tests and the embedded run call the same code.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from packshot.contract import Lane, Step
from packshot.errors import (
    ConfigurationError,
    Fenced,
    NotFound,
    OutOfMemory,
    PackshotError,
    SourceUnavailable,
    StepTimeout,
    Transient,
)
from packshot.errors import Outcome as Fate
from packshot.meter import Cost, metered
from packshot.store.ledger import Known, Outcome, Ticket, Verdict
from packshot.telemetry import action, bound
from packshot.tracing import Span, context
from tasks import observe
from tasks.backoff import Sleep, insist
from tasks.gate import Gate
from tasks.running import Running, Slot
from tasks.services import Services
from tasks.stage import Found, Stage, Work

log = logging.getLogger(__name__)

#: Times that a job goes back to its queue because the producer's server does not deliver the
#: photo. Storage, database and broker are ours and are waited for without end; their server is not.
SOURCE_PATIENCE = 8
#: Pauses, in seconds, in which another worker's result for the same input is waited for: some 5 s,
#: longer than an ordinary step takes. Then it is computed here as well.
FOLLOW_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0)
#: Seconds by which a worker's lead on an input outlives the longest step: the time to commit.
FLIGHT_MARGIN = 30.0


class Next(StrEnum):
    """What becomes of the message."""

    HAND_ON = "hand_on"  # publish the next step, then acknowledge
    STOP = "stop"  # acknowledge: the ledger knows why the chain ends here
    DEAD = "dead"  # reject it into the dead letters: a person has to look
    AGAIN = "again"  # put it back, and wait longer each time: something is down
    LATER = "later"  # put it back for a moment: another worker is at it, or was


#: What the ledger's verdict means for the message, where there is no work to do.
_WITHOUT_WORK = {
    Verdict.HAND_ON: Next.HAND_ON,
    Verdict.WAIT: Next.LATER,
    Verdict.DROP: Next.STOP,
    Verdict.POISON: Next.DEAD,
}

#: Called with the job, the step and what becomes of its message.
Watch = Callable[[UUID, Step, Next], None]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs deliveries of all stages. Thread-safe."""

    services: Services
    stages: Mapping[Step, Stage]
    #: Told of every delivery's end, for progress bars.
    watch: Watch | None = None
    #: Whether somebody mends an installation that is wrong while the jobs wait for it.
    mended: bool = True
    #: Waits between two tries of one attempt.
    sleep: Sleep = time.sleep
    gate: Gate = field(default_factory=Gate)
    running: Running = field(default_factory=Running)

    def deliver(
        self,
        job_id: UUID,
        step: Step,
        *,
        worker: str,
        handbacks: int = 0,
        lane: Lane = Lane.BULK,
    ) -> Next:
        """Do what the ledger says about this delivery; `handbacks` counts earlier AGAINs.

        `lane` is the message's, for the metrics: the ledger may not be there to ask.
        """
        fate = self._deliver(job_id, step, worker, handbacks)
        if fate in {Next.AGAIN, Next.LATER}:
            observe.put_back(step, lane, fate)
        if self.watch:
            self.watch(job_id, step, fate)
        return fate

    def _deliver(self, job_id: UUID, step: Step, worker: str, handbacks: int) -> Next:
        with bound(job=str(job_id), step=step):
            with self.gate.shared():
                fate = self._attempt(job_id, step, worker, handbacks, alone=False)
            if fate is not None:
                return fate
            with self.gate.alone():
                return self._attempt(job_id, step, worker, handbacks, alone=True) or Next.AGAIN

    def _attempt(
        self, job_id: UUID, step: Step, worker: str, handbacks: int, *, alone: bool
    ) -> Next | None:
        """Begin and work. None means: not beside others, come again alone."""
        ledger = self.services.ledger
        try:
            ticket = insist(
                lambda: ledger.begin(job_id, step, worker=worker, alone=alone), sleep=self.sleep
            )
        except (Transient, NotFound) as error:
            log.warning(
                "%s of job %s is not begun: %s",
                *(step, job_id, error),
                extra=action("step.not_begun", code=error.code),
            )
            return Next.DEAD if isinstance(error, NotFound) else Next.AGAIN
        with bound(trace=context(job_id, ticket.job.traceparent).trace, lane=ticket.job.lane):
            if ticket.verdict is Verdict.ALONE:
                log.warning(
                    "%s of job %s lost a worker and runs alone",
                    *(step, job_id),
                    extra=action("step.alone"),
                )
                observe.alone(ticket)
                return None
            if ticket.verdict is not Verdict.RUN:
                return self._without_work(ticket)
            with self.running.entered(ticket) as slot, self.services.tracing.step(ticket) as span:
                observe.begun(ticket)
                return self._work(ticket, slot, span, handbacks, alone=alone)

    @staticmethod
    def _without_work(ticket: Ticket) -> Next:
        log.info(
            "%s of job %s: nothing to do (%s)",
            *(ticket.step, ticket.id, ticket.verdict),
            extra=action("step.skipped", verdict=ticket.verdict),
        )
        if ticket.verdict is Verdict.POISON:
            observe.poisoned(ticket)
        elif ticket.verdict is not Verdict.WAIT:  # that one is counted as `later`
            observe.skipped(ticket)
        return _WITHOUT_WORK[ticket.verdict]

    def _work(
        self, ticket: Ticket, slot: Slot, span: Span, handbacks: int, *, alone: bool
    ) -> Next | None:
        """Do a step that has begun. None means: not beside others, come again alone."""
        step, job_id = ticket.step, ticket.id
        try:
            return self._do(ticket, slot, span)
        except OutOfMemory as error:
            span.fail(error.code, str(error))
            if alone:
                return self._failed(ticket, error, slot, handbacks)
            log.warning(
                "%s of job %s needs the device to itself",
                *(step, job_id),
                extra=action("step.alone", code=error.code),
            )
            observe.alone(ticket)
            self._give_back(ticket)
            return None
        except PackshotError as error:
            named = _named(error, slot)
            span.fail(named.code, str(named))
            return self._failed(ticket, named, slot, handbacks)
        except Exception as error:
            # A bug in a stage or a library. It gets a name and a row like every other failure;
            # what must not happen is that it takes the message or the worker with it.
            log.exception("%s of job %s raised", step, job_id, extra=action("step.bug"))
            sentence = f"{type(error).__name__} in step {step}: this is a bug, see the log."
            span.fail(PackshotError.code, sentence)
            return self._failed(ticket, PackshotError(sentence), slot, handbacks)

    def _do(self, ticket: Ticket, slot: Slot, span: Span) -> Next:
        """Commit the step's result: one that is known for this input, or a new one."""
        stage, work = self.stages[ticket.step], Work(ticket, self.services)
        started = time.perf_counter()
        key = stage.input_key(work)
        seconds = self.services.settings.step_seconds + FLIGHT_MARGIN
        # Until it is committed: whoever leads next must find it.
        with self.services.flight.lead(key, seconds) if key else nullcontext(True) as leads:
            known = self._known(ticket.step, key, wait=not leads) if key else None
            if key:
                observe.looked_up(ticket.step, hit=known is not None)
                span.note(reused=known is not None)
            if known:
                took = time.perf_counter() - started
                outcome = Outcome(
                    known.result, known.confidence, known.artifacts, took, key, reused=True
                )
            else:
                with metered() as meter:
                    found = insist(lambda: stage.work(work), sleep=self.sleep)
                took = time.perf_counter() - started
                outcome = self._outcome(found, took, meter.cost(), key)
            return self._commit(ticket, outcome, slot)

    def _known(self, step: Step, key: str, *, wait: bool) -> Known | None:
        """A finished result for this input; `wait` for it where another worker is at it."""
        for pause in FOLLOW_PAUSES if wait else ():
            if known := self.services.ledger.reusable(step, key):
                return known
            self.sleep(pause)
        return self.services.ledger.reusable(step, key)

    @staticmethod
    def _outcome(found: Found, seconds: float, cost: Cost, key: str | None) -> Outcome:
        return Outcome(
            result=found.result.model_dump(mode="json"),
            confidence=found.confidence,
            artifacts=found.artifacts,
            seconds=seconds,
            cost=cost,
            input_key=key,
            settlement=found.settlement,
        )

    def _commit(self, ticket: Ticket, outcome: Outcome, slot: Slot) -> Next:
        ledger = self.services.ledger
        try:
            self._write(lambda: ledger.commit(ticket, outcome))
        except Transient as error:
            log.warning("%s of job %s: %s", ticket.step, ticket.id, error)
            observe.passing(ticket, error)
            return self._give_back(ticket)
        observe.done(ticket, outcome, slot.seconds())
        if outcome.settlement:
            self.services.tracing.settled(ticket, outcome.settlement.status)
        return Next.HAND_ON

    def _give_back(self, ticket: Ticket) -> Next:
        """Release an attempt whose commit got no answer: it may have been written all the same."""
        try:
            self._write(lambda: self.services.ledger.release(ticket))
        except Fenced:
            # It was written, or a newer attempt has the step. The next step's begin knows which,
            # and drops the message in the second case; stopping here could strand the job.
            return Next.HAND_ON
        except Transient as error:
            log.warning("%s of job %s waits: %s", ticket.step, ticket.id, error)
            self.running.owe(ticket)
        return Next.AGAIN

    def _write(self, action: Callable[[], None]) -> None:
        """Write to the ledger, and recognise a write whose answer was lost on the way back."""
        lost = False

        def once() -> None:
            nonlocal lost
            try:
                action()
            except Transient:
                lost = True
                raise
            except Fenced:
                # The fence may be our own: the try before was written, only its answer was lost.
                if not lost:
                    raise

        insist(once, sleep=self.sleep)

    def _failed(self, ticket: Ticket, error: PackshotError, slot: Slot, handbacks: int) -> Next:
        ledger = self.services.ledger
        log.warning(
            "%s of job %s: %s: %s",
            *(ticket.step, ticket.id, error.code, error),
            extra=action("step.failed", code=error.code, outcome=error.outcome),
        )
        patient = self._is_patient(error, handbacks)
        try:
            if error.outcome is Fate.DROP:
                observe.skipped(ticket)
                return Next.STOP
            if error.outcome is Fate.RETRY and patient:
                observe.passing(ticket, error)
                self._write(lambda: ledger.release(ticket, error))
                return Next.AGAIN
            self._write(lambda: ledger.fail(ticket, error))
            status = observe.failed(ticket, error, slot.seconds())
            self.services.tracing.settled(ticket, status)
        except Transient as down:
            # The ledger cannot be told now. The attempt is given back as soon as it can: a database
            # that is down must not make a photo look like one that kills its worker.
            log.warning("%s of job %s waits: %s", ticket.step, ticket.id, down)
            self.running.owe(ticket)
            return Next.AGAIN
        except PackshotError as lost:
            log.info("%s of job %s: %s", ticket.step, ticket.id, lost)
        return Next.STOP

    def _is_patient(self, error: PackshotError, handbacks: int) -> bool:
        if isinstance(error, SourceUnavailable):
            return handbacks < SOURCE_PATIENCE
        return self.mended or not isinstance(error, ConfigurationError)


def _named(error: PackshotError, slot: Slot) -> PackshotError:
    """A run that the watchdog ended fails in the runtime's words: give it its own."""
    if not slot.cancellation.cancelled:
        return error
    return StepTimeout(
        f"The step {slot.ticket.step} was cancelled after {slot.seconds():.0f} s: raise "
        "PACKSHOT_STEP_SECONDS if such photos are expected, then run `packshot retry`."
    )
