"""All checks at once, each in a thread of its own, with one deadline: a dead host hangs nobody."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from packshot.errors import ConfigurationError, PackshotError
from packshot.settings import Settings
from workers.doctor.blobs import check_blobs
from workers.doctor.broker import check_broker
from workers.doctor.database import check_database
from workers.doctor.finding import Check, Finding, Subject, error
from workers.doctor.flight import check_redis
from workers.doctor.machine import check_machine
from workers.doctor.weights import check_weights

#: Seconds that all checks together may take. The slowest part of a healthy installation, opening a
#: model on a GPU, takes some five.
DEADLINE_SECONDS = 12.0

#: Every check by the part that it looks at, in the order of the report.
CHECKS: Mapping[str, Check] = {
    "settings": check_machine,
    "broker": check_broker,
    "database": check_database,
    "objects": check_blobs,
    "redis": check_redis,
    "models": check_weights,
}


@dataclass(slots=True)
class _Examined:
    """One check while it runs; what it found before a deadline counts."""

    part: str
    check: Check
    subject: Subject
    findings: list[Finding] = field(default_factory=list)

    def run(self) -> None:
        try:
            for finding in self.check(self.subject):
                self.findings.append(finding)
        except ConfigurationError as problem:
            self.findings.append(error(str(problem), ""))
        except PackshotError as problem:
            self.findings.append(error(str(problem), f"Look at the {self.part}'s own log."))
        except Exception as problem:  # noqa: BLE001 - it is told, and the other checks go on
            sentence = f"The check itself failed: {type(problem).__name__}: {problem}"
            self.findings.append(error(sentence, "This is a bug: please report it."))


def examine(
    subject: Subject,
    checks: Mapping[str, Check] = CHECKS,
    *,
    deadline: float = DEADLINE_SECONDS,
) -> list[Finding]:
    """Run every check; returns what was found after `deadline` seconds at the latest."""
    examined = [_Examined(part, check, subject) for part, check in checks.items()]
    # Daemons: one that hangs in a library must not keep the process alive.
    threads = [threading.Thread(target=one.run, daemon=True) for one in examined]
    end = time.monotonic() + deadline
    for thread in threads:
        thread.start()
    findings = []
    hide = _secrets(subject.settings)
    for one, thread in zip(examined, threads, strict=True):
        thread.join(max(0.0, end - time.monotonic()))
        found = list(one.findings)
        if thread.is_alive():
            found.append(
                error(
                    f"No answer within {deadline:g} s.",
                    "Check the address, the network and the firewall between here and there.",
                )
            )
        findings += [replace(_without(finding, hide), part=one.part) for finding in found]
    return findings


def _secrets(settings: Settings) -> tuple[str, ...]:
    """Every secret of the settings in every spelling that an error of a library may quote."""
    secrets: set[str] = set()
    for url in (settings.broker_url, settings.database_url, settings.redis_url):
        if url:
            whole = url.get_secret_value()
            try:
                password = urlsplit(whole).password
            except ValueError:  # it cannot be read: all of it may be one
                password = None
                secrets.add(whole)
            if password:
                secrets |= {password, unquote(password)}
    for key in (settings.s3_access_key, settings.s3_secret_key):
        if key:
            secrets.add(key.get_secret_value())
    # The usual password of a fresh broker is the name of its user, too, and no secret.
    return tuple(sorted(secrets - {"", "guest"}, key=len, reverse=True))


def _without(finding: Finding, secrets: tuple[str, ...]) -> Finding:
    sentence, advice = finding.sentence, finding.advice
    for secret in secrets:
        sentence, advice = sentence.replace(secret, "***"), advice.replace(secret, "***")
    return replace(finding, sentence=sentence, advice=advice)
