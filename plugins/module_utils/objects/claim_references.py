# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workloads that are pointed to other claims of their namespace: pure functions from an object and a mapping of claims'
names to what has to be sent.

A pod template's volumes can be changed in place. The claim templates of a StatefulSet cannot: such a set is made anew
under its own name, with templates of other names that lead to the other claims, and in the other class, so that a
replica that is added later gets its claim there too. A Job cannot be changed at all: another one is made.

Source of the rules: MTC pkg/controller/migmigration/storage.go. There every claim template of a set is renamed, also
those whose volumes were skipped (D30); here those alone whose claims are mapped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from ..resources import names
from .manifest import CONTAINER_LISTS, POD_SPECS, Manifest, group_kind, name_of, put, read

ClaimNames = Mapping[str, str]

LONGEST_TEMPLATE: Final = 63
"""A claim template names a volume of the pod, and such a name is a DNS label."""
_LONGEST_JOB: Final = 63
_OF_THE_JOB: Final = frozenset(
    {"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}
)
_KEPT_METADATA: Final = ("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers")


def referenced(obj: Manifest) -> set[str]:
    """The claims that the pod template of a workload names."""
    volumes = read(obj, *POD_SPECS.get(group_kind(obj), ("spec",)), "volumes") or ()
    return {volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume}


def uses(obj: Manifest, claims: Iterable[str]) -> set[str]:
    """Which of the claims a workload uses, by its pod template or by its claim templates."""
    known = set(claims)
    return (referenced(obj) & known) | {claim for claim in known if _template_of(obj, claim) is not None}


def patch_of(obj: Manifest, mapping: ClaimNames) -> dict[str, Any] | None:
    """The merge patch that points a pod template to the other claims; None when it names none of them."""
    if not referenced(obj) & mapping.keys():
        return None
    path = POD_SPECS[group_kind(obj)]
    patch: dict[str, Any] = {"volumes": _volumes(obj, path, mapping)}
    for step in reversed(path):
        patch = {step: patch}
    return patch


def _volumes(obj: Manifest, path: tuple[str, ...], mapping: ClaimNames) -> list[Manifest]:
    def pointed(volume: Manifest) -> Manifest:
        claim = read(volume, "persistentVolumeClaim", "claimName")
        if claim not in mapping:
            return volume
        return {**volume, "persistentVolumeClaim": {**volume["persistentVolumeClaim"], "claimName": mapping[claim]}}

    return [pointed(volume) for volume in read(obj, *path, "volumes") or ()]


# -- StatefulSets --------------------------------------------------------------------------------------------------


def _templates(obj: Manifest) -> list[Manifest]:
    return read(obj, "spec", "volumeClaimTemplates") or [] if obj.get("kind") == "StatefulSet" else []


def _template_of(obj: Manifest, claim: str) -> str | None:
    """The claim template of a set that has made, or would make, that claim."""
    for template in _templates(obj):
        name = str(template["metadata"]["name"])
        if re.fullmatch(rf"{re.escape(name)}-{re.escape(name_of(obj))}-[0-9]+", claim):
            return name
    return None


def renamed_templates(obj: Manifest, mapping: ClaimNames) -> dict[str, str]:
    """Claim template to its new name, for those whose claims are mapped. Only to be trusted where ``unfit`` finds
    nothing."""
    found: dict[str, str] = {}
    for claim, target in mapping.items():
        template = _template_of(obj, claim)
        if template is not None:
            found[template] = target.removesuffix(claim.removeprefix(template))
    return found


def unfit(obj: Manifest, mapping: ClaimNames, claims: Iterable[str]) -> list[str]:
    """Why a StatefulSet cannot be pointed to the other claims; ``claims`` are all of its namespace."""
    problems: list[str] = []
    wanted: dict[str, set[str]] = {}
    for claim in sorted({*mapping, *claims}):
        template = _template_of(obj, claim)
        if template is None:
            continue
        tail = claim.removeprefix(template)
        target = mapping.get(claim)
        if target is None:
            wanted.setdefault(template, set()).add(template)
        elif target.endswith(tail):
            wanted.setdefault(template, set()).add(target.removesuffix(tail))
        else:
            problems.append(f"{claim} would become {target}, which no claim template of the set leads to")
    for template, found in wanted.items():
        if found == {template} or not any(_template_of(obj, claim) == template for claim in mapping):
            continue
        if template in found:
            problems.append(f"only some of the claims of template {template} are converted")
        elif len(found) > 1:
            problems.append(f"the claims of template {template} would get names of different kinds")
        problems += [
            f"{name} is longer than {LONGEST_TEMPLATE} characters, too long for the name of a claim template"
            for name in sorted(found)
            if len(name) > LONGEST_TEMPLATE
        ]
    return problems


def recreated(obj: Manifest, mapping: ClaimNames, classes: Mapping[str, str | None]) -> Manifest:
    """The set as it is to be made anew. ``classes`` are those of the claims that it is pointed to; one that is pointed
    back has the class again that it came with, which an annotation has kept."""
    renamed = renamed_templates(obj, mapping)
    metadata = {key: obj["metadata"][key] for key in _KEPT_METADATA if key in obj["metadata"]}
    annotations = dict(metadata.pop("annotations", None) or {})
    before: dict[str, Any] = json.loads(annotations.pop(names.CLAIM_TEMPLATES_ANNOTATION, "{}"))
    made: Manifest = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
    made["spec"] = deepcopy(obj["spec"])
    kept: dict[str, Any] = {}
    for template in made["spec"].get("volumeClaimTemplates") or ():
        template.pop("status", None)
        old = str(template["metadata"]["name"])
        new = renamed.get(old)
        if new is None:
            if old in before:
                kept[old] = before[old]
            continue
        template["metadata"]["name"] = new
        had = template["spec"].get("storageClassName")
        if (before.get(old) or {}).get("name") == new:
            _set_class(template, before[old].get("storageClassName"))
        else:
            kept[new] = {"name": old, "storageClassName": had}
            _set_class(template, next((classes[to] for to in _targets(obj, mapping, old) if to in classes), had))
    path = POD_SPECS[group_kind(obj)]
    for section in CONTAINER_LISTS:
        for container in read(made, *path, section) or ():
            for mounts in ("volumeMounts", "volumeDevices"):
                for mount in container.get(mounts) or ():
                    mount["name"] = renamed.get(mount["name"], mount["name"])
    if referenced(obj):
        made = put(made, _volumes(made, path, mapping), *path, "volumes")
    annotations.pop(names.STATEFUL_SET_UPDATE_ANNOTATION, None)
    if kept:
        annotations[names.CLAIM_TEMPLATES_ANNOTATION] = json.dumps(kept, sort_keys=True)
        annotations[names.STATEFUL_SET_UPDATE_ANNOTATION] = "true"
    if annotations:
        made["metadata"]["annotations"] = annotations
    return made


def _targets(obj: Manifest, mapping: ClaimNames, template: str) -> list[str]:
    return [target for claim, target in sorted(mapping.items()) if _template_of(obj, claim) == template]


def _set_class(template: Manifest, storage_class: str | None) -> None:
    template["spec"].pop("storageClassName", None)
    if storage_class is not None:
        template["spec"]["storageClassName"] = storage_class


# -- Jobs ----------------------------------------------------------------------------------------------------------


def finished(job: Manifest) -> bool:
    """Whether a Job has ended, well or not."""
    return any(
        entry.get("type") in ("Complete", "Failed") and entry.get("status") == "True"
        for entry in read(job, "status", "conditions") or ()
    )


def other_job(job: Manifest, mapping: ClaimNames, *, suffix: str, labels: Mapping[str, str]) -> Manifest:
    """The Job that does the rest on the other claims. It stays stopped as the one that it is made from is, and says so
    in the same annotation."""
    metadata = job["metadata"]
    tail = f"-mig-{suffix}"
    own = {key: value for key, value in (metadata.get("labels") or {}).items() if key not in _OF_THE_JOB}
    made: dict[str, Any] = {
        "name": f"{metadata['name'][: _LONGEST_JOB - len(tail)].rstrip('-.')}{tail}",
        "namespace": metadata["namespace"],
        "labels": {**own, **labels},
    }
    stopped = (metadata.get("annotations") or {}).get(names.PRE_QUIESCE_REPLICAS_ANNOTATION)
    if stopped is not None:
        made["annotations"] = {names.PRE_QUIESCE_REPLICAS_ANNOTATION: stopped}
    spec = deepcopy(job["spec"])
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
        template = spec["template"].setdefault("metadata", {})
        template["labels"] = {
            key: value for key, value in (template.get("labels") or {}).items() if key not in _OF_THE_JOB
        }
    wanted: Manifest = {"apiVersion": job["apiVersion"], "kind": "Job", "metadata": made, "spec": spec}
    path = POD_SPECS["batch", "Job"]
    return put(wanted, _volumes(wanted, path, mapping), *path, "volumes")
