# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The argument specs of the modules, put together from those of connections, resources and runs. Each call returns a
fresh dict."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .cluster.argument_spec import connection_spec
from .resources import engines, miganalytic, names
from .resources.argument_specs import (
    analytic_spec,
    cluster_spec,
    direct_image_spec,
    direct_image_stream_spec,
    direct_volume_spec,
    hook_spec,
    migration_spec,
    plan_spec,
    resource_spec,
    storage_spec,
    store_credentials,
)
from .resources.info_options import info_spec
from .resources.mover_options import ENDPOINTS, FOREIGN_ENDPOINTS

Spec = dict[str, Any]


def _connection() -> Spec:
    return {"type": "dict", "options": connection_spec()}


def control_spec() -> Spec:
    """What every module has: the way to the control cluster, which engine (see module.run for its variable), and whom
    to tell."""
    return {
        **connection_spec(),
        "engine": {"type": "str", "choices": list(engines.CHOICES)},
        "reporter": {
            "type": "dict",
            "options": {
                "file": {"type": "path"},
                "parent": {"type": "str"},
                "foretold": {"type": "list", "elements": "dict"},
            },
        },
    }


def _sides() -> Spec:
    return {"source": _connection(), "destination": _connection()}


def defaults(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a module that nobody gave any option."""
    return {name: option.get("default") for name, option in spec.items()}


def mig_cluster_spec() -> Spec:
    """Options of ``mig_cluster``."""
    return {
        **control_spec(),
        **resource_spec(),
        **cluster_spec(),
        "remote": _connection(),
        "rights": {"type": "str", "choices": ["source", "destination"], "default": "source"},
        "service_account_namespace": {"type": "str"},
        "token_lifetime": {"type": "int", "default": 2592000, "no_log": False},
        "refresh": {"type": "bool", "default": False},
        **_judged_spec(),
    }


def _judged_spec() -> Spec:
    """What is waited for, and how long: for MTC's controller, or for a condition."""
    return {"wait_timeout": {"type": "int", "default": 300}, **_condition()}


def _condition() -> Spec:
    """In the form of kubernetes.core.k8s."""
    return {
        "wait_condition": {
            "type": "dict",
            "options": {
                "type": {"type": "str", "required": True},
                "status": {"type": "str", "choices": ["True", "False"], "default": "True"},
                "reason": {"type": "str"},
            },
        }
    }


def mig_storage_spec() -> Spec:
    """Options of ``mig_storage``."""
    return {
        **control_spec(),
        **resource_spec(),
        **storage_spec(),
        **_judged_spec(),
        "credentials": store_credentials(),
        "volume_snapshot_credentials": store_credentials(),
        "refresh": {"type": "bool", "default": False},
    }


def mig_hook_spec() -> Spec:
    """Options of ``mig_hook``."""
    return {**control_spec(), **resource_spec(), **hook_spec(), **_judged_spec()}


def mig_analytic_spec() -> Spec:
    """Options of ``mig_analytic``."""
    return {
        **control_spec(),
        **resource_spec(),
        "source": _connection(),
        **analytic_spec(),
        "refresh": {"type": "bool", "default": False},
        "pv_resizing_threshold": {"type": "int", "default": miganalytic.DEFAULT_THRESHOLD},
        **_judged_spec(),
    }


def mig_plan_spec() -> Spec:
    """Options of ``mig_plan``."""
    return {
        **control_spec(),
        **resource_spec(),
        **_sides(),
        **plan_spec(),
        "refresh": {"type": "bool", "default": False},
        "delete_repository": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        **_judged_spec(),
    }


def run_spec() -> Spec:
    """Options of a run that upstream's resource has no field for; frozen in its record (see ``Intent``)."""
    return {
        "quiesce_pods": {"type": "bool"},
        "verify": {"type": "bool"},
        "pre_copy": {"type": "bool", "default": True},
        "verification": {"type": "str", "choices": ["changed", "full"], "default": "changed"},
        "existing_objects": {"type": "str", "choices": ["fail", "keep", "update"], "default": "fail"},
        "images": {"type": "str", "choices": ["copy", "skip"], "default": "copy"},
        "transfer_image": {"type": "str"},
        "image_pull_policy": {"type": "str", "choices": ["Always", "IfNotPresent", "Never"], "default": "IfNotPresent"},
        "endpoint": {"type": "str", "choices": [*ENDPOINTS, *FOREIGN_ENDPOINTS], "default": "NodePort"},
        "endpoint_address": {"type": "str"},
        "bandwidth": {"type": "int"},
        "excludes": {
            "type": "list",
            "elements": "dict",
            "options": {
                "pvc": {"type": "str"},
                "patterns": {"type": "list", "elements": "str", "required": True},
            },
        },
        "accept_warnings": {"type": "list", "elements": "str"},
        "start_timeout": {"type": "int", "default": 300},
        "quiesce_timeout": {"type": "int", "default": 300},
        "health_timeout": {"type": "int", "default": 600},
        "max_downtime": {"type": "int", "default": 0},
    }


def mig_migration_spec() -> Spec:
    """Options of ``mig_migration``."""
    run_as = ("run_as_root", "run_as_user", "run_as_group")
    offered = ("plan", "stage", "migrate_state", "rollback", "keep_annotations", *run_as)
    return {
        **control_spec(),
        "name": {"type": "str"},
        "namespace": {"type": "str"},
        **_sides(),
        **{name: option for name, option in migration_spec().items() if name in offered},
        "again": {"type": "bool", "default": False},
        "cancel": {"type": "bool", "default": False},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "force": {"type": "bool", "default": False},
        "rollback_sync": {"type": "bool", "default": False},
        "pause_before": {"type": "str", "choices": ["quiesce", "restore"]},
        **run_spec(),
        "plan_file": {"type": "path"},
        "plan_digest": {"type": "str"},
        "plan_definition": {"type": "dict", "options": {"name": {"type": "str"}, **plan_spec()}},
        **_waiting(),
    }


def _info_spec(kind: str) -> Spec:
    return {**control_spec(), **info_spec(kind)}


def mig_migration_info_spec() -> Spec:
    """Options of ``mig_migration_info``; the other info modules have no connections but that to the control cluster."""
    return {**_info_spec(names.MIG_MIGRATION), **_sides()}


mig_cluster_info_spec = partial(_info_spec, names.MIG_CLUSTER)
mig_storage_info_spec = partial(_info_spec, names.MIG_STORAGE)
mig_hook_info_spec = partial(_info_spec, names.MIG_HOOK)
mig_plan_info_spec = partial(_info_spec, names.MIG_PLAN)
mig_analytic_info_spec = partial(_info_spec, names.MIG_ANALYTIC)
direct_volume_migration_info_spec = partial(_info_spec, names.DIRECT_VOLUME_MIGRATION)
direct_volume_migration_progress_info_spec = partial(_info_spec, names.DIRECT_VOLUME_MIGRATION_PROGRESS)
direct_image_migration_info_spec = partial(_info_spec, names.DIRECT_IMAGE_MIGRATION)
direct_image_stream_migration_info_spec = partial(_info_spec, names.DIRECT_IMAGE_STREAM_MIGRATION)


def mig_gc_spec() -> Spec:
    """Options of ``mig_gc``."""
    return {
        **control_spec(),
        "namespace": {"type": "str"},
        **_sides(),
        "unfinished": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 120},
    }


def direct_volume_migration_spec() -> Spec:
    """Options of ``direct_volume_migration``."""
    shared = (
        "transfer_image",
        "image_pull_policy",
        "endpoint",
        "endpoint_address",
        "bandwidth",
        "excludes",
        "start_timeout",
    )
    return {
        **control_spec(),
        **resource_spec(),
        **_sides(),
        **direct_volume_spec(),
        **{name: migration_spec()[name] for name in ("run_as_root", "run_as_user", "run_as_group")},
        **{name: option for name, option in run_spec().items() if name in shared},
        "allow_writers": {"type": "bool", "default": False},
        "existing_claims": {"type": "str", "choices": ["fail", "use"], "default": "fail"},
        "again": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        **_waiting(),
    }


def _waiting() -> Spec:
    """Of what carries something out for a while."""
    return {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 7200},
        **_condition(),
    }


def direct_image_migration_spec() -> Spec:
    """Options of ``direct_image_migration``."""
    return {
        **control_spec(),
        **resource_spec(),
        **direct_image_spec(),
        "again": {"type": "bool", "default": False},
        **_waiting(),
    }


def direct_image_stream_migration_spec() -> Spec:
    """Options of ``direct_image_stream_migration``."""
    return {
        **control_spec(),
        **resource_spec(),
        **direct_image_stream_spec(),
        "again": {"type": "bool", "default": False},
        **_waiting(),
    }
