"""What only the management API tells: bindings, policies that drop messages, consumer time-outs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tasks.topology import DEAD, JOBS, every_queue, resting_queues
from workers.doctor.finding import Finding, Subject, ok, warning

#: What the management API says of the queues, by their names.
Queues = Mapping[str, dict[str, Any]]
#: Exchange, queue, routing key.
Bindings = Collection[tuple[str, str, str]]
#: RabbitMQ's own, unless its configuration says otherwise; seconds.
DEFAULT_TIMEOUT = 30 * 60
#: Parts of a policy that make a queue forget messages.
_FORGETS = {"message-ttl", "expires", "delivery-limit", "max-length", "max-length-bytes"}


def check_policies(queues: Queues | None, bindings: Bindings | None) -> Iterator[Finding]:
    """Compare bindings and policies with what Packshot needs."""
    if queues is None or bindings is None:
        yield ok(
            "The management API does not answer, so bindings and policies were not looked at; "
            "workers make the bindings whenever they start."
        )
        return
    unbound = [
        queue.name
        for queue in every_queue(1)
        if queue.name in queues
        and (queue.exchange.name, queue.name, str(queue.routing_key)) not in bindings
    ]
    if unbound:
        yield warning(
            f"Not bound to its exchange: {', '.join(unbound)}. What should go there is lost or "
            f"waits ({DEAD.name} for dead letters, {JOBS.name} for jobs).",
            "Run `packshot broker setup`.",
        )
    else:
        yield ok("Every queue is bound to its exchange, the dead-letter queues included.")
    for queue in resting_queues():
        forgets = _FORGETS & _policy(queues.get(queue.name, {})).keys()
        if forgets:
            yield warning(
                f"A policy makes {queue.name} forget messages: {', '.join(sorted(forgets))}.",
                "Leave this queue out of the policy: it keeps messages for people.",
            )


def check_timeout(queues: Queues | None, subject: Subject) -> Finding:
    """Compare the time-out after which the broker takes a message back with our longest hold."""
    role, step = subject.role, subject.settings.step_seconds
    # A worker reserves as many messages from each queue as it runs steps at once: the last of them
    # waits for one step of every queue.
    held = len(role.queues()) * step
    need = f"a worker of role {role.name} may hold one for {held:g} s"
    ours = [row for name, row in (queues or {}).items() if name.startswith("packshot.")]
    told = [_timeout(row) for row in ours]
    limit = min((DEFAULT_TIMEOUT if one is None else one for one in told), default=DEFAULT_TIMEOUT)
    source = "not told by the broker, by default" if limit == DEFAULT_TIMEOUT else "set to"
    sentence = f"The time-out for unanswered messages is {source} {limit:g} s; {need}."
    if limit > held:
        return ok(sentence)
    return warning(
        sentence + " It would take the message back, and the step would run twice.",
        "Raise consumer_timeout on the broker, lower PACKSHOT_STEP_SECONDS, or let each worker "
        "serve fewer queues.",
    )


def _policy(row: dict[str, Any]) -> dict[str, Any]:
    definition = row.get("effective_policy_definition")
    return definition if isinstance(definition, dict) else {}


def _timeout(row: dict[str, Any]) -> float | None:
    """The consumer time-out of a queue, seconds; None where nobody set one."""
    given = (row.get("arguments") or {}).get("x-consumer-timeout")
    given = given if given is not None else _policy(row).get("consumer-timeout")
    return given / 1000 if isinstance(given, int) else None
