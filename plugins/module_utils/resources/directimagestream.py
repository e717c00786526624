# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DirectImageStreamMigration: one image stream, copied from registry to registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import option_checks as check, spec_fields
from .directimage import CLUSTER_FIELDS, cluster_problems, missing_clusters
from .errors import Problem
from .spec_fields import Field


def _stream(option: Mapping[str, Any]) -> dict[str, Any]:
    return spec_fields.reference(option["name"], option["namespace"])


FIELDS = (
    *CLUSTER_FIELDS,
    Field("image_stream_ref", "imageStreamRef", _stream),
    Field("dest_namespace", "destNamespace"),
)
SPEC = spec_fields.Spec(FIELDS)
build_spec, merge_spec, drift = SPEC.build, SPEC.merge, SPEC.drift


def validate(params: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the options themselves."""
    problems = check.resource_name(params)
    if params.get("state") == "absent":
        return problems
    problems += cluster_problems(params)
    problems += check.reference(params.get("image_stream_ref"), "image_stream_ref")
    problems += check.dns_label(params.get("dest_namespace"), "dest_namespace")
    return problems


def incomplete(spec: Mapping[str, Any]) -> list[Problem]:
    """What a merged spec still lacks to be usable."""
    problems = missing_clusters(spec)
    if spec_fields.refers_to(spec.get("imageStreamRef")) is None:
        mend = "Name the image stream and its namespace"
        problems.append(Problem(path="image_stream_ref", fault="is missing", mend=mend))
    return problems
