# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""As whom the pods run, given who uses the volumes.

The source is never mounted with an fsGroup: a kubelet that sees one may change the groups of all files. Membership in
the same group as a supplemental one reads the same files and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from .consumers import Consumer
from .model import SettledProfile, TransferOptions
from .profiles import NOBODY, Persona


def sender(profile: SettledProfile, consumer: Consumer | None, options: TransferOptions) -> Persona:
    """Of a client pod."""
    level = consumer.selinux_level if consumer else None
    if profile == "root":
        return Persona(profile=profile, selinux_level=level)
    user = _not_root(options.run_as_user, consumer.user if consumer else None)
    group = _first(options.run_as_group, consumer.group if consumer else None, user)
    return Persona(
        profile=profile,
        user=user,
        group=group,
        supplemental_groups=consumer.groups if consumer else (),
        selinux_level=level,
    )


def receiver(profile: SettledProfile, users: Sequence[Consumer], options: TransferOptions) -> Persona:
    """Of a server pod, which serves all volumes of a namespace: what their consumers agree on, else a neutral user.

    Its volumes were made for this run, so an fsGroup may make them writable.
    """
    if profile == "root":
        return Persona(profile=profile)
    user = _not_root(options.run_as_user, _agreed([each.user for each in users]))
    group = _first(options.run_as_group, _agreed([each.group for each in users]), user)
    file_group = _first(options.run_as_group, _agreed([each.file_group for each in users]), group)
    return Persona(profile=profile, user=user, group=group, file_group=file_group)


def _agreed(values: Sequence[int | None]) -> int | None:
    return values[0] if values and len(set(values)) == 1 else None


def _not_root(*candidates: int | None) -> int:
    return next((candidate for candidate in candidates if candidate), NOBODY)


def _first(*candidates: int | None) -> int:
    return next((candidate for candidate in candidates if candidate is not None), NOBODY)
