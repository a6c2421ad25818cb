"""Redis, where there is one: its loss costs only speed, so nothing here is worse than a warning."""

import secrets
from collections.abc import Iterator

from workers.doctor.finding import Finding, Subject, ok, warning

#: Seconds for an answer.
ANSWER_SECONDS = 2.0


def check_redis(subject: Subject) -> Iterator[Finding]:
    """Take and give back a lead."""
    url = subject.settings.redis_url
    if url is None:
        yield ok("No Redis is set: photos that come in twice at once may be computed twice.")
        return
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    advice = "Check PACKSHOT_REDIS_URL; meanwhile equal photos may be computed twice."
    try:
        client = redis.Redis.from_url(
            url.get_secret_value(),
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        yield warning("PACKSHOT_REDIS_URL cannot be understood.", "Write redis://host:6379/0.")
        return
    name = f"packshot:doctor:{secrets.token_hex(8)}"
    with client:
        try:
            client.set(name, "1", nx=True, px=10_000)
            client.eval('return redis.call("del", KEYS[1])', 1, name)
            version = client.info("server").get("redis_version", "?")
        except (redis.RedisError, OSError) as problem:
            yield warning(f"Redis does not work for us: {problem}.", advice)
            return
    yield ok(f"Redis {version} takes our writes.")
