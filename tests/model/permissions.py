"""Who may read what, and the store as a session sees it."""

from .values import id_text


def may_read(permissions, collection, id):
    """permissions: "*", an object of collection to "*", an id or a list of ids; None is nothing."""
    if permissions == "*":
        return True
    if not isinstance(permissions, dict) or collection not in permissions:
        return False
    allowed = permissions[collection]
    if allowed == "*":
        return True
    if not isinstance(allowed, list):
        allowed = [allowed]
    return any(id_text(one) == id for one in allowed)


class View:
    """The store without the documents that these permissions forbid."""

    def __init__(self, store, permissions="*"):
        self.store = store
        self.permissions = permissions

    def documents(self, collection):
        return [d for d in self.store.documents(collection) if may_read(self.permissions, collection, d["id"])]

    def get(self, collection, id):
        return self.store.get(collection, id) if may_read(self.permissions, collection, id) else None

    def collections(self):
        """What GET /entities says: by name, only those with a document that the reader may see."""
        counts = {name: len(self.documents(name)) for name in self.store.collections}
        return [(name, counts[name]) for name in sorted(counts) if counts[name]]
