"""Studies: what recipes were worth, and what can be told apart."""

from crowdselect.dashboard.study import view

view.show()
