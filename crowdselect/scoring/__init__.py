"""Scoring with models: instructions and responses in, new metric columns out.

``SCORERS`` lists the scorers; ``score(samples, scorer, cache)`` makes their columns, resuming from
whatever an earlier start left in ``cache``.
"""

from crowdselect.lm.language_model import LanguageModel, ModelSpec
from crowdselect.lm.passes import Pass, Sample
from crowdselect.registry import Registry
from crowdselect.scoring.analysis import Analysis, Slice, analyse
from crowdselect.scoring.base import Column, Scorer
from crowdselect.scoring.config import ScoreConfig
from crowdselect.scoring.deita import Deita
from crowdselect.scoring.direct import Direct
from crowdselect.scoring.experience import InstructionPass, diverse_middle, own_order
from crowdselect.scoring.ifd import IFD
from crowdselect.scoring.instag import InsTag, InsTagCrowdSelect, coverage
from crowdselect.scoring.instruction_mining import InstructionMining
from crowdselect.scoring.less import Less
from crowdselect.scoring.run import ScoreTable, score
from crowdselect.scoring.selectit import SelectIT

SCORERS: Registry[type[Scorer]] = Registry(
    "scorer", [SelectIT, IFD, Direct, InsTag, InsTagCrowdSelect, Deita, InstructionMining, Less]
)

__all__ = [
    "IFD",
    "SCORERS",
    "Analysis",
    "Column",
    "Deita",
    "Direct",
    "InsTag",
    "InsTagCrowdSelect",
    "InstructionMining",
    "InstructionPass",
    "LanguageModel",
    "Less",
    "ModelSpec",
    "Pass",
    "Sample",
    "ScoreConfig",
    "ScoreTable",
    "Scorer",
    "SelectIT",
    "Slice",
    "analyse",
    "coverage",
    "diverse_middle",
    "own_order",
    "score",
]
