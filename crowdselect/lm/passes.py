"""A pass: one model over all samples, shard by shard.

A pass is the part that costs. It is a picklable recipe from which a process (or a Ray actor) makes
a worker once and hands it shard after shard, so the same code runs in one process and on a cluster.
What a pass found is kept by its content key: another question about the same findings, or a resumed
run, does not ask the model again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from crowdselect.lm.messages import Message
from crowdselect.lm.prompts import spoken_text
from crowdselect.registry import content_key

Columns = dict[str, Sequence[Any]]
"""Column name -> one value per sample of the shard (numbers, texts or None)."""
Worker = Callable[[Sequence["Sample"]], Columns]


@dataclass(frozen=True)
class Sample:
    """An instruction and the response that would be trained on."""

    id: str
    instruction: str
    """The whole question as text."""
    response: str
    prompt: tuple[Message, ...] = ()
    """The question's turns, where it has several; empty: it is one user's turn."""

    @property
    def question(self) -> str:
        """The question as text that says who speaks, where it has several turns."""
        return spoken_text(self.prompt) if self.prompt else self.instruction


@dataclass(frozen=True)
class Pass(ABC):
    """One model over all samples; its fields are everything the outcome depends on."""

    version: ClassVar[int] = 1
    """Raised when the same fields would give other numbers."""
    loads_a_model: ClassVar[bool] = True
    """Whether a worker holds a model, on a GPU where there is one."""

    may_fail: ClassVar[bool] = False
    """Whether a sample may fail by the fault of somebody else, who may not fail the next time."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The pass in a few words, for progress."""

    @property
    def key(self) -> str:
        """Content key of the pass: its kind, version and fields."""
        return content_key([type(self).__name__, self.version, asdict(self)], 16)

    def is_final(self, columns: Mapping[str, Sequence[Any]]) -> bool:
        """Whether a shard with these columns need not be made again, where a pass may fail."""
        return True

    def note(self, keep: Path) -> str:
        """What should be said about how it was made, once it was; empty: nothing."""
        return ""

    @abstractmethod
    def worker(self, keep: Path) -> Worker:
        """Load what is needed (a model) and return the function over shards.

        ``keep`` is a folder for what is worth keeping beyond a shard, such as a server's replies.
        """
