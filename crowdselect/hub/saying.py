"""What goes wrong with the hub, in one sentence and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crowdselect.errors import CrowdSelectError, InputError, NotFoundError, require

LOG_IN = "Log in: hf auth login, or put a token into the variable HF_TOKEN."
OFFLINE = "HF_HUB_OFFLINE is set"


def need_hub() -> Any:
    """The library ``huggingface_hub``; raises MissingDependencyError where it is not installed."""
    require("huggingface_hub", feature="Using the hub", extra="hub")
    import huggingface_hub

    return huggingface_hub


def offline() -> bool:
    """Whether the hub library was told to ask nothing of the network."""
    return bool(need_hub().is_offline_mode())


@contextmanager
def in_words(what: str, elsewhere: str) -> Iterator[None]:
    """Turn the hub library's errors into ours.

    ``what`` was asked for; ``elsewhere`` says how to do without the hub.
    """
    need_hub()
    from huggingface_hub import errors

    try:
        yield
    except CrowdSelectError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise InputError(f"{what} needs the hub, and {OFFLINE}.", f"Unset it, or {elsewhere}") \
            from error  # fmt: skip
    except errors.GatedRepoError as error:
        raise InputError(
            f"{what} is gated: its owners let in who asked and was accepted.",
            f"Ask on its page on the hub. {LOG_IN}",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise NotFoundError(
            f"There is no {what} on the hub, or this login may not see it.",
            f"Check owner and name; a private one needs a login. {LOG_IN}",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise NotFoundError(f"{what} has no such revision.", "Give a branch, tag or commit.") \
            from error  # fmt: skip
    except errors.LocalEntryNotFoundError as error:
        why = f"{OFFLINE} and it is not in the cache" if offline() else "the hub is out of reach"
        raise NotFoundError(
            f"{what} cannot be fetched: {why}.", f"Go online once, or {elsewhere}"
        ) from error
    except errors.EntryNotFoundError as error:
        raise NotFoundError(f"There is no {what} on the hub.", "Check the path.") from error
    except Exception as error:  # its HTTP library changes with its version, and so do its errors
        raise InputError(f"{what}: the hub cannot be used: {_why(error)}.",
                         f"Check network and login, or {elsewhere}") from error  # fmt: skip


def _why(error: Exception) -> str:
    """What it says, or the status that the hub answered with."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    told = getattr(error, "server_message", None) or next(iter(str(error).splitlines()), "")
    words = " ".join(str(told).split())[:200].rstrip(".") or type(error).__name__
    return f"{words} (status {status})" if status else f"{type(error).__name__}: {words}"
