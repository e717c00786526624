# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Asks client pods for passes and learns how they end.

A request is one tiny command in the pod; asking twice is harmless, for the pod starts a pass once and answers with its
outcome when there is one. In between the pod's log is read, which costs next to nothing. Now and then the request is
repeated, so that nothing depends on a log that was rotated or a connection that was cut.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import Invalid, LeaseLost, MtcError, NotFound, TransientError
from . import facts
from .configuration import SCRIPTS
from .facts import Outcome
from .layout import CONTAINER
from .model import RunIdentity, VolumeMove
from .pods import Client

ASK_AGAIN: Final = 30.0
"""Seconds after which an unfinished pass is asked for again rather than read about."""
_REFUSED, _BUSY, _DEAF = 3, 4, 5
_TAIL: Final = 12


class NoAnswer(Exception):
    """The pod is gone or does not answer; it must be looked at."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """A pass to ask for: what request.sh takes. ``limit`` in KiB/s (0: none), ``wait`` in seconds."""

    name: str
    kind: str
    flags: str
    limit: int
    wait: float


class Requests:
    """What this process knows of the passes it has asked for, by pod: a new pod knows nothing of the old one's."""

    def __init__(self, source: Cluster, identity: RunIdentity) -> None:
        self._source = source
        self._identity = identity
        self._asked: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        self._newest: dict[str, dict[str, Any]] = {}
        self.busy: dict[str, str] = {}
        """Key of a move to the pass at work in its pod that must end first."""

    def newest(self, move: VolumeMove) -> dict[str, Any] | None:
        """The newest fact (progress, retry, done) about a volume."""
        return self._newest.get(move.key)

    def advance(self, move: VolumeMove, client: Client, asking: Asking) -> Outcome | None:
        """The outcome of a pass, or None while it works. Starts it if need be, and waits a little then.

        Raises NoAnswer; LeaseLost when the pod has obeyed a newer generation.
        """
        name = asking.name
        key = (client.uid, name)
        if key in self._outcomes:
            return self._outcomes[key]
        asked = self._asked.get(key)
        if asked is None or time.monotonic() - asked > ASK_AGAIN:
            told = self._ask(move, client, asking)
        else:
            told = self._read(move, client)
        for fact in facts.facts(told):
            if fact.get("pass") != name:
                continue
            if fact["fact"] in ("progress", "retry", "done"):
                self._newest[move.key] = fact
            if fact["fact"] == "done":
                with self._lock:
                    self._outcomes[key] = facts.outcome(fact)
        return self._outcomes.get(key)

    def _ask(self, move: VolumeMove, client: Client, asking: Asking) -> list[str]:
        command = [
            "/bin/sh",
            f"{SCRIPTS}/request.sh",
            secrets.token_hex(6),
            str(self._identity.generation),
            asking.name,
            asking.kind,
            str(asking.limit),
            asking.flags,
            str(round(asking.wait * 10)),
        ]
        try:
            answer = self._source.exec(
                move.source_namespace, client.name, command, container=CONTAINER, timeout=asking.wait + 30
            )
        except (TransientError, NotFound, Invalid) as error:
            raise NoAnswer(error.message) from error
        except MtcError as error:
            if "container" in error.reason.lower() and "not" in error.reason.lower():
                raise NoAnswer(error.message) from error
            raise
        if answer.exit_code == _REFUSED:
            raise LeaseLost(
                subject=self._identity.subject,
                attempt=f"the transfer pod of {move.source_namespace}/{move.source_claim} refuses this process",
                reason="a newer one has taken the run over",
                mend="Leave the run to it",
            )
        if answer.exit_code == _BUSY:
            self.busy[move.key] = answer.stdout.split()[-1] if answer.stdout.split() else "another pass"
            return []
        if answer.exit_code != 0:
            raise NoAnswer(answer.stderr.strip() or f"the request ended with {answer.exit_code}")
        self.busy.pop(move.key, None)
        self._asked[client.uid, asking.name] = time.monotonic()
        return answer.stdout.splitlines()

    def _read(self, move: VolumeMove, client: Client) -> list[str]:
        try:
            return list(self._source.logs(move.source_namespace, client.name, container=CONTAINER, tail_lines=_TAIL))
        except (NotFound, Invalid) as error:
            raise NoAnswer(error.message) from error
        except TransientError:
            return []
