# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user asked for, resolved once at the start of a run and kept for its whole life.

Upstream's MigMigration has no field for most of it and its CRD prunes unknown ones, so the intent lives in the run's
record. A later call for the same run must ask for the same; only what may change in mid-run without changing the
result may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..resources.errors import InvalidInput, Problem, subject_of
from ..volumes.model import EndpointType

CHANGEABLE = frozenset(
    {"bandwidth", "start_timeout", "quiesce_timeout", "health_timeout", "max_downtime", "image_pull_policy"}
)
"""Options that a later call for the same run may give another value."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """The resolved options of a run. Times in seconds, bandwidth in KiB/s for all volumes together."""

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

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Intent:
        """From a module's parameters, which carry every field under the same name (``canceled`` and the like are not
        part of it)."""
        return cls(**{field.name: params[field.name] for field in fields(cls)})

    @classmethod
    def from_record(cls, stored: Mapping[str, Any]) -> Intent:
        return cls(**{field.name: stored[field.name] for field in fields(cls)})

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    def continued_by(self, wanted: Intent, *, migration: str, namespace: str) -> Intent:
        """The intent with which a run goes on when ``wanted`` is asked for; InvalidInput names every field that may
        not differ."""
        problems = [
            Problem(
                path=field.name,
                fault=(
                    f"the run began with {getattr(self, field.name)!r} "
                    f"and this call asks for {getattr(wanted, field.name)!r}"
                ),
                mend="Give the value that the run began with, or cancel the run first",
            )
            for field in fields(self)
            if field.name not in CHANGEABLE and getattr(self, field.name) != getattr(wanted, field.name)
        ]
        if problems:
            raise InvalidInput(subject=subject_of("MigMigration", migration, namespace), problems=problems)
        return wanted
