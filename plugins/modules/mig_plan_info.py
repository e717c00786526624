#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_plan_info
short_description: Tell which plans there are, and whether they can be carried out
description:
  - Lists C(MigPlan) resources of the control cluster, each with its clusters, namespaces and volumes, and says what
    keeps it from being ready.
  - The clusters are not asked. What is told is what was true when the plan was last validated; run
    M(openmig.mtc.mig_plan) to have it validated anew.
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
  - module: openmig.mtc.mig_plan
  - module: openmig.mtc.mig_migration_info
"""

EXAMPLES = r"""
- name: Can the plan be carried out?
  openmig.mtc.mig_plan_info:
    kubeconfig: ~/.kube/destination
    name: shop
  register: found

- name: List the plans of a team that cannot
  openmig.mtc.mig_plan_info:
    kubeconfig: ~/.kube/destination
    label_selectors: [team=shop]
    ready: false
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
    source_cluster:
      description: Name of the C(MigCluster) to move from.
      type: str
    destination_cluster:
      description: Name of the C(MigCluster) to move to.
      type: str
    storage:
      description: Name of the C(MigStorage); null for a plan without one.
      type: str
    namespaces:
      description: The namespaces, as C(source) or C(source:destination).
      type: list
      elements: str
    volumes:
      description: The volumes that were found, each with its claim, what is to be done with it, and how.
      type: list
      elements: dict
    closed:
      description: Whether it is closed; no migration of it can be started then.
      type: bool
    suspended:
      description: Whether it rests, because a migration of it is under way or has carried it out.
      type: bool
    reconciled_by:
      description: The engine that the plan was made with. Null for a plan that was not made by this collection.
      type: str
      sample: builtin
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_plan_info_spec


def main() -> None:
    run(mig_plan_info_spec(), partial(info.read, kind="MigPlan"), kind="MigPlan")


if __name__ == "__main__":
    main()
