"""Where things live: the workspace and its folders. The only place that reads the environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from crowdselect.errors import InputError, NotFoundError
from crowdselect.files import remove_leftovers
from crowdselect.people import acting
from crowdselect.readonly import read_only
from crowdselect.registry import did_you_mean

WORKSPACE_VARIABLE = "CROWDSELECT_WORKSPACE"
DATA_VARIABLE = "CROWDSELECT_DATA"
INGEST_VARIABLE = "CROWDSELECT_INGEST"
HOSTS_VARIABLE = "CROWDSELECT_HOSTS"
FRAMES_VARIABLE = "CROWDSELECT_FRAME_ANCESTORS"
LIMITS_VARIABLE = "CROWDSELECT_LIMITS"
HUB_VARIABLE = "CROWDSELECT_HUB"
LOG_VARIABLE = "CROWDSELECT_LOG"
BUCKETS_VARIABLE = "CROWDSELECT_BUCKETS"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_name(kind: str, name: str) -> str:
    """Return ``name`` if it can be a folder name inside the workspace, else raise InputError."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name!r} cannot be the name of a {kind}.",
            "Use letters, digits, '.', '_' and '-', at most 100 of them, starting with a "
            "letter or digit.",
        )
    return name


@dataclass(frozen=True)
class Workspace:
    """The folder that holds every crowd, selection and run (see docs/architecture.md)."""

    root: Path

    @classmethod
    def holding(cls, folder: Path) -> Workspace:
        """The workspace whose crowd, selection or run lies in ``folder``."""
        return cls(folder.absolute().parents[1])

    @property
    def crowds(self) -> Path:
        """Folder of the ingested crowds."""
        return self.root / "crowds"

    @property
    def selections(self) -> Path:
        """Folder of the saved selections."""
        return self.root / "selections"

    @property
    def runs(self) -> Path:
        """Folder of the jobs: scoring, fine-tuning, benchmarks."""
        return self.root / "runs"

    @property
    def studies(self) -> Path:
        """Folder of the studies, each a folder with runs of its own."""
        return self.root / "studies"

    @property
    def uploads(self) -> Path:
        """Folder that holds what people uploaded through the dashboard."""
        return self.root / "uploads"

    @property
    def kept_uploads(self) -> Path:
        """Folder among the uploads whose files stay: a run reads them when it is resumed."""
        return self.uploads / "instructions"

    @property
    def questions(self) -> Path:
        """Folder of the question files that recipes keep out of selections, by content."""
        return self.root / "questions"

    @property
    def cache(self) -> Path:
        """Folder of what can be made again at any time."""
        return self.root / "cache"

    def crowd(self, name: str) -> Path:
        """Folder of the crowd ``name``; it need not exist."""
        return self.crowds / check_name("crowd", name)

    def existing_crowd(self, name: str) -> Path:
        """Folder of the crowd ``name``; raises NotFoundError with the known names.

        A crowd that whoever acts may not see is none.
        """
        folder = self.crowd(name)
        if not acting().may_see(name) or not (folder / "crowd.duckdb").exists():
            raise NotFoundError(
                f"There is no crowd called {name!r} in {self.root}.",
                did_you_mean(name, self.crowd_names()),
            )
        return folder

    def crowd_names(self) -> list[str]:
        """Names of the ingested crowds that whoever acts may see, sorted."""
        found = (p.parent.name for p in self.crowds.glob("[!.]*/crowd.duckdb"))
        return sorted(filter(acting().may_see, found))

    def selection(self, selection_id: str) -> Path:
        """Folder of the selection ``selection_id``; it need not exist."""
        return self.selections / check_name("selection", selection_id)

    def run(self, run_id: str) -> Path:
        """Folder of the run ``run_id``; it need not exist."""
        return self.runs / check_name("run", run_id)

    def inside(self, path: str | Path) -> Path:
        """Return ``path`` resolved, if it lies inside the workspace, else raise InputError."""
        resolved = (self.root / path).resolve()
        if not resolved.is_relative_to(self.root.resolve()):
            raise InputError(
                f"{path} lies outside the workspace {self.root}.",
                "Give a path inside the workspace.",
            )
        return resolved


def workspace_folder(root: str | Path | None = None) -> Path:
    """Where the workspace is: ``root``, else CROWDSELECT_WORKSPACE, else ./workspace."""
    folder = Path(root or os.environ.get(WORKSPACE_VARIABLE) or "workspace")
    return folder.expanduser().absolute()


def open_workspace(root: str | Path | None = None) -> Workspace:
    """Open (and create) the workspace: ``root``, else CROWDSELECT_WORKSPACE, else ./workspace.

    Leftovers of crashed processes are removed.

    >>> workspace = cs.open_workspace("workspace")
    """
    folder = workspace_folder(root)
    workspace = Workspace(folder)
    if read_only():
        return workspace
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The workspace {folder} cannot be created: {error.strerror}.",
            f"Give a folder that you can write to: --workspace DIR or {WORKSPACE_VARIABLE}.",
        ) from error
    # A run's inside is its worker's, which resumes from it: only what stands beside it goes.
    for place, deep in (
        (workspace.crowds, True),
        (workspace.selections, True),
        (workspace.cache, True),
        (workspace.runs, False),
        (workspace.studies, False),
    ):
        if place.exists():
            remove_leftovers(place, deep=deep)
    return workspace


def ingest_folders(workspace: Workspace) -> list[Path]:
    """Folders that the dashboard may read files from: the workspace, and CROWDSELECT_INGEST.

    The variable holds folders separated as in PATH. The command line reads any file.
    """
    listed = os.environ.get(INGEST_VARIABLE, "").split(os.pathsep)
    folders = [workspace.root, *(Path(f).expanduser() for f in listed if f.strip())]
    return [folder.resolve() for folder in folders]


def further_hosts() -> list[str]:
    """Names of this server besides its own: CROWDSELECT_HOSTS, separated by commas."""
    given = os.environ.get(HOSTS_VARIABLE, "").split(",")
    return [name.strip() for name in given if name.strip()]


_FRAME = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?")


def frame_ancestors() -> list[str]:
    """Sites that may show a page in a frame, besides the server's own."""
    given = os.environ.get(FRAMES_VARIABLE, "").split(",")
    return check_frames([site.strip() for site in given if site.strip()])


def check_frames(sites: list[str]) -> list[str]:
    """``sites`` themselves; raises InputError for what is no site's address."""
    for site in sites:
        if not _FRAME.fullmatch(site):
            raise InputError(
                f"{site!r} is no site that may frame a page.",
                "Give its address without a path, such as https://huggingface.co.",
            )
    return sites


def pages_read_hub() -> bool:
    """Whether the dashboard's pages take names on the hub: CROWDSELECT_HUB is ``read``, or unset.

    ``crowdselect serve`` sets it. Pages never push; the command line does both.
    """
    return os.environ.get(HUB_VARIABLE, "read") == "read"


def opened_buckets() -> list[str]:
    """Addresses in object stores below which pages may read: CROWDSELECT_BUCKETS, by commas."""
    return [
        one for part in os.environ.get(BUCKETS_VARIABLE, "").split(",") if (one := part.strip())
    ]


def s3_place() -> tuple[str | None, str | None]:
    """Endpoint and region of S3 as its own tools are told of them; None: nobody said."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return endpoint or None, os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class LogForm:
    """How the program logs."""

    as_json: bool = False
    level: str = "WARNING"

    def __str__(self) -> str:
        """As :func:`log_form` reads it."""
        return f"{'json' if self.as_json else 'text'}:{self.level}"


def log_form() -> LogForm:
    """How this process logs: CROWDSELECT_LOG, such as ``json:INFO``; else warnings as text."""
    form, _, level = os.environ.get(LOG_VARIABLE, "").partition(":")
    known = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    return LogForm(form == "json", level if level in known else LogForm.level)


@dataclass(frozen=True)
class Limits:
    """What the visitors of one server may take; 0: any number."""

    jobs: int = 0
    """Running at once, whoever started them."""
    jobs_each: int = 0
    """Running at once of one visitor."""
    upload_mb: int = 0
    """Uploaded by one visitor in a day."""
    free_gb: float = 0.0
    """Left on the disk: with less nothing is uploaded or started."""

    def __str__(self) -> str:
        """As :func:`limits` reads it."""
        return f"{self.jobs},{self.jobs_each},{self.upload_mb},{self.free_gb}"


def limits() -> Limits:
    """The limits of this process: those of ``crowdselect serve`` in its server, elsewhere none."""
    given = os.environ.get(LIMITS_VARIABLE)
    if not given:
        return Limits()
    jobs, each, megabytes, free = given.split(",")
    return Limits(int(jobs), int(each), int(megabytes), float(free))


def unlimited() -> dict[str, str]:
    """The environment for a process that works for itself, such as a job."""
    return {name: value for name, value in os.environ.items() if name != LIMITS_VARIABLE}


def demo_data() -> Path:
    """Return the folder of the demo crowd: CROWDSELECT_DATA's, the checkout's or the wheel's.

    Raises NotFoundError where it is not installed.
    """
    base = os.environ.get(DATA_VARIABLE)
    folder = Path(base) / "demo" if base else _beside("data/demo", "demo")
    if not (folder / "crowd").exists():
        raise NotFoundError(
            f"The demo crowd is not in {folder}.",
            "Install crowdselect from its wheel, which brings it, or point "
            f"{DATA_VARIABLE} to the folder that holds demo/.",
        )
    return folder


def shipped_study(file: Path) -> Path:
    """``file`` itself, else the study of that name among those that come with crowdselect."""
    shipped = _beside("studies", "studies") / file.name
    meant = file.parent.name in ("", "studies") and not file.exists()
    return shipped if meant and shipped.is_file() else file


def _beside(in_checkout: str, in_wheel: str) -> Path:
    """A folder that lies beside the package in a checkout, and inside it in a wheel."""
    package = Path(__file__).parent
    shipped = package / "_data" / in_wheel
    return shipped if shipped.is_dir() else package.parent / in_checkout
