# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where restic keeps the volumes of a plan, and what its pods are given to get there."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PASSWORD: Final = "password"
"""The file with the repository's password."""


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A restic repository. ``files`` are secret and reach pods in a mounted Secret; nothing else here is secret."""

    address: str
    """As restic is told it; it names no credentials."""
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    """Arguments of every call of restic, without blanks."""
    files: Mapping[str, str] = field(repr=False)
    """Name to content."""
    variables: tuple[str, ...] = ()
    """Files whose content restic wants in a variable of the same name: in its own environment, not in the pod's."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Secrets within files that neither are a line of one nor stand behind an equals sign."""

    @property
    def ending(self) -> str:
        """Eight hexadecimal digits that change with the files; nobody without the password can guess by them."""
        content = json.dumps(dict(self.files), sort_keys=True).encode()
        return hmac.new(self.files[PASSWORD].encode(), content, hashlib.sha256).hexdigest()[:8]

    def told(self, text: str) -> str:
        """A text of restic's without the contents of the files, should one ever be in it."""
        lines = {line.strip() for content in self.files.values() for line in content.splitlines()}
        values = {part.strip() for line in lines for part in (line, line.rpartition("=")[2])} | set(self.hidden)
        for value in sorted(values, key=len, reverse=True):
            if len(value) >= SHORTEST_SECRET:
                text = text.replace(value, "(not shown)")
        return text


SHORTEST_SECRET: Final = 8


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a pass has put into the repository for one volume, and for a last pass the list that proves it."""

    volume: str
    manifest: str = ""
    entries: int = 0
    files: int = 0
    bytes: int = 0
    excluded: int = 0
    """Files that were left out on purpose."""
