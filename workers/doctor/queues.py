"""Queues and exchanges: there, and as this release needs them. Nothing is made or changed."""

import re
from collections.abc import Iterator
from typing import Any

from amqp.exceptions import AccessRefused, ChannelError, NotFound, PreconditionFailed

from packshot.contract import DEAD_QUEUE, REJECTED_QUEUE
from tasks.topology import DEAD, EVENTS, JOBS, every_queue, resting_queues
from workers.doctor.finding import Finding, error, ok, warning

_SETUP = "Run `packshot broker setup`, or start a worker: both make what is missing."
_ARGUMENT = re.compile(r"inequivalent arg '(?P<name>[^']+)'.*?(?P<values>received .*)$", re.DOTALL)


def check_queues(connection: Any, limit: int) -> Iterator[Finding]:
    """Look at every exchange and queue."""
    missing, other, waiting = [], [], []
    missing += [
        f"exchange {exchange.name}"
        for exchange in (JOBS, EVENTS, DEAD)
        if _refused(connection, lambda channel, it=exchange: it(channel).declare(passive=True))
    ]
    queues = every_queue(limit)
    for queue in queues:
        seen: list[Any] = []
        look = lambda channel, it=queue, into=seen: into.append(  # noqa: E731
            it(channel).queue_declare(passive=True)
        )
        if _refused(connection, look):
            missing.append(queue.name)
            continue
        # Declaring what is there changes nothing: it is compared with what we say.
        if told := _refused(connection, lambda channel, it=queue: it(channel).queue_declare()):
            other.append(_mismatch(queue.name, told))
        waiting.append((queue.name, seen[0].message_count, seen[0].consumer_count))
    if missing:
        yield error(f"Missing on the broker: {', '.join(missing)}.", _SETUP)
    yield from other
    if not missing and not other:
        yield ok(f"All {len(queues)} queues are there, with the type and arguments they need.")
    yield from _backlog(waiting)


def _refused(connection: Any, action: Any) -> ChannelError | None:
    """What the broker says against an action; it closes the channel with it."""
    channel = connection.channel()
    try:
        action(channel)
    except (NotFound, PreconditionFailed, AccessRefused) as problem:
        refusal: ChannelError = problem
        return refusal
    else:
        channel.close()
        return None


def _mismatch(name: str, told: ChannelError) -> Finding:
    if isinstance(told, AccessRefused):
        return warning(
            f"Whether {name} has the right arguments cannot be seen ({told.reply_text}).",
            "Grant the user configure on `.*` of its virtual host: workers declare their queues.",
        )
    found = _ARGUMENT.search(told.reply_text or "")
    argument, values = (found["name"], found["values"]) if found else ("?", told.reply_text)
    advice = (
        "Set PACKSHOT_QUEUE_LIMIT to what the queues were made with, everywhere the same."
        if argument == "x-max-length"
        else f"Empty {name}, delete it and run `packshot broker setup`: a queue cannot be changed."
    )
    return error(f"{name} has another {argument}: {values}. Workers cannot start.", advice)


def _backlog(waiting: list[tuple[str, int, int]]) -> Iterator[Finding]:
    resting = {DEAD_QUEUE, REJECTED_QUEUE}
    for name, messages, _consumers in waiting:
        if name in resting and messages:
            yield warning(f"Messages in {name}: {messages}.", "Look: `packshot dead list`.")
    idle = [
        f"{name} ({messages})"
        for name, messages, consumers in waiting
        if name not in {queue.name for queue in resting_queues()} and messages and not consumers
    ]
    if idle:
        yield warning(
            f"Messages wait and no worker serves them: {', '.join(idle)}.",
            "Start workers of the roles that serve these queues.",
        )
