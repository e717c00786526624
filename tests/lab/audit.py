# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Read the API servers' audit logs: the proof of who wrote what, or that nobody did.

Take a `mark` before, do the work, and read the `events` since. An event is a dictionary as in `audit.k8s.io/v1`; it has
`verb`, `user`, `userAgent`, `objectRef`, `requestURI` (with `dryRun=All` where it was asked for) and `responseStatus`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.paths import Paths
from lab.topology import cluster as find

Offset = int
WRITING_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_REVIEWS = frozenset(
    {
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "subjectaccessreviews",
        "localsubjectaccessreviews",
        "tokenreviews",
        "selfsubjectreviews",
    }
)


def log_file(cluster: str) -> Path:
    """Return the audit log of a cluster of the lab."""
    return Paths.from_environment().audit(find(cluster))


def mark(cluster: str) -> Offset:
    """Return the place in the log that `events` can begin at to see only what comes from now on."""
    try:
        return log_file(cluster).stat().st_size
    except FileNotFoundError:
        return 0


def events(cluster: str, since: Offset = 0) -> Iterator[dict[str, Any]]:
    """Yield the finished requests since a mark, oldest first; a line that is only half written is left for later."""
    return read(log_file(cluster), since)


def read(file: Path, since: Offset = 0) -> Iterator[dict[str, Any]]:
    """Yield the events of a log file from a position on, which must be the beginning of a line."""
    with file.open("rb") as stream:
        stream.seek(since)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)


def writes(cluster: str, since: Offset = 0, *, user: str | None = None) -> list[dict[str, Any]]:
    """Return the requests since a mark that changed something, of one user if one is named."""
    return [
        each for each in events(cluster, since) if is_write(each) and (user is None or each["user"]["username"] == user)
    ]


def is_write(event: dict[str, Any]) -> bool:
    """Whether a request changed something: no dry run, no access review, and not refused."""
    if event.get("verb") not in WRITING_VERBS:
        return False
    if event.get("objectRef", {}).get("resource") in _REVIEWS or is_dry_run(event):
        return False
    return bool(event.get("responseStatus", {}).get("code", 0) < 400)


def is_dry_run(event: dict[str, Any]) -> bool:
    """Whether the request asked for a dry run in its address."""
    return "All" in parse_qs(urlsplit(str(event.get("requestURI", ""))).query).get("dryRun", [])
