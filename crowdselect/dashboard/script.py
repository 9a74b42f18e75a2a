"""What Streamlit runs for every visitor: the frame with its pages.

It does not lie beside the folder ``pages``, which Streamlit would otherwise serve page by page,
without the frame, until somebody has opened the first page.
"""

from pathlib import Path

from crowdselect.dashboard import shell


def pages_folder() -> Path:
    """``pages`` of a checkout, or of the installed wheel."""
    package = Path(__file__).parents[1]
    beside = package.parent / "pages"
    return beside if (beside / "1_crowd.py").exists() else package / "_app" / "pages"


if __name__ == "__main__":
    shell.run(pages_folder())
