"""Random documents, patches, permissions and queries. All of them are legal, but for selectors that clash."""

import json

from .values import Number, write

COLLECTIONS = ["vm", "cluster", "disk", "user"]
FIELDS = ["n", "s", "t", "o", "flag", "owner", "Display Name", "version/major", "ž"]
PLAIN = [name for name in FIELDS if " " not in name]
REFERRING = FIELDS + COLLECTIONS + ["id"]
TAKEN = [*FIELDS, "id", "vm", "*", "a.b", "@cluster", "@cluster.n", "@[vm]", "@[vm].n", "@owner:user.s"]  # names of others
IDS = ["1", "2", "3", "10", "-5", "0", "a", "A", "b", "é", "x y", "a/b", "%41", "*", "a,b", "Größe", "日本", "😀", "q?&#+"]
STRINGS = ["", "a", "A", "b", "ab", "aB", "abc", "a*b", "up", "down", "Default", "é", "É", "σ", "ς", "Σ", "ß", "ẞ", "日本語",
           "😀", "\uffee", "\\", "\"", "/", "1", "null", "line\nbreak", "tab\t", "\u007f", "a b", "K", "\u212a", "[x]", "{up,down}"]
NUMBERS = ["0", "-0", "1", "1.0", "1e0", "10e-1", "2", "3", "10", "-5", "0.1", "0.10", "1e2", "100", "1E+2", "12345678901234567890",
           "12345678901234567891", "1e400", "1e401", "-1e400", "1e-400", "0.30000000000000004", "0.3"]
GLOBS = ["*", "?", "a*", "*b", "A?", "[a-c]*", "[!a]*", "{up,down}", "{a,b}*", "*{b,{c,é}}", "D[e]f*", "a\\*b", "É", "[É]", "\\*",
         "[", "{", "a[b", "[]", "[!]", "[!]?", "{a,}", "*\\", "σ?*", "{Σ,x}", "[x]", "\\{up,down}", "?*?", "[σ]*", "{,a}{,b}", "\\[x]"]


class Generator:
    def __init__(self, random):
        self.random = random
        self.names = 0
        self.narrow()

    def narrow(self):
        """Chooses the few ids, strings and numbers that are used for a while, so that they often meet."""
        self.ids = self.random.sample(IDS, 9)
        self.strings = self.random.sample(STRINGS, 7)
        self.numbers = self.random.sample(NUMBERS, 6)

    def chance(self, part):
        return self.random.random() < part

    def pick(self, options):
        return self.random.choice(options)

    def some(self, make, low, high):
        return [make() for _ in range(self.random.randint(low, high))]

    # -- documents ----------------------------------------------------------------------------

    def collection(self, most=9, least=0):
        """Documents with different ids, in random order."""
        ids = self.random.sample(self.ids, self.random.randint(least, min(most, len(self.ids))))
        return [self.document(id) for id in ids]

    def document(self, id):
        fields = [("id", self.id_value(id))]
        for name in self.random.sample(FIELDS + COLLECTIONS, self.random.randint(3, 11)):
            fields.append((name, self.field(name)))
        if self.chance(0.3):
            self.random.shuffle(fields)
        return dict(fields)

    def id_value(self, id):
        """An id as text or, where it can be one, as an integer."""
        number = id.lstrip("-").isdecimal() and id.isascii()
        return Number(id) if number and self.chance(0.5) else id

    def reference(self):
        return self.id_value(self.pick(self.ids if self.chance(0.9) else IDS))

    def field(self, name):
        if name in COLLECTIONS or name == "owner":
            return self.pick([
                self.reference, self.reference, self.reference, self.reference,
                lambda: self.some(self.reference, 0, 5), lambda: self.some(self.reference, 0, 5),
                lambda: [*self.some(self.reference, 0, 2), self.pick([None, True, Number("1.5"), {}]), *self.some(self.reference, 0, 2)],
                lambda: self.pick([None, True, Number("1.0"), {}, "", "dangling"]),
            ])()
        if name == "n":
            return Number(self.pick(self.numbers)) if self.chance(0.9) else self.scalar()
        if name in ("s", "Display Name"):
            return self.pick(self.strings) if self.chance(0.9) else self.scalar()
        if name == "t":
            return self.some(lambda: self.value(1), 0, 4)
        if name == "o":
            return self.value(3)
        return self.scalar()

    def scalar(self):
        return self.pick([None, True, False, Number(self.pick(self.numbers)), Number(self.pick(self.numbers)), self.pick(self.strings), self.pick(self.strings)])

    def value(self, depth):
        if depth == 0 or self.chance(0.3):
            return self.scalar()
        if self.chance(0.3):
            return self.some(lambda: self.value(depth - 1), 0, 3)
        return {name: self.value(depth - 1) for name in self.random.sample(["x", "y", "ž", "id", ""], self.random.randint(0, 3))}

    def merge_patch(self):
        """RFC 7396: the values of its fields may be patches themselves."""
        return {**self.patch(), **({"o": self.value(3)} if self.chance(0.7) else {})}

    def patch(self):
        names = self.random.sample(FIELDS + COLLECTIONS, self.random.randint(0, 4))
        return {name: None if self.chance(0.3) else self.field(name) for name in names}

    def permissions(self):
        if self.chance(0.1):
            return self.pick(["*", {}])
        return {name: self.allowed() for name in COLLECTIONS if self.chance(0.85)}

    def allowed(self):
        return self.pick(["*", "*", self.reference(), self.some(self.reference, 0, 8), self.some(self.reference, 4, 12)])

    def spelled(self, value):
        """The JSON of a value, with blanks and escapes where nobody needs them."""
        if isinstance(value, dict):
            return "{" + ",".join(f"{self.blank()}{self.spelled(k)}{self.blank()}:{self.spelled(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{self.blank()}{self.spelled(v)}{self.blank()}" for v in value) + "]"
        if isinstance(value, str):
            return self.escaped(value) if self.chance(0.1) else json.dumps(value, ensure_ascii=self.chance(0.3))
        return write(value)

    def escaped(self, text):
        """Some characters as \\u escapes, also those that need none."""
        return '"' + "".join(self.as_escape(c) if self.chance(0.3) else json.dumps(c, ensure_ascii=False)[1:-1] for c in text) + '"'

    def as_escape(self, c):
        units = c.encode("utf-16-be")
        text = "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
        return text.upper().replace("U", "u") if self.chance(0.5) else text

    def blank(self):
        return self.pick(["", "", "", " ", "\n\t "])

    # -- queries ------------------------------------------------------------------------------

    def query(self, home):
        query = {}
        if self.chance(0.8):
            query["select"] = self.select(self.pick([2, 3, 3, 5]))
        if self.chance(0.6):
            query["where"] = self.conditions(home, 2)
        if self.chance(0.5):
            query["orderBy"] = self.order()
        if self.chance(0.4):
            query["limit"] = self.count()
        if self.chance(0.2):
            query["skip"] = self.count()
        if self.chance(0.3):
            query["count"] = self.chance(0.9)
        return query

    def count(self):
        number = self.random.randint(0, 6)
        return str(number) if self.chance(0.2) else Number(number)

    def select(self, depth):
        if self.chance(0.15):
            return self.selector(depth)
        chosen = self.some(lambda: self.selector(depth), 0, 5)
        if self.chance(0.1):
            chosen = [chosen, [self.selector(depth)]]
        return chosen

    def selector(self, depth):
        if self.chance(0.75):
            return self.short(depth)
        if depth == 0 or self.chance(0.2):
            return self.named({"field": self.pick(FIELDS)})
        made = {"ref": self.pick(COLLECTIONS)}
        if self.chance(0.4):
            made = {"ref": self.pick(REFERRING), "collection": self.pick(COLLECTIONS)}
        if self.chance(0.5):
            made = {"many_ref": self.pick(COLLECTIONS)}
            if self.chance(0.2):
                made["field"] = self.pick(REFERRING)
            for option, make in (("where", lambda: self.conditions(made["many_ref"], 1)), ("orderBy", self.order),
                                 ("limit", self.count), ("skip", self.count)):
                if self.chance(0.3):
                    made[option] = make()
        if self.chance(0.7):
            made["select"] = self.some(lambda: self.selector(depth - 1), 0, 3)
        elif self.chance(0.5):
            made["select"] = self.pick(PLAIN)
        return self.named(made)

    def named(self, made):
        if self.chance(0.15):
            made["as"] = self.pick(TAKEN)
        elif self.chance(0.5):
            self.names += 1
            made["as"] = f"{self.pick(['as', 'Als ', '@', '日'])}{self.names}"
        return made

    def short(self, depth, dots=False):
        """The text of a selector. dots: a many stands before it with only dots between."""
        kind = self.random.random()
        if depth == 0 or kind < 0.35:
            return self.blank() + self.pick(PLAIN + COLLECTIONS + ["id", "id"]) + self.blank()
        if kind < 0.45 and not dots:
            return "*"
        if kind < 0.75:
            head = self.one()[0]
        else:
            head, dots = self.many()[0], True
        tail = self.random.random()
        if tail < 0.5:
            return f"{head}.{self.short(depth - 1, dots)}"
        if tail < 0.9:
            inside = ",".join(self.some(lambda: self.short(depth - 1), 1, 3))
            return f"{head}({inside})"
        return head

    def one(self):
        """The text of a one-to-one reference, and the collection that it leads to."""
        target = self.pick(COLLECTIONS)
        return self.pick([("@owner:user", "user"), ("@ owner : user ", "user"), (f"@{target}", target), (f"@{target}", target),
                          (f"@ {target} ", target), (f"@{self.pick(PLAIN + COLLECTIONS + ['id'])}:{target}", target)])

    def many(self):
        target = self.pick(COLLECTIONS)
        return self.pick([f"@[{target}]", f"@[{target}]", f"@ [ {target} ]", f"@[{target}:{self.pick(PLAIN + COLLECTIONS + ['id'])}]",
                          f"@[{target} : {self.pick(COLLECTIONS + ['owner'])}]"]), target

    def way(self, most, many=True):
        """References one behind the other, and the collection that they lead to."""
        texts = []
        for _ in range(self.random.randint(1, most)):
            text, target = self.many() if many and self.chance(0.4) else self.one()
            texts.append(text)
        return self.pick([".", ".", " . "]).join(texts), target

    def order(self):
        paths = ["".join([self.pick(["", "-"]), self.order_path()]) for _ in range(self.random.randint(1, 3))]
        return paths[0] if self.chance(0.3) else paths

    def order_path(self):
        return self.pick([
            *FIELDS, "id", "n", "s", "n", "s", "o.x", "o.y.x", "t.x", "vm", "@owner:user.n",
            f"@{self.pick(COLLECTIONS)}.{self.pick(PLAIN)}", f"@{self.pick(COLLECTIONS)}.@{self.pick(COLLECTIONS)}.n",
            f"{self.way(4, many=False)[0]}.{self.pick(PLAIN + ['id'])}",
        ])

    def conditions(self, home, depth, low=1):
        made = {}
        for _ in range(self.pick([low, 1, 1, 1, 2])):
            key, value = self.condition(home, depth)
            made[key] = value
        return made

    def condition(self, home, depth):
        if depth and self.chance(0.15):
            return self.pick(["$and", "$or", "$nor"]), self.some(lambda: self.conditions(home, depth - 1, 0), 0, 3)
        if depth and self.chance(0.2):
            target = self.pick(COLLECTIONS)
            key = self.pick([f"@{target}", f"@[{target}]", f"@[{target}]", f"@owner:{target}", f"@user.@[{target}]"])
            if self.chance(0.3):
                key, target = self.way(3)
            inner = self.conditions(target, depth - 1, 0)
            return key, self.pick([inner, inner, {"$exists": self.chance(0.5)}, {"$not": inner or {"$exists": True}},
                                   {"$exists": self.chance(0.5), "$not": inner}, {"$not": {"$not": inner}}])
        path = self.pick([
            *FIELDS, "id", "id", *["n", "s", "t"] * 4, "o", "o.x", "o.y", "o.x.y", "o.id", "t.x", "t.x.y", "vm", "disk", "owner", "flag",
            f"@{self.pick(COLLECTIONS)}.{self.pick(PLAIN + ['id'])}", f"@[{self.pick(COLLECTIONS)}].{self.pick(PLAIN + ['id'])}",
            f"@owner:user.@[{self.pick(COLLECTIONS)}].s", f"@[{self.pick(COLLECTIONS)}:owner].n",
            f"@{self.pick(COLLECTIONS)}.@{self.pick(COLLECTIONS)}.s",
            *[f"{self.way(4)[0]}.{self.pick(PLAIN + ['id'])}" for _ in range(5)],
        ])
        return path, self.asked(2, path.split(".")[-1].strip())

    def asked(self, depth, name):
        """What a key whose last step is `name` is compared with."""
        if self.chance(0.3):
            return self.operand(name)
        if self.chance(0.1):
            return self.pick([[], {}, [Number("1")], {"x": Number("1.0")}, self.value(2)])
        if self.chance(0.1):
            return self.glob()
        return dict(self.operator(depth, name) for _ in range(self.pick([1, 1, 2])))

    def operand(self, name):
        """Mostly a value of the kind that a field of this name has."""
        if self.chance(0.2):
            return self.pick([self.scalar(), self.scalar(), self.reference()])
        return self.field(name) if name in ("n", "s", "Display Name") else self.reference() if name in COLLECTIONS + ["id", "owner"] else self.scalar()

    def glob(self):
        """A pattern that is known to be of interest, one of a string that there is, or nonsense."""
        if self.chance(0.4):
            return self.pick(GLOBS)
        if self.chance(0.5):
            return "".join(self.pick([c, c, c.swapcase(), "?", "*", f"[{c}-{c}]", f"[!{c}]", "{" + c + ",x}", "\\" + c, ""])
                           for c in self.pick(self.strings)) + self.pick(["", "", "*"])
        return "".join(self.pick("**?[]{}!,-\\abAÉσ") for _ in range(self.random.randint(1, 7)))

    def operator(self, depth, name):
        kind = self.pick(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$glob", "$ne", "$gte", "$lte", "$nin"]
                         + (["$not", "$not"] if depth else []))
        if kind in ("$eq", "$ne"):
            return kind, self.pick([self.operand(name), self.operand(name), self.value(2), self.pick(GLOBS)])
        if kind in ("$in", "$nin"):
            return kind, self.some(lambda: self.operand(name), 0, 4)
        if kind == "$exists":
            return kind, self.chance(0.5)
        if kind == "$glob":
            return kind, self.pick([self.glob, lambda: self.pick(self.strings)])()
        if kind == "$not":
            return kind, self.asked(depth - 1, name)
        return kind, self.operand(name)
