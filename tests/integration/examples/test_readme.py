# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The README's playbook, read out of the README: short, and it does what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.api import Cluster
from integration.examples.conftest import CLAIMS, application, as_in_the_lab
from integration.migration import applications, evidence
from integration.migration.playbooks import ROOT, play
from integration.migration.waiting import until_measured

LONGEST = 40
"""Lines of the whole playbook."""


def shown() -> str:
    """The one playbook in the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (playbook,) = [block for block in blocks if isinstance(yaml.safe_load(block), list)]
    return str(playbook)


def test_it_is_short() -> None:
    assert len(shown().splitlines()) <= LONGEST


@pytest.mark.sample
def test_it_adopts_stores_plans_and_looks(clusters: dict[str, Cluster], tmp_path: Path) -> None:
    applications.deploy(clusters["source"], application("shop", CLAIMS["shop"]))
    for claim in CLAIMS["shop"]:
        until_measured(clusters["source"], "shop", claim)
    plays: list[dict[str, Any]] = as_in_the_lab(yaml.safe_load(shown()))
    playbook = tmp_path / "playbook.yml"
    # How Ansible finds its Python is no part of what is shown.
    settings = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    playbook.write_text(yaml.safe_dump([{**each, "vars": settings} for each in plays], sort_keys=False))

    first = play({}, playbook=str(playbook))
    assert first.code == 0, first.output
    assert [first.result(name)["conditions"]["Ready"]["status"] for name in ("mig_storage", "mig_plan")] == ["True"] * 2
    plan = (tmp_path / "shop-plan.txt").read_text()
    assert f"digest {first.migration['digest']}" in plan
    assert "volume shop/data -> shop-new/data, class destination-fast" in plan
    assert "stop Deployment shop/web" in plan
    assert first.migration["summary"]["blocking"] == 0
    assert clusters["destination"].get("v1", "Namespace", "shop-new") is None
    assert "MigPlan shop" in evidence.restored(clusters["destination"], "openmig")

    second = play({}, playbook=str(playbook))
    assert second.code == 0, second.output
    assert second.changed == 1
    assert second.migration["digest"] == first.migration["digest"]
    assert (tmp_path / "shop-plan.txt").read_text() == plan
