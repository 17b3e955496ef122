"""Every command of the README and of other pages, in order, prints what the page says."""

import pathlib
import subprocess

DEMO = pathlib.Path(__file__).parent.parent / "scripts/demo"


def run(*page):
    done = subprocess.run([DEMO, *page], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_is_true():
    run()


def test_the_walk_through_rules_is_true():
    run(DEMO.parent.parent / "docs/rules.md")
