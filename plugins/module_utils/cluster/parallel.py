# Copyright: openmig contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One function over many items in a bounded number of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sized
from typing import TypeVar

from ..resources.errors import LeaseLost, MtcError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], *, concurrency: int = 8
) -> list[Result]:
    """Results in the order of the items, which may be a generator and is consumed as threads become free.

    An error of one item does not keep the others from being tried; the error of the earliest item is raised when all
    have settled. A lost lease, and whatever is no ``MtcError``, stops the rest at once.
    """
    if isinstance(items, Sized):
        concurrency = min(concurrency, len(items))
    source = enumerate(items)
    lock = threading.Lock()
    stop = threading.Event()
    results: dict[int, Result] = {}
    errors: dict[int, BaseException] = {}

    def work() -> None:
        while not stop.is_set():
            index = -1
            try:
                with lock:
                    following = next(source, None)
                if following is None:
                    return
                index, item = following
                results[index] = function(item)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the caller's thread raises it
                errors[index] = error
                if isinstance(error, LeaseLost) or not isinstance(error, MtcError):
                    stop.set()

    if concurrency <= 1:
        work()
    else:
        workers = [threading.Thread(target=work, daemon=True, name="openmig-map") for _index in range(concurrency)]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except BaseException:
            stop.set()
            raise
    if errors:
        urgent = [error for error in errors.values() if isinstance(error, LeaseLost) or not isinstance(error, MtcError)]
        raise urgent[0] if urgent else errors[min(errors)]
    return [results[index] for index in range(len(results))]
