"""An answer as text with its code set apart, as its source, or as Markdown that loads nothing."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args

from markdown_it import MarkdownIt
from markupsafe import Markup

Look = Literal["text", "source", "rendered"]
LOOKS: tuple[Look, ...] = get_args(Look)
_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})([^\n`]*)\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S
)
_LOADS = ("html_block", "html_inline", "image", "link", "autolink", "reference")
"""What could bring in markup of others, or ask another machine: it stays the text that it is."""
CODE = Markup('<pre class="c"><code>{}</code></pre>')


def as_html(text: str, look: Look) -> Markup:
    """``text`` as escaped HTML in one of the three looks; no markup of the text's own survives."""
    if look == "source":
        return CODE.format(text)
    if look == "rendered":
        return Markup('<div class="m">{}</div>').format(_rendered(text))
    return _with_code(text)


def _with_code(text: str) -> Markup:
    """Fenced code in a monospaced font, everything else as it stands."""
    parts, at = [], 0
    for found in _FENCE.finditer(text):
        parts += [Markup("{}").format(text[at : found.start()]), CODE.format(found[3].rstrip("\n"))]
        at = found.end()
    parts.append(Markup("{}").format(text[at:].lstrip("\n") if parts else text))
    return Markup("").join(parts)


def _rendered(text: str) -> Markup:
    # markdown-it escapes all text, and with these rules off it emits no address and no foreign tag.
    return Markup(_parser().render(text))  # noqa: S704


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(list(_LOADS))
