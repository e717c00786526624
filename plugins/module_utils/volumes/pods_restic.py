# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pods that run restic, one for each job: open the repository, back one volume up, restore one volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..resources import names
from .configuration import SECRETS, STATE, VOLUME
from .layout import Layout, Role
from .manifests import excludes_key
from .model import TransferOptions, VolumeMove
from .pod_parts import on_node, pod
from .profiles import RECEIVER_CAPABILITIES, SENDER_CAPABILITIES, Persona
from .repository import PASSWORD, Repository, Snapshot
from .script_restic import RESTIC_SCRIPTS

Manifest = dict[str, Any]
RESTORED: Final = "/restore/volume"
"""Where the destination's pod mounts its claim: the path in the snapshot below a folder of its own."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pods of one namespace have in common."""

    layout: Layout
    options: TransferOptions
    repository: Repository
    anchor_uid: str
    config_map: str
    """With the scripts."""
    secret: str
    """With the repository's files."""


def repository_pod(
    site: Site, namespace: str, persona: Persona, *, name: str, role: Role = "client", tidy: bool = False
) -> Manifest:
    """On the source: opens or makes the repository; with ``tidy`` only the newest snapshot of each volume stays in it.
    On the destination: looks whether it can be opened from there."""
    return _pod(
        site,
        persona,
        name=name,
        namespace=namespace,
        role=role,
        script="repository.sh",
        environment={
            "OPENMIG_PASS": "open",
            "OPENMIG_TIDY": "yes" if tidy else "no",
            "OPENMIG_LOOK": "yes" if role == "server" else "no",
        },
    )


def backup_pod(
    site: Site,
    move: VolumeMove,
    persona: Persona,
    *,
    name: str,
    node: str | None,
    run_pass: str,
    final: bool,
    force: bool,
    limit: int,
) -> Manifest:
    """A stage pod: mounts the source's claim read-only, on ``node`` if it is attached there. ``limit`` in KiB/s.
    With ``force`` every file is read, whatever its size and times say."""
    return _pod(
        site,
        persona,
        name=name,
        namespace=move.source_namespace,
        role="client",
        script="backup.sh",
        environment={
            "OPENMIG_PASS": run_pass,
            "OPENMIG_FINAL": "yes" if final else "no",
            "OPENMIG_FORCE": "yes" if force else "no",
            "OPENMIG_EXCLUDING": "yes" if move.excludes else "no",
            "OPENMIG_VOLUME": VOLUME,
            "OPENMIG_HOST": f"{move.source_namespace}/{move.source_claim}",
            "OPENMIG_TAG": f"run={site.layout.identity.uid},pass={run_pass}",
        },
        claim=move.source_claim,
        config={"excludes": excludes_key(move)} if move.excludes else {},
        node=node,
        limit=f"--limit-upload={limit}" if limit else "",
    )


def restore_pod(
    site: Site,
    move: VolumeMove,
    persona: Persona,
    snapshot: Snapshot,
    *,
    name: str,
    run_pass: str,
    limit: int,
) -> Manifest:
    """Makes the destination's claim what the snapshot is, and proves it where the snapshot has a list to do so by."""
    return _pod(
        site,
        persona,
        name=name,
        namespace=move.target_namespace,
        role="server",
        script="restore.sh",
        environment={
            "OPENMIG_PASS": run_pass,
            "OPENMIG_VOLUME": RESTORED,
            "OPENMIG_SNAPSHOT": snapshot.volume,
            "OPENMIG_MANIFEST": snapshot.manifest,
            "OPENMIG_ENTRIES": str(snapshot.entries),
        },
        claim=move.target_claim,
        limit=f"--limit-download={limit}" if limit else "",
    )


def _pod(
    site: Site,
    persona: Persona,
    *,
    name: str,
    namespace: str,
    role: Role,
    script: str,
    environment: dict[str, str],
    claim: str = "",
    config: dict[str, str] | None = None,
    node: str | None = None,
    limit: str = "",
) -> Manifest:
    repository, reads = site.repository, role == "client"
    affinity, tolerations = on_node(node)
    volumes, mounts = [], []
    if claim:
        # Read-only in the mount, not in the claim's reference: see pods_client.
        volumes = [{"name": "volume", "persistentVolumeClaim": {"claimName": claim}}]
        mounts = [{"name": "volume", "mountPath": VOLUME, "readOnly": True}]
        if not reads:
            mounts = [{"name": "volume", "mountPath": RESTORED}]
    manifest = pod(
        site.layout,
        name=name,
        namespace=namespace,
        role=role,
        anchor_uid=site.anchor_uid,
        labels={names.IS_STAGE_POD_LABEL: "True"},
        image=site.options.source_image if reads else site.options.destination_image,
        options=site.options,
        persona=persona,
        capabilities=SENDER_CAPABILITIES if reads else RECEIVER_CAPABILITIES,
        script=script,
        environment={
            **repository.environment,
            "RESTIC_REPOSITORY": repository.address,
            "RESTIC_PASSWORD_FILE": f"{SECRETS}/{PASSWORD}",
            "RESTIC_CACHE_DIR": f"{STATE}/cache",
            "RESTIC_PROGRESS_FPS": "0.5",
            "OPENMIG_VARIABLES": " ".join(repository.variables),
            "OPENMIG_OPTIONS": " ".join(filter(None, (*repository.options, limit))),
            **environment,
        },
        config_map=site.config_map,
        scripts=tuple(RESTIC_SCRIPTS),
        config={"restic.sh": "restic.sh", **(config or {})},
        secret=site.secret,
        secret_items={key: key for key in repository.files},
        volumes=volumes,
        mounts=mounts,
        affinity=affinity,
        tolerations=tolerations,
    )
    container = manifest["spec"]["containers"][0]
    container["readinessProbe"] = {"exec": {"command": ["test", "-e", f"{STATE}/ready"]}, "periodSeconds": 1}
    return manifest
