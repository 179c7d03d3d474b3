"""How to cluster: what every clusterer can be given."""

from dataclasses import dataclass

from tlae.setting_rules import within

FEWEST = 3  # clusters of fewer pictures count as outliers


@dataclass(frozen=True)
class ClusterOptions:
    """How to cluster, the number of clusters apart; what a method does not know, it ignores.

    Attributes:
        method: a key of ``cluster_methods.METHODS``.
        min_size: smallest cluster of density methods, >= 2; None: a hundredth of the rows, >= 5.
        neighbours: that make a place dense (at most ``min_size``), and of the neighbour graph.
        eps: radius of dbscan and optics in prepared units; None: the knee of the distances.
        most_rows: fit to so many pictures, >= 3; None: as the method allows.
        seed: of all chance.
    """

    method: str = "hdbscan"
    min_size: int | None = None
    neighbours: int = 10
    eps: float | None = None
    most_rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no groups."""
        within("min_size", self.min_size, 2)
        within("neighbours", self.neighbours, 1, 10_000)
        within("eps", self.eps, 0, open_low=True)
        within("most_rows", self.most_rows, 3)
        within("seed", self.seed, 0, 2**32 - 1)

    def smallest(self, rows: int) -> int:
        """Smallest cluster among so many rows."""
        return self.min_size or max(5, rows // 100)

    def dense(self, rows: int) -> int:
        """Neighbours that make a place dense among so many rows."""
        return max(1, min(self.neighbours, self.smallest(rows), rows - 1))


@dataclass(frozen=True)
class ClusterSettings(ClusterOptions):
    """How to cluster.

    Attributes:
        k: number of clusters, >= 2, for methods that need it.
    """

    k: int | None = None
