"""JSON values. Numbers keep their text, as the server's do, and are compared by value."""

import json
from decimal import Decimal


class Number:
    """A JSON number: its text, and its value for comparisons."""

    __slots__ = ("text",)

    def __init__(self, text):
        self.text = str(text)

    @property
    def value(self):
        return Decimal(self.text)

    @property
    def is_integer_literal(self):
        return self.text.lstrip("-").isdigit()

    def __repr__(self):
        return self.text


MISSING = object()


def parse(text):
    def pairs(found):
        made = dict(found)
        assert len(made) == len(found), f"a key came twice: {found}"
        return made

    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=pairs)


def write(value):
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{write(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def equal(a, b):
    """The same JSON: numbers by value, objects whatever the order of their keys."""
    if isinstance(a, Number) and isinstance(b, Number):
        return a.value == b.value
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and a == b


def same_text(a, b):
    """Equal to the spelling of numbers and the order of keys."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same_text(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_text(x, y) for x, y in zip(a, b))
    if isinstance(a, Number) and isinstance(b, Number):
        return a.text == b.text
    return type(a) is type(b) and a == b


def id_text(value):
    """The id that a value stands for, None if it cannot be one: 1 and "1" are the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, Number) and value.is_integer_literal:
        return "0" if value.text == "-0" else value.text
    return None
