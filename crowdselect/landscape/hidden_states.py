"""Texts in, unit vectors out, by the hidden states of a causal language model: RDS+."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from crowdselect.errors import InputError, require
from crowdselect.landscape.encoder import Vectors, unit_rows
from crowdselect.lm.identity import model_identity
from crowdselect.lm.packaged import SMOLLM2
from crowdselect.registry import option

if TYPE_CHECKING:
    from crowdselect.lm.language_model import LanguageModel


@dataclass(frozen=True)
class HiddenStates:
    """Mean of the last hidden states; token i of n counts by i / (1 + ... + n).

    The representation of RDS+ (Ivison et al. 2025, arXiv 2503.01807; the pooling of Muennighoff
    2022). RDS+ reads prompt and response (``reads=example``: the answer that a recipe trains on).
    """

    name: ClassVar[str] = "rds"
    title: ClassVar[str] = "Hidden states of a language model, weighted mean (RDS+)"
    whole_corpus: ClassVar[bool] = False

    model: str = option(
        "", "Folder or hub id of a causal language model; none: smollm2 where it is installed."
    )
    max_tokens: int = option(2048, "Cut texts after this many tokens.", low=1)
    reads: str = option(
        "instruction",
        "example: the instruction with the answer that is trained on, for selecting alone.",
        choices=("instruction", "example"),
    )

    def identity(self) -> dict[str, Any]:
        """The model with what is in its folder, and where texts are cut; what is read is a text."""
        folder = Path(self.model).expanduser()
        told = f"{folder.resolve()}|{model_identity(self.model)}" if folder.is_dir() else self.model
        return {"name": self.name, "model": told, "max_tokens": self.max_tokens}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Encode ``texts``; raises InputError without a model, or for one that cannot be loaded."""
        if not self.model:
            raise InputError(
                "The encoder rds needs a language model, and none is at hand.",
                f"Write rds?model=FOLDER_OR_HUB_ID, or install one: {SMOLLM2.install}",
            )
        require("transformers", feature="The encoder rds", extra="finetune")
        model = _load(self.model)
        most = min(self.max_tokens, model.longest)
        return unit_rows(model.mean_hidden([model.ids(t)[:most] for t in texts], later=True))


@lru_cache(maxsize=1)
def _load(model: str) -> LanguageModel:
    from crowdselect.lm.language_model import LanguageModel, ModelSpec

    return LanguageModel(ModelSpec(model=model))
