"""The demo crowd: verifiable tasks, small models trained on them, and the script that builds both.

Nothing here is imported by the rest of the package except through ``crowdselect.demo.tasks``
(pure Python) and the ``crowdselect demo`` command.
"""
