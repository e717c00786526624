# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's pods: one for each volume, which it mounts read-only, placed where the volume is attached."""

from __future__ import annotations

import hashlib
from typing import Any

from ..resources import names
from .configuration import VOLUME
from .layout import Layout
from .manifests import excludes_key, stunnel_key
from .model import TransferOptions, VolumeMove
from .pod_parts import on_node, pod
from .profiles import SENDER_CAPABILITIES, Persona
from .scripts import CLIENT_SCRIPTS


def client_pod(
    layout: Layout,
    move: VolumeMove,
    options: TransferOptions,
    persona: Persona,
    *,
    anchor_uid: str,
    config_map: str,
    secret: str,
    node: str | None,
) -> dict[str, Any]:
    """``node``: where the volume is attached now; the pod must run there, whatever the node's taints say."""
    module = layout.identity.module(move)
    affinity, tolerations = on_node(node)
    claim_hash = hashlib.md5(move.source_claim.encode(), usedforsecurity=False).hexdigest()
    return pod(
        layout,
        name=layout.client(move),
        namespace=move.source_namespace,
        role="client",
        anchor_uid=anchor_uid,
        labels={names.CREATED_FOR_PVC_LABEL: claim_hash, names.RSYNC_ATTEMPT_LABEL: "1"},
        image=options.source_image,
        options=options,
        persona=persona,
        capabilities=SENDER_CAPABILITIES,
        script="client.sh",
        environment={
            "OPENMIG_VOLUME": VOLUME,
            "OPENMIG_MODULE": module,
            "OPENMIG_ATTEMPTS": str(max(options.attempts, 1)),
        },
        config_map=config_map,
        scripts=tuple(CLIENT_SCRIPTS),
        config={
            "stunnel.conf": stunnel_key(move.target_namespace),
            "options": f"options.{persona.profile}",
            "excludes": excludes_key(move),
        },
        secret=secret,
        secret_items={"ca.crt": "ca.crt", "tls.crt": "tls.crt", "tls.key": "tls.key", "password": module},
        # Read-only in the mount, not in the claim's reference: a volume attached read-only as a whole could not be
        # mounted beside the application that still writes to it.
        volumes=[{"name": "volume", "persistentVolumeClaim": {"claimName": move.source_claim}}],
        mounts=[{"name": "volume", "mountPath": VOLUME, "readOnly": True}],
        affinity=affinity,
        tolerations=tolerations,
    )
