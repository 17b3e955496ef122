"""Collections of documents in creation order, and what each write changes in them."""

from collections import namedtuple

from .values import MISSING, equal, id_text

# kind: "created", "updated" (with the names of the fields) or "removed" (before: the document that was)
Change = namedtuple("Change", "kind collection id fields before after")


class Store:
    def __init__(self):
        self.collections = {}
        self.created = 0
        self.numbers = {}  # (collection, id): when it was created, counted from 1

    def documents(self, collection):
        return list(self.collections.get(collection, {}).values())

    def get(self, collection, id):
        return self.collections.get(collection, {}).get(id)

    # -- writes: each returns its changes, in their order ---------------------------------------

    def post(self, collection, documents):
        return self._ordered([self._put(collection, document) for document in documents])

    def put_all(self, collection, documents):
        documents = [stored(document) for document in documents]
        keep = {document["id"] for document in documents}
        gone = [id for id in self.collections.get(collection, {}) if id not in keep]
        changes = [self._put(collection, document) for document in documents]
        return self._ordered(changes + [self._remove(collection, id) for id in gone])

    def put(self, collection, document):
        return self._ordered([self._put(collection, document)])

    def patch(self, collection, id, patch):
        """Sets top-level fields; None removes one. A field keeps its place, new ones come last."""
        return self._patched(collection, id, patch, {**self.get(collection, id), **patch})

    def merge_patch(self, collection, id, patch):
        """RFC 7396."""
        return self._patched(collection, id, patch, merged(self.get(collection, id), patch))

    def _patched(self, collection, id, patch, after):
        before = self.get(collection, id)
        after = {name: value for name, value in after.items() if name not in patch or value is not None}
        set_ones = [name for name in patch if name in after and differs(before, after, name)]
        dropped = [name for name in patch if name not in after and name in before]
        if not set_ones + dropped:
            return []
        self.collections[collection][id] = after
        return [Change("updated", collection, id, set_ones + dropped, before, after)]

    def delete(self, collection, id):
        return [self._remove(collection, id)]

    def clear(self, collection):
        return [self._remove(collection, id) for id in list(self.collections.get(collection, {}))]

    # -- inside ---------------------------------------------------------------------------------

    def _put(self, collection, document):
        after = stored(document)
        id = after["id"]
        before = self.get(collection, id)
        if before is None:
            self.collections.setdefault(collection, {})[id] = after
            self.created += 1
            self.numbers[collection, id] = self.created
            return Change("created", collection, id, [], None, after)
        fields = [name for name in after if differs(before, after, name)]
        fields += [name for name in before if name not in after]
        if not fields:
            return None
        self.collections[collection][id] = after
        return Change("updated", collection, id, fields, before, after)

    def _remove(self, collection, id):
        return Change("removed", collection, id, [], self.collections[collection].pop(id), None)

    @staticmethod
    def _ordered(changes):
        made = [change for change in changes if change]
        return [change for kind in ("created", "updated", "removed") for change in made if change.kind == kind]


def merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def differs(before, after, name):
    return not equal(before.get(name, MISSING), after[name]) if name in before else True


def stored(document):
    """The document as it is kept: its id is text."""
    return {name: id_text(value) if name == "id" else value for name, value in document.items()}
