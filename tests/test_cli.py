"""The client sub-commands of `doctor`, against a running server."""

import json
import os
import pty
import subprocess
import threading

import pytest

from doctor import Server
from doctor.server import BINARY, environment, free_port, run


class Cli:
    def __init__(self, server, **env):
        self.env = environment(DOCTOR_URL=f"http://127.0.0.1:{server.api}", **env)

    def __call__(self, *arguments, input=None):
        return run(*arguments, input=input, env=self.env)

    def ok(self, *arguments, input=None):
        done = self(*arguments, input=input)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments, input=None):
        return json.loads(self.ok(*arguments, input=input))


@pytest.fixture
def cli(server):
    return Cli(server)


# -- one request ----------------------------------------------------------------------------------


def test_documents_are_written_read_patched_and_removed(cli):
    assert cli.ok("post", "vm", '{"id":"1","name":"vm1"}') == "1 created, 0 updated, 0 removed, 0 unchanged; revision 1\n"
    assert cli.ok("put", "vm", "a/b", '{"name":"vm2"}').endswith("revision 2\n")
    assert cli.ok("patch", "vm", "1", '{"status":"up"}') == "0 created, 1 updated, 0 removed, 0 unchanged; revision 3\n"
    assert cli.ok("patch", "vm", "1", "--merge", '{"status":null}').endswith("revision 4\n")
    assert cli.ok("patch", "vm", "1", "--json-patch", '[{"op":"add","path":"/n","value":1}]').endswith("revision 5\n")
    assert cli.json("get") == [{"name": "vm", "count": 2}]
    assert cli.json("get", "vm", "a/b") == {"id": "a/b", "name": "vm2"}
    assert cli.ok("get", "vm", "1") == '{"id":"1","name":"vm1","n":1}\n'
    assert cli.ok("delete", "vm", "1") == "removed; revision 6\n"
    assert cli.ok("delete", "vm", "--all") == "removed; revision 7\n"
    assert cli.json("get") == []


def test_a_body_comes_from_the_command_line_a_file_or_standard_input(cli, tmp_path):
    (tmp_path / "vms.json").write_text('[{"id":"2"}]')
    assert cli.ok("put", "vm", '[{"id":"1"}]').startswith("1 created")
    assert cli.ok("put", "vm", f"@{tmp_path}/vms.json").startswith("1 created, 0 updated, 1 removed")
    assert cli.ok("put", "vm", "-", input='[{"id":"3"}]').startswith("1 created, 0 updated, 1 removed")
    assert cli("put", "vm", "@/nowhere").returncode == 2


def test_json_gives_the_servers_answer(cli):
    assert cli.json("post", "vm", "--json", '{"id":"1"}') == {
        "revision": 1, "created": ["1"], "updated": {}, "removed": [], "unchanged": 0}
    assert cli.json("delete", "vm", "1", "--json") == {"revision": 2}


def test_a_query_is_asked_of_a_collection_or_a_document(cli):
    cli.ok("post", "vm", '[{"id":"1","name":"a","cluster":"c"},{"id":"2","name":"b"}]')
    cli.ok("post", "cluster", '{"id":"c","name":"Default"}')
    assert cli.json("query", "vm", '{"select":"name","where":{"cluster":"c"}}') == [{"name": "a"}]
    assert cli.json("query", "vm", "1", '{"select":"@cluster.name"}') == {"@cluster.name": "Default"}
    assert cli.json("get", "vm", "1", "--query", '{"select":"name"}') == {"name": "a"}
    done = cli("query", "vm", '{"select":"name","limit":1,"count":true}')
    assert json.loads(done.stdout) == [{"name": "a"}] and "total: 2\n" in done.stderr


def test_a_refusal_is_told_in_words_and_exits_1(cli):
    done = cli("get", "vm", "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("doctor get: 404 ")
    done = cli("post", "vm", '{"id":"1","a.b":1}')
    assert done.returncode == 1 and "400" in done.stderr and "a.b" in done.stderr


def test_a_mistake_on_the_command_line_exits_2(cli):
    for words in ([], ["got"], ["put", "vm"], ["delete", "vm"], ["delete", "vm", "1", "--all"], ["get", "--nope"],
                  ["import"], ["import", "--replace", "-"], ["sessions"], ["get", "--server", "nope://x"]):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert done.stderr.strip(), words


def test_a_misspelt_sub_command_is_named_and_none_at_all_gets_the_help():
    done = run("qurey")
    assert done.returncode == 2 and "qurey" in done.stderr
    done = run()
    assert done.returncode == 2 and "serve" in done.stderr and done.stdout == ""


def test_a_server_that_is_not_there_exits_3():
    done = run("get", "--server", f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 3 and "no answer" in done.stderr


def test_the_secret_comes_from_the_environment_or_a_file_and_sessions_narrow(secured, tmp_path):
    (tmp_path / "secret").write_text("open sesame\n")
    stranger, connector = Cli(secured), Cli(secured, SECRET="open sesame")
    assert stranger("post", "vm", '{"id":"1"}').returncode == 1
    connector.ok("post", "vm", '[{"id":"1"},{"id":"2"}]')
    body = '{"permissions":{"vm":"1"}}'
    assert "1 created" in stranger.ok("sessions", "put", "0123456789abcdef", body, "--secret-file", tmp_path / "secret")
    assert [s["id"] for s in connector.json("sessions", "list")] == ["0123456789abcdef"]
    assert connector.json("sessions", "get", "0123456789abcdef")["permissions"] == {"vm": "1"}
    assert stranger.json("get", "vm", "--session", "0123456789abcdef") == [{"id": "1"}]
    connector.ok("sessions", "patch", "0123456789abcdef", '{"permissions":"*"}')
    assert len(stranger.json("get", "vm", "--session", "0123456789abcdef")) == 2
    connector.ok("sessions", "delete", "0123456789abcdef")
    assert stranger("get", "vm", "--session", "0123456789abcdef").returncode == 1


def on_a_terminal(*arguments, env):
    """What a person sees; standard output and error are one pseudo-terminal."""
    master, slave = pty.openpty()
    pieces = []

    def read():
        try:
            while piece := os.read(master, 65536):
                pieces.append(piece)
        except OSError:
            pass  # the other end is closed

    reader = threading.Thread(target=read)
    reader.start()
    status = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env).returncode
    os.close(slave)
    reader.join(10)
    os.close(master)
    return status, b"".join(pieces).decode()


def test_colours_and_lines_are_for_terminals_only(cli):
    cli.ok("post", "vm", '{"id":"1","n":[1,2]}')
    assert on_a_terminal("get", "vm", "1", env={**cli.env, "NO_COLOR": "1"}) == (
        0, '{\r\n  "id": "1",\r\n  "n": [1, 2]\r\n}\r\n')
    assert "\x1b[" in on_a_terminal("get", "vm", "1", env=cli.env)[1]
    assert on_a_terminal("get", "vm", "1", "--json", env=cli.env) == (0, '{"id":"1","n":[1,2]}\r\n')
    assert cli.ok("get", "vm", "1") == '{"id":"1","n":[1,2]}\n'


# -- import and export ------------------------------------------------------------------------------


def lines(documents):
    return "".join(json.dumps(document) + "\n" for document in documents)


def test_import_takes_an_array_or_lines(cli, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"id": 1}, {"id": 2}], indent=2))
    assert cli.ok("import", "-c", "vm", tmp_path / "a.json") == (
        "2 documents: 2 created, 0 updated, 0 removed, 0 unchanged; revision 1\n")
    assert cli.ok("import", "-c", "vm", "-", input=lines([{"id": 2}, {"id": 3}])) == (
        "2 documents: 1 created, 0 updated, 0 removed, 1 unchanged; revision 2\n")
    assert cli.ok("import", "-c", "vm", "-", input="") == (
        "0 documents: 0 created, 0 updated, 0 removed, 0 unchanged; revision 0\n")


def test_import_commits_at_most_10_000_documents_at_a_time(cli):
    assert cli.json("import", "--json", "-c", "vm", "-", input=lines({"id": n} for n in range(25_000))) == {
        "revision": 3, "created": 25_000, "updated": 0, "removed": 0, "unchanged": 0}


def test_import_takes_the_id_from_a_field_and_drops_others(cli):
    cli.ok("import", "-c", "vm", "--id", "code", "--drop", "_id", "--drop", "x", "-",
           input=lines([{"_id": {"$oid": "5"}, "x": 1, "code": "AT", "name": "Austria"}]))
    assert cli.ok("get", "vm") == '[{"id":"AT","code":"AT","name":"Austria"}]\n'


def test_import_tells_the_line_of_a_mistake_and_what_was_written_before(cli, tmp_path):
    documents = [{"id": n} for n in range(10_000)]
    done = cli("import", "-c", "vm", "-", input=lines(documents) + '{"id":"x"}\n{"id":01}\n')
    assert done.returncode == 1
    assert "standard input: line 10002: " in done.stderr
    assert "10000 documents before it were written" in done.stderr
    assert cli.json("get") == [{"name": "vm", "count": 10_000}]

    (tmp_path / "a.json").write_text('[\n{"id":"a"},\n{"id":"b", "_no":1},\n{"id":"c"}]')
    done = cli("import", "-c", "new", tmp_path / "a.json")
    assert done.returncode == 1 and "a.json: line 3: 400 " in done.stderr and "nothing was written" in done.stderr

    done = cli("import", "-c", "new", "-", input=lines([{"id": "a"}, {"id": "b"}, {"id": "a"}]))
    assert done.returncode == 1 and "line 3: 400 " in done.stderr
    assert cli.json("get") == [{"name": "vm", "count": 10_000}]


def test_import_replace_is_one_commit_and_all_or_nothing(cli):
    cli.ok("import", "-c", "vm", "-", input=lines([{"id": "old"}]))
    done = cli.ok("import", "--replace", "-c", "vm", "-", input=lines({"id": n} for n in range(12_000)))
    assert done == "12000 documents: 12000 created, 0 updated, 1 removed, 0 unchanged; revision 2\n"
    big = ({"id": n, "text": "x" * 1_000_000} for n in range(70))
    done = cli("import", "--replace", "-c", "vm", "-", input=lines(big))
    assert done.returncode == 1 and "--replace" in done.stderr and "nothing was written" in done.stderr
    assert cli.json("get") == [{"name": "vm", "count": 12_000}]
    assert "12000 removed" in cli.ok("import", "--replace", "-c", "vm", "-", input="[]")


def test_import_holds_little_of_a_large_input(server):
    """70 MB of lines, far beyond one request, in less than 100 MB of memory."""
    document = json.dumps({"id": "#", "text": "x" * 7_000})
    script = (f"import sys\nfor n in range(10000): sys.stdout.write('''{document}\\n'''.replace('#', str(n)))")
    source = subprocess.Popen(["/usr/bin/python3", "-c", script], stdout=subprocess.PIPE)
    done = subprocess.run(["/usr/bin/python3", "-c",
                           "import resource, subprocess, sys\n"
                           "status = subprocess.run(sys.argv[1:]).returncode\n"
                           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
                           "sys.exit(status)",
                           BINARY, "import", "--json", "-c", "vm", "-"], stdin=source.stdout, capture_output=True, text=True,
                          env=Cli(server).env)
    assert done.returncode == 0, done.stderr
    answer, kib = done.stdout.splitlines()
    assert json.loads(answer)["created"] == 10_000
    if "asan" not in str(BINARY) and "tsan" not in str(BINARY):  # they keep freed memory for a while
        assert int(kib) < 100_000


def test_export_and_import_carry_everything_to_another_server(cli):
    cli.ok("post", "vm", '[{"id":"1","n":1.50,"t":"\\u0041"},{"id":2}]')
    cli.ok("post", "cluster", '{"id":"c"}')
    everything = cli.ok("export")
    assert sorted(map(json.loads, everything.splitlines()), key=str) == sorted([
        {"collection": "cluster", "document": {"id": "c"}},
        {"collection": "vm", "document": {"id": "1", "n": 1.5, "t": "A"}},
        {"collection": "vm", "document": {"id": "2"}}], key=str)
    assert [json.loads(line)["collection"] for line in cli.ok("export", "cluster").splitlines()] == ["cluster"]
    with Server() as other:
        Cli(other).ok("import", "-", input=everything)
        assert Cli(other).ok("export") == everything
