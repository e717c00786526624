# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""With which rights the transfer pods run, what rsync is told accordingly, and what is lost by it.

``root`` is user 0 with six capabilities and nothing else: it passes Pod Security ``baseline`` and keeps owners, modes,
ACLs and extended attributes. ``restricted`` passes Pod Security ``restricted``: any non-root user, which keeps
contents, modes and times of files. What a profile cannot keep is said in every verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .model import SettledProfile

NOBODY: Final = 65534

RECEIVER_CAPABILITIES: Final = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID", "SYS_CHROOT")
# A sender only reads. DAC_READ_SEARCH would say it better but is not in Pod Security baseline.
SENDER_CAPABILITIES: Final = ("DAC_OVERRIDE",)

_COMMON: Final = (
    "--recursive",
    "--links",
    "--perms",
    "--times",
    "--specials",
    "--hard-links",
    "--numeric-ids",
    # Nanoseconds too: two writes within one second are two states.
    "--modify-window=-1",
)
RSYNC_OPTIONS: Final[dict[SettledProfile, tuple[str, ...]]] = {
    "root": (
        *_COMMON,
        "--owner",
        "--group",
        "--acls",
        "--xattrs",
        # An own filter replaces rsync's, so the names that it never copies come again. SELinux labels are the
        # destination's to give.
        "--filter=-x system.*",
        "--filter=-x security.selinux",
    ),
    # A receiver without root may not set the time of the volume's root directory, which another owns.
    "restricted": (*_COMMON, "--omit-dir-times"),
}

LOST: Final[dict[SettledProfile, tuple[str, ...]]] = {
    "root": (),
    "restricted": (
        "owners and groups are those of the transfer's user",
        "ACLs and extended attributes are not copied",
        "times of directories are not kept",
    ),
}
"""What a profile loses always."""

DOWNGRADES: Final[dict[str, str]] = {
    "acls": "ACLs: the destination's file system has none",
    "xattrs": "extended attributes: the destination's file system has none",
    "security-xattrs": "security attributes (file capabilities): the transfer may not set them",
    "devices": "device nodes are not copied",
    "fine-times": "times of files are kept to the second only, as the destination's file system does",
}
"""What a pod found out to be impossible, by the word that its scripts use."""


def downgrades(profile: SettledProfile, words: Sequence[str]) -> tuple[str, ...]:
    """All that is lost, as sentences; an unknown word stands for itself."""
    return (*LOST[profile], *(DOWNGRADES.get(word, word) for word in words))


@dataclass(frozen=True, kw_only=True)
class Persona:
    """As whom a pod runs: the profile and, for the restricted one, which IDs."""

    profile: SettledProfile
    user: int = 0
    group: int = 0
    supplemental_groups: tuple[int, ...] = ()
    file_group: int | None = None
    selinux_level: str | None = None

    def pod(self) -> dict[str, Any]:
        """The pod's securityContext. ``fsGroup`` is for destinations only: it may rewrite the groups of files."""
        context: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
        if self.profile == "restricted":
            context.update(runAsNonRoot=True, runAsUser=self.user, runAsGroup=self.group)
        if self.supplemental_groups:
            context["supplementalGroups"] = list(self.supplemental_groups)
        if self.file_group is not None:
            context.update(fsGroup=self.file_group, fsGroupChangePolicy="OnRootMismatch")
        if self.selinux_level:
            context["seLinuxOptions"] = {"level": self.selinux_level}
        return context

    def container(self, capabilities: Sequence[str]) -> dict[str, Any]:
        """The container's securityContext. ``capabilities`` are given to root only."""
        context: dict[str, Any] = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        if self.profile == "root":
            context.update(runAsUser=0, runAsGroup=0, runAsNonRoot=False)
            context["capabilities"]["add"] = list(capabilities)
        return context
