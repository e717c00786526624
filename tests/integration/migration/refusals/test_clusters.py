# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clusters that cannot be reached or are not known: one clear error each, and nothing happens."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from integration.migration import evidence
from integration.migration.refusals.conftest import ADOPT_TASK, Attempt
from integration.migration.waiting import until
from lab.targets import targets

NOBODY = "https://127.0.0.1:1"


def unreachable(folder: Path) -> Path:
    """The source's kubeconfig with a server that nobody listens for."""
    content = yaml.safe_load(targets().source.read_text())
    for cluster in content["clusters"]:
        cluster["cluster"]["server"] = NOBODY
    file = folder / "unreachable.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def test_a_kubeconfig_that_is_not_there(attempt: Attempt, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")
    run = attempt.run(task=ADOPT_TASK, mtc_source={"kubeconfig": missing})
    attempt.must_have_been_refused(run, missing, "no such file", "Give a kubeconfig file")


def test_a_kubeconfig_that_is_no_yaml(attempt: Attempt, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("apiVersion: v1\nclusters: [\n  token: precious-8431\n")
    run = attempt.run(task=ADOPT_TASK, mtc_source={"kubeconfig": str(broken)})
    attempt.must_have_been_refused(run, str(broken), "YAML")
    assert "precious" not in run.output


def test_a_server_that_nobody_answers_for(attempt: Attempt, tmp_path: Path) -> None:
    run = attempt.run(task=ADOPT_TASK, mtc_source={"kubeconfig": str(unreachable(tmp_path))})
    attempt.must_have_been_refused(run, NOBODY, "source", "onnection refused", "Check the address")


def test_a_control_cluster_that_nobody_answers_for(attempt: Attempt, tmp_path: Path) -> None:
    run = attempt.world.migrate(mtc_destination={"kubeconfig": str(unreachable(tmp_path))}, mtc_plan=attempt.plan)
    attempt.must_have_been_refused(run, NOBODY, "not reachable", "onnection refused", "Check the address")


def test_a_control_cluster_whose_kubeconfig_is_not_there(attempt: Attempt, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")
    run = attempt.world.migrate(mtc_destination={"kubeconfig": missing}, mtc_plan=attempt.plan)
    attempt.must_have_been_refused(run, missing, "no such file", "Give a kubeconfig file")


@pytest.mark.sample
def test_a_context_that_the_kubeconfig_does_not_have(attempt: Attempt) -> None:
    wrong = {"kubeconfig": str(targets().source), "context": "nowhere"}
    run = attempt.run(task=ADOPT_TASK, mtc_source=wrong)
    attempt.must_have_been_refused(run, "nowhere", str(targets().source), "context")


@pytest.mark.sample
def test_a_cluster_that_no_resource_stands_for(attempt: Attempt) -> None:
    run = attempt.run(mtc_source={"kubeconfig": str(targets().source), "name": "nowhere"})
    attempt.must_have_been_refused(
        run, f"MigCluster {attempt.world.resource_namespace}/nowhere", "does not exist", "mig_cluster"
    )


def test_a_control_cluster_without_definitions(attempt: Attempt) -> None:
    until(
        lambda: evidence.known_kinds(attempt.world.source) == [],
        "the source does not know the resources (tests that install them there remove them)",
    )
    run = attempt.run(mtc_destination={"kubeconfig": str(targets().source)})
    attempt.must_have_been_refused(
        run, "CustomResourceDefinition migmigrations.migration.openshift.io", "is not served", "openmig.mtc.crds"
    )
