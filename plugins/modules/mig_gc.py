#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_gc
short_description: Remove what abandoned migrations have left on the clusters
description:
  - Removes the I(scaffolding) of runs that nobody carries out any more, which are the pods, services, secrets and
    config maps that were there for a transfer and carry the label C(openmig.io/run), and the leases of runs that have
    ended.
  - A run cleans up after itself, also when it fails, and running its task again cleans up after a kill. This module is
    for the run that was killed and that nobody repeats.
  - Scaffolding holds nobody's data. Removing it loses nothing, and a later call for the same migration makes it anew.
    Records, migrated objects and volumes are never touched; C(docs/records.md) lists them.
  - An application that an unfinished run has stopped stays stopped. Run the migration's task again or cancel it; that
    starts the application.
  - Only the builtin engine leaves such things. Where the Migration Toolkit for Containers is installed on the control
    cluster, too, say O(engine=builtin).
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.sides
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  namespace:
    description:
      - Namespace of the control cluster whose C(MigCluster) resources name the clusters to look at, unless O(source) or
        O(destination) say so. V(openmig) when left out.
    type: str
  unfinished:
    description:
      - Whether the scaffolding of a migration that is not finished goes too, when no process carries it out.
      - When V(false), such scaffolding is kept until its own deadline has passed, a day after it was made.
      - A process that may still be alive elsewhere is watched for 15 seconds before it counts as gone.
    type: bool
    default: false
  wait_timeout:
    description: Seconds within which everything that is removed has to be gone.
    type: int
    default: 120
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
seealso:
  - module: openmig.mtc.mig_migration
"""

EXAMPLES = r"""
- name: See what runs that were killed have left
  openmig.mtc.mig_gc:
    kubeconfig: ~/.kube/destination
  check_mode: true
  diff: true

- name: Remove what nobody comes back for
  openmig.mtc.mig_gc:
    kubeconfig: ~/.kube/destination
    unfinished: true
"""

RETURN = r"""
removed:
  description: What was removed, or in check mode would be, one line for each object.
  returned: success
  type: list
  elements: str
  sample: ["Pod shop/transfer-0a1b2c (source) of MigMigration openmig/shop-final"]
kept:
  description: Runs whose scaffolding was left alone, and why.
  returned: success
  type: list
  elements: dict
  contains:
    migration:
      description: The run's migration, as far as it is known.
      type: str
    run:
      description: UID of the run's C(MigMigration), which is the value of the label.
      type: str
    objects:
      description: How many objects there are.
      type: str
    reason:
      description: Why they stay.
      type: str
engine:
  description: Whose scaffolding was looked for.
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

from ansible_collections.openmig.mtc.plugins.module_utils.engine import gc
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_gc_spec


def main() -> None:
    run(mig_gc_spec(), gc.collect, kind="mig_gc")


if __name__ == "__main__":
    main()
