# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way to the clusters for a module that runs on another machine than Ansible (``delegate_to`` a bastion, say).

Paths of kubeconfigs and certificates, and the variables ``K8S_AUTH_*``, mean the control node, where the user wrote
them down: a kubeconfig travels as its content in the module's options, a certificate as a file of the task. What does
not exist on the control node is left as it is and means the other machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.openmig.mtc.plugins.module_utils.cluster import options
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.argument_spec import connection_spec
from ansible_collections.openmig.mtc.plugins.module_utils.cluster.kubeconfig import portable
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError

SIDES = ("source", "destination", "remote")
"""Options that hold a connection of their own."""
FILES = ("ca_cert", "client_cert", "client_key")


def carried(arguments: Mapping[str, Any], environ: Mapping[str, str], *, send: Callable[[str], str]) -> dict[str, Any]:
    """The module's arguments as they mean the same over there. ``send`` copies a file and gives its path there."""
    found = _connection({**_from_environment(arguments, environ), **arguments}, send)
    for side in SIDES:
        if isinstance(found.get(side), Mapping):
            found[side] = _connection(found[side], send)
    return found


def _from_environment(arguments: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The control node's ``K8S_AUTH_*`` for the options that the task does not give."""
    found = {}
    for name, option in connection_spec().items():
        given = any(arguments.get(known) is not None for known in (name, *option.get("aliases", ())))
        if not given and (value := options.from_environment(name, environ)) not in (None, [], {}):
            found[name] = value
    return found


def _connection(arguments: Mapping[str, Any], send: Callable[[str], str]) -> dict[str, Any]:
    found = dict(arguments)
    if isinstance(found.get("kubeconfig"), str):
        try:
            found["kubeconfig"] = portable(found["kubeconfig"]) or found["kubeconfig"]
        except MtcError as error:
            raise AnsibleActionFail(error.message) from error
    for name in FILES:
        for known in (name, *connection_spec()[name].get("aliases", ())):
            path = os.path.expanduser(found.get(known) or "")
            if path and os.path.isfile(path):
                found[known] = send(path)
    return found
