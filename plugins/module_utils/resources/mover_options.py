# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that say how the pods that copy are made and reached, of migrations and of copies that stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from . import option_checks as check
from .errors import Problem

ENDPOINTS: Final = ("NodePort", "ClusterIP")
"""How the source's pods may reach the destination."""
FOREIGN_ENDPOINTS: Final = ("Route", "LoadBalancer")
"""What MTC can be told beside them."""


def problems(params: Mapping[str, Any]) -> list[Problem]:
    """Image, endpoint and bandwidth, where given."""
    found = [
        *check.image(params.get("transfer_image"), "transfer_image"),
        *check.host(params.get("endpoint_address"), "endpoint_address"),
    ]
    if params.get("endpoint") in FOREIGN_ENDPOINTS:
        made = " and ".join(ENDPOINTS)
        fault = f"the builtin engine cannot make one of type {params['endpoint']} yet, only {made}"
        mend = "Choose NodePort, or ClusterIP when pods of the source reach the destination's service addresses"
        found.append(Problem(path="endpoint", fault=fault, mend=mend))
    if params.get("bandwidth") is not None and params["bandwidth"] < 1:
        found.append(Problem(path="bandwidth", fault="must be at least 1 KiB/s", mend="Leave it out for no limit"))
    return found
