# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of Velero's restores belong to a migration, by their names alone: the resources may be gone."""

from __future__ import annotations

from ansible_collections.openmig.mtc.plugins.module_utils.engine.rollback_leftovers import restores_of


def test_the_names_of_restores() -> None:
    prefixes = restores_of(["shop-final"])
    assert "shop-final-final-x7k2p".startswith(prefixes)
    assert "shop-final-stage-x7k2p".startswith(prefixes)
    assert not "shop-final-2-final-x7k2p".startswith(prefixes)
    assert not "other-final-x7k2p".startswith(prefixes)


def test_a_long_name_is_cut_as_mtc_cuts_it() -> None:
    assert restores_of(["m" * 60]) == (f"{'m' * 50}-final-", f"{'m' * 50}-stage-")
