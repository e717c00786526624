# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The destination's pod: one rsync daemon behind stunnel for all volumes that go into one namespace."""

from __future__ import annotations

from typing import Any

from .configuration import TUNNEL_PORT, VOLUMES
from .layout import Layout
from .model import TransferOptions
from .pod_parts import pod
from .profiles import RECEIVER_CAPABILITIES, Persona
from .scripts import SERVER_SCRIPTS


def server_pod(
    layout: Layout,
    namespace: str,
    options: TransferOptions,
    persona: Persona,
    *,
    anchor_uid: str,
    config_map: str,
    secret: str,
) -> dict[str, Any]:
    """Mounts every destination claim of the namespace read-write below /volumes."""
    moves = layout.into(namespace)
    manifest = pod(
        layout,
        name=layout.named("server"),
        namespace=namespace,
        role="server",
        anchor_uid=anchor_uid,
        labels={},
        image=options.destination_image,
        options=options,
        persona=persona,
        capabilities=RECEIVER_CAPABILITIES,
        script="server.sh",
        environment={},
        config_map=config_map,
        scripts=tuple(SERVER_SCRIPTS),
        config={"stunnel.conf": "stunnel.conf", "rsyncd.conf": "rsyncd.conf"},
        secret=secret,
        secret_items={name: name for name in ("ca.crt", "tls.crt", "tls.key", "rsyncd.secrets")},
        volumes=[
            {"name": f"volume-{move.key}", "persistentVolumeClaim": {"claimName": move.target_claim}} for move in moves
        ],
        mounts=[{"name": f"volume-{move.key}", "mountPath": f"{VOLUMES}/{move.key}"} for move in moves],
    )
    manifest["spec"]["containers"][0]["ports"] = [{"name": "tunnel", "containerPort": TUNNEL_PORT, "protocol": "TCP"}]
    return manifest
