# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The modules' options that become fields of a resource, as Ansible argument specs.

Connection, waiting and engine options are not here: they belong to the modules that have them. Every call returns fresh
dicts, for Ansible changes what it is given. None as default means "not named", see spec_fields.
"""

from __future__ import annotations

from typing import Any

from . import mighook
from .directvolume import MIGRATION_TYPES, VOLUME_MODES
from .migplan import HOOK_PHASES
from .option_checks import ACCESS_MODES
from .plan_selections import ACCESS_MODE_CHOICES
from .plan_volumes import ACTIONS, COPY_METHODS
from .storage_providers import PROVIDERS, SIGNATURE_VERSIONS


def _reference() -> dict[str, Any]:
    return {"type": "dict", "options": {"name": {"type": "str", "required": True}, "namespace": {"type": "str"}}}


def _label_selector() -> dict[str, Any]:
    return {
        "type": "dict",
        "options": {
            "match_labels": {"type": "dict"},
            "match_expressions": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "key": {"type": "str", "required": True, "no_log": False},
                    "operator": {
                        "type": "str",
                        "required": True,
                        "choices": ["In", "NotIn", "Exists", "DoesNotExist"],
                    },
                    "values": {"type": "list", "elements": "str"},
                },
            },
        },
    }


def resource_spec() -> dict[str, Any]:
    """What names the resource itself; every kind has it. The engine knows the default namespace."""
    return {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }


def cluster_spec() -> dict[str, Any]:
    """Options of a MigCluster."""
    return {
        "is_host_cluster": {"type": "bool"},
        "url": {"type": "str"},
        # The name of a secret is no secret; without the mark Ansible warns about the option's name.
        "service_account_secret": {"type": "str", "no_log": False},
        "service_account_secret_ref": {**_reference(), "no_log": False},
        "ca_bundle": {"type": "str"},
        "insecure": {"type": "bool"},
        "azure_resource_group": {"type": "str"},
        "exposed_registry_path": {"type": "str"},
        "restart_restic": {"type": "bool"},
    }


def _store_secret() -> dict[str, Any]:
    # Names of secrets are no secrets.
    return {"creds_secret": {"type": "str", "no_log": False}, "creds_secret_ref": {**_reference(), "no_log": False}}


def storage_spec() -> dict[str, Any]:
    """Options of a MigStorage."""
    return {
        "backup_storage_provider": {"type": "str", "choices": list(PROVIDERS)},
        "backup_storage_config": {
            "type": "dict",
            "options": {
                "aws_bucket_name": {"type": "str"},
                "aws_kms_key_id": {"type": "str"},
                "aws_public_url": {"type": "str"},
                "aws_region": {"type": "str"},
                "aws_s3_force_path_style": {"type": "bool"},
                "aws_s3_url": {"type": "str"},
                "aws_signature_version": {"type": "str", "choices": list(SIGNATURE_VERSIONS)},
                "azure_resource_group": {"type": "str"},
                "azure_storage_account": {"type": "str"},
                "azure_storage_container": {"type": "str"},
                "gcp_bucket": {"type": "str"},
                "insecure": {"type": "bool"},
                "s3_custom_ca_bundle": {"type": "str"},
                **_store_secret(),
            },
        },
        "volume_snapshot_provider": {"type": "str", "choices": [*PROVIDERS, ""]},
        "volume_snapshot_config": {
            "type": "dict",
            "options": {
                "aws_region": {"type": "str"},
                "azure_api_timeout": {"type": "str"},
                "azure_resource_group": {"type": "str"},
                "snapshot_creation_timeout": {"type": "str"},
                **_store_secret(),
            },
        },
    }


def store_credentials() -> dict[str, Any]:
    """Credentials of a store, from which the module makes a secret. An access key's ID is no secret: AWS shows it in
    logs of its own, and masking a short one would garble every result."""
    return {
        "type": "dict",
        "options": {
            "aws_access_key_id": {"type": "str", "no_log": False},
            "aws_secret_access_key": {"type": "str", "no_log": True},
            "azure_credentials": {
                "type": "dict",
                "options": {
                    "subscription_id": {"type": "str"},
                    "tenant_id": {"type": "str"},
                    "client_id": {"type": "str"},
                    "client_secret": {"type": "str", "no_log": True},
                    "resource_group": {"type": "str"},
                    "cloud_name": {"type": "str"},
                    "storage_account_access_key": {"type": "str", "no_log": True},
                },
            },
            "gcp_credentials": {"type": "json", "no_log": True},
        },
    }


def hook_spec() -> dict[str, Any]:
    """Options of a MigHook."""
    return {
        "custom": {"type": "bool"},
        "image": {"type": "str"},
        "playbook": {"type": "str"},
        "playbook_file": {"type": "path"},
        "playbook_base64": {"type": "str"},
        "target_cluster": {"type": "str", "choices": list(mighook.TARGETS)},
        "active_deadline_seconds": {"type": "int"},
    }


def analytic_spec() -> dict[str, Any]:
    """Options of a MigAnalytic."""
    return {
        "plan": {"type": "str"},
        "mig_plan_ref": _reference(),
        "analyze_image_count": {"type": "bool"},
        "analyze_k8s_resources": {"type": "bool"},
        "analyze_pv_capacity": {"type": "bool"},
        "analyze_extended_pv_capacity": {"type": "bool"},
        "list_images": {"type": "bool"},
        "list_images_limit": {"type": "int"},
    }


def plan_spec() -> dict[str, Any]:
    """Options of a MigPlan."""
    return {
        "source_cluster": {"type": "str"},
        "destination_cluster": {"type": "str"},
        "src_mig_cluster_ref": _reference(),
        "dest_mig_cluster_ref": _reference(),
        "storage": {"type": "str"},
        "mig_storage_ref": _reference(),
        "namespaces": {"type": "list", "elements": "str"},
        "included_resources": {
            "type": "list",
            "elements": "dict",
            "options": {"group": {"type": "str", "default": ""}, "kind": {"type": "str", "required": True}},
        },
        "excluded_resources": {"type": "list", "elements": "str"},
        "label_selector": _label_selector(),
        "persistent_volumes": {
            "type": "list",
            "elements": "dict",
            "options": {
                "pvc": {"type": "str"},
                "pv": {"type": "str"},
                "action": {"type": "str", "choices": list(ACTIONS)},
                "copy_method": {"type": "str", "choices": list(COPY_METHODS)},
                "storage_class": {"type": "str"},
                "access_mode": {"type": "str", "choices": list(ACCESS_MODE_CHOICES)},
                "size": {"type": "str"},
                "capacity_confirmed": {"type": "bool"},
                "target_name": {"type": "str"},
                "verify": {"type": "bool"},
            },
        },
        "storage_class_mapping": {"type": "dict"},
        "indirect_image_migration": {"type": "bool"},
        "indirect_volume_migration": {"type": "bool"},
        "live_migrate": {"type": "bool"},
        "hooks": {
            "type": "list",
            "elements": "dict",
            "options": {
                "reference": {**_reference(), "required": True},
                "phase": {"type": "str", "required": True, "choices": list(HOOK_PHASES)},
                "execution_namespace": {"type": "str", "required": True},
                "service_account": {"type": "str", "required": True},
            },
        },
        "closed": {"type": "bool", "aliases": ["close"]},
        "namespace_limit": {"type": "int"},
        "pod_limit": {"type": "int"},
        "pv_limit": {"type": "int"},
    }


def migration_spec() -> dict[str, Any]:
    """Options of a MigMigration."""
    return {
        "plan": {"type": "str"},
        "mig_plan_ref": _reference(),
        "stage": {"type": "bool"},
        "migrate_state": {"type": "bool"},
        "rollback": {"type": "bool"},
        "canceled": {"type": "bool"},
        "quiesce_pods": {"type": "bool"},
        "keep_annotations": {"type": "bool"},
        "verify": {"type": "bool"},
        "run_as_root": {"type": "bool"},
        "run_as_user": {"type": "int"},
        "run_as_group": {"type": "int"},
    }


def _direct_spec() -> dict[str, Any]:
    """The clusters of whatever is copied directly."""
    return {
        "source_cluster": {"type": "str"},
        "destination_cluster": {"type": "str"},
        "src_mig_cluster_ref": _reference(),
        "dest_mig_cluster_ref": _reference(),
    }


def direct_volume_spec() -> dict[str, Any]:
    """Options of a DirectVolumeMigration."""
    return {
        **_direct_spec(),
        "persistent_volume_claims": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "namespace": {"type": "str", "required": True},
                "target_name": {"type": "str"},
                "target_namespace": {"type": "str"},
                "target_storage_class": {"type": "str"},
                "target_access_modes": {"type": "list", "elements": "str", "choices": list(ACCESS_MODES)},
                "target_volume_mode": {"type": "str", "choices": list(VOLUME_MODES)},
                "verify": {"type": "bool"},
            },
        },
        "create_destination_namespaces": {"type": "bool"},
        "delete_progress_reporting_crs": {"type": "bool"},
        "back_off_limit": {"type": "int"},
        "live_migrate": {"type": "bool"},
        "migration_type": {"type": "str", "choices": list(MIGRATION_TYPES)},
    }


def direct_image_spec() -> dict[str, Any]:
    """Options of a DirectImageMigration."""
    return {
        **_direct_spec(),
        "namespaces": {"type": "list", "elements": "str"},
        "label_selector": _label_selector(),
    }


def direct_image_stream_spec() -> dict[str, Any]:
    """Options of a DirectImageStreamMigration."""
    stream = {"name": {"type": "str", "required": True}, "namespace": {"type": "str", "required": True}}
    return {
        **_direct_spec(),
        "image_stream_ref": {"type": "dict", "options": stream},
        "dest_namespace": {"type": "str"},
    }
