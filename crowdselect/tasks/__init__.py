"""Tasks whose answers a program can check: read by ``load_heldout``, scored by ``verify``."""

from crowdselect.tasks.task import Task, VerifierName, load_heldout
from crowdselect.tasks.verify import PARTIAL, verify

__all__ = ["PARTIAL", "Task", "VerifierName", "load_heldout", "verify"]
