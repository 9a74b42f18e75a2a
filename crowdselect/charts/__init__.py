"""Numbers in, plotly figures out: one file per figure, no data access, no Streamlit."""
