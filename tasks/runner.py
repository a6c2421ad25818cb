"""One delivery of one step: begin in the ledger, work, commit, and say what to do with the message.

Knows no Celery: the tests and the embedded run call the same code.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
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
from tasks.backoff import Answer, Sleep, insist
from tasks.delivery import Delivery, End, Next, Onward, Watch, nowhere
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


#: What the ledger's verdict means for the message, where there is no work to do.
_WITHOUT_WORK = {
    Verdict.HAND_ON: Next.HAND_ON,
    Verdict.WAIT: Next.LATER,
    Verdict.DROP: Next.STOP,
    Verdict.POISON: Next.DEAD,
}


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs deliveries of all stages. Thread-safe."""

    services: Services
    stages: Mapping[Step, Stage]
    #: Told of every delivery's end, for progress bars.
    watch: Watch | None = None
    #: Asked after each step whether the next one is done here as well.
    goes_on: Onward = nowhere
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
    ) -> End:
        """Do what the ledger says about this delivery, and about the steps that are done here too.

        `handbacks` counts earlier AGAINs. `lane` is the message's, for the metrics: the ledger may
        not be there to ask.
        """
        turn = Delivery(job_id, step, step, worker, handbacks)
        while True:
            end = self._deliver(turn)
            if end.fate in {Next.AGAIN, Next.LATER}:
                observe.put_back(end.step, lane, end.fate)
            self._tell(turn.job, end.step, end.fate)
            if end.onward is None or not self.goes_on(end.onward, lane):
                return end
            turn = replace(turn, step=end.onward)

    def _tell(self, job: UUID, step: Step, fate: Next) -> None:
        if self.watch:
            self.watch(job, step, fate)

    def _deliver(self, turn: Delivery) -> End:
        with bound(job=str(turn.job), step=turn.step):
            with self.gate.shared():
                found = self._attempt(turn, alone=False)
            if isinstance(found, Delivery):
                with self.gate.alone():
                    found = self._attempt(found, alone=True)
            return found if isinstance(found, End) else End(Next.AGAIN, found.step)

    def _attempt(self, turn: Delivery, *, alone: bool) -> End | Delivery:
        """Begin and work. Answers a turn that cannot be beside others: come again alone."""
        job_id, step = turn.job, turn.step
        try:
            ticket = insist(lambda: self._begin(turn, alone=alone), sleep=self.sleep)
        except (Transient, NotFound) as error:
            log.warning(
                "%s of job %s is not begun: %s",
                *(step, job_id, error),
                extra=action("step.not_begun", code=error.code),
            )
            return End(Next.DEAD if isinstance(error, NotFound) else Next.AGAIN, step)
        with bound(trace=context(job_id, ticket.job.traceparent).trace, lane=ticket.job.lane):
            if ticket.verdict is Verdict.ALONE:
                log.warning(
                    "%s of job %s lost a worker and runs alone",
                    *(step, job_id),
                    extra=action("step.alone"),
                )
                observe.alone(ticket)
                return turn
            if ticket.verdict is not Verdict.RUN:
                return self._without_work(ticket)
        return self._carry(ticket, turn, alone=alone)

    def _begin(self, turn: Delivery, *, alone: bool) -> Ticket:
        return self.services.ledger.begin(
            turn.job,
            turn.step,
            worker=turn.worker,
            alone=alone,
            carrier=turn.carrier,
            reclaim=not self.running.has(turn.job, turn.step),
        )

    def _carry(self, ticket: Ticket, turn: Delivery, *, alone: bool) -> End | Delivery:
        """Work on a step that has begun, and on those that a commit has begun behind it."""
        trace = context(ticket.id, ticket.job.traceparent).trace
        while True:
            with (
                bound(step=ticket.step, trace=trace, lane=ticket.job.lane),
                self.running.entered(ticket) as slot,
                self.services.tracing.step(ticket) as span,
            ):
                observe.begun(ticket)
                done = self._work(ticket, slot, span, turn.handbacks, alone=alone)
            if done is None:
                return replace(turn, step=ticket.step)
            if not isinstance(done, Ticket):
                onward = ticket.job.after(ticket.step) if done is Next.HAND_ON else None
                return End(done, ticket.step, onward)
            self._tell(ticket.id, ticket.step, Next.HAND_ON)
            ticket = done

    @staticmethod
    def _without_work(ticket: Ticket) -> End:
        log.info(
            "%s of job %s: nothing to do (%s)",
            *(ticket.step, ticket.id, ticket.verdict),
            extra=action("step.skipped", verdict=ticket.verdict),
        )
        if ticket.verdict is Verdict.POISON:
            observe.poisoned(ticket)
        elif ticket.verdict is not Verdict.WAIT:  # that one is counted as `later`
            observe.skipped(ticket)
        return End(_WITHOUT_WORK[ticket.verdict], ticket.step, ticket.onward)

    def _work(
        self, ticket: Ticket, slot: Slot, span: Span, handbacks: int, *, alone: bool
    ) -> Next | Ticket | None:
        """Do a step that has begun. None means: not beside others, come again alone."""
        step, job_id = ticket.step, ticket.id
        try:
            return self._do(ticket, slot, span, alone=alone)
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

    def _do(self, ticket: Ticket, slot: Slot, span: Span, *, alone: bool) -> Next | Ticket:
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
            return self._commit(ticket, outcome, slot, alone=alone)

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

    def _commit(
        self, ticket: Ticket, outcome: Outcome, slot: Slot, *, alone: bool
    ) -> Next | Ticket:
        """Write the result; answers the next step's ticket where it was begun here and now."""
        ledger, onward = self.services.ledger, ticket.job.after(ticket.step)
        write: Callable[[Ticket, Outcome], Ticket | None] = ledger.commit
        # Whoever waits to be alone goes first, and who is alone goes on beside others.
        stays = not alone and not self.gate.somebody_waits
        if onward and stays and self.goes_on(onward, ticket.job.lane):
            write = ledger.advance
        try:
            begun = self._write(lambda: write(ticket, outcome))
        except Transient as error:
            log.warning("%s of job %s: %s", ticket.step, ticket.id, error)
            observe.passing(ticket, error)
            return self._give_back(ticket)
        observe.done(ticket, outcome, slot.seconds())
        if outcome.settlement:
            self.services.tracing.settled(ticket, outcome.settlement.status)
        return begun or Next.HAND_ON

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

    def _write(self, action: Callable[[], Answer]) -> Answer | None:
        """Write to the ledger, and recognise a write whose answer was lost: None."""
        lost = False

        def once() -> Answer | None:
            nonlocal lost
            try:
                return action()
            except Transient:
                lost = True
                raise
            except Fenced:
                # The fence may be our own: the try before was written, only its answer was lost.
                if not lost:
                    raise
                return None

        return insist(once, sleep=self.sleep)

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
