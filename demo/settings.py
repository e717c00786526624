# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the demo calls things, each said once. `inventory.yml` says the same to the playbook."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"
INVENTORY = DEMO / "inventory.yml"
LIVE_TREE = ROOT / ".build" / "live"

SHOP = "shop"
"""The application's namespace on the source."""
MOVED = "shop-new"
"""Its namespace on the destination."""
PLAN = "shop"
ENGINE_NAMESPACE = "openmig"
"""Where the migration's resources and records are."""
FACTS_NAMESPACE = "openmig-demo"
"""Where the demo keeps, on the destination, what nobody can measure again later: acknowledgements and moments."""

IMAGE = "localhost/openmig/demo-app:0.1.0"
DATA_CLAIM = "data-postgres-0"
UPLOADS_CLAIM = "uploads"
STORAGE_CLASSES = {"source-ssd": "destination-fast", "source-hdd": "destination-slow"}

SEED = 20_240_229
"""The random numbers' beginning: the same files each time."""

USER_AGENT = "openmig-demo/1"
FIELD_MANAGER = "openmig-demo"
ENGINE_AGENT = "openmig.mtc/"
"""How the user agent of the migration begins in the audit log."""
CHECKER_LABEL = "openmig-demo/checker"
"""On pods that only read what a side holds; they belong to the demo and not to the migration."""
