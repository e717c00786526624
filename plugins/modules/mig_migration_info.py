#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_migration_info
short_description: Tell how migrations went, with everything that belongs to them
description:
  - Lists C(MigMigration) resources of the control cluster and says of each how far it is and how it ended, what
    became of each volume, which direct migrations and which objects of Velero belong to it.
  - A run may call itself succeeded although a volume did not arrive; RV(summaries[].volumes[].state) and
    RV(summaries[].volumes[].proven) say what is known of each volume.
  - Objects of Velero are looked for where its kinds are known, on the control cluster and on the clusters that
    O(source) and O(destination) lead to. MTC makes backups on the source and restores on the destination.
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
  - openmig.mtc.sides
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
  - module: openmig.mtc.mig_migration
  - module: openmig.mtc.mig_plan_info
  - module: openmig.mtc.direct_volume_migration_info
"""

EXAMPLES = r"""
- name: How did the last migration of the plan go?
  openmig.mtc.mig_migration_info:
    kubeconfig: ~/.kube/destination
    plan: shop
    newest: true
  register: last

- name: List the volumes of which nobody has proven that they arrived
  ansible.builtin.debug:
    msg: "{{ last.summaries | map(attribute='volumes') | flatten | rejectattr('proven') | map(attribute='claim') }}"

- name: What is under way, with Velero's objects on the source
  openmig.mtc.mig_migration_info:
    kubeconfig: ~/.kube/destination
    source:
      kubeconfig: ~/.kube/source
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
    plan:
      description: Name of its C(MigPlan).
      type: str
    type:
      description: What kind of run it is, V(stage), V(final), V(rollback) or V(state).
      type: str
      sample: final
    canceled:
      description: Whether it was canceled or is to be.
      type: bool
    pipeline:
      description: Its steps with their progress, as in the resource.
      type: list
      elements: dict
    volumes:
      description: Each volume in one row, whatever resource or record knows of it.
      type: list
      elements: dict
      contains:
        namespace:
          description: Namespace of the claim on the source.
          type: str
        claim:
          description: The claim on the source.
          type: str
        target_namespace:
          description: Namespace of the claim on the destination.
          type: str
        target_name:
          description: The claim on the destination.
          type: str
        storage_class:
          description: Its storage class there.
          type: str
        state:
          description:
            - V(pending), V(running), V(succeeded), V(failed), V(skipped) or V(unknown). A claim of a run that has
              ended has failed unless something says that it succeeded or was skipped.
          type: str
          sample: succeeded
        percent:
          description: How much is copied, in percent.
          type: int
        rate:
          description: How fast, as rsync says it.
          type: str
        elapsed:
          description: For how long.
          type: str
        attempt:
          description: Which attempt it is.
          type: int
        pod:
          description: The pod that copies.
          type: str
        message:
          description: Why it waits or has failed.
          type: str
        proven:
          description:
            - Whether both sides were compared and are equal. Null where nobody has compared them, as in a stage run and
              with a controller of the Migration Toolkit for Containers.
          type: bool
        files:
          description: How many entries the volume has, as the builtin engine counted them.
          type: int
        bytes:
          description: Their size.
          type: int
        files_moved:
          description: How many of them the last pass copied.
          type: int
        bytes_moved:
          description: How many bytes the last pass copied.
          type: int
    objects:
      description: How many objects were created or found, as the builtin engine recorded it.
      type: dict
    downtime_seconds:
      description: For how long the application was stopped, as the builtin engine measured it.
      type: float
    phase_seconds:
      description: Seconds spent in each phase, as the builtin engine measured them.
      type: dict
    failed_phase:
      description: The phase in which it failed, as the builtin engine recorded it.
      type: str
    direct_volume_migrations:
      description: Its direct copies of volumes, each as M(openmig.mtc.direct_volume_migration_info) tells it.
      type: list
      elements: dict
    direct_image_migrations:
      description: Its direct copies of images, each as M(openmig.mtc.direct_image_migration_info) tells it.
      type: list
      elements: dict
    direct_image_stream_migrations:
      description:
        - Its direct copies of image streams, each as M(openmig.mtc.direct_image_stream_migration_info) tells it.
      type: list
      elements: dict
    velero:
      description:
        - Its backups and restores and what they made for single volumes, each with cluster, kind, name, phase,
          number of errors and warnings, and how much is done.
      type: list
      elements: dict
velero_clusters:
  description: The clusters on which kinds of Velero were found, out of V(control), V(source) and V(destination).
  returned: when there are migrations
  type: list
  elements: str
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
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_migration_info_spec


def main() -> None:
    run(mig_migration_info_spec(), partial(info.read, kind="MigMigration"), kind="MigMigration")


if __name__ == "__main__":
    main()
