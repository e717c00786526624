# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many volumes are copied at once, which of them begin, and what each gets of the bandwidth."""

from __future__ import annotations

from typing import cast

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.model import TransferOptions, VolumeMove
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.pods import Client
from ansible_collections.openmig.mtc.plugins.module_utils.volumes.transfer import AT_ONCE, Transfer

from .builders import IDENTITY, move

MOVES = [move(f"v{number}", size=(number + 1) << 20) for number in range(40)]


def transfer(bandwidth: int | None = None) -> Transfer:
    """With a client for every volume; no cluster is asked for anything."""
    nobody = cast(Cluster, None)
    options = TransferOptions(source_image="x", destination_image="x", bandwidth_kib=bandwidth)
    made = Transfer(nobody, nobody, MOVES, IDENTITY, options, lambda _fact: None)
    made._pods.connected.update({each.key: Client(name=each.key, uid=each.key) for each in MOVES})
    return made


def claims(moves: list[VolumeMove]) -> list[str]:
    return [each.source_claim for each in moves]


def test_no_more_than_so_many_work_at_once_and_the_largest_begin() -> None:
    made = transfer()
    assert AT_ONCE == 16
    first = made._next("final", MOVES)
    assert claims(first) == [f"v{number}" for number in range(39, 23, -1)]
    assert set(claims(made._next("final", MOVES))) == set(claims(first))

    ended = set(first[:5])
    later = made._next("final", [each for each in MOVES if each not in ended])
    assert len(later) == AT_ONCE
    assert set(claims(later)) - set(claims(first)) == {"v23", "v22", "v21", "v20", "v19"}

    other = made._next("verify", MOVES)
    assert len(other) == AT_ONCE


def test_a_volume_without_its_pod_takes_nobodys_turn() -> None:
    made = transfer()
    for each in MOVES[20:]:
        made._pods.forget(each)
    assert claims(made._next("final", MOVES)) == [f"v{number}" for number in range(19, 3, -1)]


def test_the_bandwidth_is_the_whole_runs() -> None:
    made = transfer(bandwidth=1600)
    assert made._limit(AT_ONCE) * AT_ONCE == 1600
    assert made._limit(1) == 1600
    assert transfer()._limit(AT_ONCE) == 0
