"""A served chat model grades samples, one question each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from crowdselect.lm.messages import Message
from crowdselect.lm.passes import Sample
from crowdselect.servers.asking import AskPass
from crowdselect.servers.grades import read_grade

BEST = 5.0
_SYSTEM = "You grade the answers of an assistant, strictly and without regard to their length."
_USER = (
    "Instruction:\n{instruction}\n\nResponse:\n{response}\n\n"
    "Grade the {dimension} of the response on a scale from 0 (none) to {best} (could not be "
    "better). Write the grade, a number, alone on the first line, and then one sentence that "
    "gives the reason."
)


@dataclass(frozen=True)
class GradePass(AskPass):
    """A chat model's grade of every sample on one dimension."""

    version: ClassVar[int] = 3

    dimension: str = "accuracy"
    best: float = BEST

    @property
    def label(self) -> str:
        """The pass in a few words."""
        return f"grading by {self.server['model']}"

    @property
    def empty(self) -> Mapping[str, Any]:
        """No grade."""
        return {"grade": None}

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """The question for a grade; braces in the texts stay as they are."""
        asked = _USER.replace("{dimension}", self.dimension).replace("{best}", f"{self.best:g}")
        before, between, after = re.split(r"\{instruction\}|\{response\}", asked)
        text = f"{before}{sample.question}{between}{sample.response}{after}"
        return ({"role": "system", "content": _SYSTEM}, {"role": "user", "content": text})

    def read(self, text: str) -> Mapping[str, Any]:
        """The grade that stands as the verdict, on the scale that was asked for."""
        found = read_grade(text, 0.0, self.best, self.dimension)
        return {"reason": found.problem} if found.value is None else {"grade": found.value}
