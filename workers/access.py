"""Who may do what on the broker: one user per role, each with the least that its work needs.

RabbitMQ asks three questions: may this user *configure* (make, delete) the thing of this name,
*write* (publish to the exchange, bind the queue), *read* (consume the queue, bind to the exchange)?
On a topic exchange it also asks which routing keys. Both matter here: producers and workers publish
to the same exchange, and only the routing key tells a job from a step.

Workers may make and delete what Celery needs for events and remote control, but no queue that holds
work: those are made by `packshot broker setup`, as the operator, and workers run with
PACKSHOT_DECLARE_QUEUES=false.
"""

from dataclasses import dataclass
from typing import Any

from packshot import contract
from packshot.contract import Lane, Step
from workers.roles import ROLES, Role

#: Where Celery puts what is delivered later; the key is the delay in bits, then that of the step.
_DELAY = "celery_delayed_27"
#: What Celery makes for itself: events, remote control.
_REMOTE = r"celeryev.*|.*celery\.pidbox"
_LANES = "|".join(Lane)
_STEPS = "|".join(Step)
_STEP_KEYS = rf"packshot\.({_STEPS})\.({_LANES})"
_NOTHING = "^$"
#: What belongs to the subscriber: queues of its own, under its own name.
_OWN = r"subscriber\..*"


@dataclass(frozen=True, slots=True)
class User:
    """One account: what it may configure, write and read, and which keys it may publish with."""

    name: str
    configure: str = _NOTHING
    write: str = _NOTHING
    read: str = _NOTHING
    #: Routing keys by topic exchange. Where an exchange is not named, any.
    keys: tuple[tuple[str, str], ...] = ()
    #: `monitoring` sees every queue's length in the management API.
    tags: tuple[str, ...] = ()


def users() -> tuple[User, ...]:
    """Every account of an installation."""
    return (
        User(
            "packshot-producer",
            write=_exactly(contract.EXCHANGE),
            keys=((contract.EXCHANGE, f"^({'|'.join(map(_quoted, contract.INTAKE_QUEUES))})$"),),
        ),
        User(
            "packshot-subscriber",
            configure=f"^({_OWN})$",
            write=f"^({_OWN})$",
            read=f"^({_OWN}|{_quoted(contract.EVENTS_EXCHANGE)})$",
        ),
        *(_worker(role) for role in ROLES.values()),
        User(
            "packshot-console",
            write=_exactly(contract.EXCHANGE),
            keys=((contract.EXCHANGE, f"^{_STEP_KEYS}$"),),
        ),
        User(
            "packshot-flower",
            configure=f"^({_REMOTE})$",
            write=f"^({_REMOTE})$",
            read=f"^({_REMOTE})$",
            tags=("monitoring",),
        ),
        User("packshot-exporter", tags=("monitoring",)),
        User(
            "packshot-operator",
            configure=r"^(packshot.*|celery.*)$",
            write=r"^(packshot.*|celery.*)$",
            read=r"^(packshot.*|celery.*)$",
            tags=("monitoring",),
        ),
    )


def _worker(role: Role) -> User:
    steps = "|".join(role.steps)
    own = [rf"packshot\.({steps})\.({_LANES})"]
    if role.intake:
        own += map(_quoted, contract.INTAKE_QUEUES.values())
    exchanges = (contract.EXCHANGE, contract.EVENTS_EXCHANGE, contract.DEAD_EXCHANGE)
    targets = "|".join(map(_quoted, exchanges))
    return User(
        f"packshot-{role.name}",
        configure=f"^({_REMOTE})$",
        write=f"^({targets}|{_DELAY}|{_REMOTE})$",
        read=f"^({'|'.join(own)}|{_REMOTE})$",
        keys=(
            (contract.EXCHANGE, f"^{_STEP_KEYS}$"),
            (_DELAY, rf"^([01]\.)+{_STEP_KEYS}$"),
            (contract.EVENTS_EXCHANGE, r"^job\.[a-z_]+$"),
        ),
    )


def policies() -> tuple[dict[str, Any], ...]:
    """Policies: leaders of our queues are spread over the nodes of a cluster."""
    return (
        {
            "name": "packshot-balanced",
            "pattern": r"^packshot\.",
            "apply-to": "queues",
            "priority": 0,
            "definition": {"queue-leader-locator": "balanced"},
        },
    )


def definitions(vhost: str) -> dict[str, Any]:
    """All of it in the form of RabbitMQ's definitions file, without a password."""
    accounts = users()
    return {
        "vhosts": [{"name": vhost}],
        "users": [{"name": user.name, "tags": list(user.tags)} for user in accounts],
        "permissions": [
            {
                "user": user.name,
                "vhost": vhost,
                "configure": user.configure,
                "write": user.write,
                "read": user.read,
            }
            for user in accounts
        ],
        "topic_permissions": [
            {"user": user.name, "vhost": vhost, "exchange": exchange, "write": keys, "read": ".*"}
            for user in accounts
            for exchange, keys in user.keys
        ],
        "policies": [{"vhost": vhost, **policy} for policy in policies()],
    }


def _quoted(name: str) -> str:
    return name.replace(".", r"\.")


def _exactly(name: str) -> str:
    return f"^{_quoted(name)}$"
