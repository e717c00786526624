# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A connection to another machine, as far as a module can tell: what ELSEWHERE_LACKS names is not there.

It stands for SSH to a bastion. Commands run on this machine, in a mount namespace of their own in which that directory
is empty, and without the variables of Ansible's own process by which clusters are reached.
"""

from __future__ import annotations

import os
import shlex
from typing import Any

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = r"""
name: elsewhere
short_description: Another machine
description: For the integration tests only.
extends_documentation_fragment:
  - connection_pipelining
options: {}
"""

VARIABLES = ("K8S_AUTH_", "MTC_", "KUBECONFIG")


class Connection(Local):  # type: ignore[misc]  # ansible ships no types
    """Local, but for what is hidden."""

    transport = "elsewhere"

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> Any:
        hidden = shlex.quote(os.environ["ELSEWHERE_LACKS"])
        unset = " ".join(f"-u {name}" for name in os.environ if name.startswith(VARIABLES))
        inside = f"mount -t tmpfs elsewhere {hidden} && exec env {unset} sh -c {shlex.quote(cmd)}"
        return super().exec_command(f"unshare --mount sh -c {shlex.quote(inside)}", in_data, sudoable)
