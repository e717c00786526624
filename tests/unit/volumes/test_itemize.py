# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""rsync's own words, as recorded from rsync 3.2 and 3.5, read back."""

from __future__ import annotations

import pytest

from ansible_collections.openmig.mtc.plugins.module_utils.volumes import itemize

STATISTICS = """
Number of files: 50,003 (reg: 50,001, dir: 2)
Number of created files: 2 (reg: 2)
Number of deleted files: 3 (reg: 3)
Number of regular files transferred: 17
Total file size: 866665 bytes
Total transferred file size: 4096 bytes
Literal data: 4096 bytes
Matched data: 0 bytes
File list size: 65532
File list generation time: 0.001 seconds
File list transfer time: 0.000 seconds
Total bytes sent: 1234567
Total bytes received: 65

sent 1234567 bytes  received 65 bytes  823.088 bytes/sec
total size is 866665  speedup is 0.70
"""


def test_statistics() -> None:
    assert itemize.statistics("noise\r  1 2%\n" + STATISTICS) == itemize.Statistics(
        files_total=50003,
        files_transferred=17,
        files_deleted=3,
        bytes_total=866665,
        bytes_transferred=4096,
        bytes_sent=1234567,
    )
    assert itemize.statistics("rsync error: error in socket IO (code 10)") is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "     32,768  12%  1.50MB/s    0:01:02 (xfr#5, to-chk=10/100)",
            itemize.Progress(
                bytes=32768,
                percent=12,
                rate=1.5e6,
                rate_text="1.50MB/s",
                elapsed="0:01:02",
                files=90,
                files_total=100,
                listed=True,
            ),
        ),
        (
            "  104857600 100%  212.08kB/s    0:00:00 (xfr#1, ir-chk=1000/2000)",
            itemize.Progress(
                bytes=104857600,
                percent=100,
                rate=212080.0,
                rate_text="212.08kB/s",
                elapsed="0:00:00",
                files=1000,
                files_total=2000,
            ),
        ),
        (
            "              1 100%    0.00kB/s    0:00:00  ",
            itemize.Progress(bytes=1, percent=100, rate=0.0, rate_text="0.00kB/s", elapsed="0:00:00"),
        ),
    ],
)
def test_progress(line: str, expected: itemize.Progress) -> None:
    assert itemize.progress(line) == expected


@pytest.mark.parametrize(
    "line", ["", "total size is 866665  speedup is 0.70", "sent 12 bytes  received 3 bytes  1.00 bytes/sec"]
)
def test_no_progress(line: str) -> None:
    assert itemize.progress(line) is None


def test_item_names() -> None:
    lines = [
        "<f+++++++++ new file",
        ".d..t...... ./",
        "*deleting   gone \\#012 name",
        "cL+++++++++ link -> target",
        "<fcsT...... deep/er/x",
        "hf+++++++++ second => first",
    ]
    assert itemize.item_names(lines) == (
        "new file",
        "./",
        "gone \\#012 name",
        "link -> target",
        "deep/er/x",
        "second => first",
    )


def test_complaints_name_files_and_causes() -> None:
    said = itemize.complaints(
        'rsync: [sender] send_files failed to open "/volume/secret/key": Permission denied (13)\n'
        'rsync: [generator] chgrp "/d/x" (in v0123) failed: Operation not permitted (1)\n'
        'file has vanished: "/volume/tmp/a b"\n'
        "rsync error: some files/attrs were not transferred (code 23) at main.c(1338) [sender=3.2.7]\n"
    )
    assert said.failed == ("secret/key", "d/x")
    assert said.vanished == ("tmp/a b",)
    assert not said.disk_full
    assert "secret/key" in said.cause


def test_complaints_of_a_full_disk() -> None:
    said = itemize.complaints(
        'rsync: [receiver] write failed on "big" (in v0123): No space left on device (28)\n'
        "rsync error: error in file IO (code 11) at receiver.c(381) [receiver=3.2.7]\n"
    )
    assert said.disk_full
    assert said.failed == ("big",)


def test_the_tunnel_says_the_cause() -> None:
    said = itemize.complaints(
        "2026.11.21 20:50:50 LOG4[0]: CERT: Subject checks failed\n"
        "2026.11.21 20:50:50 LOG3[0]: SSL_connect: ../ssl/statem.c:1889: error:0A000086: certificate verify failed\n"
        "rsync: [Receiver] safe_read failed to read 1 bytes: Connection reset by peer (104)\n"
    )
    assert said.cause == "CERT: Subject checks failed"
    assert said.failed == ()
