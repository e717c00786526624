#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_plan
short_description: Say which namespaces and volumes move from which cluster to which
description:
  - Creates, changes or removes a C(MigPlan) on the control cluster.
  - The module looks at both clusters, finds the volumes of the namespaces, chooses for each what you say or what
    fits, and validates the plan. It fails, with every reason, when the plan cannot be carried out. Nothing is
    moved; M(openmig.mtc.mig_migration) does that.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.sides
  - openmig.mtc.mig_plan_options
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(MigPlan).
    type: str
    required: true
  namespace:
    description: Namespace of the control cluster in which the resource lives. V(openmig) when left out.
    type: str
  state:
    description:
      - Whether the resource exists.
      - Removing a plan removes its finished migrations and their records, and nothing that they have moved. A plan
        whose migration is under way is not removed.
    type: str
    choices: [present, absent]
    default: present
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_cluster
  - module: openmig.mtc.mig_migration
"""

EXAMPLES = r"""
- name: One namespace under another name, each storage class to its counterpart
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: shop
    source_cluster: source
    destination_cluster: destination
    namespaces:
      - shop:shop-new
    storage_class_mapping:
      source-ssd: destination-fast
      source-hdd: destination-slow

- name: Choices for single volumes
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: shop
    source_cluster: source
    destination_cluster: destination
    namespaces:
      - shop:shop-new
    persistent_volumes:
      - pvc: shop/uploads
        storage_class: destination-slow
        size: 2Gi
      - pvc: "*-cache"
        action: skip
"""

RETURN = r"""
resource:
  description: The C(MigPlan) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success
  type: dict
conditions:
  description: The conditions of the resource by their type.
  returned: success
  type: dict
migrated_by:
  description: Name of the final migration that has carried the plan out; null while there is none.
  returned: success
  type: str
  sample: shop-final
engine:
  description: Who makes the resource true; chosen once and written on the plan.
  returned: success
  type: str
  sample: builtin
duration:
  description: Seconds that the call took.
  returned: success
  type: float
error:
  description: Subject, attempt, reason and mend of the error that C(msg) tells in one sentence.
  returned: failure
  type: dict
problems:
  description: Every invalid option with its path, its fault and how to mend it.
  returned: when options are invalid
  type: list
  elements: dict
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_plan
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_plan_spec


def main() -> None:
    run(mig_plan_spec(), ensure_plan.ensure, kind="MigPlan")


if __name__ == "__main__":
    main()
