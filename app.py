"""The dashboard's entry, for ``crowdselect serve`` and ``streamlit run app.py``.

Streamlit imports this file once for the server (the routes of the large scatter) and runs it as
``__main__`` for every visitor's page.
"""

from pathlib import Path

import streamlit as st

from crowdselect.dashboard import shell
from crowdselect.dashboard.scatter import routes

if __name__ == "__main__":
    shell.run(Path(__file__).parent / "pages")
else:
    app = st.App(__file__, routes=routes())
