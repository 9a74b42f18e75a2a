"""The dashboard's entry, for ``crowdselect serve`` and ``streamlit run app.py``."""

import streamlit as st

from crowdselect import logs
from crowdselect.dashboard import doors, script, shell
from crowdselect.dashboard.scatter import routes

logs.set_up()
app = st.App(
    script.__file__,
    routes=routes(),
    middleware=doors.middleware(),
    on_script_error=shell.say_uncaught,
)
