"""Pins, bans, tags and comments: shared by everybody who works on the crowd, and undoable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import streamlit as st

from crowdselect.dashboard import people, reads, state
from crowdselect.dashboard.cache import cached
from crowdselect.dashboard.text import md, plural
from crowdselect.readonly import read_only
from crowdselect.store import Crowd, NoteKind, NotesState
from crowdselect.values import IdArray, Recipe

Switch = Literal["pin", "ban", "review"]
"""Notes that are on or off."""
MOST_AT_ONCE = 5_000
BULK: dict[NoteKind, str] = {
    "pin": "Pin",
    "ban": "Ban",
    "unpin": "Unpin",
    "unban": "Unban",
    "review": "Mark as reviewed",
    "unreview": "Mark as not reviewed",
}
"""What can be done to many rows at once."""
WORDS = {
    "pin": "pinned",
    "unpin": "unpinned",
    "ban": "banned",
    "unban": "ban lifted from",
    "tag": "tagged",
    "untag": "tag removed from",
    "comment": "commented on",
    "review": "marked as reviewed",
    "unreview": "marked as not reviewed",
    "answer": "answer written for",
    "answer_of": "answer chosen for",
    "unanswer": "answer left to the recipe for",
}


def state_of(crowd: Crowd) -> NotesState:
    """What holds now; read again only when the file changed."""
    return reads.session(crowd).notes()


def _history(crowd: Crowd) -> list[dict[str, Any]]:
    """The notes that hold, oldest first; of thousands, a page cannot read them at every step."""
    return _notes(crowd, str(crowd.notes.path), crowd.notes.stamp)


@cached(most=8)
def _notes(crowd: Crowd, path: str, stamp: tuple[int, int]) -> list[dict[str, Any]]:
    return crowd.notes.history()


def with_notes(crowd: Crowd, recipe: Recipe) -> Recipe:
    """``recipe`` with the pins, bans and answers by hand that hold for its crowd."""
    held = state_of(crowd)
    said = {"pins": held.pins, "bans": held.bans, "answers": dict(held.answers)}
    return recipe.model_copy(update=said)


def marks(held: NotesState, id: str) -> str:  # noqa: A002 - an id is an id
    """A short sign per kind of note: pinned, banned, tags, commented."""
    parts = []
    if id in held.pins:
        parts.append("pinned")
    if id in held.bans:
        parts.append("banned")
    parts += [f"#{tag}" for tag in held.tags.get(id, ())]
    if id in held.comments:
        parts.append("\N{LEFT DOUBLE QUOTATION MARK}\N{HORIZONTAL ELLIPSIS}")
    return " ".join(parts)


def add(crowd: Crowd, kind: NoteKind, ids: Iterable[str], value: str = "") -> None:
    """Append one note per id, signed, and say so."""
    changed = [str(i) for i in ids]
    for i in changed:
        crowd.notes.append(kind, i, value, people.me())
    st.toast(f"{plural(len(changed), 'instruction')} {WORDS[kind]}.")


def switch(crowd: Crowd, kind: Switch, id: str) -> NoteKind:  # noqa: A002 - an id is an id
    """The note that pins, bans or marks as reviewed what is not, and lifts it where it is."""
    held = state_of(crowd)
    on = {"pin": held.pins, "ban": held.bans, "review": held.reviewed}
    lift: dict[Switch, NoteKind] = {"pin": "unpin", "ban": "unban", "review": "unreview"}
    return lift[kind] if id in on[kind] else kind


def undo(crowd: Crowd, times: int = 1) -> None:
    """Take back this visitor's last ``times`` notes, and say which."""
    back = [note for _ in range(times) if (note := crowd.notes.undo(people.me())) is not None]
    if not back:
        st.toast("There is nothing of yours to undo.")
    elif len(back) == 1:
        st.toast(f"Taken back: {told(back[0])}.")
    else:
        st.toast(f"{plural(len(back), 'note')} taken back, the last: {told(back[-1])}.")


def told(note: Mapping[str, Any]) -> str:
    """A note in a few words, as Markdown: what was said, and of which instruction."""
    value = f" ({md(note['value'], 40)})" if note.get("value") else ""
    return f"{WORDS[note['kind']]} {md(note['id'], 40)}{value}"


def bar(crowd: Crowd, id: str) -> None:  # noqa: A002 - an id is an id
    """Pin, ban, tag, comment and undo for one instruction."""
    held = state_of(crowd)
    if read_only():
        st.caption(md(marks(held, id)) or "Read-only: notes are switched off on this server.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        _toggle(crowd, id, "pin", shortcut="p")
        _toggle(crowd, id, "ban", shortcut="b")
        with st.popover("Tag", icon=":material/sell:"):
            _tags(crowd, id, held)
        with st.popover("Comment", icon=":material/comment:"):
            st.text_area("Comment", key="note comment", max_chars=2000)
            st.button("Add comment", on_click=_comment, args=(crowd, id))
        me = people.me()
        last = next((note for note in reversed(_history(crowd)) if me.wrote(note)), None)
        st.button(
            "Undo",
            icon=":material/undo:",
            disabled=last is None,
            help=f"Take back your last note: {told(last)}" if last else "Nothing of yours to undo",
            on_click=undo,
            args=(crowd,),
        )
        _signature()
    for tag in held.tags.get(id, ()):
        st.badge(md(tag), color="gray")
    for text in comments(crowd, id):
        st.text(text)


def comments(crowd: Crowd, id: str) -> list[str]:  # noqa: A002 - an id is an id
    """The comments on an instruction, oldest first, each with its author where one is known."""
    return [
        f"\N{LEFT DOUBLE QUOTATION MARK}{note['value']}\N{RIGHT DOUBLE QUOTATION MARK}"
        + (f" {note['author']}, {note['at'][:10]}" if note.get("author") else "")
        for note in _history(crowd)
        if note["kind"] == "comment" and note["id"] == id
    ]


def _signature() -> None:
    """Who signs the notes: the account, or a name that is typed once."""
    name = people.me().name
    if people.logged_in():
        st.caption(f"as {md(name, 40)}")
        return
    with st.popover(md(name, 24) if name else "Your name", icon=":material/person:"):
        st.text_input(
            "Your name",
            value=name,
            key="note name",
            max_chars=people.MOST_LETTERS,
            on_change=_named,
            help="Notes are signed with it. This browser keeps it.",
        )


def _named() -> None:
    people.call_me(st.session_state["note name"])
    state.want_whole_page()  # the browser is told outside of the fragment


def _toggle(crowd: Crowd, id: str, kind: Switch, *, shortcut: str) -> None:  # noqa: A002
    icon = {"pin": ":material/keep:", "ban": ":material/block:"}[kind]
    change = switch(crowd, kind, id)
    on = change != kind
    st.button(
        f"Un{kind}" if on else kind.capitalize(),
        key=f"note {kind}",
        icon=icon,
        type="primary" if on else "secondary",
        shortcut=shortcut,
        on_click=add,
        args=(crowd, change, [id]),
    )


def _tags(crowd: Crowd, id: str, held: NotesState) -> None:  # noqa: A002
    known = sorted({tag for tags in held.tags.values() for tag in tags})
    st.selectbox(
        "Tag", known, index=None, accept_new_options=True, key="note tag",
        placeholder="Choose or write a tag",
    )  # fmt: skip
    st.button("Add tag", on_click=_tag, args=(crowd, [id]))
    for tag in held.tags.get(id, ()):
        st.button(f"Remove {md(tag)}", key=f"untag {tag}", on_click=add,
                  args=(crowd, "untag", [id], tag))  # fmt: skip


def _tag(crowd: Crowd, ids: Iterable[str]) -> None:
    if tag := st.session_state["note tag"]:
        add(crowd, "tag", ids, tag)


def _comment(crowd: Crowd, id: str) -> None:  # noqa: A002
    if (text := st.session_state["note comment"]).strip():
        add(crowd, "comment", [id], text)
        st.session_state["note comment"] = ""


def bulk(crowd: Crowd, ticked: IdArray, listed: IdArray, name: str) -> None:
    """Act on the ticked rows, or on everything the table lists (not just its page)."""
    if read_only():
        return
    ids = ticked if len(ticked) else listed
    what = f"{len(ids):,} ticked" if len(ticked) else f"all {len(ids):,} listed"
    many = len(ids) > MOST_AT_ONCE
    hint = f"At most {MOST_AT_ONCE:,} at once: tick some, or filter first." if many else None
    with st.popover(f"Act on {what}", disabled=many, help=hint):
        st.caption(f"{plural(len(ids), 'instruction')}; notes can be undone.")
        for kind, label in BULK.items():
            st.button(label, key=f"bulk {name} {kind}", on_click=_bulk,
                      args=(crowd, kind, ids), width="stretch")  # fmt: skip
        tag = st.text_input("Tag", key=f"bulk {name} tag", max_chars=60)
        st.button("Add tag", key=f"bulk {name} add tag", on_click=_bulk,
                  args=(crowd, "tag", ids, tag), disabled=not tag, width="stretch")  # fmt: skip
        last = st.session_state.get("_bulk", 0)
        st.button(f"Undo the last {plural(last, 'note')}", key=f"bulk {name} undo",
                  on_click=_undo_bulk, args=(crowd,), disabled=not last)  # fmt: skip


def _bulk(crowd: Crowd, kind: NoteKind, ids: IdArray, value: str = "") -> None:
    add(crowd, kind, ids.tolist(), value)
    st.session_state["_bulk"] = len(ids)


def _undo_bulk(crowd: Crowd) -> None:
    undo(crowd, st.session_state.pop("_bulk", 0))


def recipe_note(recipe: Recipe) -> str:
    """What the notes add to a recipe, in words."""
    parts = []
    if recipe.pins:
        parts.append(plural(len(recipe.pins), "pinned instruction") + " always in")
    if recipe.bans:
        parts.append(plural(len(recipe.bans), "banned instruction") + " always out")
    if recipe.answers:
        parts.append(plural(len(recipe.answers), "answer") + " written or chosen by hand")
    return ", ".join(parts)


def current(crowd: Crowd) -> Recipe:
    """The visitor's draft with the crowd's pins and bans."""
    return with_notes(crowd, state.draft())
