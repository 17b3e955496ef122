"""The programs of docs/events.md do what it says of them."""

import pathlib
import re
import subprocess

import pytest

from doctor import Server

PAGE = (pathlib.Path(__file__).resolve().parent.parent / "docs/events.md").read_text()
PROGRAMS = re.findall(r"prints `([^`]+)`[^`]*?```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_programs():
    assert len(PROGRAMS) == PAGE.count("```python") == 2


@pytest.mark.parametrize("prints, program", PROGRAMS, ids=["hears", "tells"])
def test_a_program_prints_what_the_page_says(server, tmp_path, prints, program):
    file = tmp_path / "program.py"
    file.write_text(program.replace("61613", str(server.stomp)).replace(":3000", f":{server.api}").replace('"localhost"', '"127.0.0.1"'))
    done = subprocess.run(["/usr/bin/python3", file], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == prints, done.stderr


def test_the_settings_for_hosts_of_ovirt_are_settings(tmp_path):
    table = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    with Server() as server:
        config = tmp_path / "doctor.toml"
        config.write_text(table)
        done = subprocess.run([*server.command()[:1], "serve", "--config", config, "--data-dir", tmp_path / "data"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and "/etc/pki/vdsm" in done.stderr, "all that is missing are the files"
