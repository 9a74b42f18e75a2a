"""The reading pane: one row whole, the answer that is trained on, why it is in, and its notes."""

from __future__ import annotations

import streamlit as st

from crowdselect.dashboard import notes, reads, table
from crowdselect.dashboard.text import md, number, percent
from crowdselect.pipeline import Listing
from crowdselect.readonly import read_only
from crowdselect.store import Crowd

POLICY = ""
"""Instead of a model: the answer that the recipe's policy takes."""
SWAP = "review answer"


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
    done = identity in notes.state_of(crowd).reviewed
    st.button(
        "Reviewed" if done else "Mark as reviewed",
        icon=":material/check:",
        type="primary" if done else "secondary",
        shortcut="m",
        on_click=notes.add,
        args=(crowd, "unreview" if done else "review", [identity]),
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
        return
    st.markdown(f"**Trained on: {md(model, 60)}**")
    st.caption(_rewarded(crowd, line))
    st.text(line.texts_of_answers()[0] or "")
    if not read_only():
        _swap(crowd, line, row, identity)


def _rewarded(crowd: Crowd, line: Listing) -> str:
    judge = reads.judge_of(crowd, line.recipe)
    if judge is None or line.tied[0] == 0:
        return "No reward."
    tied = int(line.tied[0])
    alone = f"tied with {tied - 1:,} more" if tied > 1 else "not tied"
    return f"Reward {number(float(line.rewards[0]))} by {md(judge)}, {alone}."


def _swap(crowd: Crowd, line: Listing, row: int, identity: str) -> None:
    answers = crowd.answers(row).dropna(subset=["response"])
    judge = crowd.judges[0] if crowd.judges else None
    rewards = dict(zip(answers["model"], answers[judge] if judge else [None] * len(answers),
                       strict=True))  # fmt: skip
    order = sorted(rewards, key=lambda m: -(rewards[m] if rewards[m] == rewards[m] else -1e300)
                   if judge else 0)  # fmt: skip
    held = notes.state_of(crowd).answers.get(identity)
    key = f"{SWAP} {identity}"
    chosen = held.model if held is not None else POLICY
    st.session_state[key] = chosen if chosen in rewards else POLICY
    st.selectbox(
        "Train on another answer",
        [POLICY, *order],
        key=key,
        format_func=lambda m: f"{m}, reward {number(rewards[m])}" if m else "as the recipe says",
        on_change=_swapped,
        args=(crowd, identity, key),
        help="Kept as a note, with its author; it holds for every selection made from now on.",
    )


def _swapped(crowd: Crowd, identity: str, key: str) -> None:
    model = st.session_state[key]
    if model:
        notes.add(crowd, "answer_of", [identity], model)
    else:
        notes.add(crowd, "unanswer", [identity])


def _why(line: Listing) -> None:
    if not line.ranks[0]:
        st.caption("Not selected.")
        return
    st.text(line.words()[0])
    parts = [f"{md(name)} {percent(float(values[0]))}" for name, values in line.shares.items()
             if values[0] == values[0]]  # fmt: skip
    st.caption(f"Score {number(float(line.scores[0]))}: {', '.join(parts)}.")
