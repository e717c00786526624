# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of pods, Jobs and workloads: what a scheduler, an admission plugin or a controller filled in goes."""

from __future__ import annotations

import re
from typing import Any, Final

from ..resources.errors import Refused, subject_of
from .context import Note, Result, TransformContext
from .manifest import (
    CONTAINER_LISTS,
    Manifest,
    from_server,
    keep_items,
    map_items,
    name_of,
    namespace_of,
    pod_spec_path,
    pruned,
    put,
    read,
    without,
)
from .transforms_network import namespace_selector

# The letters that the API server uses for generated suffixes: k8s.io/apimachinery, pkg/util/rand.
SUFFIX: Final = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_TOKEN_VOLUME = re.compile(rf"kube-api-access-{SUFFIX}|.+-token-{SUFFIX}")
_PULL_SECRET = re.compile(rf"(?:default|builder|deployer)-dockercfg-{SUFFIX}")

ADMITTED: Final = ("nodeName", "priority", "preemptionPolicy", "ephemeralContainers", "schedulingGroup")
"""Of a pod's spec: written by the scheduler, by priority admission, or later than creation."""

UID_LABELS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")
JOB_LABELS: Final = (*UID_LABELS, "job-name", "batch.kubernetes.io/job-name")


def pod(obj: Manifest, _context: TransformContext) -> Result:
    """A pod without a controller: placed, admitted and given its token anew (Velero's pod action does the same)."""
    if not from_server(obj):
        return obj, ()
    notes = []
    for field in ADMITTED:
        obj = without(obj, "spec", field)
    if read(obj, "spec", "runtimeClassName"):
        obj = without(obj, "spec", "overhead")
    tokens = frozenset(
        volume["name"]
        for volume in read(obj, "spec", "volumes") or ()
        if _TOKEN_VOLUME.fullmatch(volume["name"]) and ("projected" in volume or "secret" in volume)
    )
    if tokens:
        obj = keep_items(obj, lambda volume: volume["name"] not in tokens, "spec", "volumes")
        obj = _each_container(
            obj,
            ("spec",),
            lambda container: keep_items(container, lambda mount: mount["name"] not in tokens, "volumeMounts"),
        )
    if selector := read(obj, "spec", "nodeSelector"):
        chosen = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        notes.append(Note("kept", "spec.nodeSelector", f"a node with {chosen} must exist on the destination"))
    return obj, tuple(notes)


def pull_secrets(obj: Manifest, _context: TransformContext) -> Result:
    """References to pull secrets that OpenShift generated; the destination's admission adds its own."""
    path = pod_spec_path(obj)
    if path is None:
        return obj, ()
    return keep_items(
        obj, lambda secret: not _PULL_SECRET.fullmatch(secret.get("name", "")), *path, "imagePullSecrets"
    ), ()


def job(obj: Manifest, _context: TransformContext) -> Result:
    """A Job whose selector the server generated gets a new one; with ``manualSelector`` it is the user's and stays."""
    notes: tuple[Note, ...] = ()
    if from_server(obj):
        notes = (Note("kept", "", "not finished on the source; starts from its beginning on the destination"),)
    if read(obj, "spec", "manualSelector") or not _generated_selector(obj):
        return obj, notes
    obj = without(obj, "spec", "selector")
    for label in JOB_LABELS:
        obj = pruned(obj, "spec", "template", "metadata", "labels", label)
        obj = pruned(obj, "metadata", "labels", label)
    return obj, notes


def _generated_selector(obj: Manifest) -> bool:
    return any(label in (read(obj, "spec", "selector", "matchLabels") or {}) for label in UID_LABELS)


def claims(obj: Manifest, context: TransformContext) -> Result:
    """Names of claims that the plan renames, in the pod's volumes."""
    path = pod_spec_path(obj)
    if path is None or not context.claim_mapping:
        return obj, ()
    namespace = namespace_of(obj)
    notes: list[Note] = []

    def volume(held: Manifest) -> Manifest:
        claim = read(held, "persistentVolumeClaim", "claimName")
        target = context.claim_mapping.get((namespace, claim), claim) if claim else claim
        if target == claim:
            return held
        notes.append(Note("rewritten", ".".join((*path, "volumes")), f"claim {claim} is called {target} there"))
        return put(held, target, "persistentVolumeClaim", "claimName")

    return map_items(obj, volume, *path, "volumes"), tuple(notes)


def claim_templates(obj: Manifest, context: TransformContext) -> Result:
    """Claim templates of a StatefulSet: renamed when all their claims are renamed alike; classes as the plan maps them.

    Raises Refused when the claims are renamed so that no template name leads to them: the set would make empty ones.
    """
    notes: list[Note] = []
    renamed: dict[str, str] = {}

    def template(held: Manifest) -> Manifest:
        name = name_of(held)
        target = _template_name(obj, name, context)
        if target != name:
            renamed[name] = target
            notes.append(Note("rewritten", "spec.volumeClaimTemplates", f"{name} is called {target} there"))
            held = put(held, target, "metadata", "name")
        held = without(held, "status")
        storage_class = read(held, "spec", "storageClassName")
        if storage_class in context.storage_classes and context.storage_classes[storage_class] != storage_class:
            mapped = context.storage_classes[storage_class]
            notes.append(Note("rewritten", "spec.volumeClaimTemplates", f"class {storage_class} is {mapped} there"))
            held = put(held, mapped, "spec", "storageClassName")
        return held

    obj = map_items(obj, template, "spec", "volumeClaimTemplates")
    if renamed:
        path = ("spec", "template", "spec")
        obj = _each_container(obj, path, lambda container: _renamed_mounts(container, renamed))
    return obj, tuple(notes)


def _template_name(obj: Manifest, template: str, context: TransformContext) -> str:
    namespace, name = namespace_of(obj), name_of(obj)
    pattern = re.compile(rf"{re.escape(template)}-{re.escape(name)}-([0-9]+)")
    targets = set()
    for (claim_namespace, claim), target in context.claim_mapping.items():
        match = pattern.fullmatch(claim) if claim_namespace == namespace else None
        if match is None:
            continue
        suffix = f"-{name}-{match[1]}"
        if not target.endswith(suffix) or target == suffix:
            raise Refused(
                subject=subject_of("StatefulSet", name, namespace),
                attempt=f"claim {claim} cannot be renamed to {target}",
                reason=f"the set looks for claims named <template>{suffix} and would make an empty one",
                mend="Keep the claim's name, or rename only the part before the set's name",
            )
        targets.add(target.removesuffix(suffix))
    if len(targets) > 1:
        raise Refused(
            subject=subject_of("StatefulSet", name, namespace),
            attempt=f"the claims of template {template} cannot be renamed to {', '.join(sorted(targets))}",
            reason="one template makes them all",
            mend="Rename all claims of a template alike",
        )
    return targets.pop() if targets else template


def _renamed_mounts(container: Manifest, renamed: dict[str, str]) -> Manifest:
    def mount(held: Manifest) -> Manifest:
        return put(held, renamed[held["name"]], "name") if held.get("name") in renamed else held

    return map_items(map_items(container, mount, "volumeMounts"), mount, "volumeDevices")


def affinity_namespaces(obj: Manifest, context: TransformContext) -> Result:
    """Pod affinity that names namespaces of the plan, by name or by a selector on the name."""
    path = pod_spec_path(obj)
    if path is None or not read(obj, *path, "affinity"):
        return obj, ()
    original = obj

    def term(held: Manifest) -> Manifest:
        held = map_items(held, context.namespace, "namespaces")
        if held.get("namespaceSelector"):
            held = put(held, namespace_selector(held["namespaceSelector"], context), "namespaceSelector")
        return held

    def weighted(held: Manifest) -> Manifest:
        return put(held, term(held["podAffinityTerm"]), "podAffinityTerm")

    for affinity in ("podAffinity", "podAntiAffinity"):
        here = (*path, "affinity", affinity)
        obj = map_items(obj, term, *here, "requiredDuringSchedulingIgnoredDuringExecution")
        obj = map_items(obj, weighted, *here, "preferredDuringSchedulingIgnoredDuringExecution")
    if obj is original:
        return obj, ()
    return obj, (Note("rewritten", ".".join((*path, "affinity")), "namespaces say the new name"),)


def _each_container(obj: Manifest, path: tuple[str, ...], change: Any) -> Manifest:
    for section in CONTAINER_LISTS:
        obj = map_items(obj, change, *path, section)
    return obj
