"""What remains of the draft when one model, family or judge is left out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from crowdselect import pipeline
from crowdselect.charts.robustness import robustness as draw
from crowdselect.dashboard import reads, shell
from crowdselect.dashboard.text import md, percent, plural
from crowdselect.pipeline import Robustness
from crowdselect.store import Crowd
from crowdselect.values import Recipe


@st.cache_resource(max_entries=reads.KEPT, show_spinner="Choosing again without each part")
def _robustness(_crowd: Crowd, key: str, recipe: Recipe) -> Robustness:
    return pipeline.robustness(_crowd, recipe, session=reads.session(_crowd))


def show(crowd: Crowd, recipe: Recipe) -> None:
    """The figure with the sentence that matters; computed when the part is opened."""
    found = _robustness(crowd, reads.key(crowd), recipe)
    if not found.left_out:
        st.caption("There is nothing to leave out.")
        return
    least = found.left_out[0]
    st.text(
        f"Most depends on the {least.kind} {least.name}: without it "
        f"{least.kept:,} of {plural(found.selected, 'instruction')} stay "
        f"(Jaccard {percent(least.jaccard)})."
    )
    frame = pd.DataFrame(
        [{"kind": p.kind, "left_out": p.name, "jaccard": p.jaccard} for p in found.left_out]
    )
    shell.plot(draw(frame, shell.palette()), "robustness", "Overlap when a part is left out")
    st.caption(md("Clusters stay as they are; the metrics are computed anew without the part."))
