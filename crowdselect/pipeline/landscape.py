"""Texts -> vectors -> clusters -> names -> plane, each kept by what it depends on."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crowdselect.engines import HERE, OnEngine, Pool
from crowdselect.errors import InputError
from crowdselect.groups import Groups, apply_edits
from crowdselect.jobs import Job
from crowdselect.landscape import (
    COUNTING,
    ClusterLabels,
    FastClusters,
    Static,
    Vectors,
    cluster,
    embed,
    encoder_named,
    project,
)
from crowdselect.landscape.encoder import Encoder
from crowdselect.landscape.hidden_states import HiddenStates
from crowdselect.lm.packaged import located, usual_model
from crowdselect.mixture import Mix
from crowdselect.pipeline.cache import Memo, artifact, load_or_make, mapped
from crowdselect.pipeline.ingest import open_crowd
from crowdselect.pipeline.mixing import mixed
from crowdselect.progress import Progress, silent
from crowdselect.settings import Workspace
from crowdselect.store import Crowd
from crowdselect.values import Clustering, IntArray, Plane, Recipe

PREVIEWED = 10_000
"""Instructions from which on a quick map is worth its time beside the map of the same vectors."""
Method = Literal["fast", "exact"]
CLUSTERED = ("encoder", "clusters", "clustering", "seed", "cluster_edits", "mix")
"""The fields of a recipe that its clusters follow from, see :func:`clustering_of`."""


@dataclass(frozen=True)
class Landscape:
    """A crowd's instructions as vectors, clusters and places on a map."""

    vectors: Vectors
    """Shape (n, d), float32, unit rows; NaN: an empty text."""
    clustering: Clustering
    plane: Plane | None
    """None: not asked for."""


def landscape(
    crowd: Crowd,
    encoder: str = "minilm",
    clusters: int = 10,
    plane: bool = True,
    method: Method = "exact",
    seed: int = 42,
    progress: Progress = silent,
    *,
    preview: bool = False,
    trust_remote_code: bool = False,
    pool: Pool = HERE,
) -> Landscape:
    """Embed, cluster, name and (if ``plane``) map the instructions; everything is cached.

    ``preview`` makes a :func:`first_look` before that, for whoever waits for the map.
    ``clusters`` never moves the map. ``trust_remote_code`` lets a hub encoder run the Python that
    comes with it; its vectors are cached, so later calls need no permission. Raises
    MissingDependencyError where the encoder's packages are not installed; the encoder ``lsa``
    needs none.

    >>> made = cs.landscape(crowd, encoder="lsa", clusters=2, plane=False)
    >>> made.clustering.labels.tolist()
    [0, 0, 0, 0, 1, 0, 0, 1]
    """
    # Of few instructions the map itself is there as soon.
    if preview and (encoder != Static.name or crowd.n > PREVIEWED):
        # What word vectors cannot place (no text with a word) is for the encoder to tell.
        with contextlib.suppress(InputError):
            first_look(crowd, seed, progress)
    made = Landscape(
        vectors=vectors(crowd, encoder, progress, trust_remote_code=trust_remote_code, pool=pool),
        clustering=clustering(crowd, encoder, clusters, method, seed, progress),
        plane=plane_of(crowd, encoder, seed, progress) if plane else None,
    )
    # The map has a slider of clusters, whose first movement would otherwise wait for this.
    if plane and not _fast_path(crowd, encoder, seed).exists():
        fast_clusters(crowd, encoder, seed, progress)
    return made


def encoder_of(workspace: Workspace, name: str, *, trust_remote_code: bool = False) -> Encoder:
    """The encoder ``name``; a language model that comes as a package by its folder.

    ``rds`` without a model takes the one that is at hand.
    """
    built = encoder_named(name, trust_remote_code=trust_remote_code)
    if isinstance(built, HiddenStates):
        model = built.model or usual_model(workspace.cache) or ""
        return replace(built, model=located(model, workspace.cache))
    return built


def reads_examples(encoder: str) -> bool:
    """Whether an encoder reads instructions with the answers that a recipe trains on."""
    return getattr(encoder_named(encoder), "reads", "instruction") == "example"


def first_look(crowd: Crowd, seed: int = 42, progress: Progress = silent) -> None:
    """Vectors, clusters and a quick map by the encoder ``static``: a minute at 100,000."""
    plane_of(crowd, Static.name, seed, progress, quick=True)
    fast_clusters(crowd, Static.name, seed, progress)
    cluster_labels(crowd)


def vectors(
    crowd: Crowd,
    encoder: str = "minilm",
    progress: Progress = silent,
    *,
    trust_remote_code: bool = False,
    pool: Pool = HERE,
) -> Vectors:
    """The unit vectors of the instructions, shape (n, d), float32; NaN rows for empty texts.

    A text that was embedded before, in whichever crowd of the workspace, is not embedded again.
    Raises InputError for an encoder that reads answers too: those are a recipe's.
    """
    if reads_examples(encoder):
        raise InputError(
            f"The encoder {encoder} reads answers, and clusters and the map are of instructions.",
            "Leave reads=example out; or use it with a strategy without clusters, as targeted.",
        )
    store = Workspace.holding(crowd.path).cache / "embeddings"
    path = artifact(crowd.cache, "vectors", texts_key(crowd, encoder), ".npz")

    def make() -> dict[str, Any]:
        workspace = Workspace.holding(crowd.path)
        built = encoder_of(workspace, encoder, trust_remote_code=trust_remote_code)
        return {"vectors": embed(crowd.texts.instructions(), built, store, progress, pool)}

    def load() -> Vectors:
        kept = mapped(path, "vectors")
        found: Vectors = load_or_make(path, make)["vectors"] if kept is None else kept
        return found

    return _VECTORS.get(path, load)


def clustering(
    crowd: Crowd,
    encoder: str = "minilm",
    clusters: int = 10,
    method: Method = "exact",
    seed: int = 42,
    progress: Progress = silent,
) -> Clustering:
    """The k-means clusters with readable names; label 0 is the largest cluster."""
    depends_on = [texts_key(crowd, encoder), clusters, method, seed, *_order_key(crowd)]
    path = artifact(crowd.cache, "clusters", depends_on, ".npz")

    def found() -> Clustering:
        return _clustering(crowd, path, encoder, clusters, method, seed, progress)

    # Pages, sessions and command share one: also where nothing can be kept on the disk.
    return _CLUSTERINGS.get((path, crowd.fingerprint), found)


def clustering_of(crowd: Crowd, recipe: Recipe, progress: Progress = silent) -> Clustering:
    """The clusters that ``recipe`` means: k-means or its mixture, then its edits in their order."""
    if recipe.mix:
        found = mixed(crowd, Mix.read(recipe.mix))
    else:
        found = clustering(
            crowd, recipe.encoder, recipe.clusters, recipe.clustering, recipe.seed, progress
        )
    if not recipe.cluster_edits:
        return found

    def split(rows: IntArray, parts: int) -> IntArray:
        # By id, so that the order of a file's rows decides nothing.
        order = np.argsort(crowd.ids[rows], kind="stable")
        own = vectors(crowd, recipe.encoder, progress)[rows]
        return cluster(own, parts, recipe.seed, progress, order).labels

    groups = Groups(found.labels, found.names, dict(found.weights))
    edited = apply_edits(groups, recipe.cluster_edits, split)
    return replace(
        found,
        labels=edited.labels,
        names=_named(crowd, edited),
        weights=edited.weights,
        caps=edited.caps,
    )


def _named(crowd: Crowd, edited: Groups) -> tuple[str, ...]:
    """Names for the clusters that edits made; those that people know stay."""
    if not edited.unnamed:
        return edited.names
    fresh = cluster_labels(crowd).names(edited.labels)
    names = list(edited.names)
    for label in sorted(edited.unnamed):
        others = {name for i, name in enumerate(names) if i != label}
        name = fresh[label]
        names[label] = name if name not in others else f"{name} {label}"
    return tuple(names)


def _clustering(
    crowd: Crowd,
    path: Path,
    encoder: str,
    clusters: int,
    method: Method,
    seed: int,
    progress: Progress,
) -> Clustering:
    def make() -> dict[str, Any]:
        if method == "fast":
            found = fast_clusters(crowd, encoder, seed, progress).clusters(clusters)
        else:
            rows = vectors(crowd, encoder, progress)
            found = cluster(rows, clusters, seed, progress, _order(crowd))
        names = cluster_labels(crowd).names(found.labels)
        return {
            "labels": found.labels,
            "names": np.array(names, dtype=np.str_),
            "inertia": np.array(found.inertia),
            "warning": np.array(found.warning or ""),
        }

    made = load_or_make(path, make)
    names = tuple(str(name) for name in made["names"])
    inertia, warning = float(made["inertia"]), str(made.get("warning", ""))
    return Clustering(crowd.ids, made["labels"], names, encoder, seed, inertia, warning)


def cluster_labels(crowd: Crowd) -> ClusterLabels:
    """The words of the crowd's texts, counted once (2 s at 100,000) to name any clusters."""
    texts = _digest(crowd)
    path = artifact(crowd.cache, "words", [texts, COUNTING], ".npz")

    def make() -> ClusterLabels:
        counted = load_or_make(path, lambda: ClusterLabels(crowd.instruction_texts()).arrays())
        return ClusterLabels.from_arrays(counted)

    return _LABELS.get(texts, make)


def plane_of(
    crowd: Crowd,
    encoder: str = "minilm",
    seed: int = 42,
    progress: Progress = silent,
    *,
    quick: bool = False,
) -> Plane:
    """Every instruction's place on the map (UMAP); it does not depend on the clusters.

    ``quick``: a preview, in a fraction of the time, apart from the map itself.
    """

    def make() -> dict[str, Any]:
        rows = vectors(crowd, encoder, progress)
        return {"xy": project(rows, seed, progress, quick=quick, order=_order(crowd))}

    return Plane(crowd.ids, load_or_make(_plane_path(crowd, encoder, seed, quick), make)["xy"])


def _plane_path(crowd: Crowd, encoder: str, seed: int, quick: bool = False) -> Path:
    key = [texts_key(crowd, encoder), seed, *_order_key(crowd), *(["quick"] if quick else [])]
    return artifact(crowd.cache, "planes", key, ".npz")


def fast_clusters(
    crowd: Crowd, encoder: str = "minilm", seed: int = 42, progress: Progress = silent
) -> FastClusters:
    """Clusters for any k in a fraction of a second, as ``clustering="fast"`` gives them."""
    path = _fast_path(crowd, encoder, seed)

    def make() -> FastClusters:
        rows = vectors(crowd, encoder, progress)
        if path.exists():
            # A damaged file is only a cache: it is made again.
            with contextlib.suppress(InputError):
                return FastClusters.load(path, rows, _order(crowd))
        made = FastClusters(rows, seed, progress, _order(crowd))
        made.save(path)
        return made

    return _FAST.get(path, make)


def _fast_path(crowd: Crowd, encoder: str, seed: int) -> Path:
    key = [texts_key(crowd, encoder), seed, *_order_key(crowd)]
    return artifact(crowd.cache, "fast", key, ".npz")


def has_landscape(crowd: Crowd, encoder: str = "minilm", seed: int = 42) -> bool:
    """Tell whether vectors and plane are there, so that a page need not compute them."""
    return has_vectors(crowd, encoder) and _plane_path(crowd, encoder, seed).exists()


def has_first_look(crowd: Crowd, seed: int = 42) -> bool:
    """Tell whether a :func:`first_look` is there."""
    return (
        _plane_path(crowd, Static.name, seed, quick=True).exists()
        and _fast_path(crowd, Static.name, seed).exists()
    )


def has_vectors(crowd: Crowd, encoder: str = "minilm") -> bool:
    """Tell whether the instructions are embedded: clusters and likeness need no more."""
    return artifact(crowd.cache, "vectors", texts_key(crowd, encoder), ".npz").exists()


def run_landscape_job(job: Job) -> None:
    """The job ``landscape``: options crowd, encoder, clusters, plane, method, seed, and where."""
    options = dict(job.config)
    crowd = open_crowd(job.workspace, options.pop("crowd"))
    where = {k: options.pop(k) for k in OnEngine.model_fields if k in options}
    pool = OnEngine.parse(where, str(job.path / "config.json")).pool
    made = landscape(crowd, **options, progress=job.progress, pool=pool)
    job.event("result", clusters=list(made.clustering.names), inertia=made.clustering.inertia)


_TEXTS = Memo(16)
_VECTORS = Memo(3)
_ORDERS = Memo(4)
_LABELS = Memo(3)
_FAST = Memo(3)
_CLUSTERINGS = Memo(64)


def _order(crowd: Crowd) -> IntArray | None:
    """The rows by id, None where they lie so: before anything is drawn by position.

    So that the order of a file's rows decides nothing.
    """

    def by_id() -> IntArray | None:
        if (crowd.ids[:-1] < crowd.ids[1:]).all():
            return None
        return np.argsort(crowd.ids, kind="stable")

    return _ORDERS.get(crowd.fingerprint, by_id)


def _order_key(crowd: Crowd) -> list[str]:
    """What the order adds to a key: nothing where it is that of the rows."""
    if _order(crowd) is None:
        return []
    return [hashlib.sha256("\0".join(crowd.ids).encode("utf-8", "surrogatepass")).hexdigest()]


def texts_key(crowd: Crowd, encoder: str) -> list[Any]:
    """What vectors depend on: the texts in their order and the encoder, not the rewards."""
    return [_digest(crowd), encoder_of(Workspace.holding(crowd.path), encoder).identity()]


def _digest(crowd: Crowd) -> str:
    """Of the texts in their order."""

    def digest() -> str:
        found = hashlib.sha256()
        for text in crowd.texts.instructions():
            found.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        return found.hexdigest()

    return _TEXTS.get(crowd.fingerprint, digest)
