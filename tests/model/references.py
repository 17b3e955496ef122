"""From a document to those that it refers to, and to those that refer to it."""

from .values import id_text


def one(view, document, field, collection):
    """The document whose id is the value of the field, or None."""
    id = id_text(document.get(field))
    return None if id is None else view.get(collection, id)


def many(view, home, document, collection, field=None):
    """The documents of `collection` that are listed in `document` of `home`, or refer to it."""
    if field is None and isinstance(document.get(collection), list):
        return listed(view, collection, document[collection])
    return [other for other in view.documents(collection) if refers(other.get(field or home), document["id"])]


def listed(view, collection, values):
    found = []
    for value in values:
        id = id_text(value)
        target = None if id is None else view.get(collection, id)
        if target is not None and target not in found:
            found.append(target)
    return found


def refers(value, id):
    values = value if isinstance(value, list) else [value]
    return any(id_text(one) == id for one in values)
