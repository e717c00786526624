#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: direct_volume_migration_info
short_description: Tell how direct copies of volumes went
description:
  - Lists C(DirectVolumeMigration) resources of the control cluster, which are made by migrations or by hand, and says
    of each how far it is and how it ended.
  - M(openmig.mtc.mig_migration_info) tells each volume of a migration in one row, whatever resource knows of it.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.info
  - openmig.mtc.info.finished
  - openmig.mtc.info.newest
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
  - module: openmig.mtc.direct_volume_migration_progress_info
"""

EXAMPLES = r"""
- name: The copies of a migration
  openmig.mtc.direct_volume_migration_info:
    kubeconfig: ~/.kube/destination
    migration: shop-final

- name: Is anything still being copied?
  openmig.mtc.direct_volume_migration_info:
    kubeconfig: ~/.kube/destination
    finished: false
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
    state:
      description:
        - What has become of it, as one word. V(waiting) has not begun; V(canceled) and V(failed) win over what
          the resource else says of itself.
      type: str
      sample: failed
    finished:
      description: Whether it has ended, however.
      type: bool
    phase:
      description: The phase in which it is.
      type: str
    itinerary:
      description: The list of phases that it goes through.
      type: str
    started:
      description: When it began.
      type: str
    errors:
      description: What went wrong, as in the resource.
      type: list
      elements: str
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
    owner:
      description: Name of the C(MigMigration) that made it; null for one of your own.
      type: str
    type:
      description: V(Stage), V(CutOver) or V(Rollback); null when the resource does not say.
      type: str
      sample: CutOver
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_volume_migration_info_spec


def main() -> None:
    run(
        direct_volume_migration_info_spec(),
        partial(info.read, kind="DirectVolumeMigration"),
        kind="DirectVolumeMigration",
    )


if __name__ == "__main__":
    main()
