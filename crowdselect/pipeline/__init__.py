"""The spine: one function per stage, in the order of the work. Read this first.

=============  =====================================================  ======================
stage          function                                               gives
=============  =====================================================  ======================
ingest         ``ingest(workspace, source, paths)``                   a ``Crowd``
metrics        ``metrics(crowd, names)``, ``available_metrics``       ``Scores``
landscape      ``landscape(crowd, encoder, clusters)``                ``Landscape``
selection      ``select(crowd, recipe)``, ``Session`` for live use    ``Selection``
               ``robustness(crowd, recipe)``                          ``Robustness``
               ``save_selection``, ``load_selection``, ``compare``    ``SavedSelection`` ...
export         ``export(workspace, selection, format)``               ``Export``
=============  =====================================================  ======================

What needs a model is a module of its own, so that this one stays quick to import; each makes a
job (``crowdselect.jobs``) that reports, can be cancelled and resumes:

=============  =====================================================  ======================
crowd          ``generating``, ``judging``: answers, rewards          ``Crowd``, grown
scores         ``scoring``: a column of scores by a model             ``Scores``
fine-tuning    ``finetuning.finetune(workspace, source, model)``      a run
benchmark      ``benchmarking.subject_of(workspace, run)``            what to benchmark
report         ``reporting``: the whole story as one page             HTML
=============  =====================================================  ======================

Each takes a ``Workspace`` or a ``Crowd`` first and ``progress`` last. Command line, dashboard and
scripts call these and nothing below.
"""

from crowdselect.export import Export
from crowdselect.pipeline.choosing import Session, select
from crowdselect.pipeline.comparing import Comparison, compare
from crowdselect.pipeline.crowds import crowd_names, ingest, open_crowd, remove_crowd
from crowdselect.pipeline.exporting import (
    Contamination,
    contamination,
    export,
    without_contamination,
)
from crowdselect.pipeline.landscapes import (
    Landscape,
    clustering,
    fast_clusters,
    has_landscape,
    landscape,
    plane_of,
    run_landscape_job,
    vectors,
)
from crowdselect.pipeline.robust import Robustness, robustness
from crowdselect.pipeline.saved import (
    SavedSelection,
    find_selection,
    list_selections,
    load_selection,
    remove_selection,
    rename_selection,
    save_selection,
)
from crowdselect.pipeline.scores import MetricInfo, available_metrics, judge_of, metrics
from crowdselect.selection import LeftOut

__all__ = [
    "Comparison",
    "Contamination",
    "Export",
    "Landscape",
    "LeftOut",
    "MetricInfo",
    "Robustness",
    "SavedSelection",
    "Session",
    "available_metrics",
    "clustering",
    "compare",
    "contamination",
    "crowd_names",
    "export",
    "fast_clusters",
    "find_selection",
    "has_landscape",
    "ingest",
    "judge_of",
    "landscape",
    "list_selections",
    "load_selection",
    "metrics",
    "open_crowd",
    "plane_of",
    "remove_crowd",
    "remove_selection",
    "rename_selection",
    "robustness",
    "run_landscape_job",
    "save_selection",
    "select",
    "vectors",
    "without_contamination",
]
