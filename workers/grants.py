"""Bringing users, permissions and policies to a broker over its management API. Idempotent."""

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from packshot.errors import BrokerUnavailable, ConfigurationError

#: Seconds for one answer.
ANSWER_SECONDS = 10.0


class Administrator:
    """The management API with the rights of an administrator."""

    def __init__(self, url: str) -> None:
        """Take http(s)://user:password@host:port; nothing is connected yet."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.username:
            raise ConfigurationError(
                "The management API is named as http://user:password@host:15672."
            )
        self._tls = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port or (15671 if self._tls else 15672)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        self._token = base64.b64encode(pair.encode()).decode()

    def grant(self, wanted: Mapping[str, Any], passwords: Mapping[str, str]) -> list[str]:
        """Make what `wanted` (a definitions file) says; returns the users that now exist.

        A user without a password in `passwords` is left out: nobody needs it there.

        Raises:
            BrokerUnavailable: the management API does not answer.
            ConfigurationError: we are not an administrator, or the broker refuses a definition.
        """
        for vhost in wanted["vhosts"]:
            self._put(f"/api/vhosts/{_name(vhost['name'])}", {})
        made = [user["name"] for user in wanted["users"] if user["name"] in passwords]
        for user in wanted["users"]:
            if user["name"] in passwords:
                body = {"password": passwords[user["name"]], "tags": ",".join(user["tags"])}
                self._put(f"/api/users/{_name(user['name'])}", body)
        for kind, rows in (
            ("permissions", wanted["permissions"]),
            ("topic-permissions", wanted["topic_permissions"]),
        ):
            for row in rows:
                if row["user"] in passwords:
                    path = f"/api/{kind}/{_name(row['vhost'])}/{_name(row['user'])}"
                    self._put(path, {k: v for k, v in row.items() if k not in {"user", "vhost"}})
        for policy in wanted["policies"]:
            path = f"/api/policies/{_name(policy['vhost'])}/{_name(policy['name'])}"
            self._put(path, {k: v for k, v in policy.items() if k not in {"name", "vhost"}})
        return made

    def _put(self, path: str, body: Mapping[str, Any]) -> None:
        connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(
                self._host,
                self._port,
                timeout=ANSWER_SECONDS,
                context=ssl.create_default_context(),
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)
        )
        headers = {"Authorization": f"Basic {self._token}", "Content-Type": "application/json"}
        try:
            connection.request("PUT", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer = response.read(1000).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise BrokerUnavailable(
                f"The management API at {self._host}:{self._port} does not answer ({error})."
            ) from error
        finally:
            connection.close()
        if response.status >= 500:
            raise BrokerUnavailable(f"The management API answered {response.status}: {answer}")
        if response.status >= 300:
            raise ConfigurationError(
                f"The management API refused PUT {path} ({response.status}): {answer}"
            )


def _name(text: str) -> str:
    return quote(text, safe="")
