"""What remains of the draft when one model, family or judge is left out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.charts.robustness import robustness as draw
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.text import md, percent, plural
from crowdselect.pipeline import Robustness
from crowdselect.store import Crowd
from crowdselect.values import Recipe


@cached(spinner="Choosing again without each part")
def robustness_of(crowd: Crowd, recipe: Recipe) -> Robustness:
    """The leave-one-out comparisons of ``recipe``."""
    return pipeline.robustness(reads.session(crowd), recipe)


def frame(found: Robustness) -> pd.DataFrame:
    """``kind``, ``left_out``, ``jaccard`` per part that was left out."""
    return pd.DataFrame(
        [{"kind": p.kind, "left_out": p.name, "jaccard": p.jaccard} for p in found.left_out]
    )


def least_words(found: Robustness) -> str:
    """The part that the selection depends on most, in a sentence."""
    least = found.left_out[0]
    return (
        f"Most depends on the {least.kind} {least.name}: without it {least.kept:,} of "
        f"{plural(found.selected, 'instruction')} stay (Jaccard {percent(least.jaccard)})."
    )


def show(crowd: Crowd, recipe: Recipe) -> None:
    """The figure with the sentence that matters; computed when the part is opened."""
    found = robustness_of(crowd, recipe)
    if not found.left_out:
        st.caption("There is nothing to leave out.")
        return
    st.text(least_words(found))
    shell.plot(draw(frame(found), shell.palette()), "robustness", "Overlap when a part is left out")
    st.caption(md("Clusters stay as they are; the metrics are computed anew without the part."))
