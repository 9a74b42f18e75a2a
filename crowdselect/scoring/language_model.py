"""One causal language model in memory, asked for few numbers about many texts.

Texts are batched by length within a token budget; the vocabulary head runs only where a number is
wanted (the last position, or the answer's tokens), which is where the time goes with a large
vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crowdselect.errors import InputError, NotFoundError, require
from crowdselect.registry import content_key
from crowdselect.values import FloatArray, Frozen

HEAD_ROWS = 512
"""Positions that go through the vocabulary head at once: 512 x 152,000 floats are 0.3 GB."""
LOSS_ROWS = 16
"""Positions whose loss is taken at once on a CPU, where new memory costs more than arithmetic."""


class ModelSpec(Frozen):
    """Which model scores, and how it is loaded."""

    model: str
    """Folder or hub id of a causal language model (safetensors)."""
    size_b: float | None = None
    """Parameters in billions for Model-R; None: counted."""
    dtype: str = "auto"
    """``auto`` (bfloat16 on a GPU, float32 on a CPU), ``float32``, ``bfloat16`` or ``float16``."""
    batch_tokens: int = 4096
    """Padded tokens of one batch."""
    trust_remote_code: bool = False
    files: str = ""
    """Tells the contents of a local folder apart; filled in by :func:`model_spec`."""


def model_spec(options: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options of a model as a dict that changes with the files of its folder."""
    spec = ModelSpec.parse(options, "model")
    return {**spec.model_dump(), "files": model_files(spec.model)}


def model_files(model: str) -> str:
    """Names, sizes and times of a local model's files, hashed; empty for a hub id."""
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return ""
    stats = [(f.name, f.stat()) for f in sorted(folder.glob("*")) if f.is_file()]
    return content_key([[name, s.st_size, s.st_mtime_ns] for name, s in stats])


@dataclass(frozen=True)
class Losses:
    """Mean loss per text."""

    mean: FloatArray
    """Shape (n,), nats per scored token; NaN where there is none."""
    tokens: FloatArray
    """Shape (n,): scored tokens."""


@dataclass
class LanguageModel:
    """A loaded model; made once per process (or Ray actor) and called batch by batch."""

    spec: ModelSpec
    model: Any = field(init=False)
    tokenizer: Any = field(init=False)
    device: str = field(init=False)
    _kept: Any = field(init=False, default=None)
    """The head's output on a CPU, (HEAD_ROWS, vocabulary): written anew by every chunk."""

    def __post_init__(self) -> None:
        for package in ("torch", "transformers"):
            require(package, feature="Scoring with a language model", extra="finetune")
        self.model, self.tokenizer, self.device = _load(self.spec)

    @property
    def size_b(self) -> float:
        """Parameters in billions, given or counted."""
        if self.spec.size_b is not None:
            return self.spec.size_b
        return float(sum(p.numel() for p in self.model.parameters()) / 1e9)

    @property
    def longest(self) -> int:
        """Tokens that the model can attend to."""
        length = getattr(self.model.config, "max_position_embeddings", None)
        return int(length or 1 << 30)

    def ids(self, text: str) -> list[int]:
        """Token ids of a whole text, with the tokenizer's own special tokens."""
        found: list[int] = self.tokenizer(text)["input_ids"]
        return found

    def next_token_probabilities(
        self,
        rows: Sequence[Sequence[int]],
        wanted: Sequence[int],
        tick: Callable[[int], None] = lambda done: None,
    ) -> FloatArray:
        """Probabilities of the ``wanted`` tokens after each row of token ids.

        Returns shape (n, wanted), float64; computed in float32 over the whole vocabulary.
        """
        import torch

        result = np.empty((len(rows), len(wanted)))
        done = 0
        for batch in length_batches([len(r) for r in rows], self.spec.batch_tokens):
            ids, ends = self._padded([rows[i] for i in batch])
            with torch.inference_mode():
                hidden = self._hidden(ids)
                last = hidden[torch.arange(len(batch), device=hidden.device), ends - 1]
                shares = torch.softmax(self._head(last).float(), dim=-1)
                result[batch] = shares[:, list(wanted)].double().cpu().numpy()
            done += len(batch)
            tick(done)
        return result

    def losses(
        self,
        rows: Sequence[Sequence[int]],
        starts: Sequence[int],
        tick: Callable[[int], None] = lambda done: None,
    ) -> Losses:
        """Mean loss of each row's tokens from ``starts[i]`` on, given all tokens before them.

        A first token has nothing before it and carries no loss.
        """
        import torch

        mean = np.full(len(rows), np.nan)
        count = np.zeros(len(rows))
        done = 0
        for batch in length_batches([len(r) for r in rows], self.spec.batch_tokens):
            ids, ends = self._padded([rows[i] for i in batch])
            first = torch.tensor([max(starts[i], 1) for i in batch], device=ids.device)
            place = torch.arange(ids.shape[1], device=ids.device)
            scored = (place >= first[:, None]) & (place < ends[:, None])
            with torch.inference_mode():
                hidden = self._hidden(ids)[:, :-1][scored[:, 1:]]
                each = self._token_losses(hidden, ids[:, 1:][scored[:, 1:]])
                owner = torch.nonzero(scored[:, 1:])[:, 0].cpu().numpy()
            sums = np.bincount(owner, weights=each, minlength=len(batch))
            counts = np.bincount(owner, minlength=len(batch))
            count[batch] = counts
            with np.errstate(invalid="ignore", divide="ignore"):
                mean[batch] = np.where(counts > 0, sums / counts, np.nan)
            done += len(batch)
            tick(done)
        return Losses(mean, count)

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """Rows padded on the right, where a causal model does not look; and their lengths."""
        import torch

        width = max(map(len, rows))
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(list(row))
        ends = torch.tensor([len(row) for row in rows])
        return ids.to(self.device), ends.to(self.device)

    def _hidden(self, ids: Any) -> Any:
        return self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state

    def _head(self, hidden: Any) -> Any:
        """Logits as the model's own forward makes them, scaling and soft capping included.

        On a CPU they lie in memory that the next call overwrites: fresh memory for them would cost
        as much as the product itself.
        """
        import torch

        config = self.model.config
        head: Any = self.model.get_output_embeddings()
        plain = type(head) is torch.nn.Linear and getattr(head, "bias", None) is None
        if self.device == "cpu" and plain:
            if self._kept is None:
                self._kept = torch.empty((HEAD_ROWS, len(head.weight)), dtype=head.weight.dtype)
            room = self._kept[: len(hidden)] if len(hidden) <= HEAD_ROWS else None
            logits = torch.mm(hidden, head.weight.T, out=room)
        else:
            logits = head(hidden)
        if scale := getattr(config, "logit_scale", None):
            logits = logits * scale
        if scaling := getattr(config, "logits_scaling", None):
            logits = logits / scaling
        if cap := getattr(config, "final_logit_softcapping", None):
            logits = (logits / cap).tanh() * cap
        return logits

    def _token_losses(self, hidden: Any, targets: Any) -> FloatArray:
        import torch
        import torch.nn.functional as functional

        rows = LOSS_ROWS if self.device == "cpu" else HEAD_ROWS
        parts = [
            functional.cross_entropy(logits.float(), wanted, reduction="none")
            for h, t in zip(hidden.split(HEAD_ROWS), targets.split(HEAD_ROWS), strict=True)
            for logits, wanted in zip(self._head(h).split(rows), t.split(rows), strict=True)
        ]
        if not parts:
            return np.zeros(0)
        return np.asarray(torch.cat(parts).double().cpu().numpy())


def length_batches(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Row numbers in batches of similar length, longest first, padded size <= ``batch_tokens``.

    A row longer than the budget is a batch of its own.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) + 1) * lengths[batch[0]] > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _load(spec: ModelSpec) -> tuple[Any, Any, str]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    names = {"auto": torch.bfloat16 if device == "cuda" else torch.float32}
    for name in ("float32", "bfloat16", "float16"):
        names[name] = getattr(torch, name)
    if spec.dtype not in names:
        raise InputError(f"There is no dtype {spec.dtype!r}.", f"Choose of: {', '.join(names)}.")
    options = {"trust_remote_code": spec.trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(spec.model, **options)
        model = AutoModelForCausalLM.from_pretrained(
            spec.model, dtype=names[spec.dtype], use_safetensors=True, **options
        )
    except (OSError, ValueError) as error:
        first = str(error).split("\n")[0]
        raise NotFoundError(
            f"The model {spec.model} cannot be loaded: {first}",
            "Give a folder with config.json, *.safetensors and a tokenizer, or a hub id where "
            "the hub is reachable.",
        ) from error
    placed: Any = model
    return placed.to(device).eval(), tokenizer, device
