# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Secrets of a run: for each namespace what its pods need to prove who they are, and nothing of the other side.

All Secrets of a run are made together and carry the same ending, a digest of the CA's certificate. A later process
that finds one for every namespace goes on with them; anything less is replaced as a whole, and the pods with it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .certificates import Authority, issue
from .layout import Layout, Role

PASSWORD_BYTES = 32


class Credentials:
    """A set of Secrets, new or found. ``ending`` is what their names end in."""

    def __init__(self, ending: str, server: dict[str, dict[str, str]], client: dict[str, dict[str, str]]) -> None:
        self.ending = ending
        self._server = server
        self._client = client

    @property
    def new(self) -> bool:
        """Whether the Secrets are still to be created."""
        return bool(self._server)

    def manifests(
        self, layout: Layout, server_anchor: Callable[[str], str], client_anchor: Callable[[str], str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The destination's Secrets and the source's. ``*_anchor``: a namespace's anchor's UID."""
        return (
            [
                _secret(layout, name, "server", ending=self.ending, anchor_uid=server_anchor(name), data=data)
                for name, data in self._server.items()
            ],
            [
                _secret(layout, name, "client", ending=self.ending, anchor_uid=client_anchor(name), data=data)
                for name, data in self._client.items()
            ],
        )


def fresh(layout: Layout, addresses: Sequence[str]) -> Credentials:
    """Make keys, certificates and one password for each volume."""
    authority: Authority = issue(
        name=layout.identity.host,
        addresses=addresses,
        servers=layout.target_namespaces,
        clients=layout.source_namespaces,
        lifetime_seconds=layout.identity.deadline_seconds,
    )
    passwords = {layout.identity.module(move): secrets.token_urlsafe(PASSWORD_BYTES) for move in layout.moves}
    server: dict[str, dict[str, str]] = {}
    for namespace, pair in authority.servers.items():
        modules = [layout.identity.module(move) for move in layout.into(namespace)]
        server[namespace] = {
            "ca.crt": authority.certificate,
            "tls.crt": pair.certificate,
            "tls.key": pair.key,
            "rsyncd.secrets": "".join(f"{module}:{passwords[module]}\n" for module in modules),
        }
    client: dict[str, dict[str, str]] = {}
    for namespace, pair in authority.clients.items():
        client[namespace] = {"ca.crt": authority.certificate, "tls.crt": pair.certificate, "tls.key": pair.key}
        for move in layout.out_of(namespace):
            module = layout.identity.module(move)
            client[namespace][module] = passwords[module]
    ending = hashlib.sha256(authority.certificate.encode()).hexdigest()[:8]
    return Credentials(ending, server, client)


def found(layout: Layout, server: Iterable[tuple[str, str]], client: Iterable[tuple[str, str]]) -> Credentials | None:
    """The complete set among existing Secrets, given as (namespace, name) on each side; None when there is none."""
    servers, clients = set(server), set(client)
    prefix = layout.named("server") + "-"
    endings = sorted({name.removeprefix(prefix) for _kind, name in servers if name.startswith(prefix)})
    for ending in endings:
        wanted_servers = {(namespace, layout.named("server", ending)) for namespace in layout.target_namespaces}
        wanted_clients = {(namespace, layout.named("client", ending)) for namespace in layout.source_namespaces}
        if wanted_servers <= servers and wanted_clients <= clients:
            return Credentials(ending, {}, {})
    return None


def _secret(
    layout: Layout, namespace: str, role: Role, *, ending: str, anchor_uid: str, data: dict[str, str]
) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": layout.metadata(layout.named(role, ending), namespace, role, anchor_uid=anchor_uid),
        "type": "Opaque",
        "immutable": True,
        "data": {name: base64.b64encode(text.encode()).decode() for name, text in data.items()},
    }
