#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: direct_volume_migration_progress_info
short_description: Tell how far the copies of single volumes are
description:
  - Lists C(DirectVolumeMigrationProgress) resources of the control cluster. There is one for each claim that is
    copied directly.
  - The name of such a resource tells nothing, it is a digest; ask by O(migration) or O(plan).
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.info
  - openmig.mtc.info.migration
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
  - module: openmig.mtc.direct_volume_migration
  - module: openmig.mtc.mig_migration_info
  - module: openmig.mtc.direct_volume_migration_info
"""

EXAMPLES = r"""
- name: How far is each volume?
  openmig.mtc.direct_volume_migration_progress_info:
    kubeconfig: ~/.kube/destination
    migration: shop-final
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
    owner:
      description: Name of the C(DirectVolumeMigration) that it belongs to.
      type: str
    pod_namespace:
      description: Namespace of the claim and of the pods that copy it.
      type: str
    pod:
      description: The last pod that copied.
      type: str
    phase:
      description: The phase of that pod.
      type: str
      sample: Succeeded
    exit_code:
      description: The exit code of that pod.
      type: int
    rate:
      description: How fast it copied, as rsync says it.
      type: str
    elapsed:
      description: How long it copied.
      type: str
    progress:
      description: How far it is.
      type: dict
      contains:
        percent:
          description: How much is done, in percent; null when nobody knows.
          type: int
        text:
          description: The same in words.
          type: str
          sample: Step 12/37
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_volume_migration_progress_info_spec


def main() -> None:
    run(
        direct_volume_migration_progress_info_spec(),
        partial(info.read, kind="DirectVolumeMigrationProgress"),
        kind="DirectVolumeMigrationProgress",
    )


if __name__ == "__main__":
    main()
