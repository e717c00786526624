# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call of ``direct_image_migration`` or ``direct_image_stream_migration``: image streams, registry to registry.

MTC's controller carries such a resource out once and never looks at it again. So one that failed, that asks for
something else, or that is asked for ``again`` is replaced by a new one of the same name; what is in the registry
already is not copied a second time. The builtin engine cannot copy image streams yet and refuses before anything
starts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..resources import directimage, directimagestream, names, spec_fields, wait_condition
from ..resources.conditions import by_type
from ..resources.direct_course import errors_of, standing
from ..resources.engines import BUILTIN
from ..resources.errors import (
    DeadlineExceeded,
    InvalidInput,
    MtcError,
    NotFound,
    PermanentError,
    Problem,
    Refused,
    subject_of,
)
from ..resources.wait_condition import Wanted
from . import call, choice, direct_following
from .call import Call
from .clock import elapsed_clock
from .ensure_resource import Room

Manifest = dict[str, Any]
GONE_WITHIN = 60.0
"""Seconds that a replaced resource may take to go."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """How one of the two kinds is handled."""

    kind: str
    room: Room
    results: Callable[[Manifest], dict[str, Any]]
    """What the module returns besides what both return."""


def _streams(resource: Manifest) -> dict[str, Any]:
    return {"image_streams": directimage.streams(resource)}


IMAGES = Images(kind=names.DIRECT_IMAGE_MIGRATION, room=directimage, results=_streams)
STREAM = Images(kind=names.DIRECT_IMAGE_STREAM_MIGRATION, room=directimagestream, results=lambda _resource: {})


def ensure_images(this: Call) -> dict[str, Any]:
    """The result of ``direct_image_migration``."""
    return ensure(this, IMAGES)


def ensure_stream(this: Call) -> dict[str, Any]:
    """The result of ``direct_image_stream_migration``."""
    return ensure(this, STREAM)


def ensure(this: Call, images: Images) -> dict[str, Any]:
    """The module's result, ``failed`` and ``msg`` included when an image stream was not copied."""
    started = elapsed_clock()
    name = str(this.params["name"])
    problems = [*images.room.validate(this.params), *wait_condition.problems(this.params, images.kind)]
    if problems:
        raise InvalidInput(subject=f"{images.kind} {name}", problems=problems)
    control = this.reach.control(fence=this.guard.fence)
    this = choice.settle(this, control)
    subject = subject_of(images.kind, name, this.namespace)
    absent = this.params["state"] == "absent"
    if this.engine == BUILTIN and not absent:
        raise Refused(
            subject=subject,
            attempt="image streams cannot be copied by the builtin engine yet",
            reason="it does not speak to registries",
            mend="Let MTC do it (engine: controller), or copy the images by other means",
        )
    installed = call.require_resources(control, check=this.check)
    stored = control.get(names.API_VERSION, images.kind, name, this.namespace) if installed else None
    if absent:
        return _remove(this, control, images, stored, subject=subject, started=started)
    wanted = images.room.build_spec({**this.params, "namespace": this.namespace})
    spec = images.room.merge_spec((stored or {}).get("spec"), wanted)
    if missing := images.room.incomplete(spec):
        raise InvalidInput(subject=subject, problems=missing)
    return _carried_out(this, control, images, stored, spec, subject=subject, started=started)


def _carried_out(
    this: Call,
    control: Cluster,
    images: Images,
    stored: Manifest | None,
    spec: Mapping[str, Any],
    *,
    subject: str,
    started: float,
) -> dict[str, Any]:
    diff = spec_fields.differences((stored or {}).get("spec") or {}, spec) or {"before": {}, "after": {}}
    manifest = {
        "apiVersion": names.API_VERSION,
        "kind": images.kind,
        "metadata": {"name": this.params["name"], "namespace": this.namespace},
        "spec": dict(spec),
    }
    found = standing(stored) if stored is not None else None
    if found is not None and found.state == "ended" and stored is not None:
        if not found.failed and not diff["after"] and not this.params["again"]:
            return _result(this, images, stored, changed=False, diff=diff, started=started)
        written = _replaced(this, control, stored, manifest, subject=subject)
    elif stored is not None and diff["after"]:
        if found is not None and found.state == "running":
            raise InvalidInput(subject=subject, problems=[_frozen(field) for field in sorted(diff["after"])])
        written = control.patch(
            names.API_VERSION,
            images.kind,
            this.params["name"],
            this.namespace,
            patch={"spec": dict(spec)},
            dry_run=this.check,
        )
    else:
        written = stored or _created(this, control, manifest)
    wanted = Wanted.of(this.params)
    changed = written is not stored or wanted is None or not wanted.holds(written)
    if not this.check:
        try:
            written = direct_following.follow(this, control, written)
        except MtcError as error:
            seen = error.came_to.get("resource") or written
            error.came_to = _result(this, images, seen, changed=changed, diff=diff, started=started)
            del error.came_to["diff"]
            raise
    return _result(this, images, written, changed=changed, diff=diff, started=started)


def _frozen(field: str) -> Problem:
    fault = "is not what the unfinished copy began with"
    return Problem(path=f"spec.{field}", fault=fault, mend="Let it end, or remove it first")


def _created(this: Call, control: Cluster, manifest: Manifest) -> Manifest:
    """The created resource; in check mode the manifest, judged by the server where it knows kind and namespace."""
    if not this.check:
        return control.create(manifest)
    with contextlib.suppress(NotFound):
        control.create(manifest, dry_run=True)
    return manifest


def _replaced(this: Call, control: Cluster, stored: Manifest, manifest: Manifest, *, subject: str) -> Manifest:
    """A new resource in the place of one that has ended."""
    if this.check:
        return manifest
    metadata = stored["metadata"]
    this.reporter.tell(subject, "the former one has ended and is replaced")
    control.delete(names.API_VERSION, stored["kind"], metadata["name"], metadata["namespace"], uid=metadata["uid"])
    until = elapsed_clock() + GONE_WITHIN
    while control.get(names.API_VERSION, stored["kind"], metadata["name"], metadata["namespace"]) is not None:
        if elapsed_clock() > until:
            raise DeadlineExceeded(
                subject=subject,
                attempt=f"the former one did not go within {GONE_WITHIN:.0f} s",
                mend="Look at its finalizers",
            )
        this.guard.pause(0.2)
    return control.create(manifest)


def _result(
    this: Call, images: Images, resource: Manifest, *, changed: bool, diff: dict[str, Any], started: float
) -> dict[str, Any]:
    status = resource.get("status") or {}
    found = standing(resource)
    result = {
        "changed": changed,
        "resource": resource,
        "conditions": by_type(resource),
        "engine": this.engine,
        "phase": status.get("phase", ""),
        "errors": errors_of(resource),
        "waiting_for": None if found.state == "ended" or this.check else found.fact,
        "duration": round(elapsed_clock() - started, 2),
        "diff": diff,
        **images.results(resource),
    }
    if found.failed:
        metadata = resource["metadata"]
        error = PermanentError(
            subject=subject_of(images.kind, metadata["name"], metadata["namespace"]),
            attempt="not everything was copied",
            reason="; ".join(errors_of(resource)) or found.fact,
            mend="Mend what the errors say and run the task again: it is replaced, and copies what is missing",
        )
        result = {**result, **error.as_result(), "failed": True}
    return result


def _remove(
    this: Call, control: Cluster, images: Images, stored: Manifest | None, *, subject: str, started: float
) -> dict[str, Any]:
    """A copy that runs is not stopped by removing its resource: the controller goes on in its present stream."""
    if stored is not None and not this.check:
        metadata = stored["metadata"]
        control.delete(names.API_VERSION, images.kind, metadata["name"], metadata["namespace"], uid=metadata["uid"])
        this.reporter.tell(subject, "removed")
    return {
        "changed": stored is not None,
        "resource": {},
        "conditions": {},
        "engine": this.engine,
        "duration": round(elapsed_clock() - started, 2),
        "diff": {"before": (stored or {}).get("spec") or {}, "after": {}},
    }
