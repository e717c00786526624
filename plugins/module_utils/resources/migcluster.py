# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigCluster: a cluster that migrations read from or write to, and how it is reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import option_checks as check, spec_fields
from .errors import Problem
from .spec_fields import Field, ReferenceField

FIELDS = (
    Field("is_host_cluster", "isHostCluster"),
    Field("url", "url"),
    ReferenceField("service_account_secret", "service_account_secret_ref", "serviceAccountSecretRef"),
    Field("ca_bundle", "caBundle", check.encoded_certificates),
    Field("insecure", "insecure"),
    Field("azure_resource_group", "azureResourceGroup"),
    Field("exposed_registry_path", "exposedRegistryPath"),
    Field("restart_restic", "restartRestic"),
)
REQUIRED_DEFAULTS: Mapping[str, Any] = {"isHostCluster": False}
"""What the API demands and a new resource gets when the user says nothing."""
SPEC = spec_fields.Spec(FIELDS, REQUIRED_DEFAULTS)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves; what the merged spec lacks is incomplete()'s question."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += check.http_url(params.get("url"), "url")
    problems += check.certificates(params.get("ca_bundle"), "ca_bundle")
    problems += check.exclusive(params, ("service_account_secret", "service_account_secret_ref"))
    problems += check.dns_subdomain(params.get("service_account_secret"), "service_account_secret")
    problems += check.reference(params.get("service_account_secret_ref"), "service_account_secret_ref")
    problems += check.dns_label(params.get("service_account_namespace"), "service_account_namespace")
    problems += _registry_problems(params.get("exposed_registry_path"))
    if params.get("insecure") and params.get("ca_bundle"):
        fault = "cannot be combined with insecure: the certificates would be ignored"
        problems.append(Problem(path="ca_bundle", fault=fault, mend="Drop insecure to have them checked"))
    if params.get("is_host_cluster"):
        for option in ("url", "service_account_secret", "service_account_secret_ref", "ca_bundle", "insecure"):
            if params.get(option):
                fault = "cannot be combined with is_host_cluster: the control cluster's own connection is used"
                problems.append(Problem(path=option, fault=fault, mend=f"Drop {option} or is_host_cluster"))
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable: a remote cluster needs a URL and a secret."""
    if spec.get("isHostCluster"):
        return []
    problems = []
    if not spec.get("url"):
        problems.append(Problem(path="url", fault="is missing", mend="Name the API server, or set is_host_cluster"))
    if spec_fields.refers_to(spec.get("serviceAccountSecretRef")) is None:
        mend = "Name the secret that holds the token under saToken, or let the module adopt the cluster"
        problems.append(Problem(path="service_account_secret_ref", fault="is missing", mend=mend))
    return problems


def _registry_problems(path: str | None) -> list[Problem]:
    # Upstream probes https://<path>/v2/... with the text as it stands, so these two break the probe.
    if not path or ("//" not in path and not path.endswith("/")):
        return []
    mend = "Write host or host:port, without a scheme and without a slash at the end"
    return [Problem(path="exposed_registry_path", fault=f"{path!r} is no plain host", mend=mend)]
