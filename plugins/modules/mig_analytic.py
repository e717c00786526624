#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_analytic
short_description: Count what a plan would move
description:
  - Creates, changes or removes a C(MigAnalytic) on the control cluster. It tells, for each source namespace of a plan
    and in sum, how many objects of which kind there are, which of them stay behind, how many images of what size,
    how many volumes of what capacity, and how full these are.
  - Only reads the source. The plan has to exist and to be ready, except when only O(analyze_extended_pv_capacity)
    matters, on which a plan may itself wait.
  - The figures are those of the moment at which they were counted. A task that finds what it asks for already counted
    leaves them as they are; O(refresh) counts again.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition
  - openmig.mtc.source_side
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(MigAnalytic).
    type: str
    required: true
  namespace:
    description: Namespace of the control cluster in which the resource lives, by default the one of the engine.
    type: str
  state:
    description: Whether the resource exists.
    type: str
    choices: [present, absent]
    default: present
  plan:
    description: Name of the plan, in the namespace of the resource. Needed when the resource is made.
    type: str
  mig_plan_ref:
    description: The same for a plan in another namespace.
    type: dict
    suboptions:
      name:
        description: Name of the plan.
        type: str
        required: true
      namespace:
        description: Namespace of the plan, by default that of the resource.
        type: str
  analyze_k8s_resources:
    description:
      - Whether objects are counted by kind. Every kind that can be listed is asked for once in each namespace, without
        the objects' content. A resource that is made without this option gets V(true).
    type: bool
  analyze_image_count:
    description:
      - Whether images are counted and their sizes added up. Only images that image streams name and that lie in the
        source's own registry count; without image streams there are none. A resource that is made without this
        option gets V(true).
    type: bool
  analyze_pv_capacity:
    description:
      - Whether claims are counted and what they ask for is added up. A resource that is made without this option gets
        V(true).
    type: bool
  analyze_extended_pv_capacity:
    description:
      - Whether it is measured how full each volume is, and a size for the destination proposed.
      - With engine V(builtin) the kubelets' statistics tell; no pod is started. They know a volume only while a
        running pod mounts it. Claims without figures are named by the condition C(ExtendedPVAnalysisFailed), and
        the task warns of them.
      - With engine V(controller) C(df) and C(du) run in Velero's pods.
    type: bool
  list_images:
    description: Whether images are also listed by name. Needs O(list_images_limit).
    type: bool
  list_images_limit:
    description: How many images of one namespace are listed at most. V(0) lists none.
    type: int
  refresh:
    description:
      - Whether to count again although nothing that is asked for has changed.
      - The task reports a change when a figure differs from before.
    type: bool
    default: false
  pv_resizing_threshold:
    description:
      - Percent of a volume that should stay free. A volume that is fuller gets a larger size proposed.
      - Counts from the next analysis on. With engine V(controller) it has no effect; there the setting
        C(pv_resizing_threshold) of the C(MigrationController) does the same.
    type: int
    default: 3
  wait_timeout:
    description:
      - Seconds to wait for MTC's controller, and for O(wait_condition). Without that it has no effect with engine
        V(builtin), which counts within the task.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_analytic_info
  - module: openmig.mtc.mig_plan
"""

EXAMPLES = r"""
- name: Count what there is to move
  openmig.mtc.mig_analytic:
    kubeconfig: ~/.kube/destination
    name: shop
    plan: shop

- name: Also measure how full the volumes are, at this moment
  openmig.mtc.mig_analytic:
    kubeconfig: ~/.kube/destination
    name: shop-volumes
    plan: shop
    analyze_k8s_resources: false
    analyze_image_count: false
    analyze_extended_pv_capacity: true
    pv_resizing_threshold: 10

- name: Look what another list would change
  openmig.mtc.mig_analytic:
    kubeconfig: ~/.kube/destination
    name: shop
    list_images: true
    list_images_limit: 20
  check_mode: true
  diff: true

- name: Remove figures that nobody needs any more
  openmig.mtc.mig_analytic:
    kubeconfig: ~/.kube/destination
    name: shop-last-year
    state: absent
"""

RETURN = r"""
resource:
  description: The C(MigAnalytic) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
analytics:
  description: The figures, as in the status of the resource. Sizes are Kubernetes quantities.
  returned: success
  type: dict
  sample:
    plan: shop
    percentComplete: 100
    k8sResourceTotal: 27
    excludedk8sResourceTotal: 14
    incompatiblek8sResourceTotal: 0
    imageCount: 0
    imageSizeTotal: "0"
    pvCapacity: 40Mi
    pvCount: 1
    namespaces:
      - namespace: shop
        k8sResourceTotal: 27
        excludedK8SResourceTotal: 14
        incompatibleK8SResourceTotal: 0
        imageCount: 0
        imageSizeTotal: "0"
        pvCapacity: 40Mi
        pvCount: 1
        k8sResources:
          - {group: "", version: v1, kind: configmaps, count: 2}
        persistentVolumes:
          - name: data
            requestedCapacity: 40Mi
            actualCapacity: "38297600"
            usagePercentage: 28
            proposedCapacity: 40Mi
            comment: The requested size is enough.
changes:
  description: What this call changed, one line each.
  returned: success, or when the resource is not ready or was not judged in time
  type: list
  elements: str
  sample: ["MigAnalytic openmig/shop created"]
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
engine:
  description: Who makes the resource true.
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
  description: Every fault of the options, each with its path.
  returned: when options are wrong
  type: list
  elements: dict
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_analytic
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_analytic_spec


def main() -> None:
    run(mig_analytic_spec(), ensure_analytic.ensure, kind="MigAnalytic")


if __name__ == "__main__":
    main()
