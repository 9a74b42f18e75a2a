"""A tiny workspace as each version of the tables wrote it; tests open every one of them.

``python -m tests.workspaces OUT`` writes ``OUT/tables-N.tar.gz`` with the present version. Run it
once, before the version of the tables is raised, and keep the older ones.
"""
