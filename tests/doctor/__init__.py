"""Drives the built server from outside: starts it, talks to it over sockets, kills it."""

import os
import time

from .http import Answer, Http
from .server import Server

__all__ = ["Answer", "Http", "Server", "memory_bound", "scaled", "wait_for"]


def scaled(count):
    """A number of random cases or rounds, times DOCTOR_TEST_SCALE, at least one."""
    return max(1, int(count * float(os.environ.get("DOCTOR_TEST_SCALE", 1))))


def memory_bound(size):
    """Bytes that a server may take: what a sanitizer adds around each block of memory is not its own."""
    return size * (3 if "DOCTOR_SANITIZED" in os.environ else 1)


def wait_for(condition, seconds=15):
    """Until it is true: what it then gives."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "in vain"
        time.sleep(0.01)
    return found
