#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_hook
short_description: Describe a step of your own that a migration runs
description:
  - Creates, changes or removes a C(MigHook) on the control cluster. A hook is a container that a migration runs as a
    job, either an Ansible playbook in an image that has Ansible, or an image that does its work by itself.
  - When it runs is no matter of the hook. A plan names it for one of four phases, with the namespace and the service
    account that it runs with; see option O(openmig.mtc.mig_plan#module:hooks) of M(openmig.mtc.mig_plan). One hook
    serves any number of plans.
  - The module judges what it has stored, and fails with the conditions of the resource when the hook could not run as
    it is described. Whether the image can be pulled shows only when the hook runs.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(MigHook).
    type: str
    required: true
  namespace:
    description:
      - Namespace of the control cluster in which the resource lives, by default the one of the engine. The hook
        itself runs in the namespace that the plan names.
    type: str
  state:
    description:
      - Whether the resource exists.
      - A hook that a plan uses is not removed.
    type: str
    choices: [present, absent]
    default: present
  custom:
    description:
      - Whether the image does its work by itself. Otherwise it runs a playbook.
      - A hook that is made without it gets V(false).
    type: bool
  image:
    description:
      - The container image, such as V(quay.io/konveyor/hook-runner:latest). Needed when the hook is made, for there
        is no default.
      - To run a playbook the image needs C(/bin/entrypoint), C(ansible-runner) and the collections that the playbook
        uses.
      - It is pulled by the cluster on which the hook runs, with the pull secrets of the hook's service account.
    type: str
  playbook:
    description:
      - The playbook as text. V("") drops a playbook that is stored.
      - Beware of templates. In a task's arguments Ansible fills in C({{ }}) before the hook ever sees them. Mark the
        text with the tag V(!unsafe), or read it from a file.
      - The playbook lies in the resource and in a config map where the hook runs, for everybody to read who may read
        these. Keep passwords out of it; let it read them from secrets of its cluster.
    type: str
  playbook_file:
    description:
      - Path of a file that holds the playbook, on the machine where the module runs. Nothing in it is filled in.
    type: path
  playbook_base64:
    description: The playbook as base64, the form in which the resource stores it.
    type: str
  target_cluster:
    description:
      - The cluster on which the hook runs, as its part in the plan. Needed when the hook is made.
    type: str
    choices: [source, destination]
  active_deadline_seconds:
    description:
      - Seconds that a pod of the hook may run before it is stopped. A hook whose pod has failed is tried again, up to
        six times, as Kubernetes does with jobs. V(0), like a hook that was made without it, means 1800.
      - While a C(PostBackup) or C(PreRestore) hook runs the application is down.
    type: int
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
  - module: openmig.mtc.mig_hook_info
  - module: openmig.mtc.mig_plan
  - module: openmig.mtc.mig_migration
"""

EXAMPLES = r"""
- name: A playbook that runs on the source
  openmig.mtc.mig_hook:
    kubeconfig: ~/.kube/destination
    name: pause-imports
    target_cluster: source
    image: quay.io/konveyor/hook-runner:latest
    playbook: |
      - hosts: localhost
        gather_facts: false
        tasks:
          - name: Stop the operator that would start the application again
            kubernetes.core.k8s_scale:
              api_version: apps/v1
              kind: Deployment
              name: shop-operator
              namespace: shop
              replicas: 0
    active_deadline_seconds: 300

- name: An image that does its work by itself on the destination
  openmig.mtc.mig_hook:
    kubeconfig: ~/.kube/destination
    name: warm-caches
    target_cluster: destination
    image: registry.example.com/shop/warm-caches:3.2
    custom: true

- name: Look what a longer deadline would change
  openmig.mtc.mig_hook:
    kubeconfig: ~/.kube/destination
    name: warm-caches
    active_deadline_seconds: 900
  check_mode: true
  diff: true

- name: Remove a hook that no plan uses
  openmig.mtc.mig_hook:
    kubeconfig: ~/.kube/destination
    name: announce
    state: absent
"""

RETURN = r"""
resource:
  description: The C(MigHook) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
changes:
  description: What this call changed, one line each.
  returned: success, or when the resource is not ready or was not judged in time
  type: list
  elements: str
  sample: ["MigHook openmig/pause-imports created"]
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
  sample: {"Ready": {"category": "Required", "status": "True", "type": "Ready"}}
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

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_hook
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_hook_spec


def main() -> None:
    run(mig_hook_spec(), ensure_hook.ensure, kind="MigHook")


if __name__ == "__main__":
    main()
