"""Cluster with an estimate of the time beforehand, and a sign of life while it runs."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.image_sets.cluster_methods import Clustering, method_named
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.clusters import find_clusters, rows_seen
from tlae.progress import progress

TRIAL_ROWS = 2000  # clustered beforehand, to see how long all will take
LONG_S = 10.0  # work that takes longer is announced
TICK_S = 1.0

logger = logging.getLogger(__name__)


def find_clusters_patiently(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    """``find_clusters``; slow methods say how long they are likely to take, and that they live."""
    rows = rows_seen(settings, len(values))
    slow = method_named(settings.method).most_rows is not None
    if not slow or rows < 5 * TRIAL_ROWS:
        return find_clusters(values, settings)
    estimate_s = estimated_s(values, settings, rows)
    if estimate_s < LONG_S:
        return find_clusters(values, settings)
    logger.info(
        f"{settings.method} of {rows:,} pictures will take about {_minutes(estimate_s)} here (as "
        f"{TRIAL_ROWS:,} of them show); most_rows=... lowers it"
    )
    with _beating(f"{settings.method}, estimated", estimate_s):
        return find_clusters(values, settings)


def estimated_s(values: npt.NDArray[Any], settings: ClusterSettings, rows: int) -> float:
    """Seconds for so many rows, from the time that ``TRIAL_ROWS`` of ``values`` take."""
    drawn = np.random.default_rng(settings.seed).choice(len(values), TRIAL_ROWS, replace=False)
    method = method_named(settings.method)
    some = np.ascontiguousarray(values[np.sort(drawn)])
    method.fit(some[: TRIAL_ROWS // 10], settings)  # imports do not count
    started = time.monotonic()
    method.fit(some, settings)
    return (time.monotonic() - started) * float((rows / TRIAL_ROWS) ** method.growth)


@contextmanager
def _beating(what: str, estimate_s: float) -> Iterator[None]:
    """Move a bar by the clock, so that a silent library is seen to work."""
    stop = threading.Event()
    with progress(what, max(1, round(estimate_s)), "s") as advance:

        def beat() -> None:
            while not stop.wait(TICK_S):
                advance(1)

        thread = threading.Thread(target=beat, name="cluster-time", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
