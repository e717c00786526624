# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Creating the objects on the destination: wave by wave, side by side within a wave, every answer compared with what
was sent.

At-least-once: what a killed run has created is recognised by its labels and content, so the same call again reaches the
same end. Somebody else's object is never overwritten unless the user said so, and never labelled as ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources import names
from ..resources.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    Invalid,
    InvalidInput,
    NotFound,
    PermanentError,
    Problem,
    Refused,
    Unauthorized,
)
from . import definitions
from .awaited import await_ready, is_awaited
from .compare import content_differences, content_fields, differences
from .existing import BATCH, Finding, State, judge, preview
from .inventory import OWN_LABELS, reference
from .manifest import Manifest, labels_of, name_of, namespace_of, pruned, put
from .merge import lacking
from .order import rank
from .queue import Held, Queue, unpacked
from .removal import remove_created
from .transforms_metadata import is_platform_service_account

__all__ = ["POLICIES", "ApplyReport", "Finding", "State", "apply_all", "preview", "remove_created"]

POLICIES: Final = ("fail", "keep", "update")
"""What to do with an object of somebody else that has other content."""

TRIES: Final = 5
"""How often an object is looked at again because somebody changed or removed it in between."""
LEAVING_SECONDS: Final = 60.0
"""How long a name is waited for that an object being deleted still holds."""
TOLD: Final = 10
"""How many objects an error names before it counts the others."""
REPORT_SECONDS: Final = 2.0
FIRST: Final = 64
"""Objects of a wave that are created before it is known whether most of them are there already."""


@dataclass(frozen=True, kw_only=True)
class ApplyReport:
    """What apply_all() did, by reference, each sorted. ``differences`` holds ``<reference>: <path> (<what>)``."""

    created: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    """Was there and is what was to be sent: somebody made it before, or an earlier try of this run."""
    adopted: tuple[str, ...] = ()
    """A migration of this plan had made it; brought to what this run sends."""
    merged: tuple[str, ...] = ()
    """The platform's own ServiceAccounts that got what they lacked."""
    updated: tuple[str, ...] = ()
    """Somebody else's, overwritten because the policy says so."""
    foreign: tuple[str, ...] = ()
    """Somebody else's, left as it is because the policy says so."""
    differences: tuple[str, ...] = ()
    """What the server did not take as it was sent."""

    @property
    def changed(self) -> bool:
        return bool(self.created or self.adopted or self.merged or self.updated)


@dataclass(frozen=True, slots=True)
class _Outcome:
    reference: str
    action: str
    differences: tuple[str, ...] = ()
    error: PermanentError | None = None
    platform: bool = False
    """The platform's own ServiceAccount: that it exists says nothing about an earlier run."""


@dataclass
class _Tally:
    """What the workers have done so far; told from whichever thread passes by when it is time."""

    total: int
    report: Callable[[str], None] | None
    outcomes: list[_Outcome] = field(default_factory=list)
    collided: bool = False
    """Whether something was there already that looks like an earlier try."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _told: float = field(default_factory=time.monotonic)

    def add(self, outcome: _Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)
            self.collided |= outcome.action in ("equal", "adopted") and not outcome.platform
            now = time.monotonic()
            if self.report is None or now - self._told < REPORT_SECONDS:
                return
            self._told = now
            done = len(self.outcomes)
            self.report(f"{done} of {self.total} objects are there")

    def named(self, action: str) -> tuple[str, ...]:
        return tuple(sorted(outcome.reference for outcome in self.outcomes if outcome.action == action))


def apply_all(
    destination: Cluster,
    objects: Iterable[Manifest],
    *,
    migplan_uid: str,
    migmigration_uid: str,
    policy: str = "fail",
    concurrency: int = 16,
    report: Callable[[str], None] | None = None,
) -> ApplyReport:
    """Create the transformed objects; their namespaces must exist. Refused, before anything is created, for kinds that
    the destination does not serve.

    Policies for an object of somebody else with other content: ``fail`` (Refused, naming all of its wave, before the
    next wave), ``keep`` it, ``update`` it without labelling it as ours. All objects of a wave are tried before an error
    ends the call: the error itself when it is one, else a PermanentError that names them. TransientError, Unauthorized
    and LeaseLost pass through.
    """
    if policy not in POLICIES:
        fault = Problem(path="policy", fault=f"{policy!r} is unknown", mend=f"Choose one of {', '.join(POLICIES)}")
        raise InvalidInput(subject="Creation of objects", problems=[fault])
    coming: set[definitions.ApiKind] = set()
    waiting = Queue(objects, rank, noted=lambda obj: coming.update(definitions.brought([obj])))
    _refuse_unserved(destination, waiting, coming, concurrency)
    tally = _Tally(len(waiting), report)
    labels = {
        names.MIGRATED_BY_MIGMIGRATION_LABEL: migmigration_uid,
        names.MIGRATED_BY_MIGPLAN_LABEL: migplan_uid,
    }

    awaited: dict[str, Manifest] = {}

    def as_sent(held: Held) -> Manifest:
        obj = unpacked(held)
        if is_awaited(obj):
            awaited[reference(obj)] = obj
        if is_platform_service_account(obj):
            return obj
        return put(obj, {**labels_of(obj), **labels}, "metadata", "labels")

    def work(held: Held) -> None:
        obj = as_sent(held)
        try:
            tally.add(_apply(destination, obj, policy))
        except Unauthorized:
            raise
        except (ApiError, DeadlineExceeded) as error:
            tally.add(_Outcome(reference(obj), "failed", error=error))

    for wave in waiting.waves():
        for chunk in _chunks(wave):
            missing = _not_equal(destination, map(as_sent, chunk), tally, concurrency) if tally.collided else chunk
            destination.map(work, missing, concurrency=concurrency)
        _stop_for(tally.outcomes, policy)
        await_ready(destination, awaited.values(), concurrency=concurrency)
        awaited.clear()
    return ApplyReport(
        created=tally.named("created"),
        equal=tally.named("equal"),
        adopted=tally.named("adopted"),
        merged=tally.named("merged"),
        updated=tally.named("updated"),
        foreign=tally.named("foreign"),
        differences=tuple(sorted(f"{item.reference}: {path}" for item in tally.outcomes for path in item.differences)),
    )


def _refuse_unserved(destination: Cluster, waiting: Queue, coming: set[definitions.ApiKind], concurrency: int) -> None:
    """Before anything is created; what is asked here, creating would have to ask as well."""

    def unserved(kind: tuple[str, str]) -> str | None:
        try:
            destination.resource(*kind)
        except NotFound:
            return f"{kind[1]} ({kind[0]}, {waiting.kinds[kind]} objects)"
        return None

    asked = sorted(waiting.kinds.keys() - coming)
    missing = [text for text in destination.map(unserved, asked, concurrency=concurrency) if text]
    if missing:
        raise Refused(
            subject="Destination",
            attempt=f"{len(missing)} kinds are not served there",
            reason=", ".join(missing),
            mend="Install the definitions or operators that bring them, or exclude these kinds",
        )


def _chunks(wave: list[Held]) -> Iterator[list[Held]]:
    """A few first: they show whether this is a run that goes on where another one ended."""
    yield wave[:FIRST]
    for start in range(FIRST, len(wave), BATCH):
        yield wave[start : start + BATCH]


def _not_equal(destination: Cluster, objects: Iterable[Manifest], tally: _Tally, concurrency: int) -> list[Held]:
    """What still has to be looked at: lists tell of the others, at a few requests for thousands of objects."""
    batch = list(objects)
    missing: list[Held] = []
    for obj, finding in zip(batch, preview(destination, batch, concurrency=concurrency), strict=True):
        if finding.state is State.EQUAL:
            tally.add(_Outcome(finding.reference, "equal"))
        else:
            missing.append(obj)
    return missing


def _stop_for(outcomes: list[_Outcome], policy: str) -> None:
    failed = sorted((item for item in outcomes if item.error), key=lambda item: item.reference)
    if len(failed) == 1 and failed[0].error:
        raise failed[0].error
    if failed:
        told = [str(item.error).rstrip(".") for item in failed[:TOLD]]
        raise PermanentError(
            subject=f"{len(failed)} objects",
            attempt="not created on the destination",
            reason="; ".join(told) + (f"; and {len(failed) - TOLD} more" if len(failed) > TOLD else ""),
            mend="Mend what is named and run the task again: what is there already is recognised",
        )
    foreign = sorted((item for item in outcomes if item.action == "foreign"), key=lambda item: item.reference)
    if foreign and policy == "fail":
        told = [f"{item.reference} ({', '.join(item.differences[:3])})" for item in foreign[:TOLD]]
        raise Refused(
            subject="Destination",
            attempt=f"{len(foreign)} objects of somebody else stand in the way",
            reason="; ".join(told) + (f"; and {len(foreign) - TOLD} more" if len(foreign) > TOLD else ""),
            mend="Remove or rename them, or choose to keep or to update existing objects",
        )


def _apply(destination: Cluster, obj: Manifest, policy: str) -> _Outcome:
    name = reference(obj)
    until = time.monotonic() + LEAVING_SECONDS
    tries = 0
    while tries < TRIES:
        try:
            return _Outcome(name, "created", tuple(differences(obj, destination.create(obj))))
        except (AlreadyExists, Forbidden, Invalid) as error:
            live = destination.get(obj["apiVersion"], obj["kind"], name_of(obj), namespace_of(obj) or None)
            # Of what exists a server may say first that its node port is taken or that it exceeds the quota.
            if live is None and not isinstance(error, AlreadyExists):
                raise
        finding = judge(obj, live)
        if finding.state is State.LEAVING and time.monotonic() < until:
            time.sleep(0.5)
            continue
        tries += 1
        if live is None or finding.state is State.LEAVING:
            continue
        try:
            return _settle(destination, obj, live, finding, policy)
        except (Conflict, NotFound):
            # Changed or removed since it was read: look again.
            continue
    raise DeadlineExceeded(
        subject=name,
        attempt="cannot be created",
        reason="an object of that name is being deleted, or is changed and removed all the time",
        mend="Find out who works on it, then run the task again",
    )


def _settle(destination: Cluster, obj: Manifest, live: Manifest, finding: Finding, policy: str) -> _Outcome:
    if finding.state is State.MERGED:
        missing = lacking(obj, live)
        if not missing:
            return _Outcome(finding.reference, "equal", platform=True)
        answer = _patch(destination, live, missing)
        return _Outcome(finding.reference, "merged", tuple(differences(missing, answer)))
    if finding.state is State.EQUAL:
        return _Outcome(finding.reference, "equal")
    if finding.state is State.FOREIGN and policy != "update":
        return _Outcome(finding.reference, "foreign", finding.differences if policy == "fail" else ())
    if finding.state is State.FOREIGN:
        for label in OWN_LABELS:
            obj = pruned(obj, "metadata", "labels", label)
    answer = _patch(destination, live, _with_removals(obj, live, content_fields(obj)))
    action = "adopted" if finding.state is State.OURS else "updated"
    return _Outcome(finding.reference, action, tuple(content_differences(obj, answer)))


def _patch(destination: Cluster, live: Manifest, patch: Manifest) -> Manifest:
    # With the version that was read: what somebody changes in between is not overwritten unseen.
    patch = put(patch, live["metadata"]["resourceVersion"], "metadata", "resourceVersion")
    return destination.patch(
        live["apiVersion"], live["kind"], name_of(live), namespace_of(live) or None, patch=patch, style="merge"
    )


def _with_removals(sent: Any, live: Any, content: frozenset[str]) -> Any:
    """A merge patch that also takes away what is more than was sent, in the fields that servers do not fill."""
    if not isinstance(sent, dict) or not isinstance(live, dict):
        return sent
    patch = {key: _with_removals(value, live.get(key), content) for key, value in sent.items()}
    for key in content & live.keys():
        if key not in sent:
            patch[key] = None
        elif isinstance(sent[key], dict) and isinstance(live[key], dict):
            patch[key] = {**patch[key], **dict.fromkeys(live[key].keys() - sent[key].keys())}
    return patch
