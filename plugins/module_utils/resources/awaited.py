# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has MTC's controller judged what was written, and what does it say?

A status that lies in the cluster may be older than the spec beside it, and MTC's digest of a spec depends on how its
own language writes JSON, so nobody else can recompute it. What can be seen: ``refresh``, which a client sets and only a
finished pass takes back, and a mark that every pass changes. A pass that failed leaves both and says ReconcileFailed.
Source: MTC pkg/controller of each kind, and pkg/apis/migration/v1alpha1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from . import names
from .condition_names import ConditionType, PlanCondition
from .conditions import blockers, condition, is_ready, is_true
from .wait_condition import Wanted

Manifest = Mapping[str, Any]

WITH_REFRESH = frozenset({names.MIG_CLUSTER, names.MIG_STORAGE, names.MIG_PLAN, names.MIG_ANALYTIC})
"""Kinds whose spec has ``refresh``, reset by the pass that was made because of it."""
WITH_GENERATION = frozenset({names.MIG_HOOK, names.MIG_ANALYTIC})
"""Kinds that store the generation which their own last write led to."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """The marks of a resource as the client's own write left them."""

    version: str = ""
    digest: str = ""
    touch: str = ""

    @classmethod
    def of(cls, resource: Manifest) -> Written:
        metadata, status = resource.get("metadata") or {}, resource.get("status") or {}
        return cls(
            version=str(metadata.get("resourceVersion", "")),
            digest=str(status.get("observedDigest", "")),
            touch=str((metadata.get("annotations") or {}).get(names.TOUCH_ANNOTATION, "")),
        )


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What one look at a resource says. ``why`` is half a sentence for people."""

    state: Literal["ready", "failed", "waiting"]
    why: str = ""


def asked(kind: str, spec: Manifest) -> dict[str, Any]:
    """The spec to write so that the controller looks again, whether or not anything else changes in it."""
    return {**spec, "refresh": True} if kind in WITH_REFRESH else dict(spec)


def untouched(written: Written, resource: Manifest) -> bool:
    """Whether nobody has written the resource since."""
    return Written.of(resource).version == written.version


def reconciled(resource: Manifest, written: Written) -> bool:
    """Whether a pass of the controller has ended that began after the write."""
    kind, status = str(resource.get("kind")), resource.get("status") or {}
    if kind in WITH_REFRESH and (resource.get("spec") or {}).get("refresh"):
        return False
    if kind in WITH_GENERATION:
        # Stored as generation + 1 just before the write that makes it so.
        return bool(status.get("observedGeneration") == (resource.get("metadata") or {}).get("generation"))
    # Refresh may also have been taken back by somebody who replaced the resource; a pass leaves a mark of its own.
    now = Written.of(resource)
    return (now.touch, now.digest) != (written.touch, written.digest) and bool(now.touch or now.digest)


def judge(resource: Manifest, written: Written, wanted: Wanted | None = None) -> Judgement:
    """The state at this look. A verdict counts once it has stood for a moment: Ready may flicker while the controller
    makes several passes in a row.

    With ``wanted`` nothing counts but that condition, on a status that was made after the write: what blocks the
    resource may go away by itself."""
    if wanted is not None:
        return _judge_condition(resource, written, wanted)
    if is_true(resource, ConditionType.RECONCILE_FAILED) and not untouched(written, resource):
        message = str((condition(resource, ConditionType.RECONCILE_FAILED) or {}).get("message", ""))
        return Judgement(state="failed", why=message or "the controller could not reconcile it")
    if not reconciled(resource, written):
        return Judgement(state="waiting", why="the controller has not looked at it yet")
    if (resource.get("spec") or {}).get("closed"):
        if is_true(resource, PlanCondition.CLOSED):
            return Judgement(state="ready")
        return Judgement(state="waiting", why="it is being closed")
    if found := blockers(resource):
        return Judgement(state="failed", why=", ".join(str(item["type"]) for item in found))
    if is_ready(resource):
        return Judgement(state="ready")
    return Judgement(state="waiting", why="it is neither ready nor blocked")


def _judge_condition(resource: Manifest, written: Written, wanted: Wanted) -> Judgement:
    failed = is_true(resource, ConditionType.RECONCILE_FAILED) and not untouched(written, resource)
    if (failed or reconciled(resource, written)) and wanted.holds(resource):
        return Judgement(state="ready")
    return Judgement(state="waiting", why=f"{wanted} does not hold")
