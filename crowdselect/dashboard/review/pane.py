"""The reading pane: one row whole, the answer that is trained on, why it is in, and its notes."""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import notes, reads, table
from crowdselect.dashboard.instruction import training
from crowdselect.dashboard.text import md, number, percent
from crowdselect.pipeline import Listing
from crowdselect.readonly import read_only
from crowdselect.store import Crowd
from crowdselect.values import BY_HAND


def show(crowd: Crowd, line: Listing, trail: Listing, place: int, height: int) -> None:
    """``line`` is a list of one, at ``place`` (from 0) of ``trail``."""
    row = int(line.rows[0])
    identity = str(crowd.ids[row])
    with st.container(border=True, height=height, key="review pane"):
        st.caption(_where(line, len(trail), place, identity))
        _reviewed(crowd, identity)
        notes.bar(crowd, identity)
        st.text(crowd.instruction_texts([row])[0])
        _answer(crowd, line, row, identity)
        _why(line)
        if facts := crowd.instruction(row).extra:
            told = [f"{md(name)}: {md(value, 200)}" for name, value in facts.items()]
            st.caption(" \N{MIDDLE DOT} ".join(told))
        st.button(
            "All answers",
            icon=":material/open_in_full:",
            on_click=table.open_instruction,
            args=(identity, crowd.ids[trail.rows]),
        )


def _reviewed(crowd: Crowd, identity: str) -> None:
    if read_only():
        return
    change = notes.switch(crowd, "review", identity)
    done = change != "review"
    st.button(
        "Reviewed" if done else "Mark as reviewed",
        icon=":material/check:",
        type="primary" if done else "secondary",
        shortcut="m",
        on_click=notes.add,
        args=(crowd, change, [identity]),
    )


def _where(line: Listing, total: int, place: int, identity: str) -> str:
    parts = [f"{place + 1:,} of {total:,}"]
    if line.only_in:
        parts.append(f"only in {md(line.only_in[0], 40)}")
    if line.ranks[0]:
        parts.append(f"rank {line.ranks[0]:,}")
    if cluster := line.cluster_names[0]:
        parts.append(f"cluster {md(cluster, 60)}")
    return " \N{MIDDLE DOT} ".join([*parts, md(identity, 60)])


def _answer(crowd: Crowd, line: Listing, row: int, identity: str) -> None:
    model = line.models[0]
    if not model:
        st.caption("No answer is trained on here.")
        _swap(crowd, line, row, identity)
        return
    st.markdown(f"**Trained on: {md(model, 60)}**")
    st.caption(_rewarded(crowd, line))
    st.text(line.texts_of_answers()[0] or "")
    _swap(crowd, line, row, identity)


def _rewarded(crowd: Crowd, line: Listing) -> str:
    judge = reads.judge_of(crowd, line.recipe)
    if line.models[0] == BY_HAND:
        return f"Written by hand: {training.UNGRADED}."
    if judge is None or line.tied[0] == 0:
        return "No reward."
    tied = int(line.tied[0])
    alone = f"tied with {tied - 1:,} more" if tied > 1 else "not tied"
    return f"Reward {number(float(line.rewards[0]))} by {md(judge)}, {alone}."


def _swap(crowd: Crowd, line: Listing, row: int, identity: str) -> None:
    """Another model's answer, or one's own words: as on the instruction's page."""
    answers = crowd.answers(row)
    instruction = crowd.instruction(row)
    trained = training.marked(crowd, line.recipe, row, instruction, answers)
    training.edit(crowd, identity, answers, trained, line.recipe.answer)
    held = notes.state_of(crowd).answers.get(identity)
    if held is not None and identity not in line.recipe.answers:
        st.caption("Another answer was chosen by hand since: it holds in what is selected anew.")


def _why(line: Listing) -> None:
    if not line.ranks[0]:
        st.caption("Not selected.")
        return
    st.text(line.words()[0])
    parts = [f"{md(name)} {percent(float(values[0]))}" for name, values in line.shares.items()
             if values[0] == values[0]]  # fmt: skip
    st.caption(f"Score {number(float(line.scores[0]))}: {', '.join(parts)}.")
