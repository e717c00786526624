# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fill the upload volume, in a pod: everything about files that a copy can get wrong, the same for the same seed.

Ordinary files in several sizes, and beside these: hard links, symlinks of every kind, names that break programs which
quote or decode, sparse and empty files, other owners, modes with special bits, times in the past and to the
nanosecond, extended attributes, access control lists, a named pipe. Called as `python3 uploads.py DIRECTORY SEED`;
prints what it made as JSON.
"""

from __future__ import annotations

import json
import os
import random
import struct
import sys

OWNERS = ((65532, 65532), (1000, 1000), (1001, 100), (999, 999), (0, 0), (2_000_000, 2_000_001))
"""The front's own and others; the last has no name anywhere and does not fit into 16 bits."""
MODES = (0o644, 0o600, 0o640, 0o664, 0o444, 0o755, 0o700, 0o400)
SMALL, MEDIUM, LARGE = 2300, 140, 4
KIB, MIB = 1024, 1024 * 1024
EARLIEST, LATEST = 315_532_800, 1_700_000_000
"""1980 and 2023: no modification time is near the time of the copy."""

ODD_NAMES = (
    b"with space",
    b" leading space",
    b"trailing space ",
    b"new\nline",
    b"tab\there",
    b"carriage\rreturn",
    b"-rf",
    b"--delete",
    b"'single' \"double\" quotes",
    b"back\\slash",
    b"star*?[abc]{a,b}",
    b"$(touch pwned) `id` $HOME",
    b"semi;colon&and|pipe",
    b"percent%20%n%s",
    b"#hash~tilde",
    b"!bang",
    b".hidden",
    b"...",
    b"con:colon",
    "ünïcödé-日本語-🚚".encode(),
    b"nfc-\xc3\xa9",
    b"nfd-e\xcc\x81",
    b"not-utf-8-\xff\xfe",
    b"latin1-\xe9",
    b"control-\x01\x1b[31m\x7f",
    b"n" * 255,
)


class Uploads:
    """Makes files below one directory and counts what it made."""

    def __init__(self, root: str, seed: int) -> None:
        self.root = os.fsencode(root)
        self.random = random.Random(seed)
        self.made: dict[str, int] = {}
        self.skipped: list[str] = []
        self.files: list[bytes] = []

    def count(self, what: str) -> None:
        self.made[what] = self.made.get(what, 0) + 1

    def path(self, *parts: bytes) -> bytes:
        return os.path.join(self.root, *parts)

    def folder(self, *parts: bytes) -> bytes:
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, path: bytes, size: int, *, what: str) -> bytes:
        """A file of random bytes; owner, mode and time come from the same generator as the bytes."""
        with open(path, "xb") as file:
            left = size
            while left > 0:
                piece = min(left, MIB)
                file.write(self.random.randbytes(piece))
                left -= piece
        self.count(what)
        self.files.append(path)
        return path

    def dress(self, path: bytes, mode: int | None = None, owner: tuple[int, int] | None = None) -> None:
        """Owner first: changing it clears the special bits that the mode may set."""
        uid, gid = owner or self.random.choice(OWNERS)
        os.chown(path, uid, gid, follow_symlinks=False)
        if not os.path.islink(path):
            os.chmod(path, self.random.choice(MODES) if mode is None else mode)

    def age(self, path: bytes) -> None:
        """An old modification time with nanoseconds, on the link itself where it is one."""
        stamp = self.random.randint(EARLIEST, LATEST) * 10**9 + self.random.randrange(10**9)
        os.utime(path, ns=(stamp, stamp), follow_symlinks=False)

    def ordinary(self) -> None:
        for number in range(SMALL):
            folder = self.folder(b"catalogue", b"%02d" % (number % 40), b"%d" % (number % 3))
            self.dress(
                self.write(
                    os.path.join(folder, b"item-%05d.bin" % number), self.random.randrange(1, 24 * KIB), what="small"
                )
            )
        for number in range(MEDIUM):
            folder = self.folder(b"photographs", b"%d" % (2000 + number % 20))
            size = self.random.randrange(256 * KIB, 900 * KIB)
            self.dress(self.write(os.path.join(folder, b"DSC_%04d.JPG" % number), size, what="medium"))
        for number in range(LARGE):
            folder = self.folder(b"films")
            self.dress(
                self.write(os.path.join(folder, b"trailer-%d.mkv" % number), 16 * MIB + number * 4097, what="large")
            )

    def odd(self) -> None:
        for name in ODD_NAMES:
            self.dress(
                self.write(
                    os.path.join(self.folder(b"odd names"), name), self.random.randrange(64, 4096), what="odd name"
                )
            )
            inner = self.folder(b"odd folders", name)
            self.dress(self.write(os.path.join(inner, b"inside"), self.random.randrange(64, 4096), what="odd name"))
        deep = self.folder(*[b"deep-%02d" % level for level in range(30)])
        self.dress(self.write(os.path.join(deep, b"bottom"), 100, what="odd name"))

    def empty(self) -> None:
        for number in range(60):
            self.dress(self.write(os.path.join(self.folder(b"empty"), b"nothing-%02d" % number), 0, what="empty"))
        for number in range(8):
            self.folder(b"empty", b"folder-%d" % number)

    def sparse(self) -> None:
        """Data at the beginning, in the middle and at the end; nothing but a hole; data and a hole at the end."""
        folder = self.folder(b"sparse")
        layouts = (
            (b"disk.img", 64 * MIB, (0, 20 * MIB, 64 * MIB - 4096)),
            (b"hole.img", 24 * MIB, ()),
            (b"tail.img", 32 * MIB, (0,)),
        )
        for name, size, places in layouts:
            path = os.path.join(folder, name)
            with open(path, "xb") as file:
                file.truncate(size)
                for place in places:
                    file.seek(place)
                    file.write(self.random.randbytes(4096))
            self.dress(path)
            self.files.append(path)
            self.count("sparse")

    def hard_links(self) -> None:
        """Groups of 2 to 5 names, in one folder and across folders."""
        for group in range(40):
            first = self.write(
                os.path.join(self.folder(b"linked"), b"group-%02d" % group),
                self.random.randrange(10, 9000),
                what="small",
            )
            for other in range(1 + group % 4):
                folder = self.folder(b"linked", b"elsewhere-%d" % other) if other % 2 else self.folder(b"linked")
                os.link(first, os.path.join(folder, b"group-%02d-name-%d" % (group, other)))
                self.count("hard link")
            self.dress(first)

    def symlinks(self) -> None:
        folder = self.folder(b"symlinks")
        targets = [os.path.relpath(path, folder) for path in self.random.sample(self.files, 40)]
        targets += [
            b"../catalogue",
            b".",
            b"..",
            b"/etc/hostname",
            b"/srv/uploads/films",
            b"/nowhere/at/all",
            b"dangling",
        ]
        targets += [b"new\nline", b"not-utf-8-\xff", b"with space/and more", b"x" * 1000]
        for number, target in enumerate(targets):
            os.symlink(target, os.path.join(folder, b"link-%02d" % number))
            self.count("symlink")
        os.symlink(b"loop-b", os.path.join(folder, b"loop-a"))
        os.symlink(b"loop-a", os.path.join(folder, b"loop-b"))
        for name in os.listdir(folder):
            self.dress(os.path.join(folder, name))

    def special_bits(self) -> None:
        for name, mode in ((b"setgid", 0o2775), (b"sticky", 0o1777), (b"closed", 0o700), (b"no-entry", 0o000)):
            folder = self.folder(b"modes", name)
            self.dress(self.write(os.path.join(folder, b"inside"), 200, what="small"))
            self.dress(folder, mode, OWNERS[2])
        for name, mode in ((b"setuid-file", 0o4755), (b"setgid-file", 0o2755), (b"none", 0o000), (b"private", 0o600)):
            self.dress(self.write(os.path.join(self.folder(b"modes"), name), 300, what="small"), mode, OWNERS[1])
        pipe = os.path.join(self.folder(b"modes"), b"named-pipe")
        os.mkfifo(pipe)
        self.dress(pipe, 0o660)
        self.count("named pipe")

    def attributes(self) -> None:
        """Extended attributes and an access control list; on a file system without them that is said, not hidden."""
        folder = self.folder(b"attributes")
        for number in range(12):
            path = self.write(os.path.join(folder, b"file-%02d" % number), 500, what="small")
            self.dress(path, 0o640)
            try:
                os.setxattr(path, b"user.origin", b"scanner-%d\0\xff" % number)
                if number % 3 == 0:
                    os.setxattr(path, b"system.posix_acl_access", acl(0o6, 1000, 0o4))
            except OSError as error:
                self.skipped = [f"attributes: {error.strerror}"]
                return
            self.count("attributes")

    def finish(self) -> None:
        """Directories last, deepest first: making something inside would change their times."""
        for folder, folders, names in os.walk(self.root, topdown=False):
            for name in names:
                self.age(os.path.join(folder, name))
            for name in folders:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    self.age(path)
            if folder != self.root:
                self.age(folder)
                self.count("folder")
        inbox = self.folder(b"orders")
        os.chown(inbox, *OWNERS[0])
        os.chmod(inbox, 0o775)
        os.chmod(self.root, 0o755)


def acl(group_and_mask: int, user: int, permission: int) -> bytes:
    """An access control list as the kernel stores it: owner rw, one more user, group, mask, others nothing."""
    nobody = 0xFFFFFFFF
    entries = (
        (0x01, 6, nobody),
        (0x02, permission, user),
        (0x04, group_and_mask, nobody),
        (0x10, group_and_mask, nobody),
        (0x20, 0, nobody),
    )
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def main() -> None:
    """Make everything, once: a second call fails at the first file instead of mixing two fillings."""
    uploads = Uploads(sys.argv[1], int(sys.argv[2]))
    steps = (
        uploads.ordinary,
        uploads.odd,
        uploads.empty,
        uploads.sparse,
        uploads.hard_links,
        uploads.symlinks,
        uploads.special_bits,
        uploads.attributes,
        uploads.finish,
    )
    for step in steps:
        step()
    print(json.dumps({"made": uploads.made, "skipped": uploads.skipped}))


if __name__ == "__main__":
    main()
