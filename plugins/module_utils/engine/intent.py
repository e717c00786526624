# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asked of a migration, resolved once at the start of a run and kept for its whole life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ..resources.excludes import Exclusion, exclusions, to_record
from ..volumes.model import EndpointType, Profile, TransferOptions
from .frozen_options import FrozenOptions

CHANGEABLE = frozenset(
    {
        "pause_before",
        "bandwidth",
        "start_timeout",
        "quiesce_timeout",
        "health_timeout",
        "max_downtime",
        "image_pull_policy",
    }
)
"""Options that a later call for the same run may give another value."""


@dataclass(frozen=True, kw_only=True)
class Intent(FrozenOptions):
    """The resolved options of a run. Times in seconds, bandwidth in KiB/s for all volumes together."""

    changeable: ClassVar[frozenset[str]] = CHANGEABLE

    quiesce_pods: bool
    verify: bool
    pre_copy: bool
    verification: str
    existing_objects: str
    run_as_root: bool | None
    run_as_user: int | None
    run_as_group: int | None
    transfer_image: str
    image_pull_policy: str
    endpoint: EndpointType
    endpoint_address: str | None
    bandwidth: int | None
    start_timeout: int
    quiesce_timeout: int
    health_timeout: int
    max_downtime: int
    images: str = "copy"
    excludes: tuple[Exclusion, ...] = ()
    accept_warnings: tuple[str, ...] = ()
    pause_before: str | None = None
    rollback_sync: bool = False

    def transfer_options(self) -> TransferOptions:
        """How the volumes are copied."""
        profiles: dict[bool | None, Profile] = {True: "root", False: "restricted", None: "auto"}
        return TransferOptions(
            source_image=self.transfer_image,
            destination_image=self.transfer_image,
            pull_policy=self.image_pull_policy,
            profile=profiles[self.run_as_root],
            bandwidth_kib=self.bandwidth,
            endpoint=self.endpoint,
            endpoint_address=self.endpoint_address,
            start_timeout=float(self.start_timeout),
            run_as_user=self.run_as_user,
            run_as_group=self.run_as_group,
        )

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """What is left out and depends on the kind of run is settled here: only a final run stops the application and
        looks at the migrated one without being told to."""
        final = not any(params.get(kind) for kind in ("stage", "migrate_state", "rollback", "cancel"))
        settled = {name: final for name in ("quiesce_pods", "verify") if params.get(name) is None}
        return super().from_params({**params, **settled})

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        lists = {
            "excludes": exclusions(values.get("excludes")),
            "accept_warnings": tuple(sorted(set(values.get("accept_warnings") or ()))),
        }
        return {**values, **lists}

    def to_record(self) -> dict[str, Any]:
        lists = {
            "excludes": to_record(self.excludes),
            "accept_warnings": list(self.accept_warnings),
        }
        return {**super().to_record(), **lists}
