# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role crds asks first, without the second that a module or a client library costs to start."""

from __future__ import annotations

DOCUMENTATION = r"""
name: installed_definitions
short_description: Names of this collection's definitions that a cluster has in the wanted form
description:
  - Lists the CustomResourceDefinitions of a cluster that this collection has installed and whose content is the wanted
    one, and with O(namespace) also tells that the namespace exists, by its name behind a slash.
  - For the role P(openmig.mtc.crds#role). It asks from the control node and changes nothing.
author:
  - openmig contributors (@openmig)
options:
  _terms:
    description: The digest that the definitions carry when they have the wanted content.
    required: true
  kubeconfig:
    description: Path of the kubeconfig; found as modules find it when left out.
    type: str
    default: ""
  context:
    description: Context of the kubeconfig.
    type: str
    default: ""
  namespace:
    description: A namespace to look for as well.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show which definitions are up to date
  ansible.builtin.debug:
    msg: "{{ query('openmig.mtc.installed_definitions', digest, kubeconfig='~/.kube/destination') }}"
  vars:
    digest: 0123456789abcdef
"""

RETURN = r"""
_raw:
  description: Names of definitions, and C(/name) of the namespace.
  type: list
  elements: str
"""

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.openmig.mtc.plugins.module_utils.cluster.connect import connect
from ansible_collections.openmig.mtc.plugins.module_utils.resources import names
from ansible_collections.openmig.mtc.plugins.module_utils.resources.errors import MtcError


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        chosen = {name: self.get_option(name) or None for name in ("kubeconfig", "context")}
        selector = f"{names.MANAGED_BY_LABEL}={names.MANAGED_BY},{names.DIGEST_LABEL}={terms[0]}"
        try:
            cluster = connect(chosen, name="control")
            listed = cluster.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", label_selector=selector)
            found = [str(item["metadata"]["name"]) for item in listed]
            namespace = self.get_option("namespace")
            if namespace and cluster.get("v1", "Namespace", namespace) is not None:
                found.append(f"/{namespace}")
        except MtcError as error:
            raise AnsibleError(error.message) from error
        return found
