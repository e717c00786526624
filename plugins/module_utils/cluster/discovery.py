# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which kinds a cluster serves: in two requests where the server aggregates its discovery, else one per group version.

A group whose own server is down (an APIService without endpoints) must not hide the others, nor be mistaken for one
without kinds: it is reported in ``broken``. Nothing is kept on disk; a definition installed a moment ago is found
because an unknown kind is always asked for again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..resources.errors import NotFound, TransientError
from .parallel import map_side_by_side
from .resource_types import BUILT_IN, ResourceType, split_api_version
from .transport import Call, Transport

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
_BROKEN_GROUP_SECONDS = 5.0


class Discovery:
    """Thread-safe; remembers what it has seen for as long as it lives."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], ResourceType] = dict(BUILT_IN)
        self._types: list[ResourceType] | None = None
        self._served: dict[tuple[str, str], ResourceType] = {}
        self.broken: dict[str, str] = {}
        """Group version -> why its kinds are unknown. Filled by ``types``."""

    def resource(self, api_version: str, kind: str) -> ResourceType:
        """The type of a kind; ``NotFound`` when the cluster does not serve it."""
        known = self._known.get((api_version, kind))
        if known is not None:
            return known
        group, version = split_api_version(api_version)
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        subject = f"{kind} ({api_version})"
        call = Call(method="GET", path=path, subject=subject, attempt="discover", answers=frozenset({404}))
        answer = self._transport.send(call)
        if answer.status != 404:
            found = {(item.api_version, item.kind): item for item in _classic_types(group, version, answer.document)}
            with self._lock:
                self._known = {**found, **self._known}
            if (api_version, kind) in self._known:
                return self._known[api_version, kind]
        elif answer.document is None and b"page not found" not in answer.body:
            raise self._transport.refused(call, answer)
        raise NotFound(
            subject=subject,
            attempt=f"not served by cluster {self._transport.name} ({self._transport.login.server})",
            mend="Install the custom resource definition or the API that brings this kind",
            status=404,
            api_reason="NotFound",
        )

    def types(self, *, refresh: bool = False) -> list[ResourceType]:
        """Every kind once, in the version of its group that is preferred and has it; no subresources."""
        with self._lock:
            if self._types is not None and not refresh:
                return list(self._types)
        broken: dict[str, str] = {}
        documents = [self._ask(path, accept=_AGGREGATED) for path in ("/api", "/apis")]
        if all(document.get("kind") == "APIGroupDiscoveryList" for document in documents):
            versions = [entry for document in documents for entry in _aggregated(document, broken)]
        else:
            versions = self._classic(broken)
        chosen: dict[tuple[str, str], ResourceType] = {}
        everything: dict[tuple[str, str], ResourceType] = {}
        for types in versions:
            for item in types:
                everything.setdefault((item.api_version, item.kind), item)
                chosen.setdefault((item.group, item.kind), item)
        with self._lock:
            self._known = {**self._known, **everything}
            self._types = list(chosen.values())
            self._served = everything
            self.broken = broken
            return list(self._types)

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the cluster serves the kind in exactly that version, preferred or not; one discovery answers all."""
        self.types()
        return (api_version, kind) in self._served

    def versions(self, group: str, kind: str) -> list[ResourceType]:
        """The kind in every version in which it is served, the preferred one first; one discovery answers all."""
        self.types()
        return [item for item in self._served.values() if (item.group, item.kind) == (group, kind)]

    def _classic(self, broken: dict[str, str]) -> list[list[ResourceType]]:
        core = self._ask("/api").get("versions") or []
        group_versions = [("", version) for version in core]
        for group in self._ask("/apis").get("groups") or []:
            preferred = (group.get("preferredVersion") or {}).get("version")
            offered = [item["version"] for item in group.get("versions") or ()]
            ordered = [preferred, *offered] if preferred in offered else offered
            group_versions += [(group["name"], version) for version in dict.fromkeys(ordered)]

        def ask(group_version: tuple[str, str]) -> list[ResourceType]:
            group, version = group_version
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            try:
                document = self._ask(path, deadline=_BROKEN_GROUP_SECONDS if group else None)
            except (TransientError, NotFound) as error:
                broken[f"{group}/{version}"] = error.reason
                return []
            return list(_classic_types(group, version, document))

        return map_side_by_side(ask, group_versions, concurrency=8)

    def _ask(self, path: str, *, accept: str = "application/json", deadline: float | None = None) -> dict[str, Any]:
        call = Call(
            method="GET",
            path=path,
            subject=self._transport.subject,
            attempt=f"discovery of {path}",
            accept=accept,
            deadline=deadline,
        )
        document: dict[str, Any] = self._transport.send(call).document
        return document


def _aggregated(document: Mapping[str, Any], broken: dict[str, str]) -> Iterator[list[ResourceType]]:
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            types = [
                ResourceType(
                    group=name,
                    version=version["version"],
                    kind=item["responseKind"]["kind"],
                    plural=item["resource"],
                    namespaced=item.get("scope") == "Namespaced",
                    verbs=frozenset(item.get("verbs") or ()),
                )
                for item in version.get("resources") or ()
                if (item.get("responseKind") or {}).get("kind")
            ]
            if version.get("freshness") == "Stale" and not types:
                broken[f"{name}/{version['version']}"] = "its API server does not answer"
            yield types


def _classic_types(group: str, version: str, document: Any) -> Iterable[ResourceType]:
    for item in document.get("resources") or ():
        if "/" not in item["name"]:
            yield ResourceType(
                group=group,
                version=version,
                kind=item["kind"],
                plural=item["name"],
                namespaced=bool(item.get("namespaced")),
                verbs=frozenset(item.get("verbs") or ()),
            )
