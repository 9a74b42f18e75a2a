"""Judges: served chat models, local language models and reward models behind one interface."""

from crowdselect.benchmark.judges.config import JudgeConfig

__all__ = ["JudgeConfig"]
