# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The itineraries of a DirectVolumeMigration that stands alone, as data.

Names of phases and itineraries are upstream's, byte for byte (MTC pkg/controller/directvolumemigration/task.go, release
1.8), and ``Step: n/total`` counts the whole list. What upstream does in several phases and we in one is passed over:
endpoint, keys and configuration are made together with the pods.
"""

from __future__ import annotations

from .itinerary import COMPLETED, CREATED, MIGRATION_FAILED, Flag, Itinerary, Phase

COPYING = "RunRsyncOperations"


def _row(name: str, description: str, *, walked: bool = True) -> Phase:
    # VELERO stands for "what the builtin engine never does": the flag that it never has.
    return Phase(name, "", description, frozenset() if walked else frozenset({Flag.VELERO}))


VOLUME_MIGRATION = Itinerary(
    "VolumeMigration",
    (
        _row(CREATED, "The migration was created."),
        _row("Started", "The migration has started."),
        _row("Prepare", "Looking at both clusters."),
        _row("CleanStaleRsyncResources", "Removing what an earlier attempt has left."),
        _row("WaitForStaleRsyncResourcesTerminated", "Waiting for what an earlier attempt has left to be gone."),
        _row("VerifyVMs", "Checking virtual machines.", walked=False),
        _row("CreateDestinationNamespaces", "Creating namespaces on the destination."),
        _row("DestinationNamespacesCreated", "The namespaces have been created.", walked=False),
        _row("CreateDestinationPVCs", "Creating claims on the destination."),
        _row("DeleteStaleVirtualMachineInstanceMigrations", "Removing old live migrations.", walked=False),
        _row("CreateRsyncRoute", "Creating the endpoint.", walked=False),
        _row("EnsureRsyncRouteAdmitted", "Waiting for the endpoint.", walked=False),
        _row("CreateRsyncConfig", "Creating rsync's configuration.", walked=False),
        _row("CreateStunnelConfig", "Creating the tunnel's configuration.", walked=False),
        _row("CreatePVProgressCRs", "Creating the progress resources."),
        _row("CreateRsyncTransferPods", "Creating the pods that copy, with their endpoint and keys."),
        _row("WaitForRsyncTransferPodsRunning", "Waiting until every pod on the source is connected."),
        _row(COPYING, "Copying the volumes and comparing them."),
        _row("DeleteRsyncResources", "Removing what was only there for the copy."),
        _row("WaitForRsyncResourcesTerminated", "Waiting for it to be gone."),
        _row("CleanupStaleVirtHandlerPods", "Removing pods of virtual machines.", walked=False),
        _row(COMPLETED, "Complete."),
    ),
)

VOLUME_MIGRATION_FAILED = Itinerary(
    "VolumeMigrationFailed",
    (
        _row(MIGRATION_FAILED, "The copy has failed; removing what was only there for it."),
        _row(COMPLETED, "Complete."),
    ),
)

ITINERARIES = {itinerary.name: itinerary for itinerary in (VOLUME_MIGRATION, VOLUME_MIGRATION_FAILED)}
