"""A simulated DrChrono API with invented data."""

from drchrono_sandbox.api import Api
from drchrono_sandbox.endpoints import SCOPES
from drchrono_sandbox.faults import KINDS, Fault
from drchrono_sandbox.messages import Misbehaviour, Request, Response
from drchrono_sandbox.oauth import ACCESS_TOKEN, REFRESH_TOKEN
from drchrono_sandbox.plain.endpoints import PLAIN
from drchrono_sandbox.practice import Practice
from drchrono_sandbox.references import ORPHANS
from drchrono_sandbox.seen import LogEntry
from drchrono_sandbox.server import Served, serve
from drchrono_sandbox.settings import App, Changes, Settings
from drchrono_sandbox.streams import STREAMS

__all__ = [
    "ACCESS_TOKEN",
    "KINDS",
    "ORPHANS",
    "PLAIN",
    "REFRESH_TOKEN",
    "SCOPES",
    "STREAMS",
    "Api",
    "App",
    "Changes",
    "Fault",
    "LogEntry",
    "Misbehaviour",
    "Practice",
    "Request",
    "Response",
    "Served",
    "Settings",
    "serve",
]
