"""The spine: a module per stage, in the order of the work. Read this first.

=============  =====================================================  ======================
module         function                                               gives
=============  =====================================================  ======================
ingest         ``ingest(workspace, source, paths)``, ``open_crowd``   a ``Crowd``
metrics        ``metrics(crowd, names)``, ``available_metrics``       ``Scores``
landscape      ``landscape(crowd, encoder, clusters)``                ``Landscape``
selection      ``select(crowd, recipe)``                              ``Selection``
               ``robustness(crowd, recipe)``                          ``Robustness``
               ``list_draft(session, recipe)``, ``list_saved``        ``Listing``
               ``save_selection``, ``load_selection``, ``compare``    ``SavedSelection`` ...
export         ``export(workspace, selection, format)``               ``Export``
=============  =====================================================  ======================

``select`` and ``robustness`` stand above ``Session``, a crowd opened for choosing again and again;
they take a crowd or a session that is kept, and only those who choose live ask the session itself.

What needs a model is not imported here, so that this stays quick to import; each makes a job
(``crowdselect.jobs``) that reports, can be cancelled and resumes:

=============  =====================================================  ======================
making         answers of models, rewards of judges                    ``Crowd``, grown
scoring        a column of scores by a model                          ``Scores``
finetune       ``finetune(workspace, source, model)``                 a run
benchmark      ``subject_of(workspace, run)``                         what to benchmark
=============  =====================================================  ======================

Each takes a ``Workspace`` or a ``Crowd`` first and ``progress`` last.
"""

from crowdselect.export import Export
from crowdselect.pipeline.damaged import damaged, damaged_crowds, damaged_runs
from crowdselect.pipeline.decontamination import (
    Contamination,
    contamination,
    contamination_of,
    remember,
    without_contamination,
)
from crowdselect.pipeline.export import export
from crowdselect.pipeline.ingest import (
    Crowd,
    crowd_names,
    ingest,
    is_demo,
    open_crowd,
    preview,
    remove_crowd,
)
from crowdselect.pipeline.landscape import (
    CLUSTERED,
    Landscape,
    cluster_labels,
    clustering,
    clustering_of,
    encoder_of,
    fast_clusters,
    has_first_look,
    has_landscape,
    has_vectors,
    landscape,
    plane_of,
    run_landscape_job,
    vectors,
)
from crowdselect.pipeline.metrics import (
    LIKES,
    MetricInfo,
    available_metrics,
    judge_of,
    metrics,
    quality_judges,
)
from crowdselect.pipeline.selection.answers import Answers, answered, answers_of, combined_rewards
from crowdselect.pipeline.selection.comparison import Comparison, compare
from crowdselect.pipeline.selection.explaining import Explained, explain
from crowdselect.pipeline.selection.listing import (
    SHARE,
    Listing,
    list_all,
    list_draft,
    list_saved,
    sort_names,
    unshared,
)
from crowdselect.pipeline.selection.quality import (
    answer_facts,
    answer_warnings,
    answer_words,
    gate_facts,
)
from crowdselect.pipeline.selection.recipes import follows_encoder, with_selection_ids
from crowdselect.pipeline.selection.robustness import Robustness, robustness
from crowdselect.pipeline.selection.saving import (
    SavedSelection,
    damaged_selections,
    find_selection,
    list_selections,
    load_selection,
    remove_selection,
    rename_selection,
    save_selection,
)
from crowdselect.pipeline.selection.select import select
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.selection.target_rows import MOST as MOST_EXAMPLES
from crowdselect.pipeline.selection.target_rows import keep_rows
from crowdselect.pipeline.targets import (
    TAG,
    keep_target,
    target_words,
    with_target,
    with_targets,
)
from crowdselect.selection import LeftOut

__all__ = [
    "CLUSTERED",
    "LIKES",
    "MOST_EXAMPLES",
    "SHARE",
    "TAG",
    "Answers",
    "Comparison",
    "Contamination",
    "Crowd",
    "Explained",
    "Export",
    "Landscape",
    "LeftOut",
    "Listing",
    "MetricInfo",
    "Robustness",
    "SavedSelection",
    "Session",
    "answer_facts",
    "answer_warnings",
    "answer_words",
    "answered",
    "answers_of",
    "available_metrics",
    "cluster_labels",
    "clustering",
    "clustering_of",
    "combined_rewards",
    "compare",
    "contamination",
    "contamination_of",
    "crowd_names",
    "damaged",
    "damaged_crowds",
    "damaged_runs",
    "damaged_selections",
    "encoder_of",
    "explain",
    "export",
    "fast_clusters",
    "find_selection",
    "follows_encoder",
    "gate_facts",
    "has_first_look",
    "has_landscape",
    "has_vectors",
    "ingest",
    "is_demo",
    "judge_of",
    "keep_rows",
    "keep_target",
    "landscape",
    "list_all",
    "list_draft",
    "list_saved",
    "list_selections",
    "load_selection",
    "metrics",
    "open_crowd",
    "plane_of",
    "preview",
    "quality_judges",
    "remember",
    "remove_crowd",
    "remove_selection",
    "rename_selection",
    "robustness",
    "run_landscape_job",
    "save_selection",
    "select",
    "sort_names",
    "target_words",
    "unshared",
    "vectors",
    "with_selection_ids",
    "with_target",
    "with_targets",
    "without_contamination",
]
