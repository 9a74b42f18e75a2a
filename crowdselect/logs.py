"""What the program says of its own work, by Python's ``logging``: for people, or as JSON lines.

Every module logs to a logger of its own name. Who is the program (the command line, a server, a
job) calls :func:`set_up` once; as a library crowdselect leaves logging to whoever imports it.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from crowdselect.keys import scrub
from crowdselect.settings import LogForm, log_form

OURS = "crowdselect"
_OTHERS = ("streamlit", "uvicorn", "tornado")
"""Loggers of the server's libraries that bring handlers of their own."""


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC, ISO 8601), level, logger, message, error."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; known secrets are scrubbed."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def set_up(form: LogForm | None = None) -> None:
    """Log to stderr in ``form``; None: as CROWDSELECT_LOG says, which processes hand on."""
    wanted = form or log_form()
    handler = logging.StreamHandler(sys.stderr)
    plain = _Plain("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if wanted.as_json else plain)
    ours = logging.getLogger(OURS)
    for old in [h for h in ours.handlers if getattr(h, "_crowdselect", False)]:
        ours.removeHandler(old)
    handler._crowdselect = True  # type: ignore[attr-defined]
    ours.addHandler(handler)
    ours.setLevel(wanted.level)
    ours.propagate = False
    if wanted.as_json:
        for name in [n for n in logging.root.manager.loggerDict if n.split(".")[0] in _OTHERS]:
            other = logging.getLogger(name)
            other.handlers = []
            other.propagate = True
        logging.root.handlers = [handler]
