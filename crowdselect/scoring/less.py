"""LESS (arXiv 2402.04333): how alike a sample's gradients are to those of what a model shall do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.conversations import Conversation, read_conversations
from crowdselect.lm.encoding import IGNORED, encode, settled_format
from crowdselect.lm.language_model import ModelSpec, model_spec
from crowdselect.lm.messages import Message
from crowdselect.lm.models import Checkpoint, Loaded, LoadOptions, load_causal
from crowdselect.lm.passes import Columns, Pass, Sample, Worker
from crowdselect.reading import sha256_of
from crowdselect.registry import option
from crowdselect.scoring.base import Column, Found, Scorer
from crowdselect.values import FloatArray

_ONE_TASK = "examples"


@dataclass(frozen=True)
class GradientPass(Pass):
    """One model's loss gradient of every sample, compared with those of the targets."""

    version: ClassVar[int] = 2

    spec: dict[str, Any]
    targets: str
    sha256: str
    """Of the targets: another content is another pass."""
    dimensions: int
    seed: int
    max_tokens: int

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"gradients of {self.spec['model']}"

    def worker(self, keep: Path) -> Worker:
        """Load the model, and take the gradients of the targets."""
        return _Influence(self)


class _Influence:
    def __init__(self, work: GradientPass) -> None:
        spec = ModelSpec.parse(work.spec, "the model's options")
        checkpoint = Checkpoint(spec.model, trust_remote_code=spec.trust_remote_code)
        loaded = load_causal(checkpoint, LoadOptions(spec.dtype))
        self._gradients = Gradients(loaded, work.dimensions, work.seed, work.max_tokens)
        self._tasks: dict[str, list[FloatArray]] = {}
        for row in read_conversations(work.targets).rows:
            found = self._gradients(row)
            if found is not None:
                self._tasks.setdefault(row.category or _ONE_TASK, []).append(found)
        if not self._tasks:
            raise InputError(
                f"{Path(work.targets).name} has no answer that a model could learn from.",
                "Give rows with a question and an answer, no longer than max_tokens.",
            )

    def __call__(self, samples: Sequence[Sample]) -> Columns:
        names = sorted(self._tasks)
        found: list[list[float] | None] = []
        for number, sample in enumerate(samples, start=1):
            one: Message = {"role": "user", "content": sample.instruction}
            said: Message = {"role": "assistant", "content": sample.response}
            turns = (*(sample.prompt or (one,)), said)
            mine = self._gradients(Conversation(number, turns)) if sample.response.strip() else None
            found.append(None if mine is None else [self._mean(mine, name) for name in names])
        return {"similarity": found, "tasks": [names] * len(samples)}

    def _mean(self, mine: FloatArray, task: str) -> float:
        return float(np.mean([mine @ other for other in self._tasks[task]]))


class Gradients:
    """The direction of a conversation's loss gradient, by all weights of a model.

    ``dimensions``: a count sketch of so many numbers (each weight is added with a random sign to a
    random one, Weinberger et al. 2009), whose inner products are those of the gradients up to one
    over the root of ``dimensions``; 0: the gradient itself.
    """

    def __init__(self, loaded: Loaded, dimensions: int, seed: int, max_tokens: int) -> None:
        import torch

        self._model, self._tokenizer = loaded.model.float().eval(), loaded.tokenizer
        self._device = loaded.device
        self._limit = min(max_tokens, loaded.context)
        self._chat = settled_format(loaded.tokenizer)
        self._weights = [w for w in self._model.parameters() if w.is_floating_point()]
        for weight in self._weights:
            weight.requires_grad_(True)
        self._dimensions = dimensions
        count = sum(weight.numel() for weight in self._weights)
        if dimensions:
            random = torch.Generator().manual_seed(seed)
            self._place = torch.randint(dimensions, (count,), generator=random).to(self._device)
            sign = torch.randint(2, (count,), generator=random, dtype=torch.int8) * 2 - 1
            self._sign = sign.to(self._device)

    def __call__(self, conversation: Conversation) -> FloatArray | None:
        """A unit vector; None where no token of an answer fits, or nothing is to be learned."""
        import torch

        (coded,) = encode(self._tokenizer, self._chat, [conversation])
        labels = coded.labels[: self._limit]
        if all(label == IGNORED for label in labels[1:]):
            return None
        ids = torch.tensor([coded.input_ids[: self._limit]], device=self._device)
        wanted = torch.tensor([labels], device=self._device)
        with torch.enable_grad():
            loss = self._model(input_ids=ids, labels=wanted).loss
            parts = torch.autograd.grad(loss, self._weights, materialize_grads=True)
        flat = torch.cat([part.flatten() for part in parts])
        if self._dimensions:
            sketch = torch.zeros(self._dimensions, device=self._device)
            flat = sketch.index_add_(0, self._place, flat * self._sign)
        vector: FloatArray = flat.double().cpu().numpy()
        length = float(np.linalg.norm(vector))
        return vector / length if length > 0 else None


@dataclass(frozen=True)
class Less(Scorer):
    """Gradient similarity to targets, over the checkpoints of a warm-up, of the best task.

    Per checkpoint the mean cosine over a task's examples; over checkpoints their mean, weighted by
    the learning rates that they were trained with (the paper sums: the order is the same). The
    paper warms up by LoRA on 5 % of the data and takes Adam's preconditioned gradients of the
    adapter for the samples; these are plain gradients of all weights. Give the checkpoints of a
    model that is being fine-tuned on a random subset, or one model.
    """

    name: ClassVar[str] = "less"
    title: ClassVar[str] = "LESS: gradient similarity to a target"
    source: ClassVar[str] = "LESS, arXiv 2402.04333, equation 1 without Adam's moments"

    models: tuple[dict[str, Any], ...] = field(default=())
    """``ModelSpec`` dicts: the checkpoints."""
    targets: str = option(
        "", "File of examples with answers; a column category makes tasks of them", opens="file"
    )
    rates: str = option(
        "", "Learning rate of each checkpoint, parted by commas, by which it counts; empty: alike"
    )
    dimensions: int = option(
        8192, "Numbers per gradient after random projection; 0: all of them", low=0, high=1 << 20
    )
    seed: int = option(42, "Seed of the projection", low=0)
    max_tokens: int = option(2048, "Cut samples after this many tokens", low=16, high=1_000_000)

    def passes(self) -> tuple[GradientPass, ...]:
        """One per checkpoint; raises InputError without a model or a file of targets."""
        if not self.models:
            raise InputError(
                "LESS is measured by a model, and none is given.",
                "Give --model; for several checkpoints of one model give it for each.",
            )
        if not self.targets:
            raise InputError(
                "LESS compares with examples of what the model shall do, and none are named.",
                "Give -o targets=FILE with questions and answers.",
            )
        self._shares()
        path = Path(self.targets).expanduser()
        return tuple(
            GradientPass(model_spec(model), str(path), sha256_of(path), self.dimensions,
                         self.seed, self.max_tokens)
            for model in self.models
        )  # fmt: skip

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``less``: select by it with the strategy ``top``."""
        values = np.array([best[0] for best in self._best(found)], dtype=np.float64)
        reasons = [
            "no answer to learn from" if np.isnan(value) else None for value in values.tolist()
        ]
        title = "Similarity of gradients to the target"
        return {"less": Column(values, reasons, title, "higher = more like the target")}

    def report(
        self, samples: Sequence[Sample], found: Found, columns: Mapping[str, Column]
    ) -> dict[str, Any]:
        """How many samples are nearest to each task."""
        tasks = [task for _, task in self._best(found) if task is not None]
        return {f"nearest_to_{name}": tasks.count(name) for name in sorted(set(tasks))}

    def _shares(self) -> FloatArray:
        """How much each checkpoint counts; they add up to one."""
        given = [part.strip() for part in self.rates.split(",") if part.strip()]
        try:
            rates = np.array([float(part) for part in given] or [1.0] * len(self.models))
        except ValueError:
            rates = np.array([np.nan])
        if len(rates) != len(self.models) or not (np.isfinite(rates) & (rates > 0)).all():
            raise InputError(
                f"rates={self.rates} are no learning rates of {len(self.models)} checkpoints.",
                "Write a number above 0 for each model in its order, like -o rates=2e-5,1e-5.",
            )
        shares: FloatArray = rates / rates.sum()
        return shares

    def _best(self, found: Found) -> list[tuple[float, str | None]]:
        """Per sample the similarity to its nearest task, and which; NaN: no gradient."""
        shares = self._shares()
        passes = [found[each.key] for each in self.passes()]
        best: list[tuple[float, str | None]] = []
        for row, names in enumerate(passes[0]["tasks"]):
            parts = [each["similarity"][row] for each in passes]
            if any(part is None for part in parts):
                best.append((float("nan"), None))
                continue
            means = shares @ np.array(parts, dtype=np.float64)
            place = int(np.argmax(means))
            best.append((float(means[place]), names[place]))
        return best
