"""Writes docs/mqtt-conformance.md from the statements and the marks of the tests.

    /usr/bin/python3 tests/mqtt_conformance/table.py           writes it
    /usr/bin/python3 tests/mqtt_conformance/table.py --check   says whether it is up to date
"""

import importlib
import inspect
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "mqtt-conformance.md"
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))

from mqtt_conformance.differences import DIFFERENCES  # noqa: E402
from mqtt_conformance.wire import V311  # noqa: E402

ID = re.compile(r"MQTT-\d[\d.-]*\d")


class Incomplete(Exception):
    """A statement with neither test nor reason, or a mark of a statement that does not exist."""


def statements(file):
    """{id: (fact, reason why no test or None)} of a file of lines `id | fact | reason`; `=ID` is a 5.0 statement."""
    found = {}
    for line in (HERE / file).read_text().splitlines():
        if line and not line.startswith("//"):
            name, fact, *reason = (part.strip() for part in line.split("|"))
            if name in found:
                raise Incomplete(f"{name} stands twice in {file}")
            found[name] = (fact, reason[0] if reason else None)
    return found


def tests():
    """[(name, clauses, versions)] of all tests, in the order of the files."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"mqtt_conformance.{path.stem}")
        functions = [(name, value) for name, value in vars(module).items() if name.startswith("test_")]
        for name, value in sorted(functions, key=lambda pair: inspect.getsourcelines(pair[1])[1]):
            if not hasattr(value, "clauses"):
                raise Incomplete(f"{path.name}: {name} names no statement")
            found.append((f"{path.stem.removeprefix('test_')}: {name.removeprefix('test_')}", value.clauses,
                          getattr(value, "versions", ())))
    return found


def shown(names):
    return "<br>".join(name.replace("_", " ") for name in names)


def table(title, rows):
    lines = [f"| {title} | what it says | tests, or why none |", "|---|---|---|"]
    return lines + [f"| {name} | {fact} | {cell} |" for name, fact, cell in rows]


def render():
    all_tests, five, three = tests(), statements("statements_5.txt"), statements("statements_311.txt")
    missing, of_five, of_three, others = [], {}, {}, {}
    for name, clauses, versions in all_tests:
        for clause in clauses:
            kind = of_three if clause.startswith("3.1.1: ") else of_five if clause.startswith("MQTT-") else others
            kind.setdefault(clause.removeprefix("3.1.1: "), []).append((name, versions))
    missing += [f"no such statement of 5.0: {one}" for one in of_five.keys() - five.keys()]
    missing += [f"no such statement of 3.1.1: {one}" for one in of_three.keys() - three.keys()]

    def cell(found, reason, name):
        if not found and not reason:
            missing.append(f"{name} has neither test nor reason")
        return shown(dict.fromkeys(found)) if found else f"– {reason}"

    rows_5 = [(name, fact, cell([test for test, _ in of_five.get(name, [])], reason, name))
              for name, (fact, reason) in five.items()]
    rows_3 = []
    for name, (fact, reason) in three.items():
        found = [test for test, _ in of_three.get(name, [])]
        same = fact.removeprefix("=") if fact.startswith("=") else None
        if same:
            if same not in five:
                missing.append(f"3.1.1 {name} refers to {same}")
                continue
            fact, reason = f"as [{same}]: {five[same][0]}", reason or five[same][1]
            found += [test for test, versions in of_five.get(same, []) if V311 in versions or not versions]
        rows_3.append((name, fact, cell(found, reason, f"3.1.1 {name}")))
    rows_other = [(name, shown(dict.fromkeys(test for test, _ in found))) for name, found in sorted(others.items())]
    names = {name for name, _, _ in all_tests}
    for name, _, _ in DIFFERENCES:
        if name not in names:
            missing.append(f"differences.py names a test that does not exist: {name}")
    if missing:
        raise Incomplete("\n".join(missing))

    def counts(rows):
        without = sum(cell.startswith("–") for _, _, cell in rows)
        return f"{len(rows)} statements: {len(rows) - without} with tests, {without} without"

    return "\n".join([
        "# MQTT conformance", "",
        "Every normative statement of MQTT 5.0 and 3.1.1, with the tests that show it or the reason why there is none.",
        "Made by `tests/mqtt_conformance/table.py` from the marks of the tests: do not edit by hand.", "",
        "The tests drive raw packets over a socket, and run against any broker:", "",
        "```sh", "/usr/bin/python3 -m pytest -q tests/mqtt_conformance                # a fresh Doctor",
        "DOCTOR_MQTT_BROKER=host:port /usr/bin/python3 -m pytest -q tests/mqtt_conformance",
        "DOCTOR_MQTT_BROKER=host:port DOCTOR_MQTT_WEBSOCKET=host:port ...    # its WebSocket listener too", "```", "",
        "Each packet of the server is read strictly, whatever the test: flags, reason codes, properties, lengths, UTF-8. The",
        "facts are told in short; the standards' own words bind.", "",
        "## MQTT 5.0", "", counts(rows_5), "", *table("statement", rows_5), "",
        "## MQTT 3.1.1", "", counts(rows_3), "", *table("statement", rows_3), "",
        "## Rules without a number", "", "| section | tests |", "|---|---|",
        *(f"| {name} | {cell} |" for name, cell in rows_other), "",
        "## Where Mosquitto differs", "",
        "Mosquitto 2.0.11 (Debian 12) under the same tests, with `allow_anonymous` and a listener each for TCP and WebSocket,",
        "fails these; all others pass.", "",
        "| test | what Mosquitto does | who is right |", "|---|---|---|",
        *(f"| {name.replace('_', ' ')} | {what} | {who} |" for name, what, who in DIFFERENCES), ""])


def main():
    try:
        text = render()
    except Incomplete as incomplete:
        sys.exit(str(incomplete))
    if "--check" in sys.argv:
        current = DOCUMENT.exists() and DOCUMENT.read_text() == text
        sys.exit(None if current else f"{DOCUMENT.name} is out of date: run {__file__}")
    DOCUMENT.write_text(text)


if __name__ == "__main__":
    main()
