"""Scoring with models: instructions and responses in, new metric columns out.

``SCORERS`` lists the scorers; ``score(samples, scorer, cache)`` makes their columns, resuming from
whatever an earlier start left in ``cache``.
"""

from crowdselect.registry import Registry
from crowdselect.scoring.analysis import Analysis, Slice, analyse
from crowdselect.scoring.base import Column, Pass, Sample, Scorer
from crowdselect.scoring.deita import Deita
from crowdselect.scoring.direct import Direct, GradePass
from crowdselect.scoring.engines import Engine
from crowdselect.scoring.experience import InstructionPass, diverse_middle
from crowdselect.scoring.ifd import IFD
from crowdselect.scoring.instag import InsTag, InsTagCrowdSelect, coverage
from crowdselect.scoring.instruction_mining import InstructionMining
from crowdselect.scoring.language_model import LanguageModel, ModelSpec
from crowdselect.scoring.run import ScoreTable, score
from crowdselect.scoring.selectit import SelectIT

SCORERS: Registry[type[Scorer]] = Registry(
    "scorer", [SelectIT, IFD, Direct, InsTag, InsTagCrowdSelect, Deita, InstructionMining]
)

__all__ = [
    "IFD",
    "SCORERS",
    "Analysis",
    "Column",
    "Deita",
    "Direct",
    "Engine",
    "GradePass",
    "InsTag",
    "InsTagCrowdSelect",
    "InstructionMining",
    "InstructionPass",
    "LanguageModel",
    "ModelSpec",
    "Pass",
    "Sample",
    "ScoreTable",
    "Scorer",
    "SelectIT",
    "Slice",
    "analyse",
    "coverage",
    "diverse_middle",
    "score",
]
