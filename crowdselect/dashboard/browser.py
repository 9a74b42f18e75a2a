"""What only the visitor's own browser can do: keep who it is between visits, and tidy Back.

A link of the top navigation names a page without its parameters, and the parameters are written a
moment later: two steps of Back where a person took one. The second replaces the first here.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

COOKIE = "crowdselect-visitor"
_PROGRAM = """
// One step of Back per page: the parameters of a page that has none yet belong to its own step.
function tidy() {
  if (window.history.crowdselect) return
  window.history.crowdselect = true
  const push = window.history.pushState.bind(window.history)
  window.history.pushState = (state, title, url) => {
    const to = new URL(url ?? location.href, location.href)
    const own = to.pathname === location.pathname && to.search && !location.search
    if (own) window.history.replaceState(state, title, url)
    else push(state, title, url)
  }
}

// A table that is one of several pages has no search of its own: the page's find opens instead.
function wholeSearch() {
  if (document.crowdselect) return
  document.crowdselect = true
  const stop = (event) => {
    const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f"
    if (find && event.target.closest?.("[class*=st-key-paged]")) event.stopPropagation()
  }
  document.addEventListener("keydown", stop, true)
}

export default function ({ data }) {
  tidy()
  wholeSearch()
  const kept = `${data.cookie}=${data.visitor}`
  if (document.cookie.split("; ").includes(kept)) return
  document.cookie = `${kept}; path=/; max-age=31536000; SameSite=Strict`
}
"""


def kept() -> str:
    """What this browser was told to keep in an earlier visit; empty: nothing."""
    found: Any = st.context.cookies.get(COOKIE, "")  # a test of pages without a browser has none
    return unquote(found) if isinstance(found, str) else ""


def install(visitor: str) -> None:
    """Run our few lines in the browser, and keep who its ``visitor`` is there."""
    _component()(
        data={"visitor": quote(visitor, safe=""), "cookie": COOKIE}, key="browser", height=0
    )


@cache
def _component() -> Any:
    return st.components.v2.component("crowdselect_browser", html="<span></span>", js=_PROGRAM)
