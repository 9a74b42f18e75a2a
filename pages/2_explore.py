"""Any two metrics against each other, search, filters, and the linked table."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.explore import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
