"""Every command of the README, in order, prints what the README says."""

import pathlib
import subprocess

DEMO = pathlib.Path(__file__).parent.parent / "scripts/demo"


def test_the_readme_is_true():
    done = subprocess.run([DEMO], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
