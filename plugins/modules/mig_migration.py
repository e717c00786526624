#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_migration
short_description: Move the namespaces of a plan, with their volumes, to the other cluster
description:
  - Carries a C(MigPlan) out as a final migration (a cutover) or, with O(stage=true), as a stage run that only copies
    the volumes while the application runs, and writes its progress into a C(MigMigration), in the words of the
    Migration Toolkit for Containers.
  - Volumes are copied while the application runs, then the application is stopped, what has changed is copied,
    every volume is proven equal, and only then the objects are created on the destination. A volume that is not
    proven ends the migration; nothing is created and the source runs again.
  - Running the same task again is the recovery. An unfinished migration goes on from the recorded phase, whatever
    ended the process; a finished one is left alone; one that failed is followed by a new one.
  - In check mode it says what would be moved, object by object and volume by volume, and what would block. No
    resource needs to exist for that when the plan is given in O(plan_definition) and the clusters in O(source) and
    O(destination).
  - With O(engine=controller) the Migration Toolkit for Containers carries the migration out. What it cannot be told is
    refused, which is the case for O(excludes), O(pause_before), O(rollback_sync), O(plan_file), O(plan_digest),
    O(bandwidth), O(endpoint_address), O(verification=full), O(images=skip) and O(existing_objects=update). Options
    that only say how the builtin engine goes about it, such as O(transfer_image) and its deadlines, have no effect
    then.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition_of_run
  - openmig.mtc.sides
  - openmig.mtc.plan_definition
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description:
      - Name of the C(MigMigration).
      - When left out it is made from the plan's name, so that a later run finds it; after a failed migration the
        next free name is taken.
    type: str
  namespace:
    description: Namespace of the control cluster in which the resources live, by default the one of the engine.
    type: str
  plan:
    description: Name of the C(MigPlan) to carry out. May be left out when O(plan_definition) names it.
    type: str
  stage:
    description:
      - Copy the volumes only, while the application keeps running, so that little is left for the cutover. May be done
        as often as you like; each pass copies what has changed, and RV(volumes) says how much that was.
      - Nothing is proven by content in a stage run; the final migration does that before it stops the application.
      - Refused once a final migration has succeeded, because the copy would overwrite what the application has written
        on the destination since; roll back first.
    type: bool
  again:
    description:
      - With O(stage=true), or with O(migrate_state=true) that leaves the application running, start a further pass
        although one has succeeded. Without it a second run of the same task changes nothing.
    type: bool
    default: false
  migrate_state:
    description:
      - Move the data of the volumes alone; no object is created on the destination but namespaces and claims, which may
        have other names there.
      - Without O(quiesce_pods=true) the application goes on running and nothing is proven, as in a stage run. A further
        pass needs O(again=true).
      - With O(quiesce_pods=true) the volumes are copied while the application runs, then it is stopped, what has
        changed is copied, and every volume is proven equal as in a final migration. When that fails the source runs
        again. When it succeeds the source stays stopped (RV(stays_stopped)), because its data has moved; start the
        application at the destination by the means that you deploy it with.
      - Where source and destination are one cluster and the namespaces keep their names, it changes the storage class
        of the volumes in place. With O(quiesce_pods=true) every workload that uses one of them is then pointed to the
        new claim and started again; StatefulSets are made anew for that, under their names. The former claims stay
        until you remove them. Change the manifests that you deploy from, too.
      - The plan's hooks do not run. With O(quiesce_pods=true) a plan that has any is refused.
      - Refused once a migration has moved what the plan names; roll back first.
    type: bool
  keep_annotations:
    description:
      - Whether MTC leaves its annotations and labels on what it has migrated. Has no effect with engine V(builtin),
        which keeps those that a rollback needs and no others.
    type: bool
  rollback:
    description:
      - Undo what the plan's runs have made, after success, failure or cancelling. On the destination the migrated
        objects, the volumes and the namespaces go that the migration has made; what others have put there stays, and
        so do service accounts that were merged and namespaces that existed before or hold something of others. Then
        the source's workloads are started again exactly as they were.
      - What the application has written on the destination since the cutover goes with the volumes. It is looked for
        and told first (RV(rollback)), file by file where there are few.
      - Needs no options of the run again; those of the run that is undone count. Afterwards a new final migration may
        start.
    type: bool
  rollback_sync:
    description:
      - With O(rollback=true), copy what the volumes of the destination hold back into those of the source, and prove
        them equal, before anything is removed and before the source starts. Nothing is removed when that fails; the
        migrated application then runs again. The source's volumes hold some of either then, so a further rollback is
        refused without this option.
      - After a state migration too, once you have stopped what you had started there; after a storage conversion the
        data comes back into the former claims.
      - Refused where the run that is undone has handed nothing over (a stage run, one after which the source runs), and
        while pods use the source's volumes.
      - This writes to the source's volumes, which nothing else ever does. The destination's pods must reach a node of
        the source, O(endpoint) meaning the same the other way round.
      - The rights with which C(mig_cluster) adopts a source do not suffice; give a connection that may create pods,
        services, secrets and config maps there in O(source).
    type: bool
    default: false
  cancel:
    description:
      - End the plan's unfinished run, of whatever kind, or the one that O(name) names. Other options of the run need
        not be repeated.
      - A rollback with O(rollback_sync=true) that nobody carries out any more needs its connection to the source again
        (O(source)), to remove what copies back; without its rights nothing is touched.
      - A process that carries it out sees this at its next step and cancels; otherwise this call does it. What the run
        has created on the destination is removed and the source runs again, unless the destination has taken over
        already; then the run only ends.
      - Volumes into which something was copied stay for the next run. The resource ends with condition C(Canceled)
        and without C(Succeeded).
      - When nothing is unfinished nothing changes.
    type: bool
    default: false
  state:
    description:
      - V(absent) removes the resource that O(name) names, and with it its record. What was moved stays; only a rollback
        undoes that.
      - Without the record of a final migration that succeeded the plan counts as not carried out.
    type: str
    choices: [present, absent]
    default: present
  force:
    description: With O(state=absent), cancel the migration first when it is not finished. Refused otherwise.
    type: bool
    default: false
  pause_before:
    description:
      - How far this call goes with a final migration, for a step of your own or an approval in between. V(quiesce)
        returns before the application is stopped, V(restore) when its volumes have been proven equal and before an
        object is created. The application is then down; RV(down_since) says since when, and O(max_downtime) counts on.
      - The same call again changes nothing. A call without this option goes on.
    type: str
    choices: [quiesce, restore]
  quiesce_pods:
    description:
      - Whether the source's workloads are stopped before the last pass over the volumes. V(true) for a final migration
        and V(false) for a stage run or a state migration when left out.
      - A final migration without that lets the application write while it is copied; the proof of equality then
        usually fails.
      - A stage run that stops the application starts it again at its end; a state migration does not.
    type: bool
  verify:
    description:
      - Whether to wait at the end until every migrated workload has its pods ready. V(true) for a final migration when
        left out; without effect on others.
    type: bool
  run_as_root:
    description:
      - Whether the pods that copy files run as root, with the capabilities that keep owners and modes.
      - When left out they do so where both clusters admit it, and otherwise run without; the verdict of each volume
        names what was not preserved.
    type: bool
  run_as_user:
    description: User id of pods that do not run as root.
    type: int
  run_as_group:
    description: Group id of pods that do not run as root.
    type: int
  pre_copy:
    description:
      - Whether to copy the volumes once while the application still runs, so that little is left for the downtime.
        Where volumes go through a replication repository, this is a first backup of them.
    type: bool
    default: true
  verification:
    description:
      - How the volumes' content is proven after the last pass.
      - V(changed) reads what was not proven by the pre-copy or has changed since, judged by size, times and inode.
        V(full) reads everything again, which takes downtime. Where volumes go through a replication repository,
        everything is compared in any case, and V(full) has the last backup read everything.
    type: str
    choices: [changed, full]
    default: changed
  existing_objects:
    description:
      - What happens to an object of the destination that has the name of one to be created and was not made by this
        plan.
      - V(fail) refuses to start and names them. V(keep) leaves them as they are. V(update) overwrites them.
      - With engine V(controller) nobody looks beforehand, and Velero keeps what exists also with V(fail). V(update) is
        refused.
    type: str
    choices: [fail, keep, update]
    default: fail
  images:
    description:
      - What happens to image streams, a kind of OpenShift, and to their images in the source's registry.
      - The builtin engine cannot copy them yet. With V(copy) it refuses a plan that has any, before anything is
        touched; with V(skip) they stay where they are and the result names them. Without image streams both mean
        the same.
      - With engine V(controller) the plan's O(openmig.mtc.mig_plan#module:indirect_image_migration) says how they are
        copied, and V(skip) is refused; leave C(imagestreams) out with
        O(openmig.mtc.mig_plan#module:included_resources) instead.
    type: str
    choices: [copy, skip]
    default: copy
  transfer_image:
    description:
      - Image with rsync and stunnel for the pods that copy. Required when the plan copies volumes.
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
    description: Limit for all volumes together, in KiB per second. May be changed while a migration is under way.
    type: int
  excludes:
    description:
      - Parts of volumes that are neither copied nor compared, such as caches.
      - What is excluded is not on the destination, and the proof says nothing of it; RV(volumes) counts its files.
        What an earlier run has copied of it stays there, but for volumes that go through the repository.
      - Frozen with the migration. A call that goes on with it must name the same.
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
  accept_warnings:
    description:
      - Findings that would fail the migration and that you accept, by name. Each acceptance that was made use of is
        in RV(accepted) and in the migration's record, and the migration ends as C(SucceededWithWarnings).
      - V(DirectVolumeMigrationFailed) goes on with volumes whose copy is not equal to the source; C(namespace/claim)
        (or a pattern of it) does so for one volume only. The application then starts on data that is not proven.
      - V(UnhealthyNamespaces) does not wait longer than O(health_timeout) for the migrated application.
      - V(GVKsIncompatible) leaves out objects whose kind the destination does not serve.
      - V(PvCapacityAdjustmentRequired) lets a destination volume be smaller than what its source uses, which is
        right when O(excludes) leaves out much of it.
      - With engine V(controller) further names are those of MTC's own warnings, V(CopiedBeforeQuiesce) for a volume
        whose only copy began before the application had stopped, and V(RollbackIncomplete) for what a rollback has left
        on the destination.
      - Frozen with the migration.
    type: list
    elements: str
  start_timeout:
    description: Seconds that pods and volumes may take to be ready.
    type: int
    default: 300
  quiesce_timeout:
    description:
      - Seconds within which the stopped application's pods must be gone. Then the migration fails and the source is
        started again.
    type: int
    default: 300
  health_timeout:
    description: Seconds within which the migrated application must be healthy.
    type: int
    default: 600
  max_downtime:
    description:
      - Seconds after which a cutover that has not begun to create objects is given up and the source started again.
        V(0) means no limit.
      - With engine V(controller) the migration is canceled then, and only while this task is running to see it.
    type: int
    default: 0
  plan_file:
    description:
      - File into which check mode writes all that would be done, on the machine where the module runs. Text, or JSON
        when the name ends in C(.json); readable for its owner only. Two runs give the same bytes as long as nothing
        changes.
      - Every object is in it with what is changed in it on its way, as a patch, and with a digest of the form in which
        it would be sent; every volume with its size, its use, class and method; every hook; everything that would
        block. Values of Secrets are digests from which nothing can be guessed without reading the Secret.
      - With O(plan_digest) the file is only read, to name what differs.
    type: path
  plan_digest:
    description:
      - RV(digest) of a run in check mode that was looked at and approved. The migration is not started when what it
        would do now is something else.
      - It covers what would be done with objects, volumes, hooks and workloads, and the options; not how full a volume
        is, nor options that may change while a migration is under way.
      - A migration that has begun goes on without asking again.
    type: str
  wait:
    description:
      - Whether to go on until the migration has ended. Otherwise the module returns as soon as something has to be
        waited for.
      - Between the moment when the application is stopped and the moment when it runs again the module never
        returns on purpose.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which the module fails although the migration could go on; run it again to go on.
    type: int
    default: 7200
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
  - cryptography >= 41.0
seealso:
  - module: openmig.mtc.mig_migration_info
  - module: openmig.mtc.mig_plan
"""

EXAMPLES = r"""
- name: Copy the volumes while the application runs
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    stage: true
    transfer_image: registry.example.com/openmig/mover:0.1.0

- name: Stop the application and prove the volumes equal, but create nothing yet
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    pause_before: restore
    transfer_image: registry.example.com/openmig/mover:0.1.0

- name: Move the application (or go on where the task above has paused)
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    transfer_image: registry.example.com/openmig/mover:0.1.0

- name: Undo the migration and start the source again
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    rollback: true

- name: Give up what is under way, if anything is
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    cancel: true

- name: Show what would be moved, before anything of the collection is on a cluster
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    source:
      kubeconfig: ~/.kube/source
    destination:
      kubeconfig: ~/.kube/destination
    plan: shop
    plan_definition:
      source_cluster: source
      destination_cluster: destination
      namespaces:
        - shop:shop-new
    transfer_image: registry.example.com/openmig/mover:0.1.0
  check_mode: true
  diff: true

- name: Move the data alone, for an application that something else deploys
  openmig.mtc.mig_migration:
    kubeconfig: ~/.kube/destination
    plan: shop
    migrate_state: true
    quiesce_pods: true
    transfer_image: registry.example.com/openmig/mover:0.1.0
"""

RETURN = r"""
resource:
  description: The C(MigMigration) as it is stored.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when what was begun did not end, or ended badly
  type: dict
phase:
  description: The phase that was reached; V(Completed) at the end.
  returned: when there is a migration, also when it did not end or ended badly
  type: str
waiting_for:
  description: What is waited for when the module returned before the end.
  returned: when the migration was carried out
  type: str
errors:
  description: What went wrong, as in the resource.
  returned: when there is a migration, also when it did not end or ended badly
  type: list
  elements: str
failed_phase:
  description: The phase in which the migration failed.
  returned: when the migration failed
  type: str
down_since:
  description: When the application was stopped, while it runs on neither side.
  returned: when a migration was carried out
  type: str
stays_stopped:
  description: The workloads of the source that a state migration has left stopped, because their data has moved.
  returned: when a migration was carried out
  type: list
  elements: str
downtime_seconds:
  description: Seconds from the moment when the first workload was stopped until the application ran again.
  returned: when the application was stopped
  type: float
volumes:
  description:
    - The verdict on every volume, and what the last pass over it had to copy (C(files_moved), C(bytes_moved)).
    - After a stage run what the pass has copied; C(proven) is then V(false).
  returned: when volumes were copied
  type: list
  elements: dict
itinerary:
  description: Which way through the phases MTC has taken.
  returned: with engine V(controller)
  type: str
  sample: Final
pipeline:
  description: The steps of the run, as MTC tells them.
  returned: with engine V(controller)
  type: list
  elements: dict
direct_volume_migrations:
  description: Each C(DirectVolumeMigration) of the run in a few words; likewise C(direct_image_migrations) and
    C(direct_image_stream_migrations).
  returned: with engine V(controller)
  type: list
  elements: dict
velero:
  description: Velero's objects of the run on the clusters that the task says how to reach, each in one row.
  returned: with engine V(controller)
  type: list
  elements: dict
findings:
  description:
    - What did not arrive as it should, although MTC calls the run a success, each with the C(name) by which
      O(accept_warnings) accepts it.
  returned: with engine V(controller), when a run has ended
  type: list
  elements: dict
accepted:
  description: What would have failed the migration and was accepted by O(accept_warnings), with its name.
  returned: when there is a migration, also when it did not end or ended badly
  type: list
  elements: dict
hooks:
  description:
    - How each hook of the plan that ran has ended, in the order of their phases, with the last 100 lines of its log.
    - With engine V(builtin). With V(controller) jobs and pods stay on the clusters, where their logs can be read.
  returned: success or failure of a run
  type: list
  elements: dict
  sample:
    - phase: PreBackup
      hook: pause-imports
      cluster: source
      namespace: shop-ops
      job: shop-prebackup-0b5f4f6e
      image: quay.io/konveyor/hook-runner:latest
      outcome: succeeded
      reason: ""
      started: 1763769600.5
      seconds: 14.2
      log: ["PLAY RECAP ***", "localhost : ok=2 changed=1"]
objects:
  description:
    - How many objects were created or found, what was rewritten in them and what was left for you to look at, and which
      belong to an owner again (C(owned)).
  returned: when objects were created
  type: dict
rollback:
  description:
    - Of a rollback. C(undoes) names the run that is undone, C(received) tells for each volume whether the application
      has written on the destination since the cutover (or why that is unknown), C(removed) what went, C(started) what
      was started on the source, C(kept_namespaces) and C(kept_objects) what stayed because others use it,
      C(not_looked_at) APIs of the destination that did not answer, C(copied_back) the verdicts on the volumes that
      O(rollback_sync) has brought back.
  returned: when a migration was carried out
  type: dict
phase_seconds:
  description: Seconds spent in each phase.
  returned: when the migration was carried out
  type: dict
prediction:
  description: What would be moved and what would block. With O(plan_file) the objects are in the file only.
  returned: in check mode
  type: dict
summary:
  description: How many namespaces, objects (by what happens to them), volumes, bytes, hooks and obstacles there are.
  returned: in check mode, of a run that would begin with engine V(builtin), rollbacks excepted
  type: dict
digest:
  description: Stands for what would be done; O(plan_digest) of a later run demands that it is still the same.
  returned: in check mode, of a run that would begin with engine V(builtin), rollbacks excepted
  type: str
  sample: sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
plan_file:
  description: The file that was written.
  returned: in check mode with O(plan_file)
  type: str
progress:
  description: The lines that were told while the module ran, the newest last.
  returned: when there are any
  type: list
  elements: str
engine:
  description: Who carries the migration out.
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
files:
  description: Files that could not be read, written or proven equal.
  returned: when a volume failed
  type: list
  elements: str
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import migrate
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_migration_spec


def main() -> None:
    run(mig_migration_spec(), migrate.migrate, kind="MigMigration")


if __name__ == "__main__":
    main()
