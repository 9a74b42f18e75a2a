"""Models answer and judges score: a crowd is made, or grows (``crowdselect crowd generate``)."""

from crowdselect.making import GenerateConfig, JudgingConfig
from crowdselect.pipeline.making.agreement import add_agreement, likes_name
from crowdselect.pipeline.making.costs import (
    check_cost,
    generating_cost,
    judging_cost,
    scoring_cost,
)
from crowdselect.pipeline.making.job import (
    create_generate,
    create_judge,
    describe_end,
    run_generate_job,
    run_judge_job,
)

__all__ = [
    "GenerateConfig",
    "JudgingConfig",
    "add_agreement",
    "check_cost",
    "create_generate",
    "create_judge",
    "describe_end",
    "generating_cost",
    "judging_cost",
    "likes_name",
    "run_generate_job",
    "run_judge_job",
    "scoring_cost",
]
