#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_analytic_info
short_description: Tell what was found in the namespaces of plans
description:
  - Lists C(MigAnalytic) resources of the control cluster, each with its totals. The figures of single namespaces and
    volumes are in RV(resources).
  - Nothing is counted anew.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.info
  - openmig.mtc.info.newest
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
  - module: openmig.mtc.mig_analytic
  - module: openmig.mtc.mig_plan_info
"""

EXAMPLES = r"""
- name: The newest analysis of a plan
  openmig.mtc.mig_analytic_info:
    kubeconfig: ~/.kube/destination
    plan: shop
    newest: true
"""

RETURN = r"""
api_found:
  description:
    - Whether the control cluster knows the kind. V(false) means that neither the role P(openmig.mtc.crds#role) nor
      the Migration Toolkit for Containers was there, or that it is another cluster than you think.
  returned: success
  type: bool
resources:
  description: The resources as they are stored, without C(managedFields), the newest first.
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
    plan:
      description: Name of the C(MigPlan) that was analysed.
      type: str
    progress:
      description: How far the analysis is.
      type: dict
      contains:
        percent:
          description: How much is done, in percent; null when nobody knows.
          type: int
        text:
          description: The same in words.
          type: str
          sample: Step 12/37
    resources:
      description: How many objects there are.
      type: int
    excluded_resources:
      description: How many of those that are never moved.
      type: int
    incompatible_resources:
      description: How many of kinds that the destination does not know.
      type: int
    volumes:
      description: How many claims there are.
      type: int
    volume_capacity:
      description: What they ask for in sum.
      type: str
      sample: 12Gi
    images:
      description: How many images are in the source's registry.
      type: int
    image_size:
      description: Their size in sum.
      type: str
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_analytic_info_spec


def main() -> None:
    run(mig_analytic_info_spec(), partial(info.read, kind="MigAnalytic"), kind="MigAnalytic")


if __name__ == "__main__":
    main()
