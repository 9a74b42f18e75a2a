"""Judges: served chat models, local language models and reward models behind one interface."""
