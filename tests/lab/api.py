# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A small client for the lab's own dealings with an API server."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.certificates import Authority
from lab.command import LabError
from lab.topology import API_PORT, Cluster


@dataclass(frozen=True)
class Api:
    """The API server of one cluster, called as one user."""

    cluster: Cluster
    authority: Authority
    user: str = "lab-admin"

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, timeout: float = 10
    ) -> tuple[int, bytes]:
        """Send one request; returns status and body, raises OSError while nobody answers."""
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        certificate, key = self.authority.signed(self.user)
        context.load_cert_chain(certificate, key)
        connection = http.client.HTTPSConnection(self.cluster.ip, API_PORT, timeout=timeout, context=context)
        try:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers = {"Content-Type": kind, "User-Agent": "lab"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return a parsed object; raises LabError unless the server says 200."""
        status, body = self.request("GET", path)
        if status != 200:
            raise LabError(f"{self.cluster.name}: GET {path}: {status} {body[:300].decode(errors='replace')}")
        return json.loads(body)

    def create(self, path: str, body: Mapping[str, Any]) -> None:
        """Create an object in the collection at `path`; one that exists already is left as it is."""
        status, answer = self.request("POST", path, body)
        if status not in (200, 201, 202, 409):
            raise LabError(f"{self.cluster.name}: POST {path}: {status} {answer[:300].decode(errors='replace')}")

    def merge(self, path: str, change: Mapping[str, Any]) -> None:
        """Merge a change into the object at `path`; raises LabError unless the server says 200."""
        status, answer = self.request("PATCH", path, change)
        if status != 200:
            raise LabError(f"{self.cluster.name}: PATCH {path}: {status} {answer[:300].decode(errors='replace')}")

    def healthy(self) -> bool:
        """Whether the server calls itself ready, right now."""
        try:
            return self.request("GET", "/readyz", timeout=3)[0] == 200
        except (OSError, http.client.HTTPException):
            return False


def wait_until(
    what: str, condition: Callable[[], bool], *, seconds: float, interval: float = 0.1, log: object = None
) -> None:
    """Poll a condition; raises LabError naming `what` (and the log to read) after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            hint = f"; see {log}" if log else ""
            raise LabError(f"{what}: not so after {seconds:.0f}s{hint}")
        time.sleep(interval)
