"""Chat models behind OpenAI-compatible servers: many requests at once, retried, cached, priced."""

from crowdselect.servers.answering import answered_there, is_final
from crowdselect.servers.asking import AskPass, server_of
from crowdselect.servers.cache import RequestCache
from crowdselect.servers.client import ask_all
from crowdselect.servers.config import (
    ADDRESS,
    CONCURRENCY,
    KEY_VARIABLE,
    MAX_TOKENS,
    ServerConfig,
    check_address,
)
from crowdselect.servers.cost import CHARS_PER_TOKEN, Cost, cost_of, expected_cost, price
from crowdselect.servers.grades import Grade, read_grade
from crowdselect.servers.grading import GradePass
from crowdselect.servers.reasons import by_kind
from crowdselect.servers.thoughts import strip_thoughts
from crowdselect.servers.values import ChatReply, ChatRequest, may_succeed, with_room

__all__ = [
    "ADDRESS",
    "CHARS_PER_TOKEN",
    "CONCURRENCY",
    "KEY_VARIABLE",
    "MAX_TOKENS",
    "AskPass",
    "ChatReply",
    "ChatRequest",
    "Cost",
    "Grade",
    "GradePass",
    "RequestCache",
    "ServerConfig",
    "answered_there",
    "ask_all",
    "by_kind",
    "check_address",
    "cost_of",
    "expected_cost",
    "is_final",
    "may_succeed",
    "price",
    "read_grade",
    "server_of",
    "strip_thoughts",
    "with_room",
]
