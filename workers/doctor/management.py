"""RabbitMQ's management API: reads what AMQP does not tell. Often it cannot be reached."""

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

#: Where the plugin listens unless it is told otherwise.
PORTS = {False: 15672, True: 15671}
#: Seconds for one answer.
ANSWER_SECONDS = 2.0
#: Longest answer that is read, bytes.
_LIMIT = 8 * 1024 * 1024


class Management:
    """The API beside the broker of a connection, with the same credentials."""

    def __init__(self, info: Mapping[str, Any], port: int | None = None) -> None:
        """Take kombu's `Connection.info()`; nothing is connected yet."""
        self._host = str(info.get("hostname") or "localhost")
        self._tls = bool(info.get("ssl")) or info.get("transport") == "amqps"
        self._port = port or PORTS[self._tls]
        pair = f"{info.get('userid')}:{info.get('password')}"
        self._token = base64.b64encode(pair.encode()).decode()
        self._vhost = quote(str(info.get("virtual_host") or "/"), safe="")

    def queues(self) -> dict[str, dict[str, Any]] | None:
        """Every queue of the virtual host by its name; None where the API does not answer."""
        rows = self._get(f"/api/queues/{self._vhost}")
        return None if rows is None else {str(row["name"]): row for row in rows}

    def consumers(self) -> list[dict[str, Any]] | None:
        """Every consumer of the virtual host; None where the API does not answer."""
        return self._get(f"/api/consumers/{self._vhost}")

    def bindings(self) -> set[tuple[str, str, str]] | None:
        """Every binding: exchange, queue, routing key; None where the API does not answer."""
        rows = self._get(f"/api/bindings/{self._vhost}")
        if rows is None:
            return None
        return {(row["source"], row["destination"], row["routing_key"]) for row in rows}

    def _get(self, path: str) -> list[dict[str, Any]] | None:
        kind = http.client.HTTPSConnection if self._tls else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", path, headers={"Authorization": f"Basic {self._token}"})
            response = connection.getresponse()
            body = response.read(_LIMIT)
            rows = json.loads(body) if response.status == 200 else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        return rows if isinstance(rows, list) else None
