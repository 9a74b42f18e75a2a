"""Scores that models give: columns of a crowd, or of a file (``crowdselect score``)."""

from crowdselect.pipeline.scoring.job import (
    check_source,
    create_score,
    file_samples,
    is_given_file,
    run_score_job,
)
from crowdselect.scoring import ScoreConfig

__all__ = [
    "ScoreConfig",
    "check_source",
    "create_score",
    "file_samples",
    "is_given_file",
    "run_score_job",
]
