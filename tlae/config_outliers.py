"""Settings of the commands that sort large sets of pictures; see ``config.py``."""

from dataclasses import dataclass

from omegaconf import MISSING


@dataclass
class PreparationConfig:
    """What descriptors go through before an estimator."""

    scaler: str = "none"  # none, standard, robust, minmax, l2
    pca: float | None = None  # principal components, or the share of variance to keep; null: all
    whiten: bool = False  # all components get the same spread


@dataclass
class ClusterConfig(PreparationConfig):
    """`tlae cluster`."""

    descriptors: str = MISSING  # folder written by describe
    descriptor: str | None = None  # which one, where the folder holds several
    method: str = "hdbscan"
    k: str | None = None  # number of clusters, or a span to choose from: 2..20
    pca: float | None = 50
    min_size: int | None = None  # of a cluster (density methods); null: a hundredth of the pictures
    neighbours: int = 10  # that make a place dense, and of the neighbour graph
    eps: float | None = None  # radius of dbscan and optics; null: the knee of the distances
    most_rows: int | None = None  # fit to so many pictures; null: as the method allows
    stability: int = 0  # pairs of random parts that are clustered and compared
    against: str | None = None  # hour: agreement with the hour of day
    compare: str | None = None  # labels.parquet or .csv of another clustering
    images: str | None = None  # where the pictures are now, if they moved since
    samples: int = 20  # pictures of each cluster on its sheet; 0: no sheets
    out: str | None = None  # null: clusters/<descriptors>-<descriptor>-<method>
    seed: int = 0


@dataclass
class ExploreConfig:
    """`tlae explore`."""

    descriptors: str = MISSING  # folder written by describe
    descriptor: str | None = None  # which of its descriptors; null: the only one
    labels: str | None = None  # table written by cluster, for the same pictures
    export: str | None = None  # write this HTML page instead of serving one
    host: str = "127.0.0.1"  # address to listen on; other than this machine's: see the warning
    port: int = 8765  # 0: any free one
    open: bool = False  # open the page in the browser
    processes: int = 1  # jobs computed at the same time


OUTLIER_SCHEMAS: dict[str, type] = {
    "cluster_schema": ClusterConfig,
    "explore_schema": ExploreConfig,
}
