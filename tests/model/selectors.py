"""The grammar of selectors, short and long, into one tree.

A selector is a chain of references and what stands at its end:
  Chain([Ref | Many], tail, key)      tail: a field's name, STAR, or a list of selectors (an object)
"""

import re
from collections import namedtuple

Ref = namedtuple("Ref", "field collection text")  # text: as it was written
Many = namedtuple("Many", "collection field options")  # options: where, orderBy, limit, skip
Chain = namedtuple("Chain", "steps tail key named", defaults=[False])  # named: by `as`

STAR = object()
WHOLE = [Chain([], STAR, "*")]
NAME = re.compile(r"[^.,@:()\[\]*\s]+")
OPTIONS = ("where", "orderBy", "limit", "skip")


class Bad(Exception):
    """The query is no query: 400."""


class Text:
    """A selector's text, read from left to right without its blanks."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def peek(self, mark):
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1
        return self.text.startswith(mark, self.at)

    def accept(self, mark):
        if not self.peek(mark):
            return False
        self.at += len(mark)
        return True

    def expect(self, mark):
        if not self.accept(mark):
            raise Bad(f"{mark} expected at {self.at} of {self.text}")

    def name(self):
        self.peek("")
        found = NAME.match(self.text, self.at)
        if not found:
            raise Bad(f"a name expected at {self.at} of {self.text}")
        self.at = found.end()
        return found[0]

    def end(self):
        self.peek("")
        return self.at == len(self.text)


def selectors(value):
    """The chains of a `select`: a string, an object, or a (nested) array of such."""
    if isinstance(value, list):
        return [chain for one in value for chain in selectors(one)]
    if isinstance(value, str):
        text = Text(value)
        chain = selector(text)
        if not text.end():
            raise Bad(f"{value}: more than one selector")
        return [chain]
    if isinstance(value, dict):
        return [long_form(value)]
    raise Bad("a selector is a string, an object or an array")


def selector(text):
    if text.accept("*"):
        return Chain([], STAR, "*")
    if not text.accept("@"):
        name = text.name()
        return Chain([], name, name)
    if text.accept("["):
        collection = text.name()
        field = text.name() if text.accept(":") else None
        text.expect("]")
        return project(text, Many(collection, field, {}))
    return project(text, ref(text.name(), text.name() if text.accept(":") else None))


def project(text, step):
    if text.accept("."):
        return behind(step, selector(text))
    inside = WHOLE
    if text.accept("("):
        inside = [selector(text)]
        while text.accept(","):
            inside.append(selector(text))
        text.expect(")")
    return Chain([step], inside, step_text(step))


def behind(step, chain):
    """step.chain"""
    steps = [step, *chain.steps]
    if chain.tail is STAR and any(isinstance(one, Many) for one in steps):
        raise Bad("* behind a many")
    return Chain(steps, chain.tail, step_text(step) + "." + chain.key, chain.named)


def step_text(step):
    if isinstance(step, Many):
        return f"@[{step.collection}:{step.field}]" if step.field else f"@[{step.collection}]"
    return step.text


def ref(field, collection):
    return Ref(field, collection or field, f"@{field}:{collection}" if collection else f"@{field}")


def long_form(value):
    if "field" in value and "many_ref" not in value:
        chain = Chain([], value["field"], value["field"])
    else:
        if "ref" in value:
            step = ref(value["ref"], value.get("collection"))
        else:
            step = Many(value["many_ref"], value.get("field"), {k: value[k] for k in OPTIONS if k in value})
        inside = value.get("select", ["*"])
        if isinstance(inside, list):
            chain = Chain([step], selectors(inside), step_text(step))
        else:
            chain = behind(step, selectors(inside)[0])
    if "as" in value and chain.tail is STAR:
        raise Bad("as for .*")
    return chain._replace(key=value["as"], named=True) if "as" in value else chain


def parse_path(key):
    """A path of a where or orderBy: its references, and the names behind them."""
    if not key.startswith("@"):
        names = key.split(".")
        if "" in names:
            raise Bad(f"{key}: an empty step")
        return [], names
    text = Text(key)
    steps = []
    while text.accept("@"):
        if text.accept("["):
            collection = text.name()
            field = text.name() if text.accept(":") else None
            text.expect("]")
            steps.append(Many(collection, field, {}))
        else:
            steps.append(ref(text.name(), text.name() if text.accept(":") else None))
        if text.end():
            return steps, []
        text.expect(".")
    return steps, [text.name()]
