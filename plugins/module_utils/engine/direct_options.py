# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asked of a DirectVolumeMigration beyond its spec, kept for the life of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..resources.excludes import Exclusion, exclusions, to_record
from ..volumes.model import EndpointType, Profile, TransferOptions
from .frozen_options import FrozenOptions

USE, FAIL = "use", "fail"


@dataclass(frozen=True, kw_only=True)
class DirectOptions(FrozenOptions):
    """The resolved options of a run. Times in seconds, bandwidth in KiB/s for all volumes together."""

    changeable: ClassVar[frozenset[str]] = frozenset({"bandwidth", "start_timeout", "image_pull_policy"})

    allow_writers: bool
    existing_claims: str
    run_as_root: bool | None
    run_as_user: int | None
    run_as_group: int | None
    transfer_image: str
    image_pull_policy: str
    endpoint: EndpointType
    endpoint_address: str | None
    bandwidth: int | None
    start_timeout: int
    excludes: tuple[Exclusion, ...] = ()

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "excludes": exclusions(values.get("excludes"))}

    def to_record(self) -> dict[str, Any]:
        return {**super().to_record(), "excludes": to_record(self.excludes)}

    def transfer(self, *, attempts: int) -> TransferOptions:
        """As the movers want them."""
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
            attempts=attempts,
        )
