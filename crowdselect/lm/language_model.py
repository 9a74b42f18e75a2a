"""One causal language model in memory, asked for few numbers about many texts.

Texts are batched by length within a token budget; the vocabulary head runs only where a number is
wanted (the last position, or the answer's tokens), which is where the time goes with a large
vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from crowdselect.lm.batches import length_batches, usual_tokens
from crowdselect.lm.identity import model_identity
from crowdselect.lm.models import Checkpoint, Loaded, LoadOptions, load_causal
from crowdselect.lm.vocabulary import ROWS as HEAD_ROWS
from crowdselect.lm.vocabulary import VocabularyHead
from crowdselect.options import Frozen, Option
from crowdselect.values import FloatArray, IntArray

WORTH_SHARING = 16
"""A common beginning is read once if it is at least this part of the mean length: a sixteenth."""


class ModelSpec(Frozen):
    """Which model scores, and how it is loaded."""

    model: str
    """Folder or hub id of a causal language model (safetensors)."""
    size_b: float | None = None
    """Parameters in billions for Model-R; None: counted."""
    dtype: Annotated[str, Option(help="auto, float32, bfloat16 or float16")] = "auto"
    """``auto``: bfloat16 on a GPU, float32 on a CPU."""
    batch_tokens: Annotated[
        int | None,
        Option(help="Padded tokens of one batch; else what suits the device"),
        Field(ge=1),
    ] = None
    """None: 512 on a CPU, 8192 on a GPU."""
    trust_remote_code: Annotated[bool, Option(help="Let a hub model run its own code here")] = False
    files: str = ""
    """Tells the contents of a local folder apart; filled in by :func:`model_spec`."""


def model_spec(options: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options of a model as a dict that changes with the files of its folder."""
    spec = ModelSpec.parse(options, "model")
    return {**spec.model_dump(), "files": model_identity(spec.model)}


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
    loaded: Loaded | None = None
    """The model, where it is in memory already; None: it is loaded."""
    model: Any = field(init=False)
    tokenizer: Any = field(init=False)
    device: str = field(init=False)
    _head: VocabularyHead = field(init=False)

    def __post_init__(self) -> None:
        checkpoint = Checkpoint(self.spec.model, trust_remote_code=self.spec.trust_remote_code)
        loaded = self.loaded or load_causal(checkpoint, LoadOptions(self.spec.dtype))
        self.tokenizer, self.device = loaded.tokenizer, loaded.device
        self.model = loaded.bare
        self._head = VocabularyHead(self.model)

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

        Returns shape (n, wanted), float64; computed in float32 over the whole vocabulary. A
        beginning that all rows share is read once.
        """
        import torch

        result = np.empty((len(rows), len(wanted)))
        shared = shared_start(rows)
        before = self._remembered(rows[0][:shared]) if shared else None
        skip = shared if before is not None else 0
        tokens = torch.tensor(list(wanted), device=self.device)
        done = 0
        rest = [row[skip:] for row in rows]
        for batch in self._batches([len(r) for r in rest]):
            ids, ends = self._padded([rest[i] for i in batch])
            with torch.inference_mode():
                hidden = self._hidden(ids, before)
                last = hidden[torch.arange(len(batch), device=hidden.device), ends - 1]
                logs = self._head.log_probabilities(last, tokens.expand(len(batch), -1))
                result[batch] = logs.double().exp().cpu().numpy()
            done += len(batch)
            tick(done)
        return result

    def mean_hidden(self, rows: Sequence[Sequence[int]], *, later: bool = False) -> FloatArray:
        """Mean over each row's tokens of the last hidden states, shape (n, width).

        ``later``: token i of n counts by i / (1 + ... + n), as later ones have read more.
        """
        import torch

        found: list[FloatArray | None] = [None] * len(rows)
        for batch in self._batches([len(r) for r in rows]):
            ids, ends = self._padded([rows[i] for i in batch])
            with torch.inference_mode():
                hidden = self._hidden(ids).double()
            for place, i in enumerate(batch):
                n = int(ends[place])
                counts = torch.arange(1, n + 1, device=hidden.device) if later else torch.ones(n)
                share = (counts / counts.sum()).to(hidden)
                found[i] = (share @ hidden[place, :n]).cpu().numpy()
        return np.array(found)

    def losses(
        self,
        rows: Sequence[Sequence[int]],
        starts: Sequence[int],
        tick: Callable[[int], None] = lambda done: None,
    ) -> Losses:
        """Mean loss of each row's tokens from ``starts[i]`` on, given all tokens before them.

        A first token has nothing before it and carries no loss.
        """
        scored = [
            [False] * start + [True] * (len(row) - start)
            for row, start in zip(rows, starts, strict=True)
        ]
        sums, count = self.summed_losses(rows, scored, tick)
        with np.errstate(invalid="ignore", divide="ignore"):
            return Losses(np.where(count > 0, sums / count, np.nan), count)

    def summed_losses(
        self,
        rows: Sequence[Sequence[int]],
        scored: Sequence[Sequence[bool]],
        tick: Callable[[int], None] = lambda done: None,
    ) -> tuple[FloatArray, FloatArray]:
        """Loss of each row's ``scored`` tokens, given all tokens before them, and their number.

        Both of shape (n,), float64; nats. A first token carries no loss.
        """
        import torch

        sums, count = np.zeros(len(rows)), np.zeros(len(rows))
        waiting: list[tuple[Any, Any, IntArray]] = []
        done = 0

        def settle() -> None:
            """Run the head over what the trunk has read, many positions at once."""
            hidden, targets, owners = (_joined(parts) for parts in zip(*waiting, strict=True))
            with torch.inference_mode():
                logs = self._head.log_probabilities(hidden, targets[:, None])[:, 0]
            np.add.at(sums, owners, -logs.double().cpu().numpy())
            np.add.at(count, owners, 1)
            waiting.clear()

        for batch in self._batches([len(r) for r in rows]):
            waiting.append(self._targets(rows, scored, batch))
            if sum(len(owners) for *_, owners in waiting) >= HEAD_ROWS:
                settle()
            done += len(batch)
            tick(done)
        if waiting:
            settle()
        return sums, count

    def _targets(
        self, rows: Sequence[Sequence[int]], scored: Sequence[Sequence[bool]], batch: Sequence[int]
    ) -> tuple[Any, Any, IntArray]:
        """Hidden states before every scored token, the tokens, and the rows they belong to."""
        import torch

        ids, _ = self._padded([rows[i] for i in batch])
        mask = self._padded([scored[i] for i in batch])[0][:, 1:].bool()
        with torch.inference_mode():
            hidden = self._hidden(ids)[:, :-1][mask]
        owners = np.asarray(batch)[torch.nonzero(mask)[:, 0].cpu().numpy()]
        return hidden, ids[:, 1:][mask], owners

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        return length_batches(lengths, self.spec.batch_tokens or usual_tokens(self.device))

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[Any, Any]:
        """Rows padded on the right, where a causal model does not look; and their lengths."""
        import torch

        width = max(map(len, rows))
        ids = torch.zeros((len(rows), width), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(list(row))
        ends = torch.tensor([len(row) for row in rows])
        return ids.to(self.device), ends.to(self.device)

    def _hidden(self, ids: Any, before: Any = None) -> Any:
        """Last hidden states after ``before``, what :meth:`_remembered` gave for one text."""
        if before is None:
            return self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        memory = copy.deepcopy(before)
        memory.batch_repeat_interleave(len(ids))
        reads = self.model.base_model(input_ids=ids, past_key_values=memory, use_cache=True)
        return reads.last_hidden_state

    def _remembered(self, ids: Sequence[int]) -> Any:
        """Keys and values of a beginning that many texts share; None: this model keeps others."""
        import torch
        from transformers import DynamicCache
        from transformers.cache_utils import DynamicLayer

        with torch.inference_mode():
            place, _ = self._padded([ids])
            read = self.model.base_model(input_ids=place, use_cache=True)
        memory = getattr(read, "past_key_values", None)
        plain = type(memory) is DynamicCache and all(type(x) is DynamicLayer for x in memory.layers)
        return memory if plain else None


def shared_start(rows: Sequence[Sequence[int]]) -> int:
    """Tokens at the beginning that all rows share and that are worth reading only once.

    At least one token of every row is left. 0 for a single row, and where the share is small:
    attention to what was read before costs a little more.
    """
    if len(rows) < 2:
        return 0
    first, *_, last = sorted(map(list, rows))
    pairs = enumerate(zip(first, last, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(first), len(last)))
    same = min(same, min(map(len, rows)) - 1)
    return same if same * WORTH_SHARING >= sum(map(len, rows)) / len(rows) else 0


def _joined(parts: Sequence[Any]) -> Any:
    """Tensors or arrays, one after the other."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(list(parts))
