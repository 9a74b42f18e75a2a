"""Chat models behind OpenAI-compatible servers: many requests at once, retried, cached, priced."""

from crowdselect.servers.cache import RequestCache
from crowdselect.servers.client import ask_all
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.cost import CHARS_PER_TOKEN, Cost, cost_of, expected_cost, price
from crowdselect.servers.grades import Grade, read_grade
from crowdselect.servers.thoughts import strip_thoughts
from crowdselect.servers.values import REFUSED, ChatReply, ChatRequest

__all__ = [
    "CHARS_PER_TOKEN",
    "REFUSED",
    "ChatReply",
    "ChatRequest",
    "Cost",
    "Grade",
    "RequestCache",
    "ServerConfig",
    "ask_all",
    "cost_of",
    "expected_cost",
    "price",
    "read_grade",
    "strip_thoughts",
]
