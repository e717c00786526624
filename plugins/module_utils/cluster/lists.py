# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lists in pages, one after another or many side by side, with memory bounded by pages rather than by objects.

A page holds a snapshot together by its continuation; when that has expired (410) the server offers another that goes on
from the same place with what is there now, which is what a reader of many thousand objects wants.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from ..resources.errors import NotFound
from .resource_types import ResourceType
from .transport import Call, Transport

PAGE = 500
JSON = "application/json"
METADATA_ONLY = ",".join(
    (*(f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v={version}" for version in ("v1", "v1beta1")), JSON)
)
"""Objects without spec and status; a server that cannot do that sends them whole."""


def pages(
    transport: Transport,
    kind: ResourceType,
    namespace: str | None = None,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    page: int = PAGE,
    restart: bool = True,
    accept: str = JSON,
) -> Iterator[dict[str, Any]]:
    """The list documents of a collection, page by page; ``page=0`` asks for all at once.

    Their items carry apiVersion and kind. With ``restart=False`` an expired continuation raises ``Gone``: a watch must
    start from one snapshot. Otherwise the list goes on with what is there now; an object may then be met twice only
    if it was deleted and made again meanwhile.
    """
    query: dict[str, Any] = {}
    if label_selector:
        query["labelSelector"] = label_selector
    if field_selector:
        query["fieldSelector"] = field_selector
    if page:
        query["limit"] = page
    told: set[str] = set()
    while True:
        call = Call(
            method="GET",
            path=kind.path(namespace),
            subject=f"{kind.kind} list{f' in {namespace}' if namespace else ''}",
            attempt="list",
            query=query,
            accept=accept,
            answers=frozenset({410}),
        )
        answer = transport.send(call)
        document = answer.document
        if answer.status == 410:
            token = ((document or {}).get("metadata") or {}).get("continue")
            if not restart or "continue" not in query:
                raise transport.refused(call, answer)
            query.pop("continue")
            if token:
                query["continue"] = token
            continue
        items = document.get("items") or []
        for item in items:
            item["apiVersion"] = kind.api_version
            item["kind"] = kind.kind
        token = (document.get("metadata") or {}).get("continue")
        if token or told:
            document["items"] = items = [item for item in items if item["metadata"].get("uid") not in told]
            told.update(item["metadata"].get("uid") for item in items)
        yield document
        if not token:
            return
        query["continue"] = token


def list_side_by_side(
    transport: Transport,
    types: Sequence[ResourceType],
    namespaces: Sequence[str],
    *,
    label_selector: str | None = None,
    concurrency: int = 8,
    page: int = PAGE,
    accept: str = JSON,
) -> Generator[tuple[ResourceType, str, dict[str, Any]], None, None]:
    """Every object of these types in these namespaces, in no particular order; at most one page per worker is held.

    No namespaces means all of them. A cluster-scoped type is listed once, with "" as its namespace. A type that has
    vanished since it was discovered has no objects; any other error ends the iteration once the workers have stopped.
    """
    spread = [(kind, namespace) for kind in types for namespace in (namespaces if kind.namespaced else ()) or ("",)]
    reading = functools.partial(pages, transport, label_selector=label_selector, page=page, accept=accept)
    return _SideBySide(spread, reading, workers=max(1, min(concurrency, len(spread)))).objects()


_ENDED = object()


class _SideBySide:
    """Workers that put pages into a bounded queue, and the one reader who empties it."""

    def __init__(
        self,
        spread: Sequence[tuple[ResourceType, str]],
        reading: Callable[[ResourceType, str], Iterator[dict[str, Any]]],
        *,
        workers: int,
    ) -> None:
        self._waiting = iter(spread)
        self._reading = reading
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._found: queue.Queue[tuple[Any, str, Any]] = queue.Queue(maxsize=workers)
        self._workers = [
            threading.Thread(target=self._work, daemon=True, name="openmig-list") for _index in range(workers)
        ]

    def objects(self) -> Generator[tuple[ResourceType, str, dict[str, Any]], None, None]:
        """What the workers find, until all have ended; leaving early stops them."""
        for worker in self._workers:
            worker.start()
        running = len(self._workers)
        try:
            while running:
                kind, namespace, thing = self._found.get()
                if thing is _ENDED:
                    running -= 1
                elif isinstance(thing, BaseException):
                    raise thing
                else:
                    for item in thing:
                        yield kind, namespace or item["metadata"].get("namespace", ""), item
        finally:
            self._stop.set()
            for worker in self._workers:
                worker.join()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                with self._lock:
                    following = next(self._waiting, None)
                if following is None:
                    break
                self._read(*following)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the reader's thread raises it
            self._put(None, "", error)
        finally:
            self._put(None, "", _ENDED)

    def _read(self, kind: ResourceType, namespace: str) -> None:
        try:
            for document in self._reading(kind, namespace):
                if document["items"]:
                    self._put(kind, namespace, document["items"])
                if self._stop.is_set():
                    return
        except NotFound:
            return

    def _put(self, kind: ResourceType | None, namespace: str, thing: Any) -> None:
        while not self._stop.is_set():
            try:
                self._found.put((kind, namespace, thing), timeout=0.2)
            except queue.Full:
                continue
            return
