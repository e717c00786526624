# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The versions of what the lab is made of, each said once."""

from __future__ import annotations

KUBERNETES = "1.34.4"
"""Everything else about Kubernetes' version, go.mod included, follows from this (`python -m lab gomod`)."""

IMAGES = "0.1.0"
"""The tag of the images that the lab builds."""


def staging(kubernetes: str = KUBERNETES) -> str:
    """Return the version that Kubernetes' staging modules (k8s.io/api and so on) carry."""
    _major, minor, patch = kubernetes.split(".")
    return f"0.{minor}.{patch}"


def link_flags(kubernetes: str = KUBERNETES) -> str:
    """Return the linker flags that make every component report its version."""
    major, minor, _patch = kubernetes.split(".")
    facts = {"gitVersion": f"v{kubernetes}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    settings = [f"-X {package}.{name}={value}" for package in packages for name, value in facts.items()]
    return " ".join(["-s", "-w", *settings])
