"""The client library as others get it: installed, found by CMake, and linked by a program outside the tree."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from doctor.server import BINARY

ROOT = Path(__file__).resolve().parent.parent


def call(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.skipif("DOCTOR_SANITIZED" in os.environ, reason="who links a sanitized archive must be sanitized too")
def test_the_example_is_built_outside_the_tree_and_runs(server, tmp_path):
    build = BINARY.parent
    call("cmake", "--build", build, "--", "client_package")
    call("cmake", "--install", build, "--prefix", tmp_path / "installed")
    call("cmake", "-S", ROOT / "examples/events", "-B", tmp_path / "build",
         f"-DCMAKE_PREFIX_PATH={tmp_path}/installed", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
    call("cmake", "--build", tmp_path / "build")
    program = subprocess.Popen([tmp_path / "build/events", str(server.stomp), "2"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stderr.readline() == "listening\n"
        for i in range(3):
            server.http().post("/entities/vm", {"id": str(i)})
        out, err = program.communicate(timeout=20)
    finally:
        program.kill()
    assert (program.returncode, err) == (0, "")
    assert [line.split(" ")[0] for line in out.splitlines()] == ["localhost|vm|created|0", "localhost|vm|created|1"]


def test_the_public_headers_include_no_others_of_ours():
    text = (ROOT / "src/doctor/client/CMakeLists.txt").read_text()
    public = re.search(r"install\(FILES ([\w. ]+)\n", text).group(1).split()
    assert "client.hpp" in public
    for name in public:
        for included in re.findall(r'#include ["<]([^">]+)', (ROOT / "src/doctor/client" / name).read_text()):
            assert re.fullmatch(r"[a-z_]+", included) or included.removeprefix("doctor/client/") in public, \
                f"{name} includes {included}"
