"""The documents name what there is, and nothing else."""

import pathlib
import re
import subprocess

from doctor import Server
from doctor.server import BINARY

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_link_of_the_documents_leads_somewhere():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_operations_names_every_limit():
    settings = (ROOT / "src/doctor/server/limit_settings.cpp").read_text()
    named = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/operations.md").read_text().split("## Limits")[1], re.MULTILINE)
    assert named == re.findall(r'LimitSetting\{"(\w+)"', settings)


def test_operations_and_the_example_tell_the_same_default_of_every_limit():
    operations = (ROOT / "docs/operations.md").read_text().split("## Limits")[1]
    example = (ROOT / "packaging/doctor.toml").read_text().split("[limits]")[1]
    told = {name: value.replace(" ", "") for name, value in re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", operations, re.MULTILINE)}
    shown = {name: re.sub('[" _]', "", value) for name, value in re.findall(r'^(\w+) = ("[^"]*"|[\d_]+)', example, re.MULTILINE)}
    assert told == {name: shown[name] for name in told}


def test_operations_names_every_cause_that_is_counted():
    with Server() as server:
        counted = {}
        for name in server.metrics():
            if found := re.fullmatch(r'(\w+)\{(?:cause|protocol)="(.+)"\}', name):
                if found[1].endswith("_total"):
                    counted.setdefault(found[1], []).append(found[2])
    rows = (ROOT / "docs/operations.md").read_text().split("## Refused, dropped, closed")[1].split("\n## ")[0]
    told, family = {}, None
    for metric, causes in re.findall(r"^\| (`\w+`)? ?\| (`[^|]+) \|", rows, re.MULTILINE):
        family = metric.strip("`") or family
        told.setdefault(family, []).extend(re.findall(r"`(\w+)`", causes))
    assert told == counted


def test_every_rule_of_reactive_streams_has_a_test_or_a_reason():
    page = (ROOT / "docs/reactive-streams.md").read_text()
    rows = re.findall(r"^\| (\d\.\d+) \|[^|]+\| (.+) \|$", page, re.MULTILINE)
    assert [rule for rule, _ in rows] == [f"{part}.{n}" for part, last in ((1, 11), (2, 13), (3, 17)) for n in range(1, last + 1)]
    there = set()
    for source in (ROOT / "src/doctor/client").glob("*_test.cpp"):
        there |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F)?\((\w+),\s+(\w+)\)", source.read_text(), re.MULTILINE)}
    assert set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", page)) <= there


def test_the_tests_that_a_decision_names_are_there():
    page = (ROOT / "docs/decisions/mqtt-hardening.md").read_text()
    there = set()
    for source in ROOT.glob("src/doctor/*/*_test.cpp"):
        there |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s+(\w+)\)", source.read_text(), re.MULTILINE)}
    for source in ROOT.glob("tests/**/test_*.py"):
        file = source.stem.removeprefix("test_") if source.parent.name == "mqtt_conformance" else source.stem
        there |= {f"{file}: {name.replace('_', ' ')}" for name in re.findall(r"^def test_(\w+)", source.read_text(), re.MULTILINE)}
    named = set(re.findall(r"`(\w+: [^`]+|[A-Z]\w+\.[A-Z]\w+)`", page)) - {"name: words", "Suite.Name"}
    assert named and named - there == set()


def test_the_tests_that_the_table_of_stomp_names_are_there():
    page = (ROOT / "docs/stomp-conformance.md").read_text()
    there = set()
    for source in ROOT.glob("src/doctor/*/*_test.cpp"):
        there |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s+(\w+)\)", source.read_text(), re.MULTILINE)}
    for source in ROOT.glob("tests/test_*.py"):
        there |= set(re.findall(r"^def (test_\w+)", source.read_text(), re.MULTILINE))
    rows = [row for row in re.findall(r"^\| ([^|-][^|]*) \| ([^|]+) \|$", page, re.MULTILINE) if row[0] != "statement"]
    assert len(rows) > 80
    for statement, shown in rows:
        named = set(re.findall(r"`(test_\w+|[A-Z]\w+\.[A-Z]\w+)`", shown))
        assert named - there == set() and (named or shown.startswith("– ")), statement


def test_every_mutant_still_finds_what_it_breaks():
    done = subprocess.run([ROOT / "tests/mutants", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_package_has_a_reason():
    for line in (ROOT / "scripts/packages.txt").read_text().splitlines():
        if line and line[0] not in "#[":
            assert re.fullmatch(r"[a-z0-9.+-]+ +\S.+", line), line


def test_every_sub_command_has_help_with_examples():
    listed = subprocess.run([BINARY, "--help"], capture_output=True, text=True).stdout
    commands = re.findall(r"^  ([a-z]+) {2,}", listed.split("Subcommands:")[1], re.MULTILINE)
    assert set(commands) >= {"serve", "check", "get", "query", "post", "put", "patch", "delete", "import", "export",
                             "sessions", "clients"}
    for command in commands:
        done = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True)
        assert done.returncode == 0
        assert re.search(rf"Example.*\n +doctor {command}", done.stdout), command
