"""Plug-ins are frozen dataclasses; a registry is the shelf that lists one kind of them.

A plug-in's fields are its options. From that one declaration come the widget, the command line
option, the cache key, the manifest entry and the contract test.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from crowdselect.errors import InputError, NotFoundError
from crowdselect.options import Option as Option
from crowdselect.options import check_option
from crowdselect.options import option as option
from crowdselect.options import options_of as options_of

T = TypeVar("T")


def build(plugin: type[T], options: Mapping[str, Any]) -> T:
    """Build ``plugin`` from ``options``, checking names, bounds and choices.

    Raises
    ------
    InputError
        For an unknown option or a value outside the declared bounds or choices.
    """
    label = getattr(plugin, "name", plugin.__name__)
    known = {o.name: o for o in options_of(plugin)}
    for key, value in options.items():
        if key not in known:
            raise InputError(
                f"{label} has no option {key!r}.",
                f"Its options are: {', '.join(known) or 'none'}.",
            )
        check_option(label, known[key], value)
    return plugin(**options)


def describe(plugin: Any) -> dict[str, Any]:
    """Return ``{"name": ..., "options": {...}}`` of a built plug-in, for manifests and keys."""
    return {"name": plugin.name, "options": dataclasses.asdict(plugin)}


def content_key(value: Any, length: int = 12) -> str:
    """Return the first ``length`` hex digits of the sha256 of ``value`` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


class Registry(Generic[T]):
    """A named shelf of plug-in classes (or functions), found by their ``name`` attribute.

    Third parties add theirs through the entry point group ``crowdselect.<kind>``.
    """

    def __init__(self, kind: str, plugins: Iterable[T]) -> None:
        self.kind = kind
        self._plugins: dict[str, T] = {}
        for plugin in plugins:
            self.add(plugin)
        self._looked_outside = False

    def add(self, plugin: T) -> T:
        """Put ``plugin`` on the shelf; usable as a decorator. A name can be taken only once."""
        name: str = plugin.name  # type: ignore[attr-defined]
        if name in self._plugins:
            raise ValueError(f"two {self.kind} plug-ins are called {name!r}")
        self._plugins[name] = plugin
        return plugin

    def _load_entry_points(self) -> None:
        if self._looked_outside:
            return
        self._looked_outside = True
        for entry in entry_points(group=f"crowdselect.{self.kind}"):
            self.add(entry.load())

    def __getitem__(self, name: str) -> T:
        self._load_entry_points()
        try:
            return self._plugins[name]
        except KeyError:
            raise NotFoundError(
                f"There is no {self.kind} called {name!r}.",
                did_you_mean(name, self._plugins),
            ) from None

    def __contains__(self, name: object) -> bool:
        self._load_entry_points()
        return name in self._plugins

    def __iter__(self) -> Iterator[T]:
        self._load_entry_points()
        return iter(self._plugins.values())

    def __len__(self) -> int:
        self._load_entry_points()
        return len(self._plugins)

    def names(self) -> tuple[str, ...]:
        """Return the names on the shelf in the order of registration."""
        self._load_entry_points()
        return tuple(self._plugins)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a remedy sentence that offers the closest of ``known``, or a dozen of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"Known: {', '.join(names[:12]) or 'none yet'}{more}."
