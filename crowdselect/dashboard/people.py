"""Who may come in where a login is configured: the addresses and domains on a list."""

from __future__ import annotations

from collections.abc import Sequence

EVERYBODY = "*"


def is_invited(email: object, allow: Sequence[str]) -> bool:
    """Tell whether the account's ``email`` is on the list ``allow``.

    An entry is an address (``ann@example.org``), a domain (``@example.org``), or ``*`` for any
    account of the provider. An empty list lets nobody in: a provider such as Google logs in the
    whole world.
    """
    if EVERYBODY in allow:
        return True
    if not isinstance(email, str) or email.count("@") != 1:
        return False
    address = email.strip().casefold()
    known = {entry.strip().casefold() for entry in allow}
    return address in known or "@" + address.partition("@")[2] in known
