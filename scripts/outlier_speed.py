"""Time and memory of every method on made-up descriptors, against calling scikit-learn plainly.

python scripts/outlier_speed.py [--rows 100000] [--width 512] [--methods kmeans,hdbscan] [--pca 50]
                                [--announced]

--announced shows the time that `tlae cluster` announces and the one that it takes, by the clock.

Each measurement is a process of its own; seconds are processor time, so that other work on the
machine does not count. Both sides start from the same prepared values (ours also spreads labels
beyond its sample and scores outliers); methods with a sample cap are compared on as
many rows as they are fitted to. Descriptors: 40 groups of Gaussian clouds, 1 % spread evenly.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tlae.image_sets.cluster_methods import METHODS
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.cluster_time import estimated_s
from tlae.image_sets.clusters import find_clusters, rows_seen
from tlae.image_sets.estimators import DETECTORS, draw_rows, fit_detector
from tlae.image_sets.preparation import fit_preparation

GROUPS = 40
K = 20


def main() -> None:
    """Print one line per method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--pca", type=int, default=50)
    parser.add_argument("--methods", default=",".join(METHODS | DETECTORS))
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "FILE"), help="in this process")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--announced", action="store_true", help="announced time against real one")
    words = parser.parse_args()
    if words.one:
        method, file = words.one
        print(*measure(method, np.load(file), plain=words.plain))
        return
    with TemporaryDirectory() as folder:
        file = f"{folder}/prepared.npy"
        started = time.perf_counter()
        values = descriptors(words.rows, words.width)
        made = time.perf_counter()
        np.save(file, fit_preparation(values, "none", words.pca).apply(values))
        print(f"{words.rows:,} x {words.width}; made in {made - started:.1f} s")
        print(f"{words.pca} components in {time.perf_counter() - made:.1f} s")
        if words.announced:
            announced(np.load(file), words.methods.split(","))
            return
        print("method                rows fitted      ours     plain  ratio   memory, plain")
        for method in words.methods.split(","):
            ours, plain = (_in_process(method, file, plain=plain) for plain in (False, True))
            print(
                f"{method:<20} {int(ours[2]):>12,} {ours[0]:>8.1f}s {plain[0]:>8.1f}s "
                f"{ours[0] / plain[0]:>6.2f} {ours[1]:>6.0f} MB, {plain[1]:.0f} MB",
                flush=True,
            )


def announced(prepared: np.ndarray, methods: list[str]) -> None:
    """Print the seconds that are announced and those that it takes, twice for each method."""
    for method in methods:
        for seed in range(2):
            settings = ClusterSettings(method, k=K, seed=seed)
            rows = rows_seen(settings, len(prepared))
            expected = estimated_s(prepared, settings, rows)
            started = time.monotonic()
            find_clusters(prepared[:rows], settings)
            taken = time.monotonic() - started
            line = f"{expected:.1f} s | {taken:.1f} s | {taken / expected:.2f}"
            print(f"| {method} | {rows:,} | {line} |", flush=True)


def _in_process(method: str, file: str, *, plain: bool) -> list[float]:
    command = [sys.executable, __file__, "--one", method, file, *["--plain"] * plain]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def measure(method: str, prepared: np.ndarray, *, plain: bool) -> tuple[float, float, int]:
    """Seconds of processor time, MB above the prepared data at the worst moment, rows fitted."""
    rows = len(prepared)
    settings = ClusterSettings(method, k=K)
    clusters = method in METHODS
    most = rows_seen(settings, rows) if clusters else DETECTORS[method].most_rows
    seen = min(rows, most or rows)

    def work(values: np.ndarray) -> None:
        if clusters:
            _cluster(values, settings, plain=plain)
        else:
            _detect(values, method, plain=plain)

    work(prepared[:500])  # imports and thread pools
    values = draw_rows(prepared, seen, 0) if plain else prepared
    before = _peak_mb()
    started = time.process_time()
    work(values)
    seconds = time.process_time() - started
    return seconds, _peak_mb() - before, seen


def _peak_mb() -> float:
    """Largest memory of this process so far; getrusage would tell that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def descriptors(rows: int, width: int) -> np.ndarray:
    """(rows, width) float32."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 1, (GROUPS, 20)) @ rng.normal(0, 1, (20, width))
    values = np.empty((rows, width), np.float32)
    for start in range(0, rows, 10_000):
        part = values[start : start + 10_000]
        part[:] = centres[rng.integers(GROUPS, size=len(part))]
        part += rng.normal(0, 1, part.shape)
    odd = rng.choice(rows, rows // 100, replace=False)
    values[odd] = rng.uniform(-15, 15, (len(odd), width))
    return values


def _cluster(values: np.ndarray, settings: ClusterSettings, *, plain: bool) -> None:
    if not plain:
        find_clusters(values, settings)
        return
    plain_clusterer(settings, len(values), values)


def plain_clusterer(settings: ClusterSettings, rows: int, values: np.ndarray) -> None:
    """The same estimator with the same arguments, as one would write it by hand."""
    from sklearn import cluster, mixture
    from sklearn.neighbors import NearestNeighbors, kneighbors_graph

    from tlae.image_sets.cluster_methods import knee_radius

    dense, smallest, k = settings.dense(rows), settings.smallest(rows), settings.k
    match settings.method:
        case "kmeans":
            cluster.KMeans(k, n_init="auto", random_state=0).fit(values)
        case "minibatch_kmeans":
            cluster.MiniBatchKMeans(k, n_init="auto", random_state=0).fit(values)
        case "gaussian_mixture":
            mixture.GaussianMixture(k, reg_covar=1e-4, random_state=0).fit_predict(values)
        case "agglomerative":
            graph = kneighbors_graph(values, dense, include_self=False)
            cluster.AgglomerativeClustering(k, connectivity=graph).fit(values)
        case "hdbscan":
            cluster.HDBSCAN(smallest, min_samples=dense, copy=True).fit(values)
        case "hdbscan_soft":
            import hdbscan

            fitted = hdbscan.HDBSCAN(smallest, min_samples=dense, prediction_data=True)
            hdbscan.all_points_membership_vectors(fitted.fit(values.astype(np.float64)))
        case "optics":
            cluster.OPTICS(min_samples=dense).fit(values)
        case "dbscan":
            near = NearestNeighbors(n_neighbors=dense).fit(values)
            radius = knee_radius(near.kneighbors(values)[0][:, -1])
            cluster.DBSCAN(radius, min_samples=dense).fit(values)


def _detect(values: np.ndarray, method: str, *, plain: bool) -> None:
    if plain:
        DETECTORS[method].build(values, 0).fit(values)
    else:
        fit_detector(values, method)


if __name__ == "__main__":
    main()
