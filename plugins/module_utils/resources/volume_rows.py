# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each volume of a run in one row, from whatever tells something of it: the DirectVolumeMigration (what is to be
copied, and which pods did), its progress resources (how far), and the builtin engine's record (the verdict).

A claim of a finished run that no list of successes names has failed, whether or not upstream says so: it leaves the
lists empty when a phase before the copies fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import directvolume, names, summaries

Resource = Mapping[str, Any]
Row = dict[str, Any]
Claim = tuple[str, str]

_PENDING, _UNKNOWN, _SKIPPED = "pending", "unknown", "skipped"
# In this order: a pod that waits too long is in two lists.
_STATES = (
    ("unknownPods", _UNKNOWN),
    ("pendingPods", _PENDING),
    ("pendingSinceTimeLimitPods", _PENDING),
    ("pendingLiveMigration", _PENDING),
    ("runningPods", summaries.RUNNING),
    ("runningLiveMigration", summaries.RUNNING),
    ("failedPods", summaries.FAILED),
    ("failedLiveMigration", summaries.FAILED),
    ("successfulPods", summaries.SUCCEEDED),
    ("successfulLiveMigration", summaries.SUCCEEDED),
)


def volumes_of(
    direct: Iterable[Resource], progress: Iterable[Resource] = (), record: Mapping[str, Any] | None = None
) -> list[Row]:
    """One row for each claim, sorted by namespace and name. ``direct`` and ``progress`` are those of one run."""
    rows: dict[Claim, Row] = {}
    progress = list(progress)
    for each in direct:
        _add_claims(rows, each)
        _add_outcomes(rows, each)
        _add_progress(rows, each, progress)
        _judge(rows, each)
    for verdict in (record or {}).get("volumes") or []:
        _add_verdict(rows, verdict)
    return [rows[claim] for claim in sorted(rows)]


def _row(rows: dict[Claim, Row], claim: Claim) -> Row:
    empty = {
        "namespace": claim[0],
        "claim": claim[1],
        "target_namespace": claim[0],
        "target_name": claim[1],
        "storage_class": None,
        "state": _UNKNOWN,
        "percent": None,
        "rate": None,
        "elapsed": None,
        "attempt": None,
        "pod": None,
        "message": None,
        "proven": None,
    }
    return rows.setdefault(claim, empty)


def _claim(reference: Mapping[str, Any] | None) -> Claim:
    found = reference or {}
    return str(found.get("namespace", "")), str(found.get("name", ""))


def _status(resource: Resource) -> Mapping[str, Any]:
    return resource.get("status") or {}


def _add_claims(rows: dict[Claim, Row], direct: Resource) -> None:
    for item in (direct.get("spec") or {}).get("persistentVolumeClaims") or []:
        row = _row(rows, _claim(item))
        row["target_namespace"] = item.get("targetNamespace") or row["namespace"]
        row["target_name"] = item.get("targetName") or row["claim"]
        row["storage_class"] = item.get("targetStorageClass") or None


def _add_outcomes(rows: dict[Claim, Row], direct: Resource) -> None:
    status = _status(direct)
    for name, state in _STATES:
        for item in status.get(name) or []:
            row = _row(rows, _claim(item.get("pvcRef")))
            row["state"] = state
            row["pod"] = item.get("name") or item.get("vmName") or None
            row["percent"] = summaries.percent(item.get("lastObservedProgressPercent"))
            row["rate"] = item.get("lastObservedTransferRate") or None
            row["elapsed"] = item.get("totalElapsedTime") or None
            row["message"] = item.get("message") or None
    for text in status.get("skippedVolumes") or []:
        namespace, _slash, claim = str(text).partition("/")
        _row(rows, (namespace, claim))["state"] = _SKIPPED
    for operation in status.get("rsyncOperations") or []:
        _row(rows, _claim(operation.get("pvcReference")))["attempt"] = operation.get("currentAttempt")


def _add_progress(rows: dict[Claim, Row], direct: Resource, progress: Sequence[Resource]) -> None:
    uid = (direct.get("metadata") or {}).get("uid")
    by_claim: dict[Claim, Resource] = {}
    for each in progress:
        parent = summaries.owner(each, names.DIRECT_VOLUME_MIGRATION)
        if parent is None or parent[1] == uid:
            spec = each.get("spec") or {}
            selector = (spec.get("podSelector") or {}).get(names.CREATED_FOR_PVC_LABEL)
            if selector:
                by_claim[str(spec.get("podNamespace", "")), str(selector)] = each
    for (namespace, claim), row in rows.items():
        found = by_claim.get((namespace, directvolume.claim_label(claim)))
        if found is None:
            continue
        told = summaries.summary(found)
        row["percent"] = told["progress"]["percent"] if row["percent"] is None else row["percent"]
        row["rate"] = row["rate"] or told["rate"]
        row["elapsed"] = row["elapsed"] or told["elapsed"]
        row["pod"] = row["pod"] or told["pod"]
        row["message"] = row["message"] or _status(found).get("logMessage") or None


def _judge(rows: dict[Claim, Row], direct: Resource) -> None:
    """No claim of an ended run stays open: what has not succeeded has failed."""
    if not summaries.finished(direct):
        return
    for item in (direct.get("spec") or {}).get("persistentVolumeClaims") or []:
        row = rows[_claim(item)]
        if row["state"] not in (summaries.SUCCEEDED, summaries.FAILED, _SKIPPED):
            row["state"] = summaries.FAILED
            row["message"] = row["message"] or "; ".join(_status(direct).get("errors") or []) or None


def _add_verdict(rows: dict[Claim, Row], verdict: Mapping[str, Any]) -> None:
    move = verdict.get("move") or {}
    row = _row(rows, (str(move.get("source_namespace", "")), str(move.get("source_claim", ""))))
    row["target_namespace"] = move.get("target_namespace") or row["target_namespace"]
    row["target_name"] = move.get("target_claim") or row["target_name"]
    row["storage_class"] = move.get("storage_class") or row["storage_class"]
    good = bool(verdict.get("ok"))
    # A stage run copies and compares nothing: that is neither proven nor disproven.
    row["proven"] = None if good and verdict.get("proven") is False else good
    for figure in ("files", "bytes", "files_moved", "bytes_moved"):
        row[figure] = verdict.get(figure)
    row["state"] = summaries.SUCCEEDED if good else summaries.FAILED
    if good:
        row["percent"] = 100
    row["message"] = verdict.get("reason") or row["message"]
