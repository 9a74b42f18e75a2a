"""The only SQL: build a crowd, read it, add notes and scores to it."""

from crowdselect.store.builder import CrowdBuilder
from crowdselect.store.changing import changing
from crowdselect.store.crowd import Crowd, Instruction
from crowdselect.store.models_table import read_models
from crowdselect.store.notes import Author, NoteKind, Notes, NotesState
from crowdselect.store.opening import open_as, open_crowd
from crowdselect.store.report import IngestReport, JudgeCount, ModelCount
from crowdselect.store.rewards import changed_rewards
from crowdselect.store.scores import Imported, ScoreInfo
from crowdselect.store.search import SearchHits, Where
from crowdselect.store.tags import read_tags, tags_by_scorers, write_tags

__all__ = [
    "Author",
    "Crowd",
    "CrowdBuilder",
    "Imported",
    "IngestReport",
    "Instruction",
    "JudgeCount",
    "ModelCount",
    "NoteKind",
    "Notes",
    "NotesState",
    "ScoreInfo",
    "SearchHits",
    "Where",
    "changed_rewards",
    "changing",
    "open_as",
    "open_crowd",
    "read_models",
    "read_tags",
    "tags_by_scorers",
    "write_tags",
]
