"""A folder -> a repository on the hub, in one commit; a plan shows beforehand what will be there.

The user's own login is used and never asked for here. A repository that holds something else is
left alone, and one that is public is not filled unless that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from crowdselect.errors import InputError
from crowdselect.hub.saying import LOG_IN, OFFLINE, in_words, need_hub
from crowdselect.readonly import refuse_writing

CARD = "README.md"
TAG = "crowdselect"
"""Every card of ours has it: what lacks it is somebody else's."""
_KEPT = (".gitattributes", ".gitignore")
_REPO = re.compile(r"[\w.-]+/[\w.-]+")
_LATER = "push later; what was made is kept here."
_SCANNED = (".json", ".md", ".jinja")
_SCANNED_BYTES = 1 << 20


@dataclass(frozen=True)
class PushPlan:
    """What a push will do, so that a person can agree to it."""

    kind: Literal["dataset", "model"]
    repo: str
    """OWNER/NAME."""
    user: str
    """Whose login is used."""
    public: bool
    exists: bool
    """Whether the repository is there already; its older files are replaced."""
    files: tuple[tuple[str, int], ...]
    """Path in the repository and bytes."""
    licence: str | None
    card: str
    """The card's text as it will be."""
    facts: tuple[str, ...] = ()
    """Rows, columns, base model ... in words."""
    folder: Path = Path()
    replaced: Mapping[str, bytes] = field(default_factory=dict)
    """Files that are sent with another content than they have here."""
    stale: tuple[str, ...] = ()
    """Files of an older push that go."""

    @property
    def address(self) -> str:
        """Where it will be."""
        return (
            f"{need_hub().constants.ENDPOINT}/{'datasets/' * (self.kind == 'dataset')}{self.repo}"
        )

    def lines(self) -> list[str]:
        """What a person agrees to, in words."""
        seen = "PUBLIC: everybody can read it" if self.public else "private"
        state = "exists, its files are replaced" if self.exists else "will be made"
        size = sum(n for _, n in self.files)
        licence = self.licence or "none stated: others may not use it until there is one"
        return [
            f"{self.address} ({seen}) by the login of {self.user}; it {state}.",
            f"Files ({_bytes(size)}): " + ", ".join(f"{n} {_bytes(b)}" for n, b in self.files),
            *self.facts,
            f"Licence: {licence}.",
            *(f"{name} is sent without the folder names of this machine." for name in self.replaced
              if name != CARD),
            f"Card: {len(self.card.splitlines())} lines, beginning: {_title(self.card)}",
        ]  # fmt: skip


@dataclass(frozen=True)
class Destination:
    """A repository that may be pushed to, as it stands."""

    repo: str
    user: str
    public: bool
    exists: bool
    files: tuple[str, ...] = ()


def check_push(
    folder: Path, repo: str, kind: Literal["dataset", "model"], *, public: bool = False
) -> Destination:
    """Whether ``folder`` may be pushed to ``repo``, before there is anything to push.

    Raises InputError without a login or offline, where the repository is not the user's to write,
    holds something else, or is public and ``public`` was not asked for.
    """
    if not _REPO.fullmatch(repo):
        raise InputError(f"{repo!r} is no name on the hub.", "Write ORG/NAME.")
    refuse_writing(folder)
    hub = need_hub()
    with in_words(repo, _LATER):
        user = _login(hub)
        there, known, is_public = _existing(hub, repo, kind)
    if there and is_public and not public:
        raise InputError(
            f"{repo} exists and is public: everybody would read what is pushed.",
            "Choose another name, or say so: --public.",
        )
    return Destination(repo, user, is_public if there else public, there, tuple(known))


def plan_push(
    folder: Path,
    repo: str,
    kind: Literal["dataset", "model"],
    *,
    public: bool = False,
    licence: str | None = None,
    facts: Sequence[str] = (),
    card: str | None = None,
    hidden: Sequence[str] = (),
) -> PushPlan:
    """Look at ``folder`` and at the hub; nothing is sent.

    ``card`` replaces the folder's card; texts in ``hidden`` (folders of this machine) are cut to
    their last part in what is sent. Raises what :func:`check_push` raises.
    """
    there = check_push(folder, repo, kind, public=public)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    sent = _cleaned(folder, names, hidden)
    if card is not None:
        sent[CARD] = _without(card, hidden).encode()
        names = sorted({*names, CARD})
    own = (folder / CARD).read_bytes() if (folder / CARD).exists() else b""
    text, licence = _with_licence(sent.get(CARD, own).decode(), licence)
    if text.encode() != own:
        sent[CARD] = text.encode()
    sizes = [(n, len(sent[n]) if n in sent else (folder / n).stat().st_size) for n in names]
    return PushPlan(
        kind=kind,
        repo=repo,
        user=there.user,
        public=there.public,
        exists=there.exists,
        files=tuple(sizes),
        licence=licence,
        card=text,
        facts=tuple(facts),
        folder=folder,
        replaced=sent,
        stale=tuple(n for n in there.files if n not in names and n not in _KEPT),
    )


def push(plan: PushPlan) -> str:
    """Do what ``plan`` says, in one commit; return the address of that commit.

    Raises InputError where the hub refuses; then nothing of it is there.
    """
    refuse_writing(plan.folder)
    hub = need_hub()
    operations: list[Any] = [
        hub.CommitOperationAdd(name, plan.replaced.get(name) or str(plan.folder / name))
        for name, _ in plan.files
    ]
    operations += [hub.CommitOperationDelete(name) for name in plan.stale]
    with in_words(plan.repo, _LATER):
        api = hub.HfApi()
        if not plan.exists:
            api.create_repo(plan.repo, repo_type=plan.kind, private=not plan.public, exist_ok=False)
        made = api.create_commit(
            plan.repo,
            operations,
            commit_message="Pushed with crowdselect",
            repo_type=plan.kind,
        )
    return str(made.commit_url)


def _login(hub: Any) -> str:
    if hub.is_offline_mode():
        raise InputError(f"Pushing needs the hub, and {OFFLINE}.", f"Unset it, or {_LATER}")
    if not hub.get_token():
        raise InputError("Pushing needs your own login on the hub.", LOG_IN)
    return str(hub.HfApi().whoami()["name"])


def _existing(hub: Any, repo: str, kind: str) -> tuple[bool, list[str], bool]:
    """Whether the repository is there, its files, and whether it is public.

    A stranger's is refused.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info = hub.HfApi().repo_info(repo, repo_type=kind)
    except RepositoryNotFoundError:
        return False, [], False
    files = sorted(s.rfilename for s in info.siblings or ())
    tags = list(info.tags or ()) + list((info.card_data or {}).get("tags") or ())
    if any(f not in _KEPT for f in files) and TAG not in tags:
        first = next(f for f in files if f not in _KEPT)
        raise InputError(
            f"{repo} holds {first!r} and its card does not say that crowdselect made it.",
            "Choose a new name; nothing was changed.",
        )
    return True, files, not info.private


def _cleaned(folder: Path, names: Sequence[str], hidden: Sequence[str]) -> dict[str, bytes]:
    """Small texts that name folders of this machine, without them."""
    found = {}
    for name in names:
        path = folder / name
        if path.suffix in _SCANNED and path.stat().st_size <= _SCANNED_BYTES:
            text = path.read_text(encoding="utf-8")
            clean = _without(text, hidden)
            if clean != text:
                found[name] = clean.encode()
    return found


def _without(text: str, hidden: Sequence[str]) -> str:
    for place in hidden:
        text = text.replace(place, Path(place).name)
    return text


def _with_licence(text: str, licence: str | None) -> tuple[str, str | None]:
    """The card with that licence; without one, the card's own."""
    card = need_hub().RepoCard(text, ignore_metadata_errors=True)
    stated = card.data.get("license")
    if licence is None or licence == stated:
        return text, stated
    card.data["license"] = licence
    return str(card), licence


def _title(card: str) -> str:
    return next((line for line in card.splitlines() if line.startswith("# ")), "(no title)")


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} GB"
