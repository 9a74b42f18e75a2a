"""Instruction texts in; unit vectors, clusters with readable names, and a 2-D plane out.

Importing this package loads neither torch nor umap; an encoder or a projection does when used.
"""

from crowdselect.landscape.cluster import Clusters, cluster
from crowdselect.landscape.embed import embed
from crowdselect.landscape.encoder import Encoder, Vectors
from crowdselect.landscape.encoders import ENCODERS, default_encoder, default_words, encoder_named
from crowdselect.landscape.fast import FastClusters
from crowdselect.landscape.label import COUNTING, ClusterLabels
from crowdselect.landscape.neighbours import nearest, typical_rows
from crowdselect.landscape.plane import project
from crowdselect.landscape.static import Static

__all__ = [
    "COUNTING",
    "ENCODERS",
    "ClusterLabels",
    "Clusters",
    "Encoder",
    "FastClusters",
    "Static",
    "Vectors",
    "cluster",
    "default_encoder",
    "default_words",
    "embed",
    "encoder_named",
    "nearest",
    "project",
    "typical_rows",
]
