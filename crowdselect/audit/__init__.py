"""What to know about a crowd before trusting it: leaderboard, gaps, agreement, biases.

Pure numpy and pandas on reward matrices; the dashboard and the report draw what comes out.
"""

from crowdselect.audit.agreement import judge_agreement, row_agreement
from crowdselect.audit.biases import family_bias, identical_columns, length_bias
from crowdselect.audit.leaderboard import leaderboard
from crowdselect.audit.missing import missing_share
from crowdselect.audit.ranks import SAMPLE_ROWS

__all__ = [
    "SAMPLE_ROWS",
    "family_bias",
    "identical_columns",
    "judge_agreement",
    "leaderboard",
    "length_bias",
    "missing_share",
    "row_agreement",
]
