# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server's and the client's pod have in common: one container, a shell script as its first process, private
memory for keys, no service account token, no sidecars, a deadline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..resources.sidecars import NO_SIDECARS_ANNOTATIONS, NO_SIDECARS_LABELS
from .configuration import CONFIG, PRIVATE, SCRIPTS, SECRETS, STATE
from .layout import CONTAINER, Layout, Role
from .model import TransferOptions
from .profiles import Persona

REQUESTS: Final = {"cpu": "50m", "memory": "64Mi"}


def pod(
    layout: Layout,
    *,
    name: str,
    namespace: str,
    role: Role,
    anchor_uid: str,
    labels: dict[str, str],
    image: str,
    options: TransferOptions,
    persona: Persona,
    capabilities: Sequence[str],
    script: str,
    environment: dict[str, str],
    config_map: str,
    scripts: Sequence[str],
    config: dict[str, str],
    secret: str,
    secret_items: dict[str, str],
    volumes: Sequence[dict[str, Any]],
    mounts: Sequence[dict[str, Any]],
    affinity: dict[str, Any] | None = None,
    tolerations: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A transfer pod.

    :param config: file in /config to key of the ConfigMap
    :param secret_items: file in /secrets to key of the Secret
    """
    variables = {
        "OPENMIG_SCRIPTS": SCRIPTS,
        "OPENMIG_CONFIG": CONFIG,
        "OPENMIG_SECRETS": SECRETS,
        "OPENMIG_PRIVATE": PRIVATE,
        "OPENMIG_STATE": STATE,
        "OPENMIG_PROFILE": persona.profile,
        "TMPDIR": STATE,
        **environment,
    }
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "activeDeadlineSeconds": layout.identity.deadline_seconds,
        "terminationGracePeriodSeconds": 1,
        "securityContext": persona.pod(),
        "containers": [
            {
                "name": CONTAINER,
                "image": image,
                "imagePullPolicy": options.pull_policy,
                "command": ["/bin/sh", f"{SCRIPTS}/{script}"],
                "env": [{"name": key, "value": value} for key, value in variables.items()],
                "resources": {"requests": dict(REQUESTS)},
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "securityContext": persona.container(capabilities),
                "volumeMounts": [
                    {"name": "scripts", "mountPath": SCRIPTS, "readOnly": True},
                    {"name": "config", "mountPath": CONFIG, "readOnly": True},
                    {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
                    {"name": "private", "mountPath": PRIVATE},
                    {"name": "state", "mountPath": STATE},
                    *mounts,
                ],
            }
        ],
        "volumes": [
            {
                "name": "scripts",
                "configMap": {"name": config_map, "items": [{"key": key, "path": key} for key in scripts]},
            },
            {
                "name": "config",
                "configMap": {
                    "name": config_map,
                    "items": [{"key": key, "path": path} for path, key in config.items()],
                },
            },
            # Readable in the pod by whichever user it runs as; the script makes the private copies on which rsync and
            # stunnel insist.
            {
                "name": "secrets",
                "secret": {
                    "secretName": secret,
                    "defaultMode": 0o444,
                    "items": [{"key": key, "path": path} for path, key in secret_items.items()],
                },
            },
            {"name": "private", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "state", "emptyDir": {}},
            *volumes,
        ],
    }
    if affinity:
        spec["affinity"] = affinity
    if tolerations:
        spec["tolerations"] = list(tolerations)
    metadata = layout.metadata(name, namespace, role, anchor_uid=anchor_uid, labels={**NO_SIDECARS_LABELS, **labels})
    metadata["annotations"] = dict(NO_SIDECARS_ANNOTATIONS)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def on_node(node: str | None) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Affinity and tolerations of a pod that must run on that node, whatever the node's taints say."""
    if not node:
        return None, []
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    return affinity, [{"operator": "Exists"}]


def mounted_names(manifest: dict[str, Any]) -> tuple[str, str]:
    """The ConfigMap and the Secret that a transfer pod mounts: what says whether it is up to date."""
    config_map = secret = ""
    for volume in manifest["spec"].get("volumes") or []:
        if volume["name"] == "config":
            config_map = (volume.get("configMap") or {}).get("name", "")
        elif volume["name"] == "secrets":
            secret = (volume.get("secret") or {}).get("secretName", "")
    return config_map, secret
