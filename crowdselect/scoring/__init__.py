"""Scoring with models: instructions and responses in, new metric columns out.

``SCORERS`` lists the scorers; ``score(samples, scorer, cache)`` makes their columns, resuming from
whatever an earlier start left in ``cache``.
"""

from crowdselect.registry import Registry
from crowdselect.scoring.base import Column, Pass, Sample, Scorer
from crowdselect.scoring.engines import Engine
from crowdselect.scoring.ifd import IFD
from crowdselect.scoring.language_model import LanguageModel, ModelSpec
from crowdselect.scoring.run import ScoreTable, score
from crowdselect.scoring.selectit import SelectIT

SCORERS: Registry[type[Scorer]] = Registry("scorer", [SelectIT, IFD])

__all__ = [
    "IFD",
    "SCORERS",
    "Column",
    "Engine",
    "LanguageModel",
    "ModelSpec",
    "Pass",
    "Sample",
    "ScoreTable",
    "Scorer",
    "SelectIT",
    "score",
]
