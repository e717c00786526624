# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a transfer pod waits for, in words, and whether waiting can help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

State = Literal["missing", "ending", "waiting", "running", "ended"]

HOPELESS: Final = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerError", "RunContainerError"})
"""Reasons that no waiting mends."""
PULLING: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
"""Reasons that a registry's hiccup causes too: given a little time."""


@dataclass(frozen=True, kw_only=True)
class PodState:
    """``text`` says what is waited for or how the pod ended; ``reason`` is the kubelet's or scheduler's own word."""

    state: State
    text: str = ""
    reason: str = ""

    @property
    def hopeless(self) -> bool:
        return self.reason in HOPELESS

    @property
    def pulling(self) -> bool:
        return self.reason in PULLING


def state_of(pod: Mapping[str, Any] | None) -> PodState:
    """The state of a pod as the API server shows it; None is a pod that does not exist."""
    if pod is None:
        return PodState(state="missing", text="the pod does not exist yet")
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return PodState(state="ending", text="an earlier pod is ending")
    phase = status.get("phase")
    container: Mapping[str, Any] = next(iter(status.get("containerStatuses") or []), {})
    if phase in ("Failed", "Succeeded"):
        return _ended(status, container)
    if phase == "Running" and (container.get("state") or {}).get("running") is not None:
        return PodState(state="running")
    waiting = (container.get("state") or {}).get("waiting")
    if waiting:
        reason, message = waiting.get("reason") or "", waiting.get("message") or ""
        return PodState(state="waiting", text=f"{reason}: {message}" if message else reason, reason=reason)
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            reason, message = condition.get("reason") or "", condition.get("message") or ""
            return PodState(state="waiting", text=f"{reason}: {message}" if message else reason, reason=reason)
    return PodState(state="waiting", text=f"the pod is {phase or 'new'}")


def _ended(status: Mapping[str, Any], container: Mapping[str, Any]) -> PodState:
    terminated = (container.get("state") or {}).get("terminated") or {}
    reason = status.get("reason") or terminated.get("reason") or "ended"
    said = (status.get("message") or terminated.get("message") or "").strip().splitlines()
    code = terminated.get("exitCode")
    text = reason + (f" (exit {code})" if code is not None else "") + (f": {said[-1]}" if said else "")
    return PodState(state="ended", text=text, reason=reason)
