"""The whole story of a selection, on the page and as one HTML file."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.report import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
