# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where a secret could show: the arguments of processes, and everything on the clusters that is no Secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster

EVERY = 0.05
"""Seconds between two looks at the processes."""


@contextmanager
def watched_processes() -> Iterator[set[bytes]]:
    """The arguments of every process that is seen while the block runs."""
    seen: set[bytes] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(EVERY):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        continue

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def public_objects(cluster: Cluster, namespaces: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Reference and content of everything in these namespaces but Secrets: resources, records, events, pods."""
    types = [kind for kind in cluster.types() if kind.namespaced and "list" in kind.verbs and kind.kind != "Secret"]
    for kind, namespace, obj in cluster.list_types(types, namespaces):
        yield f"{cluster.name}: {kind.kind} {namespace}/{obj['metadata']['name']}", json.dumps(obj)


def found_in(places: Iterable[tuple[str, str]], texts: dict[str, str]) -> list[str]:
    """Where one of the texts is, and which option it was planted in; never the text itself."""
    return sorted({f"{place} shows {texts[text]}" for place, content in places for text in texts if text in content})
