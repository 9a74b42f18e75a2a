"""The frame of every page: navigation, the choice of crowd and judge, errors in plain words."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from crowdselect.charts.style import Palette
from crowdselect.charts.style import palette as palette_named
from crowdselect.dashboard import doors, people, reads, state
from crowdselect.dashboard.pages import PAGES, Page
from crowdselect.dashboard.text import md, plural
from crowdselect.dashboard.wording import told
from crowdselect.errors import CrowdSelectError, of_the_disk
from crowdselect.people import acting, let_ask
from crowdselect.readonly import read_only, server_read_only
from crowdselect.roles import PEOPLE, people_of
from crowdselect.values import COMBINED

ASSETS = Path(__file__).parent / "assets"
LOG = logging.getLogger(__name__)
MENDED = (
    "<style>[data-testid^=stBaseButton-primary] *, [data-testid=stMultiSelect] [data-tag] *"
    "{color: light-dark(#FFFFFF, #10171F)}"
    "[class*=st-key-paged] [data-testid=stElementToolbarButton]:has([aria-label^=Search]),"
    "[data-testid=stElementToolbarButton]:has([aria-label^=Download])"
    "{display: none}</style>"
)
"""What Streamlit's theme has no setting for: it writes white on the main colour, whose dark shade,
readable as text, is too light for that; a table's search covers the page that is shown only; and
its CSV holds that page only, with cells that a spreadsheet would run (pages have their own)."""
MENU_CLOSES = (
    "<script>if (window.crowdselectPage !== '{0}') {{ window.crowdselectPage = '{0}'; "
    "document.querySelector('[data-testid=stSidebar][data-collapsed=false] "
    "[data-testid=stSidebarCollapseButton] button')?.click() }}</script>"
)
"""The menu of a narrow window covers the page; Streamlit closes it after a tap on phones only.

Once per page that is come to: a page that runs anew must not close what was just opened."""
F = TypeVar("F", bound=Callable[..., None])


def run(folder: Path) -> None:
    """Show the page that the address asks for; ``folder`` holds the page scripts."""
    icon = str(ASSETS / "icon.png")
    st.set_page_config("crowdselect", icon, layout="wide")
    st.logo(icon, size="large")
    if st.user.get("is_logged_in") is False:
        _ask_to_log_in()
        return
    let_ask(people.acting)
    if not _comes_in():
        return
    pages = {page.path: _page(folder, page) for page in PAGES}
    st.session_state["_pages"] = pages
    page = st.navigation(list(pages.values()), position="top")
    current = page.url_path or PAGES[0].path
    st.html(MENDED)
    doors.note_visit(acting())
    with guard():
        names = reads.crowd_names()
        state.start(current, names, reads.size, reads.known_encoders)
        _context_bar(names, current)
        state.say_news()
        page.run()
        people.remember()
    state.publish()


def _ask_to_log_in() -> None:
    """Where an ``[auth]`` section is configured (docs/dashboard.md), nothing shows before login."""
    empty("Log in", "This dashboard is open to known people only.")
    with st.container(horizontal_alignment="center"):
        st.button("Log in", type="primary", on_click=st.login)


def _comes_in() -> bool:
    """Whether the visitor is invited; says so where not."""
    with guard():
        known = people_of(reads.workspace())
        if people.visitor(known) is not None:
            return True
        if st.user.get("is_logged_in"):
            _turn_away()
        else:
            empty(
                "No login",
                f"{PEOPLE} of this workspace says who may come in, and this server has no login: "
                "see 'Several people, and safety' in docs/dashboard.md.",
            )
    return False


def _turn_away() -> None:
    who = str(st.user.get("email") or "This account")
    empty("Not invited", f"{who} is not on this dashboard's list. Ask whoever runs it.")
    with st.container(horizontal_alignment="center"):
        st.button("Log out", on_click=st.logout)


def _page(folder: Path, page: Page) -> Any:
    return st.Page(
        folder / page.file,
        title=page.title,
        url_path=page.path,
        default=page is PAGES[0],
        visibility="hidden" if page.hidden else "visible",
    )


def go(path: str) -> None:
    """Switch to the page with this address."""
    # With its parameters: an address without them would be a step of Back that does nothing.
    st.switch_page(st.session_state["_pages"][path], query_params=state.address_of(path))


def page_link(path: str, label: str, icon: str) -> None:
    """A link to another page, with its state."""
    st.page_link(
        st.session_state["_pages"][path],
        label=label,
        icon=f":material/{icon}:",
        query_params=state.address_of(path),
    )


@contextmanager
def guard() -> Iterator[None]:
    """Show an expected error as two sentences; of a bug say where it is written, and what to do."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it is said and logged
        say(error)


def say(error: Exception) -> None:
    """Show what went wrong in a sentence with a way on; what is our mistake goes to the log."""
    ours = error if isinstance(error, CrowdSelectError) else None
    if isinstance(error, OSError):
        ours = of_the_disk(error)
    if ours is not None:
        st.error("\n\n".join(md(said) for said in told(ours.problem, ours.remedy)))
        return
    LOG.error("a page failed", exc_info=error)
    st.error(
        f"This part of the page failed ({md(type(error).__name__)}); it is our mistake, and "
        "written down in the server's log.\n\nReload the page, or change what you did last; "
        "nothing that was saved is lost."
    )


def say_uncaught(error: Exception) -> bool:
    """For ``st.App(on_script_error=...)``: what a button's callback raised, and a way back.

    It is called outside of every page, which was cleared by then: a click draws it anew.
    """
    say(error)
    st.button("Show the page again", key="show the page again")
    return True


def fragment(**options: Any) -> Callable[[F], F]:
    """``st.fragment`` with :func:`guard` inside, and the link kept up to date after each run."""

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> None:
            if state.whole_page_wanted():
                st.rerun()
            with guard():
                function(*args, **kwargs)
            state.publish()

        wrapped: F = st.fragment(guarded, **options)  # type: ignore[assignment]
        return wrapped

    return wrap


def palette() -> Palette:
    """The palette of the theme that this visitor sees."""
    return palette_named(st.context.theme.type)


def plot(fig: Any, key: str, alt: str) -> None:
    """Draw a figure in our own layout, without a toolbar; ``alt`` says it in one sentence."""
    st.plotly_chart(fig, theme=None, key=key, alt=alt, config={"displayModeBar": False})


DEMO = "demo crowd of small models"
DEMO_HELP = (
    "Nineteen models of 0.07 to 4.6 million parameters, trained for this project on a small world "
    "of tasks: they show how the tool works, not how large models behave."
)
"""What a page says of the demo, wherever it shows it."""


def rows_px(rows: int) -> int:
    """Height in pixels of a table with so many rows."""
    return 31 * rows + 35


def empty(title: str, hint: str) -> None:
    """Say that there is nothing yet and what to do about it."""
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.subheader(md(title), anchor=False, text_alignment="center", width="content")
        st.caption(md(hint), text_alignment="center", width="content")
        st.space("small")


def no_crowd() -> None:
    """What every page but the first shows in an empty workspace."""
    empty("No crowd yet", "Load the demo crowd or bring your own; it takes a minute.")
    with st.container(horizontal_alignment="center"):
        st.page_link(st.session_state["_pages"]["crowd"], label="Go to Crowd")


def heading(title: str, note: str = "") -> None:
    """A section's title with a quiet explanation below."""
    st.subheader(md(title), anchor=False)
    if note:
        st.caption(note)


def read_only_note(what: str) -> bool:
    """Tell whether changes are off; if so, say it in place of the controls for ``what``."""
    if server_read_only():
        st.caption(f"Read-only: {what} is switched off on this server.")
    elif read_only():
        st.caption(f"Your role here is viewer: {what} is for curators.")
    return read_only()


def _context_bar(names: list[str], page: str) -> None:
    """Crowd and judge, for every page."""
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="context"):
        recipe = state.draft()
        own = state.recipe_widget("crowd", recipe.crowd)
        st.selectbox("Crowd", names, **own, width=230, on_change=_crowd_changed)
        crowd = reads.crowd(recipe.crowd)
        judges = list(crowd.judges)
        choices = judges + ([COMBINED] if len(judges) > 1 else [])
        if choices:
            value = recipe.judge if recipe.judge in choices else judges[0]
            st.selectbox(
                "Judge",
                choices,
                **state.recipe_widget("judge", value),
                format_func=lambda j: "all, ranks combined" if j == COMBINED else j,
                width=330,
                on_change=_judge_changed,
                args=(judges[0],),
                help="The reward model whose scores the metrics are computed from.",
            )
        counts = (
            plural(crowd.n, "instruction"),
            plural(len(crowd.models), "model"),
            plural(len(judges), "judge"),
        )
        st.caption(" \N{MIDDLE DOT} ".join(counts))
        if reads.is_demo(crowd):
            st.badge(DEMO, color="orange", help=DEMO_HELP)
        if server_read_only():
            st.badge("read-only", color="gray")
        elif people_of(reads.workspace()) is not None:
            st.badge(acting().role, color="gray", help="Your role here")
        if st.user.get("is_logged_in"):
            st.button("Log out", type="tertiary", on_click=st.logout)
        # Here, because in a row of its own it would be a gap.
        st.html(MENU_CLOSES.format(page), unsafe_allow_javascript=True)


def _crowd_changed() -> None:
    state.change_crowd(state.widget("crowd"), reads.size)


def _judge_changed(first: str) -> None:
    chosen = state.widget("judge")
    state.amend(judge=None if chosen == first else chosen)
