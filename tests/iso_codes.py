#!/usr/bin/python3
"""Prints the countries, their subdivisions, the languages and the currencies of Debian's iso-codes as
documents that refer to each other: a subdivision to its country, and to its parent where it has one.

    tests/iso_codes.py | doctor import -
"""

import json
import pathlib

DATA = pathlib.Path("/usr/share/iso-codes/json")


def records(standard):
    return json.loads((DATA / f"iso_{standard}.json").read_text())[standard]


def documents():
    """Yields (collection, document)."""
    for country in records("3166-1"):
        yield "country", {"id": country["alpha_2"], **country}
    subdivisions = records("3166-2")
    codes = {subdivision["code"] for subdivision in subdivisions}
    for subdivision in subdivisions:
        country = subdivision["code"].split("-")[0]
        document = {"id": subdivision["code"], "name": subdivision["name"], "type": subdivision["type"],
                    "country": country}
        if "parent" in subdivision:  # some stand there without their country
            parent = subdivision["parent"]
            document["parent"] = parent if parent in codes else f"{country}-{parent}"
        yield "subdivision", document
    for language in records("639-3"):
        yield "language", {"id": language["alpha_3"], **language}
    for currency in records("4217"):
        yield "currency", {"id": currency["alpha_3"], **currency}


if __name__ == "__main__":
    for collection, document in documents():
        print(json.dumps({"collection": collection, "document": document}, ensure_ascii=False, separators=(",", ":")))
