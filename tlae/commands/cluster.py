"""tlae cluster descriptors=FOLDER [method=hdbscan] [k=8 | k=2..20] [scaler=none] [pca=50].

Sorts described pictures into groups and outliers. Methods: kmeans, minibatch_kmeans,
gaussian_mixture, agglomerative (these need k; k=2..20 takes the k with the best mean rank over
three indices), hdbscan, optics, dbscan (these find outliers), hdbscan_soft (needs
`pip install 'tlae[hdbscan]'`).
Writes <out>/: labels.parquet and labels.csv (path, label, score; -1: outlier), clusters/<label>.txt
(its files), sheets/<label>.png (random samples; of the outliers, the highest scores), indices.json,
indices.svg (for a span of k), compared.csv, map.png. compare=OTHER prints how far two clusterings
agree; compare="clusters/*" puts many into one table, and consensus=true adds what they agree on.
map=tsne draws the clusters. against=hour (or day) says how far they follow it. On a GPU:
`python -m cuml.accel -m tlae cluster ...`.
"""

from tlae.image_sets.clustering import cluster
from tlae.image_sets.settings import ClusterConfig


def run(cfg: ClusterConfig) -> None:
    """Cluster the descriptors, judge, write and tell."""
    cluster(cfg)
