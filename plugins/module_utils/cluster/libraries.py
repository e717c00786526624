# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The libraries that talk to a cluster: the one place that imports them, and what a user reads when one is missing.

Ansible imports every module_utils file where none of them is installed, so nothing here fails at import time.
``urllib3`` is needed by every connection and costs little. ``kubernetes`` costs up to 0.7 s, wherever in it one starts,
so it is imported only by who has to run a credential plugin; ``websocket`` only by who runs a command in a pod.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from ..resources.errors import PermanentError

try:
    import urllib3
    import urllib3.exceptions
except ImportError:
    HAS_URLLIB3 = False
else:
    HAS_URLLIB3 = True


class MissingLibrary(PermanentError):
    """A Python library that this connection needs is not installed where the module runs."""

    def __init__(self, library: str, purpose: str) -> None:
        self.library = library
        super().__init__(
            subject=f"Python library {library}",
            attempt=f"not found by {sys.executable}",
            reason=f"needed to {purpose}",
            mend=f"Install it for this interpreter, for example with: {sys.executable} -m pip install {library}",
        )


def require_urllib3() -> ModuleType:
    """urllib3, or ``MissingLibrary``."""
    if not HAS_URLLIB3:
        raise MissingLibrary("urllib3", "connect to a cluster")
    return urllib3


def require_kubernetes(purpose: str) -> ModuleType:
    """The package ``kubernetes`` with its ``config`` and ``client``, or ``MissingLibrary``."""
    try:
        import kubernetes.client
        import kubernetes.config
    except ImportError as error:
        raise MissingLibrary("kubernetes", purpose) from error
    return kubernetes


def require_yaml() -> ModuleType:
    """PyYAML, or ``MissingLibrary``."""
    try:
        import yaml
    except ImportError as error:
        raise MissingLibrary("PyYAML", "read a kubeconfig") from error
    return yaml


def require_websocket() -> Any:
    """The module ``websocket`` of the package ``websocket-client``, or ``MissingLibrary``."""
    try:
        import websocket
    except ImportError as error:
        raise MissingLibrary("websocket-client", "run a command in a pod") from error
    if not hasattr(websocket, "create_connection"):
        raise MissingLibrary("websocket-client", "run a command in a pod")
    return websocket
