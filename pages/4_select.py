"""Weigh, choose, save, compare, export."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.select import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
