# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a restore leaves in Velero's layout: its log, its results, and what became of each object. No I/O.

Nobody restores from it: it is what ``velero restore describe`` and ``logs`` read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..resources import timestamps
from .velero_archive import PREFIX

ACTIONS = ("created", "updated", "failed", "skipped")
"""What Velero says of an object."""


@dataclass(frozen=True, kw_only=True)
class RestoreFacts:
    """One restore that has ended well."""

    name: str
    namespace: str
    backup: str
    begun: datetime
    ended: datetime
    items: Mapping[str, Sequence[str]]
    """``apps/v1/Deployment`` to ``namespace/name(created)``."""
    warnings: Sequence[str] = ()


def files(facts: RestoreFacts) -> Iterator[tuple[str, bytes]]:
    """Keys and contents, the results last: what has results has ended."""
    folder = f"{PREFIX}/restores/{facts.name}"
    items = {kind: sorted(names) for kind, names in sorted(facts.items.items())}
    results = {"errors": {}, "warnings": {"velero": list(facts.warnings)} if facts.warnings else {}}
    for ending, content in (
        ("logs.gz", _log(facts)),
        ("resource-list.json.gz", json.dumps(items, separators=(",", ":"), ensure_ascii=False).encode()),
        ("results.gz", json.dumps(results, separators=(",", ":"), ensure_ascii=False).encode()),
    ):
        yield f"{folder}/restore-{facts.name}-{ending}", gzip.compress(content, mtime=0)


def _log(facts: RestoreFacts) -> bytes:
    def line(level: str, at: datetime, text: str) -> str:
        said = json.dumps(text, ensure_ascii=False)
        return f'time="{timestamps.to_text(at)}" level={level} msg={said} restore={facts.namespace}/{facts.name}'

    count = sum(len(names) for names in facts.items.values())
    lines = [line("info", facts.begun, f"Restoring backup {facts.backup}")]
    lines += [line("warning", facts.ended, warning) for warning in facts.warnings]
    lines += [line("info", facts.ended, f"Restored a total of {count} items")]
    return ("\n".join(lines) + "\n").encode()
