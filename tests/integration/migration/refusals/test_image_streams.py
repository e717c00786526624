# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Image streams: their images cannot be copied yet, so nothing is moved without a word about them.

The lab is no OpenShift: a kind of the same name and group stands for theirs; there is no registry behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.conditions.plan_clusters import CRD, define, definition
from integration.migration.conftest import World

GROUP = "image.openshift.io"


@pytest.fixture
def stream(world: World) -> Iterator[str]:
    """An application with an image stream: the reference that is told."""
    kind = definition(GROUP, "ImageStream")
    define(world.source, kind)
    world.deploy(mebibytes=1, files=5)
    place = {"name": "built", "namespace": world.source_namespace}
    world.source.create({"apiVersion": f"{GROUP}/v1", "kind": "ImageStream", "metadata": place})
    yield f"ImageStream.{GROUP} {world.source_namespace}/built"
    world.source.delete(*CRD, kind["metadata"]["name"])


def test_they_are_refused_unless_they_stay(world: World, stream: str) -> None:
    for run in (world.migrate("--check"), world.stage("--check")):
        assert run.code != 0
        assert f"image streams cannot be copied by the builtin engine yet: {stream}" in run.failure
        assert "images: skip" in run.failure
    looked = world.migrate("--check", mtc_images="skip")
    assert looked.code == 0, looked.output
    assert f"{stream} stays with its images: images is skip" in looked.migration["prediction"]["stays"]
