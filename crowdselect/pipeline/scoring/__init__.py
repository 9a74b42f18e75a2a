"""Scores that models give: columns of a crowd, or of a file (``crowdselect score``)."""

from crowdselect.pipeline.scoring.job import (
    ScoreConfig,
    check_source,
    create_score,
    file_samples,
    is_given_file,
    run_score_job,
)

__all__ = [
    "ScoreConfig",
    "check_source",
    "create_score",
    "file_samples",
    "is_given_file",
    "run_score_job",
]
