"""Taking the product's guards away, one by one: a suite that cannot fail proves nothing."""

import contextlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any


def take_away(names: Sequence[str]) -> None:
    """Switch these guards off in this process; the names are scenario.Guard's values."""
    for name in names:
        _SWITCHES[name]()


def _configured(**changed: Any) -> None:
    from tasks import app

    original = app.configuration

    def configuration(settings: Any) -> dict[str, Any]:
        return {**original(settings), **changed}

    app.configuration = configuration


def _early_ack() -> None:
    _configured(
        task_acks_late=False,
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
    )


def _early_intake() -> None:
    from workers.intake import IntakeConsumer

    original = IntakeConsumer._take

    def take(self: IntakeConsumer, connection: Any, message: Any) -> None:
        message.channel.basic_ack(message.delivery_tag)
        settled = SimpleNamespace(basic_ack=_nothing, basic_reject=_nothing)
        told = SimpleNamespace(
            body=message.body, properties=message.properties, delivery_tag=0, channel=settled
        )
        original(self, connection, told)

    IntakeConsumer._take = take  # type: ignore[method-assign]


def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing with a message that was acknowledged before."""


def _no_confirms() -> None:
    import amqp

    original = amqp.Connection.__init__

    def opened(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{**options, "confirm_publish": False})

    amqp.Connection.__init__ = opened


def _no_fence() -> None:
    from packshot.store.ledger import Ledger
    from packshot.store.statements import CLOSE_STEP_UNFENCED
    from packshot.store.tables import StepRow

    def held(self: Ledger, db: Any, ticket: Any) -> Any:
        return self._lock(db, ticket.id), db.get_one(StepRow, (ticket.id, ticket.step))

    Ledger._held = held  # type: ignore[method-assign]
    Ledger._closes = CLOSE_STEP_UNFENCED


def _no_verdict() -> None:
    from packshot.store.ledger import Ledger, Verdict

    def verdict(self: Ledger, *_: Any) -> Verdict:
        return Verdict.RUN

    Ledger._verdict = verdict  # type: ignore[method-assign,assignment]


def _no_outbox() -> None:
    from tasks.relay import Relay

    original = Relay._publish

    def publish(self: Relay, kind: str, event: dict[str, Any]) -> None:
        try:
            original(self, kind, event)
        except Exception:  # noqa: BLE001 - this is the carelessness that the guard prevents
            self._disconnect()

    Relay._publish = publish  # type: ignore[method-assign]


def _never_alone() -> None:
    from packshot.store.ledger import Ledger

    original = Ledger.begin

    def begin(self: Ledger, *args: Any, **options: Any) -> Any:
        return original(self, *args, **{**options, "alone": True})

    Ledger.begin = begin  # type: ignore[method-assign]


def _no_reconciler() -> None:
    from packshot.store.ledger import Ledger

    def standing_still(self: Ledger, *args: Any, **options: Any) -> list[Any]:
        return []

    Ledger.standing_still = standing_still  # type: ignore[assignment,method-assign]


def _no_patience() -> None:
    from packshot.errors import BrokerUnavailable
    from tasks import workflow

    original = workflow.hand_on

    def hand_on(task: Any, step: Any) -> None:
        with contextlib.suppress(BrokerUnavailable):
            original(task, step)
        task.request.chain = None

    workflow.HOP_PATIENCE = {"max_retries": 3}
    workflow.hand_on = hand_on


def _no_lost_answers() -> None:
    from tasks.backoff import Answer, insist
    from tasks.runner import Runner

    def write(self: Runner, action: Callable[[], Answer]) -> Answer:
        return insist(action, sleep=self.sleep)

    Runner._write = write  # type: ignore[method-assign]


def _no_leases() -> None:
    from packshot.store.ledger import Ledger

    def renew(self: Ledger, *args: Any, **options: Any) -> int:
        return 0

    Ledger.renew = renew  # type: ignore[method-assign]


_SWITCHES: dict[str, Callable[[], None]] = {
    "late ack": _early_ack,
    "late intake ack": _early_intake,
    "confirms": _no_confirms,
    "fence": _no_fence,
    "verdict": _no_verdict,
    "outbox": _no_outbox,
    "alone": _never_alone,
    "reconciler": _no_reconciler,
    "publish retries": _no_patience,
    "leases": _no_leases,
    "lost answers": _no_lost_answers,
}
