# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The version of Kubernetes is one number; what is derived from it agrees."""

from __future__ import annotations

import re

import pytest

from lab import gomod, peers, versions
from lab.command import LabError
from lab.paths import GO_MODULE, VELERO_MODULE


def test_the_go_module_is_at_the_version_that_is_named() -> None:
    text = (GO_MODULE / "go.mod").read_text(encoding="utf-8")
    assert re.findall(r"^\tk8s\.io/kubernetes v(\S+)$", text, re.MULTILINE) == [versions.KUBERNETES]
    replaced = re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ v(\S+)$", text, re.MULTILINE)
    assert len(replaced) > 20
    assert set(replaced) == {versions.staging()}


def test_velero_is_built_with_the_same_libraries() -> None:
    """So that what the lab's build has compiled is not compiled anew, and both versions are raised together."""
    named = gomod.libraries((VELERO_MODULE / "go.mod").read_text(encoding="utf-8"))
    assert {"k8s.io/client-go", "k8s.io/apimachinery", "k8s.io/api"} <= named.keys()
    assert set(named.values()) == {versions.staging()}


def test_velero_reports_the_version_that_its_module_names() -> None:
    assert peers.velero_version() in peers.VELERO.flags
    assert re.fullmatch(r"v1\.\d+\.\d+", peers.velero_version())


def test_components_report_major_minor_and_full_version() -> None:
    flags = versions.link_flags("1.34.4")
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X {package}.gitVersion=v1.34.4" in flags
        assert f"-X {package}.gitMajor=1" in flags
        assert f"-X {package}.gitMinor=34" in flags


def test_staging_modules_and_etcd_are_read_from_upstreams_go_mod() -> None:
    upstream = """
require (
\tgo.etcd.io/etcd/client/v3 v3.6.4
\tk8s.io/api v0.0.0
)
replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\tk8s.io/kubectl => ./staging/src/k8s.io/kubectl
)
"""
    assert gomod.staging_modules(upstream) == ["k8s.io/api", "k8s.io/kubectl"]
    assert gomod.etcd_version(upstream) == "v3.6.4"


def test_a_go_mod_without_etcd_is_refused() -> None:
    with pytest.raises(LabError, match="no etcd"):
        gomod.etcd_version("module x")
