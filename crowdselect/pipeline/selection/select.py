"""Recipe -> selection: the one way that command line, Python and dashboard go."""

from __future__ import annotations

from crowdselect.chosen import Selection
from crowdselect.pipeline.selection.answers import model_names
from crowdselect.pipeline.selection.examples import training_rows
from crowdselect.pipeline.selection.report import full_report
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.selection.size import size_facts
from crowdselect.progress import Progress, silent
from crowdselect.store import Crowd
from crowdselect.values import Recipe


def select(crowd: Crowd | Session, recipe: Recipe, progress: Progress = silent) -> Selection:
    """Choose what ``recipe`` says: the same recipe on the same crowd gives the same selection.

    A session that is kept makes a second call quick. The selection has reasons, responses and the
    full report.

    Raises CrowdSelectError where the recipe names what the crowd does not have, weights nothing,
    pins more than the budget, or needs what is not installed. That fewer rows than asked for (or
    none) were found is not an error: ``report["status"]`` and ``report["warnings"]`` say so.

    >>> selection = cs.select(crowd, recipe)
    >>> selection.ids.tolist()
    ['q4', 'q0', 'q7']
    >>> selection.reasons[0]
    'Rank 1 of 3: score 1.857 = difficulty +0.857, separability +1.000.'
    """
    session = crowd if isinstance(crowd, Session) else Session(crowd)
    picks = session.picks(recipe, progress)
    counted = session.counted(recipe, progress)
    sized = {}
    if recipe.budget_in != "rows":
        sized["size"] = size_facts(recipe, session.sizes(recipe), picks.rows)
    columns, ties = session.answers(recipe).chosen(picks.rows, recipe.seed)
    return Selection(
        recipe=recipe,
        ids=session.crowd.ids[picks.rows],
        scores=picks.scores,
        contributions=picks.contributions,
        clusters=picks.clusters,
        reasons=picks.reasons,
        models=model_names(session.crowd, columns),
        report={
            **full_report(session, counted, picks, columns, ties, progress),
            **sized,
        },
        training_rows=training_rows(lambda: session.crowd),
    )
