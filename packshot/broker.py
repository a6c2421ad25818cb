"""What the broker's client raises, turned into errors of ours at the edge where it appears."""

from collections.abc import Iterator
from contextlib import contextmanager

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ChannelError,
    MessageNacked,
    NotAllowed,
    PreconditionFailed,
    RecoverableChannelError,
)
from kombu.exceptions import OperationalError

from packshot.errors import BrokerUnavailable, ConfigurationError

#: What another try may mend.
PASSING = (MessageNacked, OperationalError, RecoverableChannelError, OSError)


@contextmanager
def named_errors(url: str = "its URL") -> Iterator[None]:
    """Raise `BrokerUnavailable` for what may pass, `ConfigurationError` for what a person mends.

    `url` is what the sentences call the place where the broker's address is set.
    """
    try:
        yield
    except PASSING as error:
        raise _unavailable(error, url) from error
    except (AccessRefused, NotAllowed) as error:
        raise ConfigurationError(
            f"The broker refuses us ({error.reply_text}): check user, password and virtual host "
            f"in {url}."
        ) from error
    except PreconditionFailed as error:
        raise ConfigurationError(
            f"A queue is there with other arguments ({error.reply_text}): set PACKSHOT_QUEUE_LIMIT "
            "back to what it was, or delete the queue when it is empty."
        ) from error
    except ChannelError as error:
        raise ConfigurationError(
            f"The broker has no queue for this ({error.reply_text or error}): start a worker of "
            "role `io` or run `packshot broker setup` once."
        ) from error
    except AMQPError as error:
        raise _unavailable(error, url) from error


def reason(error: BaseException) -> str:
    """A few words; a refusal by the broker brings none of its own."""
    if _refused(error):
        return "it refused the message: a queue is full, or it is short of memory or disk"
    return str(error) or type(error).__name__


def _refused(error: BaseException) -> bool:
    # The client wraps the refusal when it has tried again in vain.
    return isinstance(error, MessageNacked) or isinstance(error.__cause__, MessageNacked)


def _unavailable(error: Exception, url: str) -> BrokerUnavailable:
    if _refused(error):
        return BrokerUnavailable(
            f"The broker does not take messages ({reason(error)}): see its queues."
        )
    return BrokerUnavailable(
        f"The broker does not answer ({reason(error)}): check that it runs, and {url}."
    )
