# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One cluster, by verbs: the face that the engine, the volumes and the objects see.

``Cluster`` only composes; how a list pages, a watch resumes or a write survives a broken connection stands in the file
of that name beside this one. An instance is thread-safe and opens no connection before the first request.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ..resources.errors import InvalidInput, NotFound, Problem
from . import access, capabilities, lists, logs, trust, writes
from .capabilities import Capabilities
from .discovery import Discovery
from .exec import ExecResult, run_command
from .parallel import map_side_by_side
from .resource_types import BUILT_IN, ResourceType
from .transport import Call, Transport
from .watch import Watch

Item = TypeVar("Item")
Result = TypeVar("Result")
Manifest = dict[str, Any]


class Cluster:
    """Made by ``connect`` or ``connect_with_token``. Errors are those of resources/errors.py, and no others.

    Every method may raise ``TransientError`` (tried until ``deadline``), ``Unauthorized``, ``Forbidden``, and
    ``PermanentError`` for a server that cannot be reached at all; what else, each says.

    ``dry_run`` lets the server judge and store nothing. A cluster too old to know that would store, and is not asked.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._discovery = Discovery(transport)
        self._version: tuple[int, int] | None = None
        self._identity: str | None = None

    @property
    def name(self) -> str:
        """What messages call it: control, source, destination."""
        return self._transport.name

    @property
    def server(self) -> str:
        return self._transport.login.server

    @property
    def subject(self) -> str:
        """How an error about the cluster itself begins: ``Cluster source (https://...)``."""
        return self._transport.subject

    @property
    def verified(self) -> bool:
        """``False``: the server's certificate is not checked, of which a module warns its user once."""
        return self._transport.login.verified

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, retries and WebSockets included."""
        return self._transport.requests

    @property
    def fence(self) -> Callable[[], None] | None:
        """Called before every request; what it raises stops the request."""
        return self._transport.fence

    @fence.setter
    def fence(self, fence: Callable[[], None] | None) -> None:
        self._transport.fence = fence

    @property
    def deadline(self) -> float:
        """Seconds for all tries of one request together."""
        return self._transport.deadline

    @deadline.setter
    def deadline(self, seconds: float) -> None:
        self._transport.deadline = seconds

    @property
    def broken_groups(self) -> dict[str, str]:
        """Group version -> why ``types()`` could not list its kinds."""
        return dict(self._discovery.broken)

    def close(self) -> None:
        """Close idle connections; the next request opens new ones."""
        self._transport.close()

    def resource(self, api_version: str, kind: str) -> ResourceType:
        """The type of a kind, without a request for the common ones; ``NotFound`` when it is not served."""
        return self._discovery.resource(api_version, kind)

    def types(self, *, refresh: bool = False) -> builtins.list[ResourceType]:
        """All kinds in their preferred versions; see ``broken_groups`` for what could not be asked."""
        return self._discovery.types(refresh=refresh)

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the kind is served in exactly that version; a group in ``broken_groups`` counts as not served."""
        return self._discovery.serves(api_version, kind)

    def versions(self, group: str, kind: str) -> builtins.list[ResourceType]:
        """The kind in every version in which the cluster serves it, the preferred one first; empty when it does not."""
        return self._discovery.versions(group, kind)

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None, *, subresource: str | None = None
    ) -> Manifest | None:
        """``None`` when there is no such object, its kind unknown to the cluster included."""
        try:
            found = self.resource(api_version, kind)
        except NotFound:
            return None
        return writes.read(self._transport, found, name, namespace, subresource)

    def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        page: int = lists.PAGE,
    ) -> Generator[Manifest, None, None]:
        """Objects as their pages arrive, of one namespace or of all. ``NotFound`` for a kind unknown to the cluster."""
        documents = lists.pages(
            self._transport,
            self.resource(api_version, kind),
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            page=page,
        )
        return (item for document in documents for item in document["items"])

    def list_types(
        self,
        types: Sequence[ResourceType],
        namespaces: Sequence[str],
        *,
        label_selector: str | None = None,
        concurrency: int = 8,
        page: int = lists.PAGE,
        metadata_only: bool = False,
    ) -> Generator[tuple[ResourceType, str, Manifest], None, None]:
        """``(type, namespace, object)`` of many types side by side, in no order; no namespaces means all of them.

        ``metadata_only`` spares spec and status where the server can do that.
        """
        return lists.list_side_by_side(
            self._transport,
            types,
            namespaces,
            label_selector=label_selector,
            concurrency=concurrency,
            page=page,
            accept=lists.METADATA_ONLY if metadata_only else lists.JSON,
        )

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """The object as it was made. ``AlreadyExists``, ``Forbidden``, ``Invalid``, ``NotFound`` (its namespace)."""
        if dry_run and not self.capabilities().dry_run:
            return dict(manifest)
        return writes.create(self._transport, self._type_of(manifest), manifest, dry_run=dry_run)

    def replace(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """PUT; ``Conflict`` when the manifest's resourceVersion is not the newest."""
        if dry_run and not self.capabilities().dry_run:
            return dict(manifest)
        return writes.replace(self._transport, self._type_of(manifest), manifest, dry_run=dry_run)

    def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        patch: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        style: writes.PatchStyle = "merge",
        dry_run: bool = False,
        field_manager: str | None = None,
        force: bool = False,
        subresource: str | None = None,
    ) -> Manifest:
        """``NotFound`` when absent (style apply creates it), ``Conflict``, ``Invalid``."""
        return writes.patch(
            self._transport,
            self.resource(api_version, kind),
            name,
            namespace,
            patch=patch,
            style=style,
            dry_run=dry_run,
            field_manager=field_manager,
            force=force,
            subresource=subresource,
        )

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        propagation: str = "Background",
        grace_seconds: int | None = None,
        dry_run: bool = False,
    ) -> bool:
        """Ask for deletion, without waiting for its end. ``False`` when absent, or present only under another uid."""
        try:
            found = self.resource(api_version, kind)
        except NotFound:
            return False
        if dry_run and not self.capabilities().dry_run:
            return True
        return writes.delete(
            self._transport,
            found,
            name,
            namespace,
            uid=uid,
            propagation=propagation,
            grace_seconds=grace_seconds,
            dry_run=dry_run,
        )

    def delete_collection(
        self, api_version: str, kind: str, namespace: str, *, label_selector: str, grace_seconds: int | None = None
    ) -> None:
        """Delete what the selector names in one namespace, in one request where the kind allows it.

        An empty selector is refused (``InvalidInput``): it would empty the namespace.
        """
        if not label_selector:
            fault = Problem(path="label_selector", fault="is empty", mend="Name what is to be deleted")
            raise InvalidInput(subject=f"{kind} list in {namespace}", problems=[fault])
        found = self.resource(api_version, kind)
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        call = Call(
            method="DELETE",
            path=found.path(namespace),
            subject=f"{kind} list in {namespace}",
            attempt="delete",
            query={"labelSelector": label_selector},
            body=writes.encoded(options),
            answers=frozenset({405}),
        )
        if "deletecollection" in found.verbs and self._transport.send(call).status != 405:
            return
        for item in tuple(self.list(api_version, kind, namespace, label_selector=label_selector)):
            metadata = item["metadata"]
            self.delete(
                api_version, kind, metadata["name"], namespace, uid=metadata["uid"], grace_seconds=grace_seconds
            )

    def map(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, concurrency: int = 8
    ) -> builtins.list[Result]:
        """Results in the order of the items; see ``parallel.map_side_by_side`` for what errors do."""
        return map_side_by_side(function, items, concurrency=concurrency)

    def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        resource_version: str | None = None,
        timeout: float,
    ) -> Generator[tuple[str, Manifest], None, None]:
        """``("ADDED"|"MODIFIED"|"DELETED", object)`` until ``timeout`` seconds have passed, over broken connections.

        Without ``resource_version`` what exists comes first, as ADDED. The identity alone (no spec) is certain in
        a DELETED object. ``TransientError`` when the server stays away for ``deadline`` seconds.
        """
        return Watch(
            self._transport,
            self.resource(api_version, kind),
            namespace,
            label_selector=label_selector,
            field_selector=field_selector,
            resource_version=resource_version,
            timeout=timeout,
        ).events()

    def exec(
        self,
        namespace: str,
        pod: str,
        command: Sequence[str],
        *,
        container: str | None = None,
        stdin: bytes | None = None,
        timeout: float = 30,
    ) -> ExecResult:
        """See ``exec.run_command``; a command's own failure is an exit code, not an error."""
        return run_command(self._transport, namespace, pod, command, container=container, stdin=stdin, timeout=timeout)

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        follow: bool = False,
        since_time: str | None = None,
        tail_lines: int | None = None,
        timeout: float | None = None,
    ) -> Generator[str, None, None]:
        """Lines; see ``logs.read_log``. ``Invalid`` while the container has not started."""
        return logs.read_log(
            self._transport,
            namespace,
            pod,
            container=container,
            follow=follow,
            since_time=since_time,
            tail_lines=tail_lines,
            timeout=timeout,
        )

    def node_stats(self, node: str) -> Manifest:
        """The kubelet's /stats/summary; ``Forbidden`` without the right to nodes/proxy."""
        path = BUILT_IN["v1", "Node"].path(name=node, subresource="proxy/stats/summary")
        call = Call(method="GET", path=path, subject=f"Node {node}", attempt="read the kubelet's statistics", bare=True)
        document: Manifest = self._transport.send(call).document
        return document

    def allowed(
        self,
        verb: str,
        group: str,
        resource: str,
        namespace: str | None = None,
        subresource: str | None = None,
        *,
        user: str | None = None,
    ) -> bool:
        """Whether this connection's user may do that, or another ``user``, by the server's own review; it stores
        nothing."""
        return access.allowed(
            self._transport, verb, group, resource, namespace=namespace, subresource=subresource, user=user
        )

    def version(self) -> tuple[int, int]:
        """``(major, minor)``, asked once. ``Refused`` for a server that names no version."""
        if self._version is None:
            call = Call(method="GET", path="/version", subject=self.subject, attempt="ask for the version", bare=True)
            document = self._transport.send(call).document
            self._version = capabilities.parse_version(document, subject=self.subject)
        return self._version

    def ping(self) -> None:
        """Raises unless the server answers, is a Kubernetes and accepts these credentials; within about 10 s."""
        self.version()
        access.allowed(self._transport, "get", "", "namespaces")

    def capabilities(self, *, control: bool = False) -> Capabilities:
        """What this version can do; ``Refused`` when it is too old, or too old for a control cluster."""
        return capabilities.capabilities_of(self.version(), subject=self.subject, control=control)

    def identity(self) -> str:
        """Which cluster this is, whatever address leads to it; asked once."""
        if self._identity is None:
            self._identity = trust.identity(self._transport)
        return self._identity

    def authorities(self) -> bytes | None:
        """See ``trust.authorities``; no request."""
        return trust.authorities(self._transport)

    def issue_token(self, namespace: str, account: str, seconds: int) -> tuple[str, str]:
        """(token, expiry); see ``trust.issue_token``."""
        return trust.issue_token(self._transport, namespace, account, seconds)

    def _type_of(self, manifest: Mapping[str, Any]) -> ResourceType:
        return self.resource(str(manifest["apiVersion"]), str(manifest["kind"]))
