# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a plan in words; plugins/module_utils/resources/argument_specs.py says the same to Ansible."""

from __future__ import annotations


class ModuleDocFragment:
    """What a MigPlan's spec says. An option that is left out leaves its field as it is."""

    DOCUMENTATION = r"""
options:
  source_cluster:
    description: Name of the C(MigCluster) that the plan moves from.
    type: str
  destination_cluster:
    description: Name of the C(MigCluster) that the plan moves to.
    type: str
  src_mig_cluster_ref:
    description: The same as O(source_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions:
      name:
        description: Name of the C(MigCluster).
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
  dest_mig_cluster_ref:
    description: The same as O(destination_cluster) for a C(MigCluster) of another namespace.
    type: dict
    suboptions:
      name:
        description: Name of the C(MigCluster).
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
  storage:
    description:
      - Name of the C(MigStorage), the replication repository. A plan whose volumes are copied directly needs none
        with the builtin engine; one that is named all the same must be ready.
    type: str
  mig_storage_ref:
    description: The same as O(storage) for a C(MigStorage) of another namespace.
    type: dict
    suboptions:
      name:
        description: Name of the C(MigStorage).
        type: str
        required: true
      namespace:
        description: Its namespace.
        type: str
  namespaces:
    description:
      - Namespaces to move, each as C(source) or C(source:destination). At most ten, see O(namespace_limit).
      - What refers to a namespace inside the moved objects follows the mapping where that is certain.
    type: list
    elements: str
  included_resources:
    description:
      - Kinds to move; all when left out. Volumes are not chosen by it.
      - A kind that the source does not know keeps the plan from being ready.
    type: list
    elements: dict
    suboptions:
      group:
        description: API group, empty for the core group.
        type: str
        default: ""
      kind:
        description: Kind, as in C(kubectl api-resources).
        type: str
        required: true
  excluded_resources:
    description:
      - Kinds to leave out, each as C(plural) or C(plural.group), besides those that MTC leaves out by default. An
        empty list takes the plan's own away again.
      - Of what belongs to the namespaces and lives in none this can name C(customresourcedefinitions), C(clusterroles),
        C(clusterrolebindings) and C(securitycontextconstraints).
      - A kind that the source does not know keeps the plan from being ready. Volumes are left out by
        O(persistent_volumes).
      - With an engine of the Migration Toolkit for Containers this is a setting of its controller and refused here.
    type: list
    elements: str
  label_selector:
    description:
      - Moves only the objects with these labels. It does not choose volumes.
    type: dict
    suboptions:
      match_labels:
        description: Labels that an object must have, with their values.
        type: dict
      match_expressions:
        description: Conditions on labels, all of which must hold.
        type: list
        elements: dict
        suboptions:
          key:
            description: The label.
            type: str
            required: true
          operator:
            description: How the label is compared.
            type: str
            required: true
            choices: [In, NotIn, Exists, DoesNotExist]
          values:
            description: Values for V(In) and V(NotIn).
            type: list
            elements: str
  persistent_volumes:
    description:
      - Choices for volumes, by claim or by volume. They are applied in order to what is found in the namespaces;
        later ones win. What an element does not say stays as it is, and so does a volume that none names.
      - A claim that no element names gets a class of the same provisioner on the destination, or its default class.
      - An element that fits no volume is an error, so that a typing error does not go unnoticed. Claims that are not
        bound have no volume.
    type: list
    elements: dict
    suboptions:
      pvc:
        description:
          - The claim as C(namespace/name), or a name for all namespaces of the plan. V(*) and V(?) are wildcards.
          - Either this or O(persistent_volumes[].pv) is needed.
        type: str
      pv:
        description: The name of the C(PersistentVolume) instead, with the same wildcards.
        type: str
      action:
        description:
          - What happens to the volume. Only V(skip) and V(copy) can be carried out by the builtin engine; the claim
            of a volume that is skipped does not exist on the destination afterwards.
        type: str
        choices: [skip, copy, move]
      copy_method:
        description: How it is copied. The builtin engine refuses a migration with V(block) or V(snapshot).
        type: str
        choices: [filesystem, block, snapshot]
      storage_class:
        description: The destination's storage class; wins over O(storage_class_mapping).
        type: str
      access_mode:
        description: The destination's access mode, when it is not that of the source.
        type: str
        choices: [ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod, auto]
      size:
        description:
          - The destination's size, for example V(2Gi). It may be smaller than the source's, as long as what is in use
            fits; otherwise the migration is refused.
          - It is the volume's C(proposedCapacity), confirmed.
        type: str
      capacity_confirmed:
        description:
          - Whether the proposed size is what you want, also where it is smaller than the source's volume. Without a
            confirmation the destination's volume is as large as the largest of both.
          - A size that is confirmed is not changed by what a C(MigAnalytic) finds later. O(persistent_volumes[].size)
            confirms by itself.
        type: bool
      target_name:
        description: The claim's name on the destination. Only for a single claim.
        type: str
      verify:
        description:
          - Whether a controller of the Migration Toolkit for Containers compares checksums. The builtin engine always
            does.
        type: bool
  storage_class_mapping:
    description:
      - The destination's storage class for each of the source's.
      - V("") means no class, for volumes that you bind by hand.
    type: dict
  indirect_image_migration:
    description:
      - Whether images travel through the replication repository. Needs O(storage); the builtin engine refuses a
        migration of such a plan.
    type: bool
  indirect_volume_migration:
    description:
      - Whether volumes travel through the replication repository. Needs O(storage) and two different clusters.
      - With the builtin engine restic carries them, so pods of both clusters have to reach the store, and neither
        cluster the other. Block volumes are refused.
      - Each run restores volumes as a whole, during the downtime of a cutover, too. Where the clusters reach each
        other, direct copies are faster.
    type: bool
  live_migrate:
    description:
      - Whether volumes of running virtual machines are moved live. The builtin engine refuses a migration of such a
        plan.
    type: bool
  hooks:
    description: What runs at fixed points of a migration, at most one for each phase.
    type: list
    elements: dict
    suboptions:
      reference:
        description: The C(MigHook).
        type: dict
        required: true
        suboptions:
          name:
            description: Name of the C(MigHook).
            type: str
            required: true
          namespace:
            description: Its namespace; that of the plan when left out.
            type: str
      phase:
        description: When it runs.
        type: str
        required: true
        choices: [PreBackup, PostBackup, PreRestore, PostRestore]
      execution_namespace:
        description: Namespace of the job that runs it.
        type: str
        required: true
      service_account:
        description: Service account of that job.
        type: str
        required: true
  closed:
    description:
      - Whether the plan is closed; no migration of it can be started then, and it conflicts with no other plan.
      - Closing removes what migrations of the plan have left besides their records, on both clusters; nothing that
        was moved. It is refused while a migration of the plan is not finished. V(false) opens the plan again.
    type: bool
    aliases: [close]
  namespace_limit:
    description:
      - How many namespaces the plan may have; 10 unless something else was said before.
      - With an engine of the Migration Toolkit for Containers this is a setting of its controller and refused here.
    type: int
  pod_limit:
    description: Above how many running pods in the namespaces there is a warning; 100 unless said otherwise before.
    type: int
  pv_limit:
    description: Above how many volumes there is a warning; 100 unless something else was said before.
    type: int
"""
