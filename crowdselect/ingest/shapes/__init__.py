"""Tables whose rows hold lists, objects, pairs or whole conversations -> one row per answer."""

from crowdselect.ingest.shapes.one_answer import one_answer
from crowdselect.ingest.shapes.recognise import recognise
from crowdselect.ingest.shapes.side_by_side import ByColumn, asks_in_turns, holds_lists
from crowdselect.ingest.shapes.unfold import questions, unfold, unfold_one

__all__ = [
    "ByColumn",
    "asks_in_turns",
    "holds_lists",
    "one_answer",
    "questions",
    "recognise",
    "unfold",
    "unfold_one",
]
