"""Drives the built server from outside: starts it, talks to it over sockets, kills it."""

from .http import Answer, Http
from .server import Server

__all__ = ["Answer", "Http", "Server"]
