import pytest

from doctor import Server


@pytest.fixture
def server():
    """An unsecured server on a fresh store."""
    with Server() as running:
        yield running


@pytest.fixture
def secured():
    """A server with a secret on a fresh store."""
    with Server(secret="open sesame") as running:
        yield running
