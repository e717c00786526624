# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The objects beside the pods: the anchor that owns all others, the ConfigMaps with scripts and configuration.

Pure functions. Nothing in a ConfigMap is secret.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from ..resources import names
from .configuration import VOLUMES, excludes_file, options_file, rsyncd, stunnel_client, stunnel_server
from .layout import Layout, Role, digest
from .model import SettledProfile, VolumeMove
from .script_restic import RESTIC_SCRIPTS
from .scripts import CLIENT_SCRIPTS, SERVER_SCRIPTS


def anchor(layout: Layout, namespace: str, role: Role, now: dt.datetime) -> dict[str, Any]:
    """The first object in a namespace and the last to go. Says for whom the rest is there and until when."""
    identity = layout.identity
    deadline = now + dt.timedelta(seconds=identity.deadline_seconds)
    metadata = layout.metadata(layout.anchor, namespace, "anchor", anchor_uid=None)
    metadata["annotations"] = {names.DEADLINE_ANNOTATION: deadline.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"migration": f"{identity.namespace}/{identity.migration}", "side": role},
    }


def server_files(layout: Layout, namespace: str, profile: SettledProfile, *, ipv6: bool) -> dict[str, str]:
    """Scripts and configuration of a destination namespace's server pod."""
    return {
        **SERVER_SCRIPTS,
        "stunnel.conf": stunnel_server(ipv6=ipv6),
        "rsyncd.conf": rsyncd(modules=layout.module_paths(layout.into(namespace), VOLUMES), profile=profile),
    }


def client_files(layout: Layout, namespace: str, endpoints: dict[str, tuple[str, int]]) -> dict[str, str]:
    """Scripts and configuration of a source namespace's client pods.

    ``endpoints``: address and port for each destination namespace; each client mounts its own as stunnel.conf.
    """
    return {
        **CLIENT_SCRIPTS,
        **{excludes_key(move): excludes_file(move.excludes) for move in layout.out_of(namespace)},
        "options.root": options_file("root"),
        "options.restricted": options_file("restricted"),
        **{
            stunnel_key(target): stunnel_client(
                host=endpoints[target][0], port=endpoints[target][1], name=layout.identity.host
            )
            for target in dict.fromkeys(move.target_namespace for move in layout.out_of(namespace))
        },
    }


def restic_files(layout: Layout, namespace: str, role: Role) -> dict[str, str]:
    """Scripts of the pods that carry volumes through a repository; on the source what is not carried of each."""
    moves = layout.out_of(namespace) if role == "client" else ()
    return {
        **RESTIC_SCRIPTS,
        **{excludes_key(move): excludes_file(move.excludes) for move in moves if move.excludes},
    }


def stunnel_key(target_namespace: str) -> str:
    """The key of the client's stunnel configuration for a destination namespace."""
    return f"stunnel.{target_namespace}.conf"


def excludes_key(move: VolumeMove) -> str:
    """The key of what is not copied of a volume; volumes without wishes of their own share one."""
    return f"excludes.{move.key}" if move.excludes else "excludes"


def config_map(layout: Layout, namespace: str, role: Role, anchor_uid: str, files: dict[str, str]) -> dict[str, Any]:
    """Named after its content."""
    name = layout.named(role, digest(files))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": layout.metadata(name, namespace, role, anchor_uid=anchor_uid),
        "immutable": True,
        "data": files,
    }
