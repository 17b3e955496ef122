"""Queries: which documents, in which order, and what of each."""

from . import references
from .order import ordered
from .selectors import OPTIONS, STAR, Bad, Chain, Many, parse_path, selectors
from .values import MISSING, Number, equal
from .where import matches


def answer(view, collection, query):
    """The rows of a query on a collection (without its limit: see `page`), and their count."""
    chains = selectors(query.get("select", "*"))
    check(chains)
    rows = found(view, collection, query)
    return [select(view, collection, row, chains) for row in rows]


def check(chains):
    """Raises Bad if two selectors with the same key cannot be one, whatever the documents."""
    for chain in merged(chains):
        if isinstance(chain.tail, list):
            check(chain.tail)


def found(view, collection, query):
    rows = [d for d in view.documents(collection) if matches(view, collection, d, query.get("where", {}))]
    return ordered(view, rows, query.get("orderBy"))


def page(rows, options):
    skip, limit = number(options.get("skip")), number(options.get("limit"))
    return rows[skip : skip + limit] if limit else rows[skip:]


def number(value):
    return int(value.text if isinstance(value, Number) else value or 0)


def select(view, home, document, chains):
    """The object that these selectors make of a document."""
    out = {}
    for chain in merged(chains):
        if chain.tail is not STAR:
            value = follow(view, home, document, chain.steps, chain.tail)
            if value is not MISSING:
                out.setdefault(chain.key, value)
            continue
        target = document
        for step in chain.steps:
            target = target and references.one(view, target, step.field, step.collection)
        for name, value in (target or {}).items():
            out.setdefault(chain.key[:-1] + name, value)
    return out


def merged(chains):
    """Selectors with the same key are one, at the place of the first."""
    by_key, stars, made = {}, set(), []
    for chain in chains:
        if chain.tail is STAR:
            if chain.key not in stars:
                made.append(chain)
            stars.add(chain.key)
            continue
        if isinstance(chain.tail, str) and not chain.named and chain.key[: -len(chain.tail)] + "*" in stars:
            continue  # the star has brought it
        if chain.key not in by_key:
            by_key[chain.key] = len(made)
            made.append(chain)
            continue
        at = by_key[chain.key]
        other = made[at]
        if list(map(plain, chain.steps)) != list(map(plain, other.steps)) or type(chain.tail) is not type(other.tail):
            raise Bad(f"{chain.key}: two different things with one key")
        if isinstance(chain.tail, str) and chain.tail != other.tail:
            raise Bad(f"{chain.key}: two different fields with one key")
        for mine, its in zip(chain.steps, other.steps):
            if isinstance(mine, Many) and not same_options(mine.options, its.options):
                raise Bad(f"{chain.key}: the same key with other {OPTIONS}, use `as`")
        if isinstance(chain.tail, list):
            made[at] = Chain(other.steps, other.tail + chain.tail, chain.key)
    return made


def plain(step):
    return step._replace(options=None) if isinstance(step, Many) else step


def same_options(mine, its):
    def orders(options):
        given = options.get("orderBy", [])
        return [parse_path(one.lstrip("-")) + (one[0] == "-",) for one in ([given] if isinstance(given, str) else given)]

    def limits(options):
        return [number(options[name]) if name in options else None for name in ("limit", "skip")]

    return equal(mine.get("where"), its.get("where")) and orders(mine) == orders(its) and limits(mine) == limits(its)


def follow(view, home, document, steps, tail):
    if not steps:
        return document.get(tail, MISSING) if isinstance(tail, str) else select(view, home, document, tail)
    step, rest = steps[0], steps[1:]
    if isinstance(step, Many):
        targets = many(view, home, document, step)
        values = [follow(view, step.collection, target, rest, tail) for target in targets]
        return [value for value in values if value is not MISSING]
    target = references.one(view, document, step.field, step.collection)
    return MISSING if target is None else follow(view, step.collection, target, rest, tail)


def many(view, home, document, step):
    targets = references.many(view, home, document, step.collection, step.field)
    targets = [t for t in targets if matches(view, step.collection, t, step.options.get("where", {}))]
    return page(ordered(view, targets, step.options.get("orderBy")), step.options)
