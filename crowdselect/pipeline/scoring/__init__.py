"""Scores that models give: columns of a crowd, or of a file (``crowdselect score``)."""

from crowdselect.pipeline.scoring.job import (
    check_source,
    create_score,
    file_samples,
    is_given_file,
    make_scorer,
    run_score_job,
    score_samples,
)
from crowdselect.scoring import ScoreConfig

__all__ = [
    "ScoreConfig",
    "check_source",
    "create_score",
    "file_samples",
    "is_given_file",
    "make_scorer",
    "run_score_job",
    "score_samples",
]
