"""The training data of cells: embeddings, clusters and metrics are made once for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from crowdselect.errors import CancelledError, CrowdSelectError
from crowdselect.jobs import Job
from crowdselect.pipeline.ingest import crowd_names, ingest, open_crowd
from crowdselect.pipeline.selection.session import Session
from crowdselect.pipeline.study.cells import Cell, Study
from crowdselect.pipeline.targets import keep_target, with_files


class Chooser:
    """Chooses for one study; the crowd is opened when something is not chosen yet."""

    def __init__(self, job: Job, study: Study) -> None:
        self._job, self._study = job, study
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The study's crowd; the demo's is made where it is not there."""
        if self._session is None:
            self.make_demo()
            self._session = Session(open_crowd(self._study.home, self._study.plan.crowd))
        return self._session

    def make_demo(self) -> None:
        """Ingest the demo crowd where a study is about it and the workspace has none."""
        if self._study.plan.crowd == "demo" and "demo" not in crowd_names(self._study.home):
            ingest(self._study.home, "demo", [], progress=self._job.progress)

    def choose(self, cells: Sequence[Cell], label: str = "selecting") -> None:
        """Write the training data of every cell that has none; an error names the cell."""
        for number, cell in enumerate(cells):
            if cell.seed is None or self._study.chosen(cell):
                continue
            self._job.progress(number, len(cells), label)
            try:
                for path in with_files(cell.row.recipe)[1]:
                    keep_target(self.session.crowd, path)
                self._study.choose(self.session, cell, self._job.progress)
            except CancelledError:
                raise
            except CrowdSelectError as error:
                raise CrowdSelectError(f"{cell.label}: {error.problem}", error.remedy) from error
