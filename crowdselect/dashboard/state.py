"""A visitor's state: a draft recipe and the pages' view settings, both carried by the link.

They are read from the address once per session, kept in the session, and written back to the
address, so that leaving a page loses nothing and a copied link opens the same. (Streamlit's own
``bind="query-params"`` drops a parameter as soon as its widget is on another page, so a link could
not carry a recipe from page to page.)

Who owns what is decided here. The draft and the view settings are the truth; a widget shows them
and tells of a change. :func:`recipe_widget` and :func:`view_widget` give a widget its value
whenever it is drawn, so whatever changes the draft (a preset, a chip, a saved recipe) need not know
which widgets show it, and never takes a value away from a widget that is not drawn in this run: a
click inside a fragment draws the fragment only, and Streamlit fails at the next click where a
widget outside of it has lost its value.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal, TypedDict, TypeVar

import streamlit as st

from crowdselect.dashboard.link import (
    from_params,
    is_recipe_param,
    read_value,
    to_params,
    write_value,
)
from crowdselect.dashboard.text import md
from crowdselect.errors import CrowdSelectError, InputError
from crowdselect.landscape import default_encoder
from crowdselect.values import Filters, Recipe

DRAFT = "_draft"
VIEW = "_view"
DEFAULTS = "_view_defaults"
PAGE = "_page"
RECIPE_WIDGET = "r."
VIEW_WIDGET = "v."
SET = "_view_set"
"""View settings that were set from outside their widgets, which do not say so yet."""
PUBLISHED = "_published"
"""Page and parameters that were last written into the address."""
NEWS = "_news"
"""What is to be said when the page is drawn next."""
WHOLE = "_whole_page"
"""Whether something changed that stands outside of the fragment that runs."""
PARTITION = ("encoder", "clusters", "clustering", "seed", "mix")
"""Fields of a recipe that make its clusters: edits and filters of clusters go with a change."""
OF_TEXTS = {"texts", "lengths", "vectors"}
"""What filters need that mean the same for every crowd."""
DEFAULT_BUDGET = 1000
"""The paper's; a fifth of a crowd that has fewer than five times as many."""
V = TypeVar("V")


def start(
    page: str,
    crowds: list[str],
    size: Callable[[str], int],
    encoders: Callable[[], Collection[str]],
) -> None:
    """Begin a run of ``page``; in a new session read the link.

    ``crowds`` are the names there are; ``size`` tells how many instructions one has; a link may
    name one of ``encoders``.
    """
    session = st.session_state
    session[PAGE] = page
    if VIEW not in session:
        params = st.query_params.to_dict()
        session[VIEW] = {k: read_value(v) for k, v in params.items() if not is_recipe_param(k)}
        session[DEFAULTS] = {}
        session[SET] = set()
        session["_link"] = params
    if DRAFT not in session and crowds:
        session[DRAFT] = _draft_from_link(session.pop("_link"), crowds, size, encoders)
    elif crowds and draft().crowd not in crowds:
        change_crowd(crowds[0], size)
    collect()
    if PUBLISHED in session:
        _follow_history(lambda params: _draft_from_link(params, crowds, size, encoders))


def _follow_history(read: Callable[[dict[str, str]], Recipe]) -> None:
    """After the browser's Back or Forward the address is the truth.

    Only then does it say something that was not written last while nothing else changed.
    """
    session = st.session_state
    shown, written = session[PUBLISHED]
    params = st.query_params.to_dict()
    if params in ({}, written) or _params(shown) != written:
        return
    session[DRAFT] = read(params)
    page = session[PAGE] + "."
    views = {k: read_value(v) for k, v in params.items() if not is_recipe_param(k)}
    for full in [name for name in session[VIEW] if name.startswith(page)]:
        views.setdefault(full, session[DEFAULTS].get(full))
    for full, value in views.items():
        _set_view(full, value)


def _draft_from_link(
    params: dict[str, str],
    crowds: list[str],
    size: Callable[[str], int],
    encoders: Callable[[], Collection[str]],
) -> Recipe:
    wanted = params.get("crowd", crowds[0])
    crowd = wanted if wanted in crowds else crowds[0]
    if crowd != wanted:
        st.toast(f"The link names a crowd that is not here; {crowd} is shown instead.")
    # What is installed decides the encoder; the slider's clusters are there at once.
    budget = usual_budget(size(crowd))
    defaults = {"encoder": default_encoder(), "clustering": "fast", "budget": budget}
    encoder = params.get("encoder")
    if encoder is not None and encoder not in encoders():
        # Any other name would make the server read a folder, or ask a hub, because a link says so.
        st.toast("The link names an encoder that is not used here; the usual one is taken.")
        params = {name: text for name, text in params.items() if name != "encoder"}
    if params.get("tokenizer"):  # so would its name
        st.toast("A link names no tokeniser; choose one.")
        params = {k: t for k, t in params.items() if k not in ("tokenizer", "budget_in", "budget")}
    try:
        return from_params(params, crowd, defaults)
    except InputError as error:
        st.toast(md(error.problem))
        return from_params({}, crowd, defaults)


def usual_budget(n: int) -> int:
    """How many of ``n`` instructions are chosen as long as nobody said otherwise."""
    return min(DEFAULT_BUDGET, max(1, n // 5))


def draft() -> Recipe:
    """The recipe as this visitor has it now."""
    recipe: Recipe = st.session_state[DRAFT]
    return recipe


def has_draft() -> bool:
    """Tell whether there is a draft: there is none as long as there is no crowd."""
    return DRAFT in st.session_state


def adopt(recipe: Recipe) -> None:
    """Replace the draft from outside its widgets (a preset, a saved recipe, a removed chip)."""
    if has_draft() and (recipe.crowd, recipe.judge) != (draft().crowd, draft().judge):
        want_whole_page()
    st.session_state[DRAFT] = recipe


def want_whole_page() -> None:
    """Draw the whole page next, not the fragment alone in which somebody clicked."""
    st.session_state[WHOLE] = True


def whole_page_wanted() -> bool:
    """Tell, once, whether something changed that stands outside of every fragment."""
    return bool(st.session_state.pop(WHOLE, False))


def amend(**changes: Any) -> None:
    """Change fields of the draft; values that cannot be are said, and the draft stays."""
    try:
        if any(changes.get(f, getattr(draft(), f)) != getattr(draft(), f) for f in PARTITION):
            filters = changes.get("filters", draft().filters.model_dump(mode="json"))
            changes |= {"cluster_edits": (), "filters": {**filters, "clusters": ()}}
        data = draft().model_dump(mode="json") | changes
        st.session_state[DRAFT] = Recipe.parse(data, "The recipe")
    except CrowdSelectError as error:
        st.toast(md(error.problem))


def set_clusters(k: int) -> None:
    """Change the number of clusters; what was said of the old ones goes."""
    amend(clusters=k)


def change_filters(**changes: Any) -> None:
    """Change the draft's filters; values that cannot be are said, and the draft stays."""
    amend(filters=draft().filters.model_dump(mode="json") | changes)


def change_crowd(name: str, size: Callable[[str], int]) -> None:
    """Open another crowd: what refers to the old one's clusters, judges and points is dropped.

    A budget that the old crowd's ``size`` decided, or that the new one has not, follows.
    """
    old = draft()
    filters = Filters.parse(
        {d.name: value for d, value in old.filters.active() if d.needs in OF_TEXTS}, "The filters"
    )
    changes: dict[str, Any] = {"crowd": name, "judge": None, "filters": filters}
    changes |= {"pins": (), "bans": (), "answers": {}, "cluster_edits": (), "mix": ""}
    usual = old.budget in (usual_budget(size(old.crowd)), 0) or old.budget > size(name)
    if usual and old.budget_in == "rows":
        changes["budget"] = usual_budget(size(name))
    adopt(old.model_copy(update=changes))


def tell(text: str) -> None:
    """Say ``text`` once, when the page is drawn next: a toast that a rerun cannot swallow."""
    st.session_state.setdefault(NEWS, []).append(text)


def say_news() -> None:
    """Say what :func:`tell` was told."""
    for text in st.session_state.pop(NEWS, []):
        st.toast(text)


class Own(TypedDict):
    """What a widget of the draft or of a page's view is drawn with."""

    key: str
    persist_state: Literal["page"]
    """Streamlit tells a widget its value once. One whose program is still on its way to the browser
    would miss that, stand at its lowest value, and give it to the draft with the next click; what
    persists is told until the browser has shown that it knows."""


def recipe_widget(name: str, value: Any, *, folded: bool = False) -> Own:
    """Give the widget ``name`` of the draft the ``value`` that the draft has.

    ``folded``: it stands in a popover, which the browser fills when it opens. What was told before
    is lost by then, and an empty widget would show, so it is told its value in every run.
    """
    return _shown(RECIPE_WIDGET + name, value, folded=folded)


def _shown(key: str, value: Any, *, folded: bool = False) -> Own:
    if folded or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return Own(key=key, persist_state="page")


def widget(name: str) -> Any:
    """The present value of the widget ``name`` of the draft; for its callback."""
    return st.session_state[RECIPE_WIDGET + name]


def view_widget(
    name: str, default: V, choices: Collection[V] | None = None, *, folded: bool = False
) -> Own:
    """Give the widget of the view setting ``page.name`` its value.

    ``folded``: see :func:`recipe_widget`. A value from a link that is of another type, or not among
    ``choices``, becomes the default.
    """
    full = f"{st.session_state[PAGE]}.{name}"
    value = _view(full, default)
    if not _fits(value, default, choices):
        value = default
    st.session_state[SET].discard(full)
    return _shown(VIEW_WIDGET + full, value, folded=folded)


def view(name: str, default: V) -> V:
    """The present value of the view setting ``page.name``."""
    value = _view(f"{st.session_state[PAGE]}.{name}", default)
    return value if _fits(value, default, None) else default


def _view(full: str, default: Any) -> Any:
    session = st.session_state
    session[DEFAULTS][full] = default
    kept = session[VIEW].get(full, default)
    return kept if full in session[SET] else session.get(VIEW_WIDGET + full, kept)


def set_view(name: str, value: Any, page: str | None = None) -> None:
    """Set the view setting ``page.name``; its widget says so when it is drawn again."""
    _set_view(f"{page or st.session_state[PAGE]}.{name}", value)


def _set_view(full: str, value: Any) -> None:
    st.session_state[VIEW][full] = value
    if VIEW_WIDGET + full in st.session_state:
        st.session_state[SET].add(full)


def collect() -> None:
    """Keep the values of the view widgets that are alive; other pages' stay as they were."""
    for key in list(st.session_state):
        full = str(key).removeprefix(VIEW_WIDGET)
        if str(key).startswith(VIEW_WIDGET) and full not in st.session_state[SET]:
            st.session_state[VIEW][full] = st.session_state[key]


def publish() -> None:
    """Write draft and view settings of this page into the address, unless it says so already."""
    if DRAFT not in st.session_state:
        return
    collect()
    wanted = _params(st.session_state[PAGE])
    st.session_state[PUBLISHED] = (st.session_state[PAGE], wanted)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def address_of(page: str) -> dict[str, str]:
    """The parameters of a link to ``page`` as it is now; empty without a crowd."""
    return _params(page) if has_draft() else {}


def _params(page: str) -> dict[str, str]:
    """What the address of ``page`` says: the draft, and view settings that are no defaults."""
    recipe = draft()
    # What a new session decides by itself is written even where it is a recipe's default.
    wanted = {name: write_value(getattr(recipe, name)) for name in ("budget", "clustering")}
    wanted |= {"encoder": recipe.encoder, **to_params(recipe)}
    for name, value in st.session_state[VIEW].items():
        default = st.session_state[DEFAULTS].get(name)
        if name.startswith(page + ".") and value not in (None, default):
            wanted[name] = write_value(value)
    return wanted


def _fits(value: Any, default: Any, choices: Collection[Any] | None) -> bool:
    if choices is not None:
        many = isinstance(value, list | tuple)
        return all(v in choices for v in value) if many else value in choices
    if default is None:
        return True
    numeric = isinstance(default, int | float) and not isinstance(default, bool)
    kinds: Any = (int, float) if numeric else type(default)
    return isinstance(value, kinds) and not (numeric and isinstance(value, bool))
