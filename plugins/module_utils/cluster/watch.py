# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A watch that outlives connections: list, watch from there, go on where it broke, list again when told so."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator
from typing import Any

from ..resources.errors import Gone, TransientError
from .backoff import Backoff
from .failures import failure_of
from .libraries import require_urllib3
from .lists import pages
from .resource_types import ResourceType
from .transport import Call, Transport

Event = tuple[str, dict[str, Any]]

# One request lasts at most this long: a peer that vanished without a word is noticed, and the fence asked, this often.
_REQUEST_SECONDS = 60.0


class Watch:
    """The version reached and, to tell what a second list changed, what has been told so far."""

    def __init__(
        self,
        transport: Transport,
        kind: ResourceType,
        namespace: str | None,
        *,
        label_selector: str | None,
        field_selector: str | None,
        resource_version: str | None,
        timeout: float,
    ) -> None:
        self._transport = transport
        self._kind = kind
        self._namespace = namespace
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._version = resource_version
        self._end = time.monotonic() + timeout
        self._told: dict[str, tuple[str, dict[str, Any]]] = {}

    def events(self) -> Generator[Event, None, None]:
        """``("ADDED"|"MODIFIED"|"DELETED", object)`` until the time is up.

        Without a start version every existing object comes first, as ADDED. After a second list, changes that happened
        unseen are told as if they had been seen; a DELETED object then carries only its identity.
        """
        backoff = Backoff(self._transport.deadline)
        while not self._over():
            if self._version is None:
                yield from self._list()
            try:
                moved = yield from self._follow()
            except Gone:
                self._version = None
                continue
            except _Broken as broken:
                if broken.moved:
                    backoff = Backoff(self._transport.deadline)
                failure = failure_of(broken.error, proxied=self._transport.login.proxy is not None)
                if not backoff.pause(within=backoff.elapsed + self._end - time.monotonic()):
                    if backoff.remaining < self._end - time.monotonic():
                        raise self._transport.failed(failure) from broken.error
                    return
                continue
            if moved:
                backoff = Backoff(self._transport.deadline)

    def _list(self) -> Iterator[Event]:
        """What exists, or what has changed since it was last told.

        The first time objects are told as their pages arrive. Later the whole list is taken first: an object that was
        deleted and made again under its name is told as DELETED before it is ADDED.
        """
        if not self._told:
            try:
                yield from self._first_list()
            except Gone:
                self._version = None
            else:
                return
        while True:
            present: dict[str, tuple[str, dict[str, Any]]] = {}
            changes: list[Event] = []
            try:
                for document in self._pages():
                    self._version = document["metadata"]["resourceVersion"]
                    for item in document["items"]:
                        uid, version = _identity(item)
                        present[uid] = (version, _stub(item))
                        before = self._told.get(uid)
                        if before is None:
                            changes.append(("ADDED", item))
                        elif before[0] != version:
                            changes.append(("MODIFIED", item))
                break
            except Gone:
                continue
        vanished = [stub for uid, (_version, stub) in self._told.items() if uid not in present]
        self._told = present
        yield from (("DELETED", stub) for stub in vanished)
        yield from changes

    def _first_list(self) -> Iterator[Event]:
        for document in self._pages():
            for item in document["items"]:
                uid, version = _identity(item)
                self._told[uid] = (version, _stub(item))
                yield "ADDED", item
            self._version = document["metadata"]["resourceVersion"]

    def _follow(self) -> Generator[Event, None, bool]:
        """One watch request to its end; returns whether anything arrived. Raises ``Gone`` or ``_Broken``."""
        seconds = min(_REQUEST_SECONDS, max(0.1, self._end - time.monotonic()))
        query: dict[str, Any] = {
            "watch": "true",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": max(1, math.ceil(seconds)),
        }
        if self._label_selector:
            query["labelSelector"] = self._label_selector
        if self._field_selector:
            query["fieldSelector"] = self._field_selector
        call = Call(
            method="GET",
            path=self._kind.path(self._namespace),
            subject=f"{self._kind.kind} watch{f' in {self._namespace}' if self._namespace else ''}",
            attempt="watch",
            query=query,
            deadline=min(self._transport.deadline, max(1.0, self._end - time.monotonic())),
        )
        try:
            response = self._transport.open(call, silence=max(0.1, seconds + (0 if self._near_end(seconds) else 5)))
        except TransientError:
            if call.deadline == self._transport.deadline:
                raise
            self._end = time.monotonic()  # the caller's time is up before the server's absence counts as a failure
            return False
        moved = False
        library = require_urllib3()
        try:
            for line in lines_of(response):
                event = self._note(json.loads(line), call)
                moved = True
                if event is not None:
                    yield event
                if self._over():
                    return moved
        except library.exceptions.HTTPError as error:
            if self._over():
                return moved
            raise _Broken(error, moved) from error
        finally:
            response.close()
        return moved

    def _note(self, event: dict[str, Any], call: Call) -> Event | None:
        """Keeps the version that an event has brought; ``None`` for what callers need not see."""
        kind, item = str(event.get("type")), event.get("object") or {}
        if kind == "ERROR":
            reason = str(item.get("message"))
            if item.get("code") in (410, 504) or item.get("reason") in ("Expired", "Gone"):
                raise Gone(subject=call.subject, attempt=call.attempt, reason=reason, status=410)
            raise require_urllib3().exceptions.ProtocolError(reason)
        self._version = item["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return None
        uid, version = _identity(item)
        if kind == "DELETED":
            self._told.pop(uid, None)
        else:
            self._told[uid] = (version, _stub(item))
        item.setdefault("apiVersion", self._kind.api_version)
        item.setdefault("kind", self._kind.kind)
        return kind, item

    def _over(self) -> bool:
        return time.monotonic() >= self._end

    def _pages(self) -> Iterator[dict[str, Any]]:
        return pages(
            self._transport,
            self._kind,
            self._namespace,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
            restart=False,
        )

    def _near_end(self, seconds: float) -> bool:
        return time.monotonic() + seconds >= self._end - 0.5


class _Broken(Exception):
    """A watch's connection broke; ``moved``: after something had arrived."""

    def __init__(self, error: Exception, moved: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.moved = moved


def lines_of(response: Any) -> Iterator[bytes]:
    """The lines of a streamed answer as they arrive, without their ends; a cut drops an unfinished last one."""
    rest = b""
    for chunk in response.stream(65536, decode_content=True):
        parts = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
        rest = parts.pop()
        yield from (part for part in parts if part)
    if rest:
        yield rest


def _identity(item: dict[str, Any]) -> tuple[str, str]:
    metadata = item["metadata"]
    return metadata.get("uid") or f"{metadata.get('namespace')}/{metadata['name']}", metadata["resourceVersion"]


def _stub(item: dict[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "labels") if key in metadata}
    return {"apiVersion": item.get("apiVersion"), "kind": item.get("kind"), "metadata": kept}
