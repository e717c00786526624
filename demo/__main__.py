# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make demo` and `make demo-clean`: seed, move, measure, show; or take everything away.

The exit status is 0 when every row of the table is as it should be, 1 when one is not, 2 when it did not come to a
table.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from demo import auditlog, facts as moments, leftovers, measure, objects, orders, playbook, record, seed, table, targets
from demo.clean import clean
from demo.cluster import ClusterError
from demo.rows import Row
from demo.settings import MOVED, SHOP
from lab.command import LabError


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(f"[demo] {text}\n")
    sys.stdout.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    say(what)
    began = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - began:.1f} s")


def demonstrate() -> int:
    """The whole demonstration; the exit status."""
    with step("two clusters"):
        clusters = targets.ready()
    found = record.newest(clusters.destination)
    if found and found.succeeded:
        say("already moved: the same playbook once more, which is to change nothing")
        status = _repeat(clusters)
    else:
        if not seed.is_seeded(clusters.source):
            with step(f"seeding {SHOP} on {clusters.source.name}"):
                seed.seed(clusters.source, say)
        with step(f"moving {SHOP} on {clusters.source.name} to {MOVED} on {clusters.destination.name}"):
            status = _move(clusters)
    if status is not None:
        return status
    with step("measuring both sides"):
        rows = measured(clusters)
    sys.stdout.write("\n" + table.render(rows, colour=sys.stdout.isatty()) + "\n\n")
    if address := objects.address(clusters.destination, MOVED):
        say(f"the shop is open at {address}")
    return 0 if all(row.good for row in rows) else 1


def _move(clusters: targets.Targets) -> int | None:
    """Run the playbook while a customer orders; None when it went well, else the exit status.

    What the customer has seen is kept while it happens: a move that was cut off goes on, and so does its story.
    """
    facts = moments.load(clusters.destination) or moments.Facts(began=time.time(), audit_mark=clusters.audit_mark())
    customer = orders.Customer(
        clusters.source, clusters.destination, SHOP, MOVED, facts, lambda: moments.save(clusters.destination, facts)
    )
    customer.start()
    try:
        outcome = playbook.run(
            "migrate", source=clusters.source.kubeconfig, destination=clusters.destination.kubeconfig
        )
    finally:
        customer.stop()
    if outcome.exit_code != 0:
        say("the playbook failed; nothing is measured. Run `make demo` again: it goes on where it stopped")
        return 2
    return None


def _repeat(clusters: targets.Targets) -> int | None:
    outcome = playbook.run("migrate", source=clusters.source.kubeconfig, destination=clusters.destination.kubeconfig)
    if outcome.exit_code == 0 and outcome.changed == 0:
        say("already moved; nothing was changed")
        return None
    say(f"the second run was to change nothing: exit status {outcome.exit_code}, changed={outcome.changed}")
    return 2


def measured(clusters: targets.Targets) -> list[Row]:
    """The table. What the checkers' own pods would disturb is looked at before these start."""
    source, destination = clusters.source, clusters.destination
    facts, migration = moments.load(destination), record.newest(destination)
    at_zero = objects.at_zero_row(source, SHOP)
    with ThreadPoolExecutor() as pool:
        looks = pool.submit(objects.present, source, SHOP), pool.submit(objects.present, destination, MOVED)
        here, there = looks[0].result(), looks[1].result()
    sides = (
        leftovers.Side(cluster=source, namespace=SHOP, found=here),
        leftovers.Side(cluster=destination, namespace=MOVED, found=there),
    )
    scaffolding = leftovers.row(sides, migration.uids if migration else ())
    front = objects.front_row(destination, MOVED)
    contents = measure.compare(*measure.read_both(source, SHOP, destination, MOVED))
    return [
        *contents,
        orders.acknowledgement_row(destination, MOVED, facts),
        *objects.rows(here, there, told=record.created(migration), notes=record.rewritten(migration)),
        front,
        at_zero,
        *record.rows(migration, facts),
        scaffolding,
        auditlog.row(clusters.writes_on_source(facts.audit_mark if facts else 0), facts),
    ]


def remove() -> int:
    """`make demo-clean`."""
    try:
        clusters = targets.find()
    except LabError as error:
        targets.forget_the_lab()
        say(f"nothing to clean: {error}")
        return 0
    with step("removing the demo from both clusters"):
        clean(clusters.source, clusters.destination, say)
    if not clusters.own and targets.stop_if_started():
        say("the lab, which the demo had started, is stopped")
    return 0


def main() -> int:
    """Parse the command line and turn what went wrong into one line."""
    parser = argparse.ArgumentParser(prog="demo", description="Move a real application between two real clusters.")
    parser.add_argument("--clean", action="store_true", help="remove everything that the demo has made")
    chosen = parser.parse_args()
    try:
        return remove() if chosen.clean else demonstrate()
    except (ClusterError, LabError) as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted. Run it again: it goes on where it stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
