"""Anchored, case-insensitive globs, matched by trying everything."""


def fold(text):
    """Simple case folding: one character becomes one character."""
    return "".join(fold_one(c) for c in text)


def fold_one(c):
    for folded in (c.casefold(), c.lower()):
        if len(folded) == 1:
            return folded
    return c


def glob(pattern, text):
    return any(end == len(text) for end in ends(parse(pattern), fold(text), 0))


def is_glob(text):
    return any(c in text for c in "*?[{")


# A pattern is a list of tokens: ("is", c), ("one",), ("any",), ("class", negated, [(low, high)]),
# ("either", [pattern]).


def parse(pattern):
    tokens, at = [], 0
    while at < len(pattern):
        c = pattern[at]
        token, after = ("is", fold_one(c)), at + 1
        if c == "\\" and after < len(pattern):
            token, after = ("is", fold_one(pattern[after])), after + 1
        elif c == "*":
            token = ("any",)
        elif c == "?":
            token = ("one",)
        elif c == "[" and (close := class_end(pattern, at)):
            token, after = parse_class(pattern[at + 1 : close]), close + 1
        elif c == "{" and (close := brace_end(pattern, at)):
            token, after = ("either", [parse(part) for part in split(pattern[at + 1 : close])]), close + 1
        tokens.append(token)
        at = after
    return tokens


def class_end(pattern, at):
    at += 1
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "]":
            return at
        at += 1
    return None


def parse_class(inside):
    negated = inside.startswith("!")
    plain, ranges, at = [], [], 1 if negated else 0
    while at < len(inside):  # (character, whether it stood behind a backslash)
        escaped = inside[at] == "\\" and at + 1 < len(inside)
        at += escaped
        plain.append((inside[at], escaped))
        at += 1
    at = 0
    while at < len(plain):
        if at + 2 < len(plain) and plain[at + 1] == ("-", False):
            ranges.append((plain[at][0], plain[at + 2][0]))
            at += 3
        else:
            ranges.append((plain[at][0], plain[at][0]))
            at += 1
    return ("class", negated, ranges)


def brace_end(pattern, at):
    depth = 0
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            at += 1
        elif c == "[" and (close := class_end(pattern, at)):
            at = close
        elif c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None


def split(inside):
    """The alternatives between braces: at commas that are in no inner braces, classes or escapes."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(inside):
        c = inside[at]
        if c == "\\":
            at += 1
        elif c == "[" and (close := class_end(inside, at)):
            at = close
        elif c == "{" and brace_end(inside, at):
            depth += 1
        elif c == "}" and depth:
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(inside[start:at])
            start = at + 1
        at += 1
    return [*parts, inside[start:]]


def ends(tokens, text, at):
    """Every place where a match of these tokens that begins at `at` may end."""
    places = {at}
    for token in tokens:
        places = {end for place in places for end in step(token, text, place)}
    return places


def step(token, text, at):
    if token[0] == "any":
        return range(at, len(text) + 1)
    if token[0] == "either":
        return {end for part in token[1] for end in ends(part, text, at)}
    if at == len(text):
        return []
    if token[0] == "is":
        return [at + 1] if text[at] == token[1] else []
    if token[0] == "class":
        return [at + 1] if in_class(text[at], token[2]) != token[1] else []
    return [at + 1]


def in_class(c, ranges):
    cases = {c, c.upper(), c.lower(), *(v for v in VARIANTS.get(c, ""))}
    return any(low <= one <= high for low, high in ranges for one in cases if len(one) == 1)


# Characters that fold to one another beyond upper and lower case.
VARIANTS = {"σ": "ς", "ß": "ẞ", "k": "\u212a", "å": "\u212b", "s": "ſ"}
