# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a cluster's version can do, and what is lost where it cannot.

One row for each ability that this collection uses and that not every supported version has on by default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..resources.errors import Refused

OLDEST = (1, 11)
"""OpenShift 3.11: source and destination."""
OLDEST_CONTROL = (1, 22)
"""Where the builtin engine keeps its resources."""

Version = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Ability:
    """``name`` is an attribute of ``Capabilities``; ``since`` the first version that has it on by default."""

    name: str
    since: Version
    lost: str


TABLE: tuple[Ability, ...] = (
    Ability(
        name="dry_run", since=(1, 13), lost="check mode cannot ask the server: admission and defaults are not predicted"
    ),
    Ability(
        name="managed_fields",
        since=(1, 18),
        lost="a creation repeated after a broken connection is recognised by content",
    ),
    Ability(name="server_side_apply", since=(1, 18), lost="objects are merged by patches instead of server-side apply"),
    Ability(
        name="token_request", since=(1, 20), lost="service account tokens come from token secrets and do not expire"
    ),
    Ability(name="aggregated_discovery", since=(1, 27), lost="discovery takes one request for each group version"),
    Ability(name="exec_half_close", since=(1, 30), lost="input for a command in a pod is fed through head in that pod"),
)


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """One flag for each row of the table, and the sentences of the rows that are missing."""

    version: Version
    dry_run: bool
    managed_fields: bool
    server_side_apply: bool
    token_request: bool
    aggregated_discovery: bool
    exec_half_close: bool
    lost: tuple[str, ...]


def capabilities_of(version: Version, *, subject: str, control: bool = False) -> Capabilities:
    """The row values for a version; ``Refused`` for one that is older than what is supported."""
    oldest = OLDEST_CONTROL if control else OLDEST
    if version < oldest:
        role = "The control cluster of the builtin engine" if control else "A cluster"
        raise Refused(
            subject=subject,
            attempt="unsupported version",
            reason=f"it runs Kubernetes {_text(version)}",
            mend=f"{role} must run {_text(oldest)} or newer",
        )
    flags = {ability.name: version >= ability.since for ability in TABLE}
    lost = tuple(ability.lost for ability in TABLE if not flags[ability.name])
    return Capabilities(version=version, lost=lost, **flags)


def parse_version(document: Mapping[str, Any], *, subject: str) -> Version:
    """``(1, 34)`` of what /version says; vendors add a plus sign. ``Refused`` when it says nothing that can be read."""
    numbers = [re.match(r"\d+", str(document.get(part) or "")) for part in ("major", "minor")]
    found = re.match(r"v?(\d+)\.(\d+)", str(document.get("gitVersion") or ""))
    if all(numbers):
        return int(numbers[0][0]), int(numbers[1][0])  # type: ignore[index]
    if found:
        return int(found[1]), int(found[2])
    raise Refused(
        subject=subject,
        attempt="unknown version",
        reason="/version names no Kubernetes version",
        mend="Connect to the API server itself",
    )


def _text(version: Version) -> str:
    return ".".join(str(number) for number in version)
