# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""MigStorage: an object store for backups, and who makes snapshots of volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from . import option_checks as check, spec_fields, storage_credentials
from .engines import BUILTIN, NAMESPACES
from .errors import Problem
from .namespaces import is_dns_subdomain
from .spec_fields import Field, GroupField, ReferenceField
from .storage_providers import PROVIDERS, SIGNATURE_VERSIONS, Provider, is_duration

BACKUP: Final = "backup_storage_config"
SNAPSHOT: Final = "volume_snapshot_config"
CREDENTIALS: Final = {BACKUP: "credentials", SNAPSHOT: "volume_snapshot_credentials"}
"""The option whose credentials the module lays down for a group."""
SECRET: Final = ReferenceField("creds_secret", "creds_secret_ref", "credsSecretRef", home="secrets_namespace")

FIELDS = (
    Field("backup_storage_provider", "backupStorageProvider"),
    GroupField(
        BACKUP,
        "backupStorageConfig",
        (
            Field("aws_bucket_name", "awsBucketName"),
            Field("aws_kms_key_id", "awsKmsKeyId"),
            Field("aws_public_url", "awsPublicUrl"),
            Field("aws_region", "awsRegion"),
            Field("aws_s3_force_path_style", "awsS3ForcePathStyle"),
            Field("aws_s3_url", "awsS3Url"),
            Field("aws_signature_version", "awsSignatureVersion"),
            Field("azure_resource_group", "azureResourceGroup"),
            Field("azure_storage_account", "azureStorageAccount"),
            Field("azure_storage_container", "azureStorageContainer"),
            Field("gcp_bucket", "gcpBucket"),
            Field("insecure", "insecure"),
            Field("s3_custom_ca_bundle", "s3CustomCABundle", check.encoded_certificates),
            SECRET,
        ),
    ),
    Field("volume_snapshot_provider", "volumeSnapshotProvider"),
    GroupField(
        SNAPSHOT,
        "volumeSnapshotConfig",
        (
            Field("aws_region", "awsRegion"),
            Field("azure_api_timeout", "azureApiTimeout"),
            Field("azure_resource_group", "azureResourceGroup"),
            Field("snapshot_creation_timeout", "snapshotCreationTimeout"),
            SECRET,
        ),
    ),
)
GROUPS: Final = {field.option: field for field in FIELDS if isinstance(field, GroupField)}
PROVIDER_OPTIONS: Final = {BACKUP: "backup_storage_provider", SNAPSHOT: "volume_snapshot_provider"}


def secret_names(name: str) -> tuple[str, str]:
    """What the secrets are called that the module makes for a storage: its backups' and its snapshots' credentials."""
    return f"migstorage-{name}", f"migstorage-{name}-snapshots"


def secrets_of(params: Mapping[str, Any], *, home: str) -> dict[str, tuple[str, str]]:
    """By group, (namespace, name) of the secret that the task's credentials become: as the group's reference says, else
    ``home`` and a name after the storage's. Groups without credentials are not there."""
    own = dict(zip(GROUPS, secret_names(str(params["name"])), strict=True))
    found = {}
    for group, field in GROUPS.items():
        if params.get(CREDENTIALS[group]) is not None:
            built = spec_fields.build((field,), {**params, "secrets_namespace": home}).get(field.name) or {}
            found[group] = spec_fields.refers_to(built.get(SECRET.name)) or (home, own[group])
    return found


def shared_secret(params: Mapping[str, Any], *, home: str) -> list[Problem]:
    """Both credentials in one secret: the second would overwrite the first."""
    places = list(secrets_of(params, home=home).values())
    if len(set(places)) == len(places):
        return []
    fault = f"would become the secret {'/'.join(places[0])}, and so would {CREDENTIALS[BACKUP]}"
    return [Problem(path=CREDENTIALS[SNAPSHOT], fault=fault, mend="Name another secret for one of them")]


def referenced_secrets(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(namespace, name) of the secrets that a spec refers to, each once."""
    found = [spec_fields.refers_to((spec.get(group.name) or {}).get(SECRET.name)) for group in GROUPS.values()]
    return list(dict.fromkeys(place for place in found if place is not None))


def build_spec(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the spec that the user named. ``s3_custom_ca_bundle`` may be PEM text or base64; the spec holds
    base64."""
    return spec_fields.build(FIELDS, params)


def merge_spec(existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The spec to write: the existing one with the wanted fields over it, within the two groups too.

    Snapshots of the backups' provider are made with the backups' credentials when nothing else is said.
    """
    existing = existing_spec or {}
    within = {
        group.name: spec_fields.merge(existing.get(group.name) or {}, wanted[group.name])
        for group in GROUPS.values()
        if group.name in wanted
    }
    # The API demands the group of every storage.
    merged = spec_fields.merge({GROUPS[BACKUP].name: {}, **existing}, {**wanted, **within})
    provider, reference = merged.get("volumeSnapshotProvider"), merged[GROUPS[BACKUP].name].get(SECRET.name)
    if provider and provider == merged.get("backupStorageProvider") and reference is not None:
        merged.setdefault(GROUPS[SNAPSHOT].name, {}).setdefault(SECRET.name, dict(reference))
    return merged


def drift(existing_spec: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """{} when nothing is to be written, else ``before`` and ``after`` of the fields that change."""
    existing, merged = existing_spec or {}, merge_spec(existing_spec, wanted)
    told = spec_fields.differences(existing, merged)
    for group in GROUPS.values():
        if told and group.name in told["before"]:
            within = spec_fields.differences(existing[group.name], merged[group.name])
            told["before"][group.name], told["after"][group.name] = within["before"], within["after"]
    return told


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves; what the merged spec lacks is incomplete()'s question."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    for option in GROUPS:
        problems += _group_problems(params, option)
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What nobody has said yet, neither this task nor an earlier one. What somebody has said wrongly, by other means
    than this module, is not missing: the reconciler's conditions tell it."""
    if "backupStorageProvider" not in spec:
        mend = f"Name one of {', '.join(PROVIDERS)}"
        return [Problem(path="backup_storage_provider", fault="is missing", mend=mend)]
    problems = _missing(spec, BACKUP)
    if spec.get("volumeSnapshotProvider"):
        problems += _missing(spec, SNAPSHOT)
    return problems


def _missing(spec: Mapping[str, Any], option: str) -> list[Problem]:
    provider = PROVIDERS.get(str(spec.get(_spec_name(PROVIDER_OPTIONS[option])) or ""))
    if provider is None:
        return []
    given = spec.get(GROUPS[option].name) or {}
    required = provider.backup_required if option == BACKUP else provider.snapshot_required
    problems = [
        Problem(path=f"{option}.{_option_of(option, name)}", fault=f"is missing: {provider.title} needs it")
        for name in required
        if name not in given
    ]
    if "credsSecretRef" not in given:
        mend = f"Give {CREDENTIALS[option]}, or name the secret that holds them"
        problems.append(Problem(path=f"{option}.creds_secret_ref", fault="is missing", mend=mend))
    return problems


def _group_problems(params: Mapping[str, Any], option: str) -> list[Problem]:
    name = params.get(PROVIDER_OPTIONS[option])
    problems = check.one_of(name, tuple(PROVIDERS) if option == BACKUP else (*PROVIDERS, ""), PROVIDER_OPTIONS[option])
    provider = PROVIDERS.get(name or "")
    given = params.get(option) or {}
    problems += _foreign(provider, given, option)
    problems += _values(given, option)
    problems += _empty(given, option)
    problems += check.exclusive(given, (SECRET.name_option, SECRET.reference_option), within=option)
    credentials = CREDENTIALS[option]
    problems += storage_credentials.problems(params.get(credentials), provider.name if provider else None, credentials)
    if params.get(credentials) is not None:
        problems += _secret_problems(params, option)
        if option == SNAPSHOT and name is None:
            fault, mend = f"is missing beside {credentials}", "Name the provider that takes the snapshots"
            problems.append(Problem(path=PROVIDER_OPTIONS[option], fault=fault, mend=mend))
    return problems


def _secret_problems(params: Mapping[str, Any], option: str) -> list[Problem]:
    """The credentials become a secret of ours, which needs a name; two of them need two."""
    given = params.get(option) or {}
    own = str(params.get("name"))
    named = any(given.get(name) is not None for name in (SECRET.name_option, SECRET.reference_option))
    problems = []
    if option == SNAPSHOT:
        problems += shared_secret(params, home=str(params.get("namespace") or NAMESPACES[BUILTIN]))
    if named:
        return problems
    if is_dns_subdomain(own) and not all(map(is_dns_subdomain, secret_names(own))):
        mend = "Use a shorter name, or name the secret with creds_secret"
        problems.append(Problem(path="name", fault="is too long for the name of its secret", mend=mend))
    return problems


def _foreign(provider: Provider | None, given: Mapping[str, Any], option: str) -> list[Problem]:
    """Named fields that the named provider has no use for."""
    if provider is None:
        return []
    own = provider.backup_fields if option == BACKUP else provider.snapshot_fields
    return [
        Problem(path=f"{option}.{field.option}", fault=f"is no setting of provider {provider.name}", mend="Drop it")
        for field in GROUPS[option].fields
        if isinstance(field, Field) and field.name not in own and given.get(field.option) is not None
    ]


def _values(given: Mapping[str, Any], option: str) -> list[Problem]:
    problems = []
    for name in ("aws_s3_url", "aws_public_url"):
        problems += check.http_url(given.get(name), f"{option}.{name}")
    problems += check.certificates(given.get("s3_custom_ca_bundle"), f"{option}.s3_custom_ca_bundle")
    problems += check.reference(given.get("creds_secret_ref"), f"{option}.creds_secret_ref")
    problems += check.dns_subdomain(given.get("creds_secret"), f"{option}.creds_secret")
    problems += check.one_of(given.get("aws_signature_version"), SIGNATURE_VERSIONS, f"{option}.aws_signature_version")
    for name in ("azure_api_timeout", "snapshot_creation_timeout"):
        if given.get(name) and not is_duration(given[name]):
            fault = f"{given[name]!r} is no duration above zero"
            problems.append(Problem(path=f"{option}.{name}", fault=fault, mend="Write it as 10m, 90s or 1h30m"))
    if given.get("insecure") and given.get("s3_custom_ca_bundle"):
        fault = "cannot be combined with insecure: the certificates would be ignored"
        mend = "Drop insecure to have them checked"
        problems.append(Problem(path=f"{option}.s3_custom_ca_bundle", fault=fault, mend=mend))
    if "/" in (given.get("aws_bucket_name") or given.get("gcp_bucket") or ""):
        name = "aws_bucket_name" if given.get("aws_bucket_name") else "gcp_bucket"
        mend = "Name the bucket alone; backups get a directory of their own in it"
        problems.append(Problem(path=f"{option}.{name}", fault="contains a slash", mend=mend))
    return problems


def _empty(given: Mapping[str, Any], option: str) -> list[Problem]:
    """An empty text clears a field, and a provider's required ones cannot be without a value."""
    required = {
        name
        for provider in PROVIDERS.values()
        for name in (provider.backup_required if option == BACKUP else provider.snapshot_required)
    }
    return [
        Problem(path=f"{option}.{field.option}", fault="is empty", mend="Give a value or leave the option out")
        for field in GROUPS[option].fields
        if isinstance(field, Field) and field.name in required and given.get(field.option) == ""
    ]


def _option_of(option: str, name: str) -> str:
    return next(field.option for field in GROUPS[option].fields if isinstance(field, Field) and field.name == name)


def _spec_name(option: str) -> str:
    return next(field.name for field in FIELDS if isinstance(field, Field) and field.option == option)
