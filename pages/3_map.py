"""Every instruction on a plane, with clusters at a slider."""

from crowdselect.dashboard import reads, shell, state
from crowdselect.dashboard.map import view

if state.has_draft():
    view.show(reads.crowd(state.draft().crowd))
else:
    shell.no_crowd()
