#!/usr/bin/python
# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mig_storage
short_description: Make a replication repository known to migrations
description:
  - Creates, changes or removes a C(MigStorage) on the control cluster, the resource that says in which bucket or
    container backups of migrations are kept, and who makes snapshots of volumes.
  - Credentials that the task gives are laid down in a secret, so that nobody has to make one by hand.
  - The store is really tried. An object is written, read back, listed and deleted; the module fails with the
    conditions of the resource when one of them does not work. With engine V(controller) the Migration Toolkit for
    Containers does the test, from its own pod.
  - The test leaves nothing behind. The object lies below C(openmig-probe/), beside the directory of backups.
author:
  - openmig contributors (@openmig)
extends_documentation_fragment:
  - openmig.mtc.attributes
  - openmig.mtc.attributes.actiongroup_mtc
  - openmig.mtc.connection
  - openmig.mtc.engine
  - openmig.mtc.wait_condition
attributes:
  check_mode:
    support: full
    details: The store is only listed then, for writing to it would be a change.
  diff_mode:
    support: full
options:
  name:
    description: Name of the C(MigStorage).
    type: str
    required: true
  namespace:
    description: Namespace of the control cluster in which the resource lives, by default the one of the engine.
    type: str
  state:
    description:
      - Whether the resource exists.
      - With V(absent) the secrets go that were made from O(credentials) and O(volume_snapshot_credentials), and no
        others. What lies in the store stays.
      - A storage that a plan uses is not removed.
    type: str
    choices: [present, absent]
    default: present
  refresh:
    description:
      - Whether the Migration Toolkit for Containers is asked for a new test although nothing has changed.
      - Has no effect with the builtin engine, which tries the store each time.
    type: bool
    default: false
  backup_storage_provider:
    description:
      - Who keeps the backups. Needed when the storage is made.
      - V(aws) means every server that speaks S3, such as those of AWS, MinIO, Ceph, SeaweedFS and the Multicloud
        Object Gateway of OpenShift.
    type: str
    choices: [aws, azure, gcp]
  backup_storage_config:
    description:
      - Where and how backups are kept. Suboptions that are left out stay as they are stored, V("") clears one.
      - Suboptions of another provider than O(backup_storage_provider) are refused.
    type: dict
    suboptions:
      aws_bucket_name:
        description: The bucket. It has to exist. Needed by provider V(aws).
        type: str
      aws_region:
        description: The bucket's region. V(us-east-1) when there is none. Many S3 servers take any.
        type: str
      aws_s3_url:
        description:
          - Address of an S3 server other than AWS, such as V(https://minio.example.com:9000).
          - Both clusters and the machine where the module runs have to reach the server under this address.
        type: str
      aws_public_url:
        description:
          - Address of the server as seen from outside. Serves as the address when
            O(backup_storage_config.aws_s3_url) is not set.
        type: str
      aws_s3_force_path_style:
        description:
          - Whether the bucket is a part of the path instead of the host name.
          - When it is left out, the bucket is a part of the path if one of the addresses is set, and of the host name
            otherwise. The Migration Toolkit for Containers does so whatever this option says.
        type: bool
      aws_kms_key_id:
        description:
          - Key of AWS KMS with which the objects are encrypted. The credentials need the right to use it.
          - The test's object is encrypted with it too.
        type: str
      aws_signature_version:
        description:
          - Version of the signature of what is handed out for reading. V(1) is for servers that know no other.
        type: str
        choices: ["", "1", "4"]
      s3_custom_ca_bundle:
        description:
          - Certificates that are trusted for the server besides the usual ones, as PEM text or base64 of it.
        type: str
      insecure:
        description:
          - Whether to connect without checking the server's certificate.
          - Whoever can stand in the way then reads and changes the backups.
        type: bool
      azure_resource_group:
        description: Resource group of the storage account. Needed by provider V(azure).
        type: str
      azure_storage_account:
        description: The storage account. Needed by provider V(azure).
        type: str
      azure_storage_container:
        description: The container. It has to exist. Needed by provider V(azure).
        type: str
      gcp_bucket:
        description: The bucket. It has to exist. Needed by provider V(gcp).
        type: str
      creds_secret:
        description:
          - Name of a secret with the credentials, when O(credentials) is not given. It lives beside the resource, with
            engine V(controller) in V(openshift-config).
          - Its keys are C(aws-access-key-id) and C(aws-secret-access-key), or C(azure-credentials), or
            C(gcp-credentials).
        type: str
      creds_secret_ref:
        description: The same for a secret in another namespace.
        type: dict
        suboptions:
          name:
            description: Name of the secret.
            type: str
            required: true
          namespace:
            description: Namespace of the secret.
            type: str
  credentials:
    description:
      - Credentials of O(backup_storage_provider). The module keeps them in the secret C(migstorage-<name>), which it
        changes when they change, or in the one that O(backup_storage_config.creds_secret) or
        O(backup_storage_config.creds_secret_ref) names, in a namespace that exists.
      - A secret of that name that somebody else has made is neither overwritten nor removed.
    type: dict
    suboptions: &credentials
      aws_access_key_id:
        description: ID of the access key. It is no secret and may show in output.
        type: str
      aws_secret_access_key:
        description: The secret key.
        type: str
      azure_credentials:
        description:
          - A service principal that may list the keys of the storage account, or
            O(credentials.azure_credentials.storage_account_access_key) alone.
        type: dict
        suboptions:
          subscription_id:
            description: The subscription.
            type: str
          tenant_id:
            description: The tenant.
            type: str
          client_id:
            description: The service principal.
            type: str
          client_secret:
            description: Its secret.
            type: str
          resource_group:
            description: Resource group of the cluster's disks, of which snapshots are made.
            type: str
          cloud_name:
            description: V(AzurePublicCloud) when left out; V(AzureUSGovernmentCloud) or V(AzureChinaCloud).
            type: str
          storage_account_access_key:
            description:
              - Access key of the storage account. With it nothing else is needed, and nobody is asked for it.
              - The Migration Toolkit for Containers needs the service principal in any case.
            type: str
      gcp_credentials:
        description:
          - The content of a service account's key file, as JSON text or as a dictionary.
        type: json
  volume_snapshot_provider:
    description:
      - Who makes snapshots of volumes. V("") means the provider of the backups.
      - MTC tries none before one is made. The builtin engine makes none at all; it only checks the settings.
    type: str
    choices: [aws, azure, gcp, ""]
  volume_snapshot_config:
    description: How snapshots are made. Suboptions that are left out stay as they are stored.
    type: dict
    suboptions:
      aws_region:
        description: Region of the clusters. V(us-east-1) when there is none.
        type: str
      azure_resource_group:
        description: Resource group of the snapshots. Needed by provider V(azure).
        type: str
      azure_api_timeout:
        description: How long a request to Azure may take, such as V(30s). Needed by provider V(azure).
        type: str
      snapshot_creation_timeout:
        description: How long a snapshot may take, such as V(10m) or V(1h30m).
        type: str
      creds_secret:
        description:
          - Name of a secret with the credentials, when O(volume_snapshot_credentials) is not given.
          - Left out for the backups' provider, snapshots are made with the credentials of the backups.
        type: str
      creds_secret_ref:
        description: The same for a secret in another namespace.
        type: dict
        suboptions:
          name:
            description: Name of the secret.
            type: str
            required: true
          namespace:
            description: Namespace of the secret.
            type: str
  volume_snapshot_credentials:
    description:
      - Credentials of O(volume_snapshot_provider), kept in the secret C(migstorage-<name>-snapshots) or where
        O(volume_snapshot_config) says.
      - The provider has to be named beside them.
      - The suboptions are those of O(credentials).
    type: dict
    suboptions: *credentials
  wait_timeout:
    description:
      - Seconds to wait for MTC's controller, and for O(wait_condition). Without that it has no effect with engine
        V(builtin), which judges within the task.
    type: int
    default: 300
requirements:
  - python >= 3.11
  - kubernetes >= 31.0.0
  - PyYAML >= 6.0
  - boto3 >= 1.36 for provider V(aws) with the builtin engine
  - google-cloud-storage >= 2.14 for provider V(gcp) with the builtin engine
  - azure-storage-blob >= 12.19 for provider V(azure) with the builtin engine; with a service principal also
    azure-identity >= 1.15 and azure-mgmt-storage >= 21
notes:
  - Proxies are those of the environment where the module runs (E(HTTPS_PROXY), E(HTTP_PROXY), E(NO_PROXY)). An
    authority of theirs is named in E(REQUESTS_CA_BUNDLE).
seealso:
  - module: openmig.mtc.mig_storage_info
  - module: openmig.mtc.mig_plan
"""

EXAMPLES = r"""
- name: A bucket on an S3 server
  openmig.mtc.mig_storage:
    kubeconfig: ~/.kube/destination
    name: backups
    backup_storage_provider: aws
    backup_storage_config:
      aws_bucket_name: openmig
      aws_s3_url: http://s3.example.com:8333
    credentials:
      aws_access_key_id: "{{ lookup('ansible.builtin.env', 'STORE_ACCESS_KEY') }}"
      aws_secret_access_key: "{{ lookup('ansible.builtin.env', 'STORE_SECRET_KEY') }}"

- name: The same bucket, with snapshots by the provider of the backups
  openmig.mtc.mig_storage:
    kubeconfig: ~/.kube/destination
    name: backups
    volume_snapshot_provider: aws
    volume_snapshot_config:
      aws_region: eu-west-1
      snapshot_creation_timeout: 20m

- name: Look whether the store still answers, and change nothing
  openmig.mtc.mig_storage:
    kubeconfig: ~/.kube/destination
    name: backups
  check_mode: true

- name: Remove a storage that no plan uses
  openmig.mtc.mig_storage:
    kubeconfig: ~/.kube/destination
    name: old-backups
    state: absent
"""

RETURN = r"""
resource:
  description: The C(MigStorage) as it is stored, or in check mode as it would be. Empty after removal.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
changes:
  description: What this call changed, one line each.
  returned: success, or when the resource is not ready or was not judged in time
  type: list
  elements: str
  sample: ["Secret openmig/migstorage-backups created", "MigStorage openmig/backups created"]
conditions:
  description: The conditions of the resource by their type.
  returned: success, or when the resource is not ready or was not judged in time
  type: dict
  sample: {"Ready": {"category": "Required", "status": "True", "type": "Ready"}}
tested:
  description: What the store was asked to do. In check mode it is only listed.
  returned: success, with the builtin engine
  type: list
  elements: str
  sample: ["write", "read", "list", "delete"]
engine:
  description: Who makes the resource true.
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
  description: Every fault of the options, each with its path.
  returned: when options are wrong
  type: list
  elements: dict
"""

from ansible_collections.openmig.mtc.plugins.module_utils.engine import ensure_storage
from ansible_collections.openmig.mtc.plugins.module_utils.module import run
from ansible_collections.openmig.mtc.plugins.module_utils.module_specs import mig_storage_spec


def main() -> None:
    run(mig_storage_spec(), ensure_storage.ensure, kind="MigStorage")


if __name__ == "__main__":
    main()
