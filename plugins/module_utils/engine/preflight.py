# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can be read is refused before anything is written: one error per call, with the object, the reason and the mend.

Asked once before a run is created and shown by check mode. What only a pod can show (an image that cannot be pulled,
a network path) fails in the pre-copy, before the application is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cluster.api import Cluster
from ..objects import apply
from ..objects.existing import Finding, State
from ..resources import accepted, names
from ..resources.errors import MtcError, Refused, subject_of
from ..resources.plan_facts import converts_storage
from ..volumes.model import VolumeMove
from . import conversion_checks, image_streams, object_checks, quiesce, volume_checks
from .bound_hooks import BoundHook, obstacles
from .destination_claims import FOREIGN_MEND
from .restic_access import Obstacle
from .source_objects import SourceObjects


@dataclass(frozen=True)
class Acceptance:
    """Something that would block the run and that the user has accepted by name."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the checks say: what blocks the run, and what would if it were not accepted."""

    blocking: list[MtcError]
    accepted: list[Acceptance]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the checks look at."""

    source: Cluster
    destination: Cluster
    subject: str
    plan: Mapping[str, Any]
    plan_uid: str
    namespaces: Mapping[str, str]
    moves: Sequence[VolumeMove]
    read: SourceObjects
    existing_objects: str
    quiesce_pods: bool
    accept_warnings: Sequence[str] = ()
    accepted: Sequence[Acceptance] = ()
    """What was accepted while the situation was read."""
    hooks: Sequence[BoundHook] = ()
    """The plan's hooks, but for a run that has none."""
    repository_obstacle: Obstacle | None = None
    """Why the plan's volumes cannot go through its replication repository, as they are to."""
    image_streams: Sequence[str] = ()
    """Those of the source that would have to move."""
    volumes_only: bool = False
    """A stage run or a state migration: no object was read and none will be created."""
    state: bool = False
    """A state migration."""


UNSUPPORTED_FIELDS = {
    "indirectImageMigration": "images do not travel through a replication repository",
    "liveMigrate": "volumes of running virtual machines are not moved live",
}
"""Fields of a plan that this engine cannot carry out yet, and what it therefore refuses to pass over in silence."""


def _unsupported(situation: Situation) -> list[MtcError]:
    spec = situation.plan["spec"]
    metadata = situation.plan["metadata"]
    subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
    errors: list[MtcError] = [
        Refused(
            subject=subject,
            attempt=f"spec.{field} cannot be carried out by the builtin engine yet",
            reason=reason,
            mend="Leave it out of the plan and do that step by other means",
        )
        for field, reason in UNSUPPORTED_FIELDS.items()
        if spec.get(field)
    ]
    for entry in spec.get("persistentVolumes") or ():
        selection = entry.get("selection") or {}
        action, method = selection.get("action"), selection.get("copyMethod")
        if action == "skip" or (action == "copy" and method in ("filesystem", "block")):
            continue  # a block volume has a finding of its own
        errors.append(
            Refused(
                subject=subject,
                attempt=f"{action} by {method} cannot be carried out by the builtin engine yet",
                reason=f"chosen for {entry['pvc']['namespace']}/{entry['pvc']['name']}",
                mend="Choose action copy with copy_method filesystem, or action skip",
            )
        )
    return errors


def _state(situation: Situation) -> list[MtcError]:
    """What a state migration cannot do."""
    if not situation.state:
        return []
    spec, metadata = situation.plan["spec"], situation.plan["metadata"]
    subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
    errors: list[MtcError] = []
    if spec.get("indirectVolumeMigration"):
        errors.append(
            Refused(
                subject=subject,
                attempt="a state migration copies volumes directly only",
                reason="spec.indirectVolumeMigration is true, which makes it a plan for whole namespaces",
                mend="Say indirect_volume_migration: false in the plan, or leave migrate_state out",
            )
        )
    hooks = [str(hook.get("phase")) for hook in spec.get("hooks") or ()]
    if hooks and situation.quiesce_pods:
        errors.append(
            Refused(
                subject=subject,
                attempt="its hooks would not run",
                reason=f"a state migration has no phase for hooks, and the plan has {', '.join(hooks)}",
                mend="Take the hooks out of the plan and do their work in tasks of your own before and after this one",
            )
        )
    if situation.quiesce_pods and not situation.moves:
        errors.append(
            Refused(
                subject=subject,
                attempt="the application would be stopped for nothing",
                reason="a state migration moves volumes only, and the plan has none that is copied",
                mend="Choose action copy for a volume, or leave migrate_state out to move the objects",
            )
        )
    return errors


def _conversion(situation: Situation) -> list[MtcError]:
    """What keeps a plan from converting storage in place."""
    if not converts_storage(situation.plan):
        return []
    errors = conversion_checks.kind_of_run(situation.plan, state=situation.state)
    errors += conversion_checks.virtual_machines(situation.plan)
    if situation.state and situation.quiesce_pods:
        errors += conversion_checks.workloads(situation.destination, situation.moves)
    return errors


def _retention(situation: Situation) -> list[MtcError]:
    if not situation.quiesce_pods:
        return []
    return volume_checks.deleted_when_stopped(situation.source, list(situation.namespaces))


def _indirect(situation: Situation) -> list[MtcError]:
    """What cannot go through a replication repository."""
    if not situation.plan["spec"].get("indirectVolumeMigration"):
        return []
    metadata = situation.plan["metadata"]
    subject = subject_of(names.MIG_PLAN, metadata["name"], metadata["namespace"])
    found, attempt = situation.repository_obstacle, "its volumes cannot go through its MigStorage"
    return [Refused(subject=subject, attempt=attempt, reason=found.reason, mend=found.mend)] if found else []


def _image_streams(situation: Situation) -> list[MtcError]:
    return image_streams.refusal(situation.image_streams, situation.plan)


def _volume_modes(situation: Situation) -> list[MtcError]:
    return volume_checks.volume_modes(situation.moves)


def _host_paths(situation: Situation) -> list[MtcError]:
    return volume_checks.host_paths(situation.source, situation.moves)


def _storage_classes(situation: Situation) -> list[MtcError]:
    mend = "Choose one of these in persistent_volumes or storage_class_mapping"
    return volume_checks.storage_classes(situation.destination, situation.moves, mend=mend)


def _sizes(situation: Situation) -> list[MtcError]:
    mend = "Give it a larger size in persistent_volumes"
    return volume_checks.sizes(situation.source, situation.moves, mend=mend)


def _claims(situation: Situation) -> list[MtcError]:
    return volume_checks.claims(
        situation.destination,
        situation.moves,
        ours=lambda found: (
            (found["metadata"].get("labels") or {}).get(names.MIGRATED_BY_MIGPLAN_LABEL) == situation.plan_uid
        ),
        foreign_mend=FOREIGN_MEND,
    )


def _objects(situation: Situation) -> list[MtcError]:
    found = apply.preview(situation.destination, situation.read.objects, migplan_uid=situation.plan_uid)
    lacking = sorted({f"{kind} ({api}): {why}" for (api, kind), why in situation.read.lacking.items()})
    return unfit(situation.subject, found, existing_objects=situation.existing_objects, lacking=lacking)


def unfit(
    subject: str, findings: Sequence[Finding], *, existing_objects: str, lacking: Sequence[str] = ()
) -> list[MtcError]:
    """Why these objects cannot be created: others stand in their place, or the destination does not know their kind;
    ``lacking`` says why not."""
    errors: list[MtcError] = []
    foreign = sorted(item.reference for item in findings if item.state is State.FOREIGN)
    if foreign and existing_objects == "fail":
        errors.append(
            Refused(
                subject=subject,
                attempt="the destination holds other objects of the same name",
                reason=", ".join(foreign),
                mend=(
                    "Remove or rename them, map the namespace to another one, "
                    "or choose existing_objects: keep or update"
                ),
            )
        )
    unserved = sorted(item.reference for item in findings if item.state is State.UNSERVED)
    if unserved:
        errors.append(
            Refused(
                subject=subject,
                attempt="the destination does not serve the kinds of these objects",
                reason="; ".join([", ".join(unserved), *lacking]),
                mend="Install what serves them there, or leave them out with included_resources or label_selector",
            )
        )
    return errors


def refuse_unfit(subject: str, findings: Sequence[Finding], *, existing_objects: str) -> None:
    """Raises the first reason, if there is one."""
    for error in unfit(subject, findings, existing_objects=existing_objects):
        raise error


def _cluster_rights(situation: Situation) -> list[MtcError]:
    return object_checks.cluster_rights(situation.destination, situation.read.objects)


def _node_ports(situation: Situation) -> list[MtcError]:
    return object_checks.node_ports(situation.destination, situation.read.objects)


def _held_rollouts(situation: Situation) -> list[MtcError]:
    return object_checks.held_rollouts(situation.read.raw)


def _hooks(situation: Situation) -> list[MtcError]:
    made_by_run = {"source": (), "destination": tuple(situation.namespaces.values())}
    sides = {"source": situation.source, "destination": situation.destination}
    return [
        error
        for hook in situation.hooks
        for error in obstacles(sides[hook.side], hook, made_by_run=made_by_run[hook.side])
    ]


def _bare_writers(situation: Situation) -> list[MtcError]:
    if not situation.quiesce_pods:
        return []
    claims = [(move.source_namespace, move.source_claim) for move in situation.moves]
    return [
        Refused(
            subject=subject_of("Pod", writer.pod, writer.namespace),
            attempt="it cannot be stopped",
            reason=f"{_why_not_stoppable(writer)} and it mounts {', '.join(writer.claims)}",
            mend=(
                f"Stop {writer.owner} in the way that its operator documents, before the cutover"
                if writer.owner
                else "Delete the pod, or make it part of a workload, before the cutover"
            ),
        )
        for writer in quiesce.writers(situation.source, claims)
        if not writer.stoppable
    ]


def _why_not_stoppable(writer: quiesce.Writer) -> str:
    return f"{writer.owner} controls it, a kind that this engine does not stop," if writer.owner else "nothing owns it"


def _in_use(situation: Situation) -> list[MtcError]:
    """The migrated application runs already, whatever the resources say: a copy would overwrite what it writes."""
    claims = [(move.target_namespace, move.target_claim) for move in situation.moves]
    return [
        Refused(
            subject=subject_of("Pod", writer.pod, writer.namespace),
            attempt="it uses a volume of the destination that would be copied over",
            reason=f"it mounts {', '.join(writer.claims)}",
            mend="Roll the migration back that has put it there, or stop it, before anything is copied again",
        )
        for writer in quiesce.writers(situation.destination, claims)
    ]


CHECKS: tuple[tuple[Callable[[Situation], list[MtcError]], str | None], ...] = (
    (_unsupported, None),
    (_state, None),
    (_conversion, None),
    (_indirect, None),
    (_image_streams, None),
    (_volume_modes, None),
    (_host_paths, None),
    (_storage_classes, None),
    (_sizes, accepted.CAPACITY),
    (_claims, None),
    (_in_use, None),
    (_objects, None),
    (_cluster_rights, None),
    (_node_ports, None),
    (_held_rollouts, None),
    (_bare_writers, None),
    (_retention, None),
    (_hooks, None),
)
"""In the order in which their findings are told, and the name by which they can be accepted. A new check is one
function and one row."""


def findings(situation: Situation) -> Found:
    """Everything that would block the run; the checks are made side by side."""
    found = situation.source.map(lambda row: row[0](situation), CHECKS)
    all_of_them = Found(blocking=[], accepted=list(situation.accepted))
    for (_check, name), errors in zip(CHECKS, found, strict=True):
        if name is not None and accepted.accepts(situation.accept_warnings, name):
            all_of_them.accepted.extend(Acceptance(name, error.message) for error in errors)
        else:
            all_of_them.blocking.extend(errors)
    return all_of_them
