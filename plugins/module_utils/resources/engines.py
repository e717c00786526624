# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two engines by name, and where each keeps its resources and their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import names

AUTO: Final = "auto"
BUILTIN: Final = "builtin"
CONTROLLER: Final = "controller"
CHOICES: Final = (AUTO, BUILTIN, CONTROLLER)
ENVIRONMENT: Final = "MTC_ENGINE"
"""The variable that says which engine when no option does."""

NAMESPACES: Final[Mapping[str, str]] = {
    BUILTIN: names.BUILTIN_NAMESPACE,
    CONTROLLER: names.CONTROLLER_NAMESPACE,
}


def secrets_namespace(engine: str, namespace: str) -> str:
    """Where the secrets of resources in ``namespace`` live: beside them, or where MTC's documents put them."""
    return names.CONFIG_NAMESPACE if engine == CONTROLLER else namespace
