# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rsync says, read: its statistics, its progress line, its itemized changes and its errors.

Written against rsync 3.1 to 3.5 with ``--no-human-readable`` and LC_ALL=C. File names in results are as rsync prints
them, a byte that cannot be printed as ``\\#ooo``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_COUNTS = {
    "files_total": re.compile(r"^Number of files: ([\d,]+)", re.MULTILINE),
    "files_transferred": re.compile(r"^Number of (?:regular )?files transferred: ([\d,]+)", re.MULTILINE),
    "files_deleted": re.compile(r"^Number of deleted files: ([\d,]+)", re.MULTILINE),
    "bytes_total": re.compile(r"^Total file size: ([\d,]+)", re.MULTILINE),
    "bytes_transferred": re.compile(r"^Total transferred file size: ([\d,]+)", re.MULTILINE),
    "devices": re.compile(r"^Number of files: .*\bdev: ([\d,]+)", re.MULTILINE),
    "bytes_sent": re.compile(r"^Total bytes sent: ([\d,]+)", re.MULTILINE),
}
_PROGRESS = re.compile(
    r"^\s*(?P<bytes>\d[\d,]*)\s+(?P<percent>\d+)%\s+(?P<rate>[\d.]+)(?P<unit>[kMGT]?)B/s\s+(?P<time>[\d:]+)"
    r"(?:\s+\(xfr#(?P<files>\d+), (?P<listing>ir|to)-chk=(?P<left>\d+)/(?P<all>\d+)\))?"
)
_UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
_ITEM = re.compile(r"^(?:[<>ch.][fdLDS][^ ]{9}|\*deleting  ) (?P<name>.*)$")
_QUOTED = re.compile(r'"(?P<name>.*?)"(?: \(in (?P<module>[^)]*)\))?')
_VANISHED = re.compile(r'^file has vanished: "(?P<name>.*)"')
_TUNNEL = re.compile(r"^\d{4}\.\d\d\.\d\d [\d:]+ LOG[0-4]\[[^\]]*\]: (?P<text>.*)$")
_NAMELESS = "rsync error: "


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Figures of ``--stats``; ``files_total`` counts all entries, directories and device nodes included."""

    files_total: int = 0
    files_transferred: int = 0
    files_deleted: int = 0
    bytes_total: int = 0
    bytes_transferred: int = 0
    bytes_sent: int = 0
    devices: int = 0

    @property
    def entries(self) -> int:
        """Entries that are copied: device nodes never are."""
        return self.files_total - self.devices


def statistics(text: str) -> Statistics | None:
    """``None`` when rsync did not get as far as printing them."""
    found = {name: pattern.search(text) for name, pattern in _COUNTS.items()}
    if found["files_total"] is None:
        return None
    return Statistics(**{name: int(match[1].replace(",", "")) for name, match in found.items() if match})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One ``--info=progress2`` line. ``rate`` is in bytes a second; ``files`` and ``files_total`` are 0 until known."""

    bytes: int
    percent: int
    rate: float
    rate_text: str
    elapsed: str
    files: int = 0
    files_total: int = 0
    listed: bool = False


def progress(line: str) -> Progress | None:
    """``None`` for a line of another kind. While the file list grows (``ir-chk``) percent and total mean little."""
    match = _PROGRESS.match(line)
    if match is None:
        return None
    total = int(match["all"] or 0)
    return Progress(
        bytes=int(match["bytes"].replace(",", "")),
        percent=int(match["percent"]),
        rate=float(match["rate"]) * _UNITS[match["unit"]],
        rate_text=f"{match['rate']}{match['unit']}B/s",
        elapsed=match["time"],
        files=total - int(match["left"] or 0),
        files_total=total,
        listed=match["listing"] == "to",
    )


def item_names(lines: Iterable[str]) -> tuple[str, ...]:
    """The names in itemized lines; a line of another form stands for itself."""
    return tuple(match["name"] if (match := _ITEM.match(line)) else line for line in lines if line)


@dataclass(frozen=True, kw_only=True)
class Complaints:
    """What rsync and stunnel complained of: files by what befell them, and everything else as it was said."""

    failed: tuple[str, ...] = ()
    """Files that could not be read or written."""
    vanished: tuple[str, ...] = ()
    disk_full: bool = False
    tunnel: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The line that says most: the tunnel's, else rsync's first."""
        return next(iter((*self.tunnel, *self.lines)), "")


def complaints(text: str, *, root: str = "/volume/") -> Complaints:
    """Sort the lines of standard error. ``root`` is taken from the front of names."""
    failed: dict[str, None] = {}
    vanished: dict[str, None] = {}
    tunnel: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if match := _TUNNEL.match(line):
            tunnel.append(match["text"])
            continue
        lines.append(line)
        if match := _VANISHED.match(line):
            vanished[match["name"].removeprefix(root)] = None
        elif not line.startswith(_NAMELESS) and (match := _QUOTED.search(line)):
            # A daemon that has changed its root to the volume names files from there, with a leading slash.
            name = match["name"].lstrip("/") if match["module"] else match["name"].removeprefix(root)
            failed[name] = None
    return Complaints(
        failed=tuple(failed),
        vanished=tuple(vanished),
        disk_full="(28)" in text or "(122)" in text,
        tunnel=tuple(tunnel),
        lines=tuple(lines),
    )
