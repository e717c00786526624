#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_storage_info
short_description: Tell which replication repositories there are, and whether they work
description:
  - Lists C(MigStorage) resources of the control cluster and says of each whether it is ready and what keeps it from
    that.
  - The storage itself is not asked, and its credentials are not read.
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
  - module: openmig.mtc.mig_storage
  - module: openmig.mtc.mig_plan
"""

EXAMPLES = r"""
- name: Which storages work?
  openmig.mtc.mig_storage_info:
    kubeconfig: ~/.kube/destination
    ready: true
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
    backup_storage_provider:
      description: Who keeps objects and data.
      type: str
      sample: aws
    volume_snapshot_provider:
      description: Who keeps snapshots; the same provider unless the resource names another.
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_storage_info_spec


def main() -> None:
    run(mig_storage_info_spec(), partial(info.read, kind="MigStorage"), kind="MigStorage")


if __name__ == "__main__":
    main()
