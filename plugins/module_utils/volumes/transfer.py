# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copying of a run's volumes, as the engine's phases see it.

Every method may be called again after any crash, by this or another process, and returns within about a second: None
when it is done, else a text that says what it waits for. All state is on the clusters; what is kept here saves
requests only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import VolumeFailed
from . import cleanup, passes, verdicts
from .facts import Outcome
from .layout import Layout
from .model import PassResult, RunIdentity, TransferOptions, Verdict, VolumeMove
from .pod_requests import Asking, NoAnswer, Requests
from .pods import Pods
from .progress import entry
from .setup import SIDE_BY_SIDE, Setup

TURN: Final = 0.8
"""Seconds that a method may spend before it returns what it waits for."""
AT_ONCE: Final = 16
"""Passes that work side by side; the largest volumes begin (V13)."""
PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 0.6
"""Seconds between looks: short at first, longer the longer a pass lasts, for then a moment more is nothing."""
TEND_EVERY: Final = 2.0
"""Seconds between looks at the pods while passes run."""


class Transfer:
    """All volumes of one run. ``report`` is told facts worth a line, at most once each."""

    def __init__(  # noqa: PLR0917 - the order is the engine's contract
        self,
        source: Cluster,
        destination: Cluster,
        moves: Sequence[VolumeMove],
        identity: RunIdentity,
        options: TransferOptions,
        report: Callable[[str], None],
    ) -> None:
        self._source = source
        self._destination = destination
        self._layout = Layout(identity=identity, moves=tuple(moves))
        self._options = options
        self._report = report
        self._setup = Setup(source, destination, self._layout, options, report)
        self._pods = Pods(source, destination, layout=self._layout, options=options, setup=self._setup, report=report)
        self._requests = Requests(source, identity)
        self._prepared = False
        self._tended = 0.0
        self._waiting: str | None = "not prepared"
        self._current = ""
        self._began = 0.0
        self._begun: set[tuple[str, VolumeMove]] = set()
        self._results: dict[str, dict[VolumeMove, PassResult]] = {}
        self._verdicts: dict[VolumeMove, Verdict] = {}
        self._glances: dict[VolumeMove, Verdict] = {}
        self._failed: dict[VolumeMove, str] = {}
        self._ended: dict[tuple[str, VolumeMove], Outcome] = {}

    def ensure(self) -> str | None:
        """Everything is in place and every client has logged in to its server through the tunnel: None.

        Raises Refused (admission, block volumes, single-pod access), NotFound (claim, namespace), PermanentError
        (image, a pod that keeps ending) and DeadlineExceeded (``start_timeout``).
        """
        if not self._layout.moves:
            return None
        end = time.monotonic() + TURN
        while True:
            if waiting := self._prepare():
                return waiting
            self._tend()
            if self._waiting is None or time.monotonic() >= end:
                return self._waiting
            time.sleep(PAUSE)

    def run_pass(self, name: str, *, final: bool) -> str | None:
        """Copy every volume once under that name; None when all have been copied.

        A name stands for one intent: a pass that succeeded is never run again under it, by no process. Raises
        VolumeFailed for the first volume whose pass is bad, LeaseLost when a newer process has taken over.
        """

        def judge(move: VolumeMove, outcome: Outcome) -> None:
            result = passes.result(move, outcome, final=final, profile=self._setup.profile(move))
            self._results.setdefault(name, {})[move] = result

        return self._advance(name, "copy", "final" if final else "none", judge)

    def prove(self, name: str) -> str | None:
        """Compare contents while the application runs, after a pass; None when done. Never fails for what differs:
        that is merely unproven and will be read again by ``verify``."""

        def judge(move: VolumeMove, outcome: Outcome) -> None:
            if outcome.exit_code != 0:
                cause = passes.failure(move, outcome, final=False, profile=self._setup.profile(move)).reason
                self._report(f"{move.source_namespace}/{move.source_claim}: nothing is proven beforehand: {cause}")

        return self._advance(f"{name}.prove", "check", "prove", judge)

    def verify(self, name: str, *, full: bool = False) -> str | None:
        """Compare after the last pass; None when ``verdicts()`` has one for each volume, good or bad.

        ``full`` reads every file again, proven earlier or not. Raises VolumeFailed when a comparison cannot be made.
        """

        def judge(move: VolumeMove, outcome: Outcome) -> None:
            self._verdicts[move] = verdicts.verdict(move, outcome, self._setup.profile(move))

        return self._advance(
            f"{name}.verify" + ("-full" if full else ""), "check", "full" if full else "changed", judge
        )

    def glance(self, name: str) -> str | None:
        """Compare sizes, times and attributes only, and change nothing; None when ``glances()`` has one verdict for
        each volume. Raises VolumeFailed when a comparison cannot be made."""

        def judge(move: VolumeMove, outcome: Outcome) -> None:
            self._glances[move] = verdicts.verdict(move, outcome, self._setup.profile(move))

        return self._advance(f"{name}.glance", "check", "glance", judge)

    def glances(self) -> list[Verdict]:
        """In the order of the moves; empty before ``glance`` is done."""
        return [self._glances[move] for move in self._layout.moves if move in self._glances]

    def verdicts(self) -> list[Verdict]:
        """In the order of the moves; empty before ``verify`` is done."""
        return [self._verdicts[move] for move in self._layout.moves if move in self._verdicts]

    def results(self, name: str) -> dict[VolumeMove, PassResult]:
        """Of the passes of that name that have ended well in the knowledge of this process."""
        return dict(self._results.get(name, {}))

    def progress(self) -> list[dict[str, Any]]:
        """One entry for each volume, without any request; see progress.entry for the keys."""
        return [
            entry(
                move,
                self._layout.client(move),
                name=self._current,
                fact=self._requests.newest(move),
                waiting=self._pods.state(move),
                failure=self._failed.get(move, ""),
                connected=move.key in self._pods.connected,
            )
            for move in self._layout.moves
        ]

    def remove(self, *, wait: bool) -> str | None:
        """Delete all scaffolding on both clusters, whoever made it; None when nothing is left.

        Without ``wait`` deletion is only asked for; with it up to a second is spent on waiting for its end.
        """
        end = time.monotonic() + (TURN if wait else 0.0)
        self._prepared = False
        self._pods.let_go()
        while True:
            found = cleanup.leftovers(self._source, self._destination, self._layout)
            if not found:
                return None
            cleanup.remove(found)
            if time.monotonic() >= end:
                return f"{len(found)} objects of the transfer are being removed"
            time.sleep(PAUSE)

    def without_root(self) -> list[str]:
        """Destination namespaces into which files are copied without root. Known once ``ensure`` has been called."""
        found = {
            move.target_namespace: None for move in self._layout.moves if self._setup.profile(move) == "restricted"
        }
        return list(found)

    def leftovers(self) -> list[str]:
        """What still exists of this run's scaffolding, by name."""
        return [str(item) for item in cleanup.leftovers(self._source, self._destination, self._layout)]

    # -- inside ------------------------------------------------------------------------------------------------------

    def _prepare(self) -> str | None:
        """Everything but the pods, once in this process."""
        if not self._prepared:
            if waiting := self._setup.prepare():
                return waiting
            self._prepared = True
        return None

    def _tend(self) -> None:
        """Look at the pods, unless all was well a moment ago."""
        connected = self._waiting is None and len(self._pods.connected) == len(self._layout.moves)
        if connected and time.monotonic() - self._tended < TEND_EVERY:
            return
        self._waiting = self._pods.tend()
        self._tended = time.monotonic()

    def _advance(self, name: str, kind: str, flags: str, judge: Callable[[VolumeMove, Outcome], None]) -> str | None:
        end = time.monotonic() + TURN
        if self._current != name:
            self._current = name
            self._began = time.monotonic()
        while True:
            pending = [move for move in self._layout.moves if (name, move) not in self._ended]
            if not pending:
                return None
            if waiting := self._prepare():
                return waiting
            self._tend()
            reachable = self._next(name, pending)
            asking = Asking(
                name=name,
                kind=kind,
                flags=flags,
                limit=self._limit(min(len(pending), AT_ONCE)),
                wait=max(end - time.monotonic(), 0.0),
            )
            step = partial(self._step, asking=asking)
            ended = self._source.map(step, reachable, concurrency=SIDE_BY_SIDE)
            for move, outcome in zip(reachable, ended, strict=True):
                if outcome is not None:
                    self._conclude(name, move, outcome, judge)
            left = sum((name, move) not in self._ended for move in self._layout.moves)
            if left == 0:
                return None
            if time.monotonic() >= end:
                return self._told(name, left)
            time.sleep(min(PAUSE + (time.monotonic() - self._began) / 20, LONGEST_PAUSE))

    def _next(self, name: str, pending: Sequence[VolumeMove]) -> list[VolumeMove]:
        """The volumes to ask for now: those begun, and as many more as may work at once."""
        connected = [move for move in pending if move.key in self._pods.connected]
        begun = [move for move in connected if (name, move) in self._begun]
        waiting = sorted((move for move in connected if (name, move) not in self._begun), key=lambda move: -move.size)
        chosen = [*begun, *waiting[: max(AT_ONCE - len(begun), 0)]]
        self._begun.update((name, move) for move in chosen)
        return chosen

    def _limit(self, active: int) -> int:
        """KiB/s for one of so many volumes at work; 0 is no limit."""
        total = self._options.bandwidth_kib
        return max(total // max(active, 1), 1) if total else 0

    def _step(self, move: VolumeMove, *, asking: Asking) -> Outcome | None:
        client = self._pods.connected.get(move.key)
        if client is None:
            return None
        try:
            return self._requests.advance(move, client, asking)
        except NoAnswer:
            self._pods.forget(move)
            return None

    def _conclude(
        self, name: str, move: VolumeMove, outcome: Outcome, judge: Callable[[VolumeMove, Outcome], None]
    ) -> None:
        try:
            judge(move, outcome)
        except VolumeFailed as error:
            self._failed[move] = error.message
            raise
        self._failed.pop(move, None)
        self._ended[name, move] = outcome

    def _told(self, name: str, left: int) -> str:
        total = len(self._layout.moves)
        parts = [f"{name}: {total - left} of {total} volumes done"]
        if self._waiting:
            parts.append(self._waiting)
        parts += [
            f"{item['namespace']}/{item['claim']} {item['percent']} %, {item['rate_text']}"
            for item in self.progress()
            if item["state"] == "running" and item["rate_text"]
        ][:3]
        return "; ".join(parts)
