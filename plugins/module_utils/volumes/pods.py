# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the transfer pods alive: makes what is missing, replaces what has ended or is out of date, says what it waits
for, and gives up with the reason when waiting cannot help or has lasted too long."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import (
    AlreadyExists,
    DeadlineExceeded,
    Forbidden,
    Invalid,
    MtcError,
    NotFound,
    PermanentError,
    TransientError,
    subject_of,
)
from . import facts
from .admission import refused_pod
from .itemize import complaints
from .layout import CONTAINER, Layout, Role
from .model import TransferOptions, VolumeMove
from .pod_parts import mounted_names
from .pod_states import PodState, state_of
from .setup import SIDE_BY_SIDE, Setup

Manifest = dict[str, Any]

PULL_PATIENCE: Final = 30.0
"""Seconds that a registry may take to come back."""
REPLACEMENTS: Final = 5
"""Pods that may end or be deleted one after another in one place before this process gives up."""
STEADY: Final = 600.0
"""Seconds after which the end of a pod does not count as one more of a row."""
_TAIL: Final = 20


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a pod belongs: a server for a destination namespace, or a client for a volume."""

    namespace: str
    name: str
    move: VolumeMove | None = None

    @property
    def subject(self) -> str:
        return subject_of("Pod", self.name, self.namespace)

    @property
    def title(self) -> str:
        """In progress lines: whose pod it is."""
        if self.move is None:
            return f"rsync server of {self.namespace}"
        return f"{self.move.source_namespace}/{self.move.source_claim}"


@dataclass(frozen=True, kw_only=True)
class Client:
    """A client pod that is connected to its server."""

    name: str
    uid: str


class Pods:
    """The pods of one run as this process knows them."""

    def __init__(
        self,
        source: Cluster,
        destination: Cluster,
        *,
        layout: Layout,
        options: TransferOptions,
        setup: Setup,
        report: Callable[[str], None],
    ) -> None:
        self._source = source
        self._destination = destination
        self._layout = layout
        self._options = options
        self._setup = setup
        self._report = report
        self._servers = [Place(namespace=name, name=layout.named("server")) for name in layout.target_namespaces]
        self._clients = [
            Place(namespace=move.source_namespace, name=layout.client(move), move=move) for move in layout.moves
        ]
        self._ended: dict[Place, list[str]] = {}
        self._states: dict[Place, str] = {}
        self._standing: dict[Place, float] = {}
        """Since when a place has a pod that this process has seen and not taken away itself."""
        self._waiting_since: float | None = None
        self._pulling_since: dict[Place, float] = {}
        self._first = True
        self.connected: dict[str, Client] = {}
        """Key of a move to its client, once connected."""

    def tend(self) -> str | None:
        """One look at all pods; makes and replaces what needs it. None when every client is connected.

        Raises Refused (admission), PermanentError (an image that cannot be had, a pod that ends again and again) and
        DeadlineExceeded (``start_timeout`` without all being connected).
        """
        servers, clients = self._observe()
        work: list[Callable[[], None]] = []
        for place in (*self._servers, *self._clients):
            pod = (servers if place.move is None else clients).get((place.namespace, place.name))
            if task := self._judge(place, pod):
                work.append(task)
        self._first = False
        if work:
            self._source.map(lambda task: task(), work, concurrency=SIDE_BY_SIDE)
        if len(self.connected) == len(self._clients) and not any(self._states[place] for place in self._servers):
            self._waiting_since = None
            return None
        return self._patience()

    def forget(self, move: VolumeMove) -> None:
        """The client of a move did not answer: it must be looked at again."""
        self.connected.pop(move.key, None)

    def let_go(self) -> None:
        """All pods are being removed on purpose: none of them is missed."""
        self.connected.clear()
        self._standing.clear()

    def state(self, move: VolumeMove) -> str:
        """What the client of a move waits for; empty when it is connected."""
        return next((text for place, text in self._states.items() if place.move == move), "")

    # -- looking -----------------------------------------------------------------------------------------------------

    def _observe(self) -> tuple[dict[tuple[str, str], Manifest], dict[tuple[str, str], Manifest]]:
        sides = (
            (self._destination, self._layout.target_namespaces),
            (self._source, self._layout.source_namespaces),
        )
        found = self._source.map(lambda side: self._list(*side), sides)
        return found[0], found[1]

    def _list(self, cluster: Cluster, namespaces: tuple[str, ...]) -> dict[tuple[str, str], Manifest]:
        """One request where the run has one namespace; the connection may have rights in these namespaces only."""
        listed = cluster.map(
            lambda namespace: list(cluster.list("v1", "Pod", namespace, label_selector=self._layout.selector)),
            namespaces,
        )
        return {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pods in listed for pod in pods}

    def _judge(self, place: Place, pod: Manifest | None) -> Callable[[], None] | None:
        state = state_of(pod)
        self._states[place] = state.text
        if pod is None or state.state == "ending":
            self._drop(place)
            if place in self._standing:
                self._note_end(place, PodState(state="ended", text="somebody deleted it"))
            return None if pod is not None else lambda: self._create(place)
        self._standing.setdefault(place, time.monotonic())
        role: Role = "server" if place.move is None else "client"
        if mounted_names(pod) != self._setup.expected(role, place.namespace):
            self._states[place] = "an out-of-date pod is being replaced"
            self._drop(place)
            del self._standing[place]
            return lambda: self._delete(place, pod)
        if state.state == "ended":
            self._drop(place)
            self._note_end(place, state)
            return lambda: self._delete(place, pod)
        if state.state == "waiting":
            self._give_up_if_hopeless(place, state)
            return None
        self._pulling_since.pop(place, None)
        if place.move is None or place.move.key in self.connected:
            return None
        return lambda: self._listen(place, pod)

    def _drop(self, place: Place) -> None:
        if place.move is not None:
            self.connected.pop(place.move.key, None)

    def _note_end(self, place: Place, state: PodState) -> None:
        ends = self._ended.setdefault(place, [])
        if time.monotonic() - self._standing.pop(place) > STEADY:
            ends.clear()
        ends.append(state.text)
        self._states[place] = f"the pod ended: {state.text}"
        if state.reason == "DeadlineExceeded":
            raise DeadlineExceeded(
                subject=place.subject,
                attempt="the transfer reached its deadline",
                reason=state.text,
                mend="Run the task again",
            )
        if len(ends) > REPLACEMENTS:
            raise PermanentError(
                subject=place.subject,
                attempt=f"it ended {len(ends)} times",
                reason=state.text,
                mend="Look at the pod's log and its node's events, mend the cause and run the task again",
            )
        self._report(f"{place.title}: the transfer pod ended ({state.text}), a new one is made")

    def _give_up_if_hopeless(self, place: Place, state: PodState) -> None:
        since = self._pulling_since.setdefault(place, time.monotonic()) if state.pulling else None
        if state.hopeless or (since is not None and time.monotonic() - since > PULL_PATIENCE):
            image = self._options.destination_image if place.move is None else self._options.source_image
            raise PermanentError(
                subject=place.subject,
                attempt="it cannot start",
                reason=f"image {image}: {state.text}",
                mend="Give an image that the cluster can pull (transfer_image), or a pull secret",
            )

    def _listen(self, place: Place, pod: Manifest) -> None:
        """Read the newest of a client's log: anything but waiting means that it has been connected."""
        move = place.move
        if move is None:
            return
        try:
            lines = list(self._source.logs(place.namespace, place.name, container=CONTAINER, tail_lines=_TAIL))
        except (Invalid, NotFound, TransientError):
            self._states[place] = "the pod starts"
            return
        told = list(facts.facts(lines))
        if any(fact["fact"] != "waiting" for fact in told):
            self.connected[move.key] = Client(name=place.name, uid=pod["metadata"]["uid"])
            self._states[place] = ""
            return
        cause = complaints(facts.text(told[-1], "errors")).cause if told else ""
        host, port = self._setup.endpoints[move.target_namespace]
        self._states[place] = f"connecting to {host}:{port}" + (f": {cause}" if cause else "")

    # -- acting ------------------------------------------------------------------------------------------------------

    def _create(self, place: Place) -> None:
        if place.move is None:
            cluster, manifest = self._destination, self._setup.server(place.namespace)
        else:
            cluster, manifest = self._source, self._setup.client(place.move, look_again=not self._first)
        try:
            cluster.create(manifest)
        except AlreadyExists:
            return
        except Forbidden as error:
            raise refused_pod(manifest, error) from error

    def _delete(self, place: Place, pod: Manifest) -> None:
        cluster = self._destination if place.move is None else self._source
        cluster.delete("v1", "Pod", place.name, place.namespace, uid=pod["metadata"]["uid"], grace_seconds=1)

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _patience(self) -> str:
        waiting = {place: text for place, text in self._states.items() if text}
        told = "; ".join(f"{place.title}: {text}" for place, text in list(waiting.items())[:3])
        text = f"{len(self.connected)} of {len(self._clients)} volumes connected" + (f"; {told}" if told else "")
        now = time.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > self._options.start_timeout:
            place = next(iter(waiting), self._clients[0])
            raise DeadlineExceeded(
                subject=place.subject,
                attempt=f"not ready within {self._options.start_timeout:.0f} s",
                reason="; ".join((waiting.get(place, text), *self._unbound(place), *self._events(place))),
                mend=self._mend(waiting.get(place, "")),
            )
        return text

    def _mend(self, text: str) -> str:
        if text.startswith("connecting"):
            return (
                "Let the source's pods reach that address and port (firewall, network policy), or give another "
                "endpoint_address, then run the task again"
            )
        return "Mend what the pod waits for, or allow more time (start_timeout), then run the task again"

    def _unbound(self, place: Place) -> list[str]:
        """Claims that a server's pod may wait for: the scheduler does not name them. Best effort, as events are."""
        if place.move is not None:
            return []
        wanted = {move.target_claim for move in self._layout.into(place.namespace)}
        try:
            claims = list(self._destination.list("v1", "PersistentVolumeClaim", place.namespace))
        except MtcError:
            return []
        unbound = [claim["metadata"]["name"] for claim in claims if (claim.get("status") or {}).get("phase") != "Bound"]
        told = ", ".join(sorted(wanted.intersection(unbound)))
        return [f"claims that are not bound: {told}"] if told else []

    def _events(self, place: Place) -> list[str]:
        """The newest warnings about a pod and its claims: said in errors, so a failure to read them is not one."""
        cluster = self._destination if place.move is None else self._source
        if place.move is None:
            claims = {move.target_claim for move in self._layout.into(place.namespace)}
        else:
            claims = {place.move.source_claim}
        try:
            found = list(cluster.list("v1", "Event", place.namespace, field_selector="type=Warning"))
        except MtcError:
            return []
        wanted = {place.name, *claims}
        messages: dict[str, None] = {}
        for event in sorted(found, key=_when, reverse=True):
            if (event.get("involvedObject") or {}).get("name") in wanted and event.get("message"):
                messages[f"{event['involvedObject']['name']}: {event['message']}"] = None
        return list(messages)[:3]


def _when(event: Mapping[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
