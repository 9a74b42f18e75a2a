"""Instruction Mining (arXiv 2307.06290) as a scorer: a rule over columns that the crowd has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from crowdselect.errors import InputError
from crowdselect.lm.passes import Pass, Sample
from crowdselect.registry import option
from crowdselect.scoring.base import INPUTS, Column, Found, Scorer
from crowdselect.scoring.mining_rules import instruction_mining_v1, instruction_mining_v3

RULES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "v1": (instruction_mining_v1, ("reward", "length", "knn6")),
    "v3": (instruction_mining_v3, ("reward", "understandability", "naturalness", "coherence")),
}
"""Version -> its rule and the indicators it takes, in order."""


@dataclass(frozen=True)
class InstructionMining(Scorer):
    """Predicted log evaluation loss; the rules were fitted on means of data sets, not on rows."""

    name: ClassVar[str] = "instruction_mining"
    title: ClassVar[str] = "Instruction Mining"
    source: ClassVar[str] = "Instruction Mining, arXiv 2307.06290, versions 1 and 3"
    uses: ClassVar = "no model"

    version: str = option("v1", "Which published rule", choices=tuple(RULES))
    reward: str = option("", "Column of rewards, on the scale of OpenAssistant's reward model")
    length: str = option("", "v1: column of response lengths in tokens")
    knn6: str = option("", "v1: column of distances to the sixth neighbour")
    understandability: str = option("", "v3: column of UniEval's understandability")
    naturalness: str = option("", "v3: column of UniEval's naturalness")
    coherence: str = option("", "v3: column of UniEval's coherence")

    def inputs(self) -> tuple[str, ...]:
        """The columns named for the rule's indicators; raises InputError where one is not."""
        named = {name: str(getattr(self, name)) for name in RULES[self.version][1]}
        missing = [name for name, column in named.items() if not column]
        if missing:
            raise InputError(
                f"Instruction Mining {self.version} needs a column for {', '.join(missing)}.",
                f"Name the crowd's columns: -o {missing[0]}=COLUMN.",
            )
        return tuple(named.values())

    def passes(self) -> tuple[Pass, ...]:
        """None."""
        return ()

    def columns(self, samples: Sequence[Sample], found: Found) -> dict[str, Column]:
        """``instruction_mining``: lower is better."""
        given = [np.array(found[INPUTS][name], dtype=np.float64) for name in self.inputs()]
        values = np.asarray(RULES[self.version][0](*given), dtype=np.float64)
        reasons = ["an indicator is missing" if np.isnan(v) else None for v in values]
        title = f"Instruction Mining {self.version}, predicted log loss"
        return {"instruction_mining": Column(values, reasons, title, "lower = better")}
