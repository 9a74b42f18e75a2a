"""The Hugging Face hub: data sets and files in, exports and models out.

Addresses are ``hf://datasets/OWNER/NAME[@REVISION][/PATH]`` or, for a data set, ``OWNER/NAME``.
What is fetched lies in the hub library's own cache and is found there again without a network.
Nothing is sent but by :func:`push`, which does what a :class:`PushPlan` showed beforehand.
"""

from crowdselect.hub.address import HUB, HubAddress, is_hub, read_address
from crowdselect.hub.fetch import Fetched, FetchedFile, fetch_dataset, fetch_file
from crowdselect.hub.push import PushPlan, check_push, plan_push, push

__all__ = [
    "HUB",
    "Fetched",
    "FetchedFile",
    "HubAddress",
    "PushPlan",
    "check_push",
    "fetch_dataset",
    "fetch_file",
    "is_hub",
    "plan_push",
    "push",
    "read_address",
]
