#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_hook_info
short_description: Tell which hooks there are
description:
  - Lists C(MigHook) resources of the control cluster, each with its image and the cluster that it runs on.
  - With O(plan) they are the hooks of that plan. In which phase a hook runs is said by the plan.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.info
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: There is nothing to show, for nothing changes.
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_hook
  - module: openmig.mtc.mig_plan
"""

EXAMPLES = r"""
- name: The hooks of a plan
  openmig.mtc.mig_hook_info:
    kubeconfig: ~/.kube/destination
    plan: shop
"""

RETURN = r"""
api_found:
  description:
    - Whether the control cluster knows the kind. V(false) means that neither the role P(openmig.mtc.crds#role) nor
      the Migration Toolkit for Containers was there, or that it is another cluster than you think.
  returned: success
  type: bool
resources:
  description: The resources as they are stored, without C(managedFields).
  returned: success
  type: list
  elements: dict
summaries:
  description: Each of RV(resources), in the same order, in a few words.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the resource.
      type: str
    namespace:
      description: Its namespace.
      type: str
    created:
      description: When it was created.
      type: str
    ready:
      description: Whether its condition C(Ready) holds.
      type: bool
    conditions:
      description: Its conditions by their type.
      type: dict
    blockers:
      description: The conditions that keep it from being ready, those of category C(Critical) or C(Error).
      type: list
      elements: dict
    warnings:
      description: The conditions of category C(Warn).
      type: list
      elements: dict
    custom:
      description: Whether the image runs as it is, without a playbook.
      type: bool
    image:
      description: Its image.
      type: str
    target_cluster:
      description: On which of the two clusters it runs.
      type: str
      sample: source
engine:
  description: The engine whose namespace was looked at.
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

from ansible_collections.openmig.mtc.plugins.module_utils.engine import info
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_hook_info_spec


def main() -> None:
    run(mig_hook_info_spec(), partial(info.read, kind="MigHook"), kind="MigHook")


if __name__ == "__main__":
    main()
