"""Studies: does choosing help? Arms x grid x seeds, trained, tested and compared honestly.

``plan = read_plan(Path("study.toml"))`` says what is compared; ``create(workspace, plan)`` makes a
job of it (``jobs.start``, ``jobs.run_here``), ``read_study(find_study(workspace, name), split)``
gives the table at any time. Recipes are tuned on ``development`` and reported on ``test``.

- ``plan``: the TOML file, and the rows that its arms and grid make
- ``cells``: one row with one seed, from its training data to its answers; nothing is made twice
- ``looks``: the journal of who has looked at which questions
- ``tuning``, ``tuned``: recipes fitted on development, by a ``datamodel`` or by ``optimising``
- ``cost``: what a study will take; ``choosing``: the training data of its cells
- ``results``: rows, paired differences, corrections over everything tried, the power line
- ``team``: worker processes that stay warm; ``job``: a study from its choosing to its table
"""

from crowdselect.pipeline.study.cells import Study, find_study, study_names
from crowdselect.pipeline.study.cost import Cost, cost_of
from crowdselect.pipeline.study.job import create
from crowdselect.pipeline.study.job import run as run_study_job
from crowdselect.pipeline.study.looks import JOURNAL, Look, looks_at
from crowdselect.pipeline.study.plan import (
    SPLITS,
    Arm,
    Row,
    StudyPlan,
    check_plan,
    only_arms,
    read_plan,
    rows_of,
)
from crowdselect.pipeline.study.results import RowResult, StudyResult, power_line, read_study
from crowdselect.pipeline.study.tuned import Fitted, fitted_rows, in_words
from crowdselect.pipeline.study.tuning import Tune

__all__ = [
    "JOURNAL",
    "SPLITS",
    "Arm",
    "Cost",
    "Fitted",
    "Look",
    "Row",
    "RowResult",
    "Study",
    "StudyPlan",
    "StudyResult",
    "Tune",
    "check_plan",
    "cost_of",
    "create",
    "find_study",
    "fitted_rows",
    "in_words",
    "looks_at",
    "only_arms",
    "power_line",
    "read_plan",
    "read_study",
    "rows_of",
    "run_study_job",
    "study_names",
]
