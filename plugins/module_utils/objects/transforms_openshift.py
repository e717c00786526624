# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Transforms of kinds that only OpenShift has, and of images in its internal registry.

Source: the item actions of openshift-velero-plugin. Images themselves do not travel here, so a reference to one in the
internal registry is told: it works once the image has been pushed there.
"""

from __future__ import annotations

import re
from typing import Any, Final

from .context import Note, Result, TransformContext
from .manifest import Manifest, containers, map_items, pod_spec_path, put, read, without
from .transforms_workloads import SUFFIX

INTERNAL_REGISTRIES: Final = (
    "image-registry.openshift-image-registry.svc:5000",
    "image-registry.openshift-image-registry.svc.cluster.local:5000",
    "docker-registry.default.svc:5000",
    "docker-registry.default.svc.cluster.local:5000",
)
"""What OpenShift 4 and 3.11 call the registry of the cluster itself."""
_GENERATED_SECRET: Final = re.compile(rf"(?:builder|default|deployer)-dockercfg-{SUFFIX}")
_BUILD_SECRETS: Final = (
    ("spec", "output", "pushSecret"),
    ("spec", "strategy", "sourceStrategy", "pullSecret"),
    ("spec", "strategy", "dockerStrategy", "pullSecret"),
    ("spec", "strategy", "customStrategy", "pullSecret"),
)
_BUILD_IMAGES: Final = (
    ("spec", "output", "to"),
    ("spec", "strategy", "sourceStrategy", "from"),
    ("spec", "strategy", "dockerStrategy", "from"),
    ("spec", "strategy", "customStrategy", "from"),
)


def internal_images(obj: Manifest, context: TransformContext) -> Result:
    """Images of the internal registry lie in the project's new namespace, once they have been pushed there."""
    path = pod_spec_path(obj)
    if path is None:
        return obj, ()
    notes: list[Note] = []
    for where, container in containers(obj, path):
        image = container.get("image")
        if not isinstance(image, str):
            continue
        target = _image(image, context)
        if target is None:
            continue
        place = f"{'.'.join(path)}.containers"
        if target != image:
            obj = put(obj, target, *where, "image")
            notes.append(Note("rewritten", place, f"image {image} is {target} there"))
        notes.append(
            Note("left", place, f"image {target} lies in the cluster's own registry and has to be pushed there")
        )
    return obj, tuple(notes)


def _image(image: str, context: TransformContext) -> str | None:
    """What an image of the internal registry is called there; None for any other image."""
    registry, _slash, rest = image.partition("/")
    if registry not in INTERNAL_REGISTRIES:
        return None
    project, slash, name = rest.partition("/")
    return f"{registry}/{context.namespace(project)}{slash}{name}"


def _object_reference(reference: Any, context: TransformContext) -> Any:
    """A reference to an image stream (tag) that says its namespace, or to an image of the internal registry."""
    if not isinstance(reference, dict):
        return reference
    if isinstance(reference.get("namespace"), str):
        reference = put(reference, context.namespace(reference["namespace"]), "namespace")
    if reference.get("kind") == "DockerImage" and isinstance(reference.get("name"), str):
        reference = put(reference, _image(reference["name"], context) or reference["name"], "name")
    return reference


def deployment_config(obj: Manifest, context: TransformContext) -> Result:
    """Image triggers look at the stream in the new namespace, and what they have last seen on the source goes: with
    it nothing would be rolled out."""
    original = obj

    def trigger(held: Manifest) -> Manifest:
        parameters = read(held, "imageChangeParams")
        if not isinstance(parameters, dict):
            return held
        held = without(held, "imageChangeParams", "lastTriggeredImage")
        return put(held, _object_reference(parameters.get("from"), context), "imageChangeParams", "from")

    obj = map_items(obj, trigger, "spec", "triggers")
    if obj is original:
        return obj, ()
    return obj, (Note("left", "spec.triggers", "the image stream must be there before anything is rolled out"),)


def build_config(obj: Manifest, context: TransformContext) -> Result:
    """Images in the new namespace; without generated secrets, and without what the triggers have last seen."""
    original = obj
    for path in _BUILD_SECRETS:
        name = read(obj, *path, "name")
        if isinstance(name, str) and _GENERATED_SECRET.fullmatch(name):
            obj = without(obj, *path)
    for path in _BUILD_IMAGES:
        held = read(obj, *path)
        if isinstance(held, dict):
            obj = put(obj, _object_reference(held, context), *path)

    def trigger(held: Manifest) -> Manifest:
        if not isinstance(read(held, "imageChange"), dict):
            return held
        held = without(held, "imageChange", "lastTriggeredImageID")
        if "from" in held["imageChange"]:
            held = put(held, _object_reference(held["imageChange"]["from"], context), "imageChange", "from")
        return held

    obj = map_items(obj, trigger, "spec", "triggers")
    notes = [] if obj is original else [Note("rewritten", "spec", "images and triggers are those of the new namespace")]
    if read(obj, "spec", "triggers"):
        notes.append(Note("kept", "spec.triggers", "a build may start as soon as it is there"))
    return obj, tuple(notes)


def autoscaled(obj: Manifest, _context: TransformContext) -> Result:
    """DeploymentConfigs were of group v1 until OpenShift 3.9, and autoscalers still say so."""
    target = read(obj, "spec", "scaleTargetRef")
    if not isinstance(target, dict) or target.get("kind") != "DeploymentConfig" or target.get("apiVersion") != "v1":
        return obj, ()
    changed = put(obj, "apps.openshift.io/v1", "spec", "scaleTargetRef", "apiVersion")
    return changed, (Note("rewritten", "spec.scaleTargetRef", "DeploymentConfig is of apps.openshift.io/v1"),)
