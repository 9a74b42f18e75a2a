"""Read a list row by row, with a pane beside it."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.review import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
