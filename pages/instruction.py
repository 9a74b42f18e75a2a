"""One instruction with all its answers."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.instruction import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
