# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several watches as one stream that can also say "nothing for so long".

A judgement may depend on time that passes without an event: a verdict that has stood long enough, a resource that
nobody touches. So the watches run in threads of their own and their reader waits on a queue.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..cluster.api import Cluster
from ..resources import names

Manifest = dict[str, Any]
SLICE = 20.0
"""Seconds of one watch; then its thread looks whether anybody still listens."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What to watch in one namespace. With ``version`` only what is newer than it arrives."""

    kind: str
    namespace: str
    name: str | None = None
    label_selector: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class News:
    """One event. Of a deleted object only the identity is certain."""

    event: str
    resource: Manifest


class Feed:
    """Use it as a context; leaving it lets the threads end with their current slice."""

    def __init__(self, cluster: Cluster, sources: Sequence[Source]) -> None:
        self._cluster = cluster
        self._found: queue.Queue[News | BaseException] = queue.Queue()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(source,), daemon=True, name=f"openmig-watch-{source.kind}")
            for source in sources
        ]

    def __enter__(self) -> Feed:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()

    def next(self, timeout: float) -> News | None:
        """The next event, or None when none came in ``timeout`` seconds. Raises what a watch raised."""
        try:
            found = self._found.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if isinstance(found, BaseException):
            raise found
        return found

    def _run(self, source: Source) -> None:
        version = source.version
        try:
            while not self._stop.is_set():
                for event, resource in self._cluster.watch(
                    names.API_VERSION,
                    source.kind,
                    source.namespace,
                    label_selector=source.label_selector,
                    field_selector=f"metadata.name={source.name}" if source.name else None,
                    resource_version=version,
                    timeout=SLICE,
                ):
                    if self._stop.is_set():
                        return
                    version = str(resource["metadata"].get("resourceVersion") or version or "") or None
                    self._found.put(News(event, resource))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the reader's thread raises it
            self._found.put(error)
