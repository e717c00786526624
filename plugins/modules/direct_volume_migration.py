#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: direct_volume_migration
short_description: Copy persistent volumes to another cluster, without a plan
description:
  - Copies the files of persistent volume claims with rsync through a tunnel that both ends verify, compares source
    and copy, and writes what happens into a C(DirectVolumeMigration) and its C(DirectVolumeMigrationProgress)
    resources, in the words of the Migration Toolkit for Containers.
  - It moves data only. Whole applications are moved by M(openmig.mtc.mig_migration), which makes its own
    C(DirectVolumeMigration); those are not touched here.
  - Running the same task again is the recovery. An unfinished copy goes on, whatever ended the process; a failed one
    is started again and copies the difference; one that succeeded is left alone until O(again) or another spec asks
    for more, for example O(migration_type=CutOver) after O(migration_type=Stage).
  - In check mode it says what would be copied, with sizes, and what would block.
  - Only the builtin engine carries it out. MTC's controller crashes over a copy without a migration behind it, so with
    engine V(controller), also where V(auto) finds MTC, the task is refused; say O(engine=builtin) there, which works
    beside MTC.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition_of_run
  - openmig.mtc.sides
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(DirectVolumeMigration). A later run finds its own by it.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the control cluster in which the resource lives, by default V(openmig).
    type: str
  state:
    description:
      - V(present) copies. V(absent) removes the resource, its record and what was only there for the copy; the
        copied volumes stay.
      - A copy that is under way is not removed unless O(force) is set.
    type: str
    choices: [present, absent]
    default: present
  source_cluster:
    description:
      - Name of the C(MigCluster) to read from, in the resource's own namespace.
      - Not needed where O(source) says how the cluster is reached.
    type: str
  destination_cluster:
    description:
      - Name of the C(MigCluster) to write to, in the resource's own namespace. May be the same as
        O(source_cluster); then every claim needs another O(persistent_volume_claims[].target_namespace).
      - Not needed where O(destination) says how the cluster is reached.
    type: str
  src_mig_cluster_ref:
    description: The same as O(source_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace; the resource's own when left out.
        type: str
  dest_mig_cluster_ref:
    description: The same as O(destination_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions:
      name:
        description: Its name.
        type: str
        required: true
      namespace:
        description: Its namespace; the resource's own when left out.
        type: str
  persistent_volume_claims:
    description:
      - The claims to copy. Required for a new resource.
      - The list is taken as a whole, so a claim that is no longer named is no longer copied. What is not said of a
        claim that is already in the resource stays as it is.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the claim on the source.
        type: str
        required: true
      namespace:
        description: Its namespace on the source.
        type: str
        required: true
      target_name:
        description: Name of the claim on the destination. The same name when left out.
        type: str
      target_namespace:
        description: Namespace on the destination. The same name when left out.
        type: str
      target_storage_class:
        description:
          - Storage class on the destination.
          - When left out it is chosen as a plan would choose it. That is a class of the same provisioner, else the
            destination's default class.
          - An empty string means no class, for a volume that is bound by hand.
        type: str
      target_access_modes:
        description: Access modes on the destination. The source's when left out.
        type: list
        elements: str
        choices: [ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod]
      target_volume_mode:
        description:
          - Volume mode on the destination. The source's when left out.
          - The builtin engine copies files, so it refuses V(Block) and a change of the mode.
        type: str
        choices: [Filesystem, Block]
      verify:
        description:
          - Whether contents are compared in every case.
          - The builtin engine always compares, with one exception. A volume of O(migration_type=Stage) that a pod can
            write to is compared only when a claim of the list asks for it here, because the answer does not last.
          - MTC adds C(--checksum) to its one and only pass, which rereads everything on both sides.
        type: bool
  create_destination_namespaces:
    description:
      - Whether namespaces that the destination lacks are created, like those of the source. They are when this is
        left out.
      - MTC creates them in every case, also when this is V(false).
    type: bool
  delete_progress_reporting_crs:
    description:
      - Whether the progress resources are removed once everything has been copied. After a failure they stay, for
        they say what became of each volume.
      - MTC looks for them in the wrong namespace and removes none.
    type: bool
  back_off_limit:
    description:
      - How often the copy of a claim is tried before it fails. V(0) and left out mean 20.
      - The builtin engine counts attempts in a row that got no byte through. Faults that trying again cannot mend
        (a full volume, a file that cannot be read) end the copy at once.
    type: int
  live_migrate:
    description:
      - Whether volumes of running virtual machines are migrated live. The builtin engine cannot and refuses V(true).
    type: bool
  migration_type:
    description:
      - V(CutOver) is the copy that counts. It is refused while a pod can write to one of the volumes, and every
        volume has to be equal at its end. Also meant when this is left out.
      - V(Stage) copies while the application runs, to leave little for later. A volume that a pod can write to is
        then B(not proven) and the result says so.
      - V(Rollback) undoes live migrations of virtual machines. The builtin engine makes none and refuses it.
    type: str
    choices: [Stage, CutOver, Rollback]
  allow_writers:
    description:
      - Whether O(migration_type=CutOver) goes on although pods that can write have a volume mounted.
      - The volumes still have to be equal at the end, so this is for pods that are known not to write.
    type: bool
    default: false
  existing_claims:
    description:
      - What happens when the destination has a claim of that name which was not made by this resource.
      - V(fail) refuses before anything is touched. V(use) copies into it, which B(removes whatever else it holds);
        its size, class and modes stay as they are.
    type: str
    choices: [fail, use]
    default: fail
  run_as_root:
    description:
      - Whether the pods that copy files run as root, with the capabilities that keep owners and modes.
      - When left out they do so where both clusters admit it, and otherwise run without; the result of each volume
        names what was not preserved.
    type: bool
  run_as_user:
    description: User id of pods that do not run as root.
    type: int
  run_as_group:
    description: Group id of pods that do not run as root.
    type: int
  transfer_image:
    description:
      - Image with rsync and stunnel for the pods that copy. Required when it copies.
      - The directory C(images/mover) of the collection's repository holds its definition and says how to build it.
    type: str
  image_pull_policy:
    description: When the clusters pull O(transfer_image).
    type: str
    choices: [Always, IfNotPresent, Never]
    default: IfNotPresent
  endpoint:
    description:
      - How the source's pods reach the destination. V(NodePort) needs a way from the source's pods to a node of the
        destination, V(ClusterIP) a network that both clusters share.
      - V(Route) and V(LoadBalancer), which MTC knows too, cannot be made by the builtin engine yet and are refused.
    type: str
    choices: [NodePort, ClusterIP, Route, LoadBalancer]
    default: NodePort
  endpoint_address:
    description:
      - Address of the destination that the source's pods use, when it is not the internal address of a ready node. An
        IP address or the name of a host, without a port.
    type: str
  bandwidth:
    description: Limit for all volumes together, in KiB per second. May be changed while a copy is under way.
    type: int
  excludes:
    description:
      - Parts of volumes that are neither copied nor compared, such as caches.
      - What is excluded is not on the destination, and the proof says nothing of it. What an earlier pass has copied of
        it stays there.
      - Frozen while a copy is under way. One that succeeded is not made again because this changes; say O(again).
    type: list
    elements: dict
    suboptions:
      pvc:
        description:
          - The claims of the source that are meant, as C(namespace/name), as a name, or as a pattern of either.
          - Every volume when left out. One that matches no volume that is copied is an error.
        type: str
      patterns:
        description:
          - Patterns of rsync, relative to the volume. V(/cache/) is the folder in the volume's root, V(cache/) a
            folder of that name anywhere, V(*.tmp) every such file.
          - V(**) reaches over slashes, V(*) does not.
        type: list
        elements: str
        required: true
  start_timeout:
    description: Seconds that pods and volumes may take to be ready.
    type: int
    default: 300
  again:
    description:
      - Whether one that succeeded is carried out once more, copying the difference. Such a task changes something
        with every run.
    type: bool
    default: false
  force:
    description:
      - With O(state=absent), whether a copy that is under way is given up. The process that carries it out is stopped.
    type: bool
    default: false
  wait:
    description: Whether to go on until the end. Otherwise the module returns as soon as something has to be waited for.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which the module fails although the copy could go on; run it again to go on.
    type: int
    default: 7200
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
  - cryptography >= 41.0
seealso:
  - module: openmig.mtc.direct_volume_migration_info
  - module: openmig.mtc.direct_volume_migration_progress_info
  - module: openmig.mtc.mig_migration
  - module: openmig.mtc.mig_cluster
"""

EXAMPLES = r"""
- name: Copy a volume while its application runs
  openmig.mtc.direct_volume_migration:
    kubeconfig: ~/.kube/destination
    name: shop-data
    source_cluster: source
    destination_cluster: destination
    migration_type: Stage
    persistent_volume_claims:
      - name: data
        namespace: shop
        target_namespace: shop-new
        target_storage_class: destination-fast
    transfer_image: registry.example.com/openmig/mover:0.1.0

- name: Copy two volumes for good, without any MigCluster; what has them mounted only reads
  openmig.mtc.direct_volume_migration:
    kubeconfig: ~/.kube/destination
    source:
      kubeconfig: ~/.kube/source
    destination:
      kubeconfig: ~/.kube/destination
    name: archive
    persistent_volume_claims:
      - name: letters
        namespace: archive
      - name: pictures
        namespace: archive
        target_name: photographs
    allow_writers: true
    transfer_image: registry.example.com/openmig/mover:0.1.0
"""

RETURN = r"""
resource:
  description: The C(DirectVolumeMigration) as it is stored; in check mode as it would be made.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
phase:
  description: The phase that was reached; V(Completed) at the end.
  returned: success, or when what was begun did not end, or ended badly
  type: str
itinerary:
  description: V(VolumeMigration), or V(VolumeMigrationFailed) once something failed.
  returned: success, or when what was begun did not end, or ended badly
  type: str
waiting_for:
  description: What is waited for when the module returned before the end.
  returned: when something was carried out
  type: str
errors:
  description: What went wrong, as in the resource.
  returned: success, or when what was begun did not end, or ended badly
  type: list
  elements: str
failed_phase:
  description: The phase in which the copy failed.
  returned: when it failed
  type: str
volumes:
  description: What became of every volume.
  returned: when volumes were copied
  type: list
  elements: dict
  contains:
    source:
      description: Namespace and name of the claim on the source.
      type: str
    target:
      description: Namespace and name of the claim on the destination.
      type: str
    proven:
      description: Whether source and copy were compared and are equal.
      type: bool
    reason:
      description: Why it is not proven.
      type: str
    files:
      description: Entries of the volume.
      type: int
    bytes:
      description: Their size.
      type: int
    files_copied:
      description: Files that this pass has copied.
      type: int
    bytes_copied:
      description: Bytes that this pass has copied.
      type: int
    excluded:
      description: Files that O(excludes) left out.
      type: int
    writers:
      description: Pods that could write to the volume while it was copied.
      type: list
      elements: str
    downgrades:
      description: What was not preserved, such as owners where root is not admitted.
      type: list
      elements: str
prediction:
  description: What would be copied and what would block.
  returned: in check mode
  type: dict
digest:
  description: Changes when anything in RV(prediction) does.
  returned: in check mode
  type: str
progress:
  description: The lines that were told while the module ran, the newest last.
  returned: when there are any
  type: list
  elements: str
engine:
  description: Who carries it out.
  returned: success, or when what was begun did not end, or ended badly
  type: str
  sample: builtin
duration:
  description: Seconds that the call took.
  returned: success, or when what was begun did not end, or ended badly
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
files:
  description: Files that could not be read, written or proven equal.
  returned: when a volume failed
  type: list
  elements: str
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_direct_volume
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import direct_volume_migration_spec


def main() -> None:
    run(direct_volume_migration_spec(), ensure_direct_volume.ensure, kind="DirectVolumeMigration")


if __name__ == "__main__":
    main()
