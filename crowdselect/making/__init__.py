"""Making a crowd: models answer instructions, judges reward the answers. Resumable, one by one.

``answers`` has one model answer (here or at a server), ``rewards`` has one judge reward answers
(a reward model, or a served chat model's grades). What makes jobs of them and puts the outcome
into a crowd is ``crowdselect.pipeline.making``.
"""

from crowdselect.making.answers import (
    Answerer,
    GenerateConfig,
    check_answerer,
    kept_answers,
    make_answers,
)
from crowdselect.making.rewards import JudgingConfig, judge_blocks, judge_pass

__all__ = [
    "Answerer",
    "GenerateConfig",
    "JudgingConfig",
    "check_answerer",
    "judge_blocks",
    "judge_pass",
    "kept_answers",
    "make_answers",
]
