"""A workspace as a whole: is it sound, what can go, and one crowd from one to another."""

from crowdselect.pipeline.upkeep.checking import Finding, check_workspace, repair
from crowdselect.pipeline.upkeep.freeing import Freeable, free, freeable
from crowdselect.pipeline.upkeep.moving import export_crowd, import_crowd

__all__ = [
    "Finding",
    "Freeable",
    "check_workspace",
    "export_crowd",
    "free",
    "freeable",
    "import_crowd",
    "repair",
]
