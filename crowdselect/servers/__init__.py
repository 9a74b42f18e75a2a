"""Chat models behind OpenAI-compatible servers: many requests at once, retried, cached, priced."""

from crowdselect.servers.cache import RequestCache
from crowdselect.servers.client import ask_all
from crowdselect.servers.config import ServerConfig
from crowdselect.servers.cost import CHARS_PER_TOKEN, Cost, cost_of, expected_cost, price
from crowdselect.servers.values import REFUSED, ChatReply, ChatRequest, strip_thoughts

__all__ = [
    "CHARS_PER_TOKEN",
    "REFUSED",
    "ChatReply",
    "ChatRequest",
    "Cost",
    "RequestCache",
    "ServerConfig",
    "ask_all",
    "cost_of",
    "expected_cost",
    "price",
    "strip_thoughts",
]
