# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The carrying of a run's volumes through a replication repository, as the engine's phases see it.

Like a direct transfer: every method may be called again after any crash, by this or another process, and returns within
about a second, None when it is done, else a text that says what it waits for. All state is in pods that end by
themselves and in the repository.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..cluster.api import Cluster
from ..resources.errors import AlreadyExists, NotFound, VolumeFailed
from . import manifests, restic_outcomes
from .admission import admitted
from .consumers import Consumer, consumers, node_for
from .facts import Outcome
from .jobs import AT_ONCE, Job, Jobs
from .layout import Layout, Role, digest
from .model import PassResult, RunIdentity, SettledProfile, TransferOptions, Verdict, VolumeMove
from .personas import receiver, sender
from .pods_restic import Site, backup_pod, repository_pod, restore_pod
from .profiles import Persona
from .progress import entry
from .repository import Repository, Snapshot
from .setup import SIDE_BY_SIDE

Manifest = dict[str, Any]
PURPOSE: Final = "restic"
TURN: Final = 0.8
"""Seconds that a method may spend before it returns what it waits for."""
PAUSE: Final = 0.2
LOOK_AT_LOGS_EVERY: Final = 2.0


class Indirect:
    """All volumes of one run, from the source into the repository and from there to the destination."""

    def __init__(  # noqa: PLR0917 - the order of a direct transfer
        self,
        source: Cluster,
        destination: Cluster,
        moves: Sequence[VolumeMove],
        identity: RunIdentity,
        options: TransferOptions,
        repository: Repository,
        report: Callable[[str], None],
        *,
        full: bool = False,
    ) -> None:
        """``full``: the last backup reads every file, whatever its size and times say."""
        self._source = source
        self._destination = destination
        self._layout = Layout(identity=identity, moves=tuple(moves), purpose=PURPOSE)
        self._options = options
        self._repository = repository
        self._report = report
        self._full = full
        self._jobs = Jobs(self._layout.selector, start_timeout=options.start_timeout, report=report)
        self._anchors: dict[tuple[Role, str], str] = {}
        self._profiles: dict[tuple[Role, str], SettledProfile] = {}
        self._claims: dict[tuple[str, str], Manifest] = {}
        self._consumers: dict[tuple[str, str], Consumer] = {}
        self._results: dict[str, dict[VolumeMove, PassResult]] = {}
        self._snapshots: dict[str, dict[VolumeMove, Snapshot]] = {}
        self._verdicts: dict[VolumeMove, Verdict] = {}
        self._failed: dict[VolumeMove, str] = {}
        self._current: list[Job] = []
        self._told: dict[str, Mapping[str, Any]] = {}
        self._looked = 0.0

    @property
    def address(self) -> str:
        """Of the repository."""
        return self._repository.address

    # -- what phases ask for -----------------------------------------------------------------------------------------

    def open(self, *, tidy: bool) -> str | None:
        """The repository is there and nobody holds a lock in it; with ``tidy`` old snapshots are forgotten.

        Raises PermanentError when it cannot be opened, and what pods raise.
        """
        self._prepare("client")
        namespace = self._layout.source_namespaces[0]
        name = self._layout.named("client", "repository")

        def manifest() -> Manifest:
            persona = sender(self._profiles["client", namespace], None, self._options)
            return repository_pod(self._site("client", namespace), namespace, persona, name=name, tidy=tidy)

        def judge(_job: Job, outcome: Outcome) -> None:
            restic_outcomes.require_open(outcome, self._repository)

        job = Job(cluster=self._source, namespace=namespace, name=name, manifest=manifest)
        return self._advance([job], "the repository is being opened", judge)

    def reach(self) -> str | None:
        """The destination's pods start and can open the repository, too. Its namespaces must exist. Raises as
        ``open``."""
        self._prepare("server")
        namespace = self._layout.target_namespaces[0]
        name = self._layout.named("server", "repository")

        def manifest() -> Manifest:
            persona = receiver(self._profiles["server", namespace], [], self._options)
            return repository_pod(self._site("server", namespace), namespace, persona, name=name, role="server")

        def judge(_job: Job, outcome: Outcome) -> None:
            restic_outcomes.require_open(outcome, self._repository)

        job = Job(cluster=self._destination, namespace=namespace, name=name, manifest=manifest)
        return self._advance([job], "the destination looks for the repository", judge)

    def begin(self, name: str, *, final: bool, mounted: bool) -> int:
        """Stage pods for the volumes that a pod has mounted, or for the others; how many volumes these are."""
        self._prepare("client")
        self._look_at_source()
        jobs = [
            self._backup_job(name, move, final=final)
            for move in self._layout.moves
            if ((move.source_namespace, move.source_claim) in self._consumers) == mounted
        ]
        self._jobs.look(jobs)
        return len(jobs)

    def started(self, name: str, *, final: bool) -> str | None:
        """As many stage pods as may work at once do so, or have ended: None."""
        self._prepare("client")
        jobs = [self._backup_job(name, move, final=final) for move in self._by_size()]
        self._jobs.look(jobs)
        waiting = {job.name: text for job in jobs if (text := self._jobs.waiting.get(job.name, "not made yet"))}
        if len(jobs) - len(waiting) >= min(len(jobs), AT_ONCE):
            return None
        return "; ".join(f"{name}: {text}" for name, text in list(waiting.items())[:3])

    def backup(self, name: str, *, final: bool) -> str | None:
        """Every volume is in the repository under that name: None. A name is carried out once in a run.

        Raises VolumeFailed for the first volume that could not be backed up.
        """
        self._prepare("client")

        def judge(job: Job, outcome: Outcome) -> None:
            move = _volume(job)
            result = restic_outcomes.backed_up(move, outcome, self._repository, final=final)
            self._results.setdefault(name, {})[move] = result
            self._snapshots.setdefault(name, {})[move] = restic_outcomes.snapshot(outcome)

        jobs = [self._backup_job(name, move, final=final) for move in self._by_size()]
        return self._advance(jobs, f"{name}: backing up", judge)

    def restore(self, name: str, snapshots: Mapping[str, Snapshot]) -> str | None:
        """Every volume of the destination is what its snapshot (by key of the move) is: None; then ``verdicts()`` has
        one for each whose snapshot can be proven. Raises VolumeFailed for the first that could not be restored."""
        self._prepare("server")

        def judge(job: Job, outcome: Outcome) -> None:
            move = _volume(job)
            made = snapshots[move.key]
            profile = self._profiles["server", move.target_namespace]
            self._verdicts[move] = restic_outcomes.verdict(move, outcome, made, self._repository, profile)

        jobs = [self._restore_job(name, move, snapshots[move.key]) for move in self._by_size()]
        return self._advance(jobs, f"{name}: restoring", judge)

    def results(self, name: str) -> dict[VolumeMove, PassResult]:
        """Of the passes of that name that have ended well in the knowledge of this process."""
        return dict(self._results.get(name, {}))

    def snapshots(self, name: str) -> dict[str, Snapshot]:
        """By key of the move."""
        return {move.key: made for move, made in self._snapshots.get(name, {}).items()}

    def verdicts(self) -> list[Verdict]:
        """In the order of the moves; empty before ``restore`` is done."""
        return [self._verdicts[move] for move in self._layout.moves if move in self._verdicts]

    def progress(self) -> list[dict[str, Any]]:
        """One entry for each volume of the jobs at work, with the keys of progress.entry, from what is known."""
        return [self._entry(job) for job in self._current if job.move is not None]

    # -- scaffolding -------------------------------------------------------------------------------------------------

    def _prepare(self, role: Role) -> None:
        """Anchors, Secrets and ConfigMaps of one side, once in this process."""
        cluster, namespaces = self._side(role)
        if all((role, namespace) in self._anchors for namespace in namespaces):
            return
        now = dt.datetime.now(dt.UTC)

        def prepare(namespace: str) -> tuple[str, str]:
            anchor = self._make(cluster, manifests.anchor(self._layout, namespace, role, now))
            uid = str(anchor["metadata"]["uid"])
            files = manifests.restic_files(self._layout, namespace, role)
            self._make(cluster, manifests.config_map(self._layout, namespace, role, uid, files))
            name = self._layout.named(role, self._repository.ending)
            metadata = self._layout.metadata(name, namespace, role, anchor_uid=uid)
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "immutable": True}
            self._make(cluster, {**secret, "stringData": dict(self._repository.files)})
            return namespace, uid

        for namespace, uid in cluster.map(prepare, namespaces, concurrency=SIDE_BY_SIDE):
            self._profiles[role, namespace] = self._profile(cluster, role, namespace, uid)
            self._anchors[role, namespace] = uid

    def _side(self, role: Role) -> tuple[Cluster, tuple[str, ...]]:
        if role == "client":
            return self._source, self._layout.source_namespaces
        return self._destination, self._layout.target_namespaces

    def _site(self, role: Role, namespace: str, anchor_uid: str = "") -> Site:
        return Site(
            layout=self._layout,
            options=self._options,
            repository=self._repository,
            anchor_uid=anchor_uid or self._anchors[role, namespace],
            config_map=self._layout.named(role, digest(manifests.restic_files(self._layout, namespace, role))),
            secret=self._layout.named(role, self._repository.ending),
        )

    def _make(self, cluster: Cluster, manifest: Manifest) -> Manifest:
        metadata = manifest["metadata"]
        try:
            return cluster.create(manifest)
        except AlreadyExists:
            found = cluster.get(manifest["apiVersion"], manifest["kind"], metadata["name"], metadata["namespace"])
            if found is None:
                raise
            return found

    def _profile(self, cluster: Cluster, role: Role, namespace: str, anchor_uid: str) -> SettledProfile:
        """As asked for; else root where it is admitted, by a dry run."""
        if self._options.profile != "auto":
            return self._options.profile
        site, root = self._site(role, namespace, anchor_uid), Persona(profile="root")
        if role == "client":
            move = self._layout.out_of(namespace)[0]
            name = self._layout.client(move)
            probe = backup_pod(
                site, move, root, name=name, node=None, run_pass="probe", final=False, force=False, limit=0
            )
        else:
            move = self._layout.into(namespace)[0]
            name = self._layout.client(move)
            probe = restore_pod(site, move, root, Snapshot(volume=""), name=name, run_pass="probe", limit=0)
        why = admitted(cluster, probe)
        if why is None:
            return "root"
        self._report(f"Namespace {namespace}: volumes are carried without root: {why}")
        return "restricted"

    # -- jobs --------------------------------------------------------------------------------------------------------

    def _look_at_source(self) -> None:
        """Which claims there are and who mounts them, now."""

        def look(namespace: str) -> None:
            for claim in self._source.list("v1", "PersistentVolumeClaim", namespace):
                self._claims[namespace, claim["metadata"]["name"]] = claim
            for name, consumer in consumers(self._source.list("v1", "Pod", namespace)).items():
                self._consumers[namespace, name] = consumer

        self._claims.clear()
        self._consumers.clear()
        self._source.map(look, self._layout.source_namespaces)

    def _by_size(self) -> list[VolumeMove]:
        return sorted(self._layout.moves, key=lambda move: -move.size)

    def _limit(self) -> int:
        total = self._options.bandwidth_kib
        return max(total // min(len(self._layout.moves), AT_ONCE), 1) if total else 0

    def _backup_job(self, name: str, move: VolumeMove, *, final: bool) -> Job:
        pod = f"{self._layout.client(move)}-{name}-backup"

        def manifest() -> Manifest:
            key = (move.source_namespace, move.source_claim)
            if key not in self._claims:
                self._look_at_source()
            claim = self._claims.get(key)
            if claim is None:
                raise NotFound(
                    subject=move.subject,
                    attempt="it does not exist on the source cluster",
                    mend="Reconcile the plan and run the task again",
                    status=404,
                )
            consumer = self._consumers.get(key)
            persona = sender(self._profiles["client", move.source_namespace], consumer, self._options)
            return backup_pod(
                self._site("client", move.source_namespace),
                move,
                persona,
                name=pod,
                node=node_for(move, claim, consumer),
                run_pass=name,
                final=final,
                force=final and self._full,
                limit=self._limit(),
            )

        return Job(cluster=self._source, namespace=move.source_namespace, name=pod, manifest=manifest, move=move)

    def _restore_job(self, name: str, move: VolumeMove, made: Snapshot) -> Job:
        pod = f"{self._layout.client(move)}-{name}-restore"

        def manifest() -> Manifest:
            key = (move.source_namespace, move.source_claim)
            if key not in self._consumers:
                self._look_at_source()
            consumer = self._consumers.get(key)
            profile = self._profiles["server", move.target_namespace]
            persona = receiver(profile, [consumer] if consumer else [], self._options)
            site = self._site("server", move.target_namespace)
            return restore_pod(site, move, persona, made, name=pod, run_pass=name, limit=self._limit())

        return Job(cluster=self._destination, namespace=move.target_namespace, name=pod, manifest=manifest, move=move)

    def _advance(self, jobs: list[Job], title: str, judge: Callable[[Job, Outcome], None]) -> str | None:
        end = time.monotonic() + TURN
        self._current = jobs
        while True:
            self._jobs.look(jobs)
            left = [job for job in jobs if self._jobs.outcome(job) is None]
            for job in jobs:
                outcome = self._jobs.outcome(job)
                if outcome is not None:
                    try:
                        judge(job, outcome)
                    except VolumeFailed as error:
                        self._failed[_volume(job)] = error.message
                        raise
            if not left:
                return None
            if time.monotonic() >= end:
                return self._told_of(title, jobs, left)
            time.sleep(PAUSE)

    def _told_of(self, title: str, jobs: Sequence[Job], left: Sequence[Job]) -> str:
        working = [job for job in left if job.move is not None and not self._jobs.waiting.get(job.name, "-")]
        if working and time.monotonic() - self._looked > LOOK_AT_LOGS_EVERY:
            self._looked = time.monotonic()
            lines = working[0].cluster.map(self._jobs.progress, working)
            self._told.update((job.name, told) for job, told in zip(working, lines, strict=True) if told)
        waits = [f"{job.name}: {text}" for job in left if (text := self._jobs.waiting.get(job.name, ""))]
        done = f"{len(jobs) - len(left)} of {len(jobs)} volumes done" if jobs[0].move is not None else ""
        return "; ".join([title + (f", {done}" if done else ""), *waits[:2]])

    def _entry(self, job: Job) -> dict[str, Any]:
        move = _volume(job)
        made = entry(
            move,
            job.name,
            name=job.name,
            fact=None,
            waiting=self._jobs.waiting.get(job.name, ""),
            failure=self._failed.get(move, ""),
            connected=not self._jobs.waiting.get(job.name, "not made yet"),
        )
        outcome, told = self._jobs.outcome(job), self._told.get(job.name, {})
        if outcome is not None and not made["failure"]:
            made.update(state="succeeded", percent=100, seconds=outcome.seconds)
        elif told:
            seconds, done = float(told.get("seconds_elapsed", 0)), int(told.get("bytes_done", 0))
            made.update(
                percent=int(100 * float(told.get("percent_done", 0))),
                bytes=done,
                files=int(told.get("files_done", 0)),
                files_total=int(told.get("total_files", 0)),
                seconds=seconds,
            )
            if seconds and done:
                made.update(rate=done / seconds, rate_text=f"{done / seconds / 1e6:.2f}MB/s")
        return made


def _volume(job: Job) -> VolumeMove:
    """Of a job that carries one."""
    if job.move is None:
        raise ValueError(job.name)
    return job.move
