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
  - A plan that cannot be carried out is stored all the same, so that its conditions can be read. Mend what they name
    and run the task again.
  - Once a final migration of the plan has begun the plan is I(suspended), and its volumes are not looked for again,
    until that migration is rolled back or O(refresh) asks for it.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition
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
    description: Namespace of the control cluster in which the resource lives, by default the one of the engine.
    type: str
  state:
    description:
      - Whether the resource exists.
      - Removing a plan removes its finished migrations, their records and what they have left on the clusters, and
        nothing that they have moved. A rollback is not possible any more then. A plan with a migration that is not
        finished is not removed, unless O(force) says that it is cancelled first.
    type: str
    choices: [present, absent]
    default: present
  refresh:
    description:
      - Whether the clusters are looked at although the plan is suspended. Without it a suspended plan keeps the volumes
        that it had.
    type: bool
    default: false
  force:
    description:
      - Whether migrations of the plan that are not finished are cancelled, as M(openmig.mtc.mig_migration) does it,
        when the plan is removed or closed. The application is started again on the source. Without it such a plan is
        neither removed nor closed.
    type: bool
    default: false
  delete_repository:
    description:
      - Whether the restic repository of the plan's volumes (O(indirect_volume_migration)) is deleted from the store
        with the plan. Without it the repository stays, and nobody can read it any more, because its password goes with
        the plan.
      - Only with O(state=absent) and engine V(builtin). The store has to be reachable; otherwise the plan is not
        removed.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait for MTC's controller, and for O(wait_condition). Without that it has no effect with engine
        V(builtin), which judges within the task.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_plan_info
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

- name: Wait until the plan is ready, however often it is found blocked meanwhile
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: shop
    wait_condition:
      type: Ready
    wait_timeout: 600

- name: Choices for single volumes
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: shop-trial
    source_cluster: source
    destination_cluster: destination
    namespaces:
      - shop:shop-trial
    persistent_volumes:
      - pvc: shop/uploads
        storage_class: destination-slow
        size: 2Gi
      - pvc: "*-cache"
        action: skip

- name: Only some kinds of objects, no volumes, and room for more than ten namespaces
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: shop-settings
    source_cluster: source
    destination_cluster: destination
    namespaces:
      - shop:shop-settings
    namespace_limit: 20
    included_resources:
      - group: apps
        kind: Deployment
      - kind: ConfigMap
    persistent_volumes:
      - pvc: "*"
        action: skip

- name: Close a plan, so that another one may have its namespaces
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: letters
    source_cluster: source
    destination_cluster: destination
    namespaces:
      - archive:letters
    close: true

- name: Remove a plan with its migrations
  openmig.mtc.mig_plan:
    kubeconfig: ~/.kube/destination
    name: last-year
    state: absent
"""

RETURN = r"""
resource:
  description: The C(MigPlan) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
conditions:
  description:
    - The conditions of the resource by their type. Those of category C(Warn) are shown as warnings, too.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
volumes:
  description: The volumes that were found, and what is chosen for each.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Source namespace of the claim.
      type: str
    claim:
      description: Name of the claim on the source.
      type: str
    target_name:
      description: Its name on the destination.
      type: str
    capacity:
      description: Capacity of the volume on the source.
      type: str
    action:
      description: What happens to it.
      type: str
    copy_method:
      description: How it is copied.
      type: str
    storage_class:
      description: Storage class on the destination; empty when none is chosen.
      type: str
  sample:
    - namespace: shop
      claim: uploads
      target_name: uploads
      capacity: 10Gi
      action: copy
      copy_method: filesystem
      storage_class: destination-slow
unhealthy:
  description: Source namespaces with pods that are not healthy, and which. They will not be healthier elsewhere.
  returned: success
  type: list
  elements: dict
  sample:
    - name: shop
      workloads:
        - name: Pods
          resources: [front-7d4b9-x2x7k]
incompatible:
  description: Source namespaces with objects whose kind the destination does not serve in that version.
  returned: success
  type: list
  elements: dict
  sample:
    - name: shop
      gvks:
        - group: example.com
          version: v1
          kind: backups
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

from functools import partial

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_plan
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import (
    defaults,
    mig_migration_spec,
    mig_plan_spec,
)


def main() -> None:
    ensure = partial(ensure_plan.ensure, of_migration=defaults(mig_migration_spec()))
    run(mig_plan_spec(), ensure, kind="MigPlan")


if __name__ == "__main__":
    main()
