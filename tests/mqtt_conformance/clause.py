"""Marks tests with the statements they show, and with the versions in which they run."""

import pytest

from .wire import V5, V311


def clause(*ids):
    """`MQTT-x.y.z-n` is a statement of 5.0, `3.1.1: MQTT-x.y.z-n` one of 3.1.1, `5.0 §x.y` a rule without a number."""

    def mark(function):
        function.clauses = (*getattr(function, "clauses", ()), *ids)
        return function

    return mark


def _versions(*versions):
    names = {V311: "3.1.1", V5: "5.0"}
    parameters = pytest.mark.parametrize("version", [pytest.param(one, id=names[one]) for one in versions])

    def mark(function):
        function.versions = versions
        return parameters(function)

    return mark


both = _versions(V311, V5)
only_311 = _versions(V311)
only_5 = _versions(V5)

# Rules of Doctor rather than of the standard, or of how it is reached: not collected for another broker.
doctors_own = pytest.mark.doctors_own
