"""Single flight over Redis. Apart from `flight`: the client takes a tenth of a second to load."""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from packshot.errors import ConfigurationError

log = logging.getLogger(__name__)

#: Seconds to wait for Redis. It answers in well under a millisecond; a step takes some hundred, so
#: a longer wait would cost more than it can save.
ANSWER_SECONDS = 0.5
#: Seconds after a failure in which nobody tries again.
BREAK_SECONDS = 10.0
#: Seconds between two warnings.
WARN_SECONDS = 60.0

#: What our names in Redis begin with: it may be shared.
PREFIX = "packshot:flight:"
#: Deletes a name only if it is still ours: it may have run out and be somebody else's by now.
_RELEASE = """
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end
return 0
"""


class _Turn(Enum):
    LEADS = "leads"
    FOLLOWS = "follows"
    UNKNOWN = "unknown"  # Redis did not say: compute, there is nothing to release


class RedisFlight:
    """A `Flight` over Redis. Where Redis fails, everybody leads until it works again."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the address; nothing is connected yet. Raises `ConfigurationError`."""
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                # Its own three tries would take seconds.
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            raise ConfigurationError(
                "PACKSHOT_REDIS_URL cannot be understood: write redis://host:6379/0."
            ) from error
        self._clock = clock
        self._lock = threading.Lock()
        self._broken = False
        self._retry_at = self._warn_at = float("-inf")

    @contextmanager
    def lead(self, key: str, seconds: float) -> Iterator[bool]:
        """See `Flight.lead`."""
        name, token = PREFIX + key, secrets.token_hex(16)
        turn = self._take(name, token, seconds)
        try:
            yield turn is not _Turn.FOLLOWS
        finally:
            if turn is _Turn.LEADS:
                self._release(name, token)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _take(self, name: str, token: str, seconds: float) -> _Turn:
        if not self._may_try():
            return _Turn.UNKNOWN
        try:
            taken = self._redis.set(name, token, nx=True, px=max(1, round(seconds * 1000)))
        except (redis.RedisError, OSError) as error:
            self._failed(error)
            return _Turn.UNKNOWN
        self._worked()
        return _Turn.LEADS if taken else _Turn.FOLLOWS

    def _release(self, name: str, token: str) -> None:
        if not self._may_try():
            return
        try:
            self._redis.eval(_RELEASE, 1, name, token)
        except (redis.RedisError, OSError) as error:
            self._failed(error)  # the name runs out by itself
        else:
            self._worked()

    def _may_try(self) -> bool:
        """Whether Redis is asked at all; after a break one thread tries for all of them."""
        with self._lock:
            now = self._clock()
            if now < self._retry_at:
                return False
            if self._broken:
                self._retry_at = now + BREAK_SECONDS
            return True

    def _worked(self) -> None:
        with self._lock:
            self._broken, self._retry_at = False, float("-inf")

    def _failed(self, error: Exception) -> None:
        with self._lock:
            now = self._clock()
            self._broken, self._retry_at = True, now + BREAK_SECONDS
            if now < self._warn_at:
                return
            self._warn_at = now + WARN_SECONDS
        # The error names host and port, never the password.
        log.warning("Redis does not answer, equal photos may be computed twice: %s", error)
