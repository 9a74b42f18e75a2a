"""Tables whose rows hold lists, objects, pairs or whole conversations -> one row per answer."""

from crowdselect.ingest.shapes.recognise import recognise
from crowdselect.ingest.shapes.unfold import unfold

__all__ = ["recognise", "unfold"]
