"""Whether a document meets the conditions of a `where`."""

from . import references
from .glob import glob, is_glob
from .selectors import Bad, Many, parse_path
from .values import Number, equal

LISTS = {"$and", "$or", "$nor"}


def matches(view, home, document, conditions):
    return all(condition(view, home, document, key, value) for key, value in conditions.items())


def condition(view, home, document, key, value):
    if key in LISTS:
        met = [matches(view, home, document, one) for one in value]
        return {"$and": all(met), "$or": any(met), "$nor": not any(met)}[key]
    if key.startswith("$"):
        raise Bad(key)
    steps, names = parse_path(key)
    reached = follow(view, home, document, steps)
    if steps and not names:
        return reference(view, reached, value)
    found = [one for _, target in reached for one in values(target, names)]
    return asked(found, value, is_id=names == ["id"])


def follow(view, home, document, steps):
    """The documents at the end of these references, each with its collection."""
    reached = [(home, document)]
    for step in steps:
        after = []
        for where, one in reached:
            if isinstance(step, Many):
                targets = references.many(view, where, one, step.collection, step.field)
            else:
                targets = [references.one(view, one, step.field, step.collection)]
            after += [(step.collection, target) for target in targets if target is not None]
        reached = after
    return reached


def reference(view, reached, value):
    """A condition on a reference itself: that one meets all the conditions, or that there is any."""
    if "$exists" in value or "$not" in value:
        return all(
            bool(reached) == operand if name == "$exists" else not reference(view, reached, operand)
            for name, operand in value.items()
        )
    return any(matches(view, where, one, value) for where, one in reached)


def values(value, names):
    """Every value at a path. An array on the way asks each of its elements."""
    if isinstance(value, list):
        return [found for one in value for found in values(one, names)]
    if not names:
        return [value]
    if not isinstance(value, dict) or names[0] not in value:
        return []
    # The value at the end stays whole: `candidates` looks into it.
    return [value[names[0]]] if len(names) == 1 else values(value[names[0]], names[1:])


def candidates(value):
    """The value itself and, for an array, each of its elements."""
    return [value] + ([inner for one in value for inner in candidates(one)] if isinstance(value, list) else [])


def asked(found, value, is_id):
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        return all(operator(found, name, operand, is_id) for name, operand in value.items())
    if isinstance(value, str) and is_glob(value):
        return operator(found, "$glob", value, is_id)
    return operator(found, "$eq", value, is_id)


def operator(found, name, operand, is_id):
    each = [one for value in found for one in candidates(value)]
    if name == "$eq":
        return (operand is None and not found) or any(equals(one, operand, is_id) for one in each)
    if name == "$in":
        return any(operator(found, "$eq", one, is_id) for one in operand)
    if name == "$ne":
        return not operator(found, "$eq", operand, is_id)
    if name == "$nin":
        return not operator(found, "$in", operand, is_id)
    if name == "$not":
        return not asked(found, operand, is_id)
    if name == "$exists":
        return bool(found) == operand
    if name == "$glob":
        return any(isinstance(one, str) and glob(operand, one) for one in each)
    return any(comparable(one, operand) and OPERATORS[name](*plain(one, operand)) for one in each)


def equals(value, operand, is_id):
    if is_id and isinstance(value, str) and isinstance(operand, Number):
        return value == operand.text
    return equal(value, operand)


def comparable(a, b):
    return any(isinstance(a, kind) and isinstance(b, kind) for kind in (Number, str))


def plain(a, b):
    return (a, b) if isinstance(a, str) else (a.value, b.value)


OPERATORS = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}
