"""Choose, ingest and judge a crowd."""

from crowdselect.dashboard import reads, state
from crowdselect.dashboard.crowd import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    view.first_run()
