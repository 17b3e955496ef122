"""The order of values, and of documents by paths."""

from functools import cmp_to_key

from . import references
from .selectors import Many, parse_path
from .values import MISSING, Number


def rank(value):
    if value is MISSING or value is None:
        return 0
    if value is False:
        return 1
    if value is True:
        return 2
    if isinstance(value, Number):
        return 3
    return 4 if isinstance(value, str) else 5


def compare(a, b):
    if rank(a) != rank(b):
        return rank(a) - rank(b)
    if rank(a) == 3:
        a, b = a.value, b.value
    elif rank(a) != 4:
        return 0
    return (a > b) - (a < b)


def value_at(view, document, path):
    """The value that a path of an orderBy leads to. An array on the way counts as missing."""
    steps, names = parse_path(path)
    assert not any(isinstance(step, Many) for step in steps)
    for step in steps:
        document = references.one(view, document, step.field, step.collection)
        if document is None:
            return MISSING
    value = document
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def ordered(view, documents, order_by):
    """Sorted by these paths; ties stay as they were."""
    paths = [order_by] if isinstance(order_by, str) else order_by or []
    for path in reversed(paths):
        down = path.startswith("-")
        name = path[1:] if down else path
        documents = sorted(
            documents,
            key=cmp_to_key(lambda a, b: compare(value_at(view, a, name), value_at(view, b, name))),
            reverse=down,
        )
    return documents
