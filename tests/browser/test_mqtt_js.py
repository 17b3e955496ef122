"""mqtt.js in a page: the broker over WebSocket, and the API beside it."""

import itertools

import pytest

from .addresses import api, url

SESSION = "3f0a9c58e2d14b7a"
numbers = itertools.count()

VERSIONS = pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5.0"])
PATHS = pytest.mark.parametrize("path", ["/mqtt", "/"])


def as_session(version, **more):
    return {"protocolVersion": version, "username": "session", "password": SESSION, **more}


def as_connector(doctor, version=5, **more):
    return {"protocolVersion": version, "username": "connector", "password": doctor.secret, **more}


def persistent(version, client_id):
    kept = {"properties": {"sessionExpiryInterval": 600}} if version == 5 else {}
    return as_session(version, clientId=client_id, clean=False, **kept)


def allow(doctor, permissions):
    with doctor.http() as http:
        assert http.put(f"/sessions/{SESSION}", {"permissions": permissions}).status in (200, 201)


@PATHS
@VERSIONS
def test_a_page_hears_what_its_session_may_read_and_reads_it_again(doctor, open_page, version, path):
    allow(doctor, {"vm": ["1", "3"]})
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor, path), options=as_session(version))
    assert page.run("return subscribe('#')") == 0
    read = "return ask(`${api}/entities/vm`, { headers: { SESSION: session } })"
    assert page.run(read, api=api(doctor), session=SESSION)["json"] == []
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": "1"}, {"id": "2"}, {"id": "3"}])
        http.patch("/entities/vm/2", {"status": "up"})
        http.put("/entities/disk/1", {})
        http.patch("/entities/vm/3", {"status": "up"})
    page.until("lines.length >= 3", show="lines")
    assert page.run("return lines") == ["vm/1 +", "vm/3 +", "vm/3 status"]
    assert page.run(read, api=api(doctor), session=SESSION)["json"] == [{"id": "1"}, {"id": "3", "status": "up"}]
    with doctor.http() as http:
        http.delete("/entities/vm/2")
        http.delete("/entities/vm/1")
    page.until("lines.length >= 4", show="lines")
    assert page.run("return lines.slice(3)") == ["vm/1 -"]


@pytest.mark.parametrize("qos", [0, 1, 2])
@VERSIONS
def test_a_large_commit_arrives_whole_and_in_order(doctor, open_page, version, qos):
    allow(doctor, {"vm": "*"})
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor), options=as_session(version))
    assert page.run("return subscribe('vm/+', qos)", qos=qos) == qos
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": str(n)} for n in range(3000)])
    page.until("lines.length >= 3000", show="lines.length")
    assert page.run("return lines") == [f"vm/{n} +" for n in range(3000)]


@VERSIONS
def test_a_session_waits_for_its_page(doctor, open_page, version):
    allow(doctor, {"vm": "*"})
    options = persistent(version, f"page-{next(numbers)}")
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor), options=options)
    page.run("await subscribe('vm/+', 1)")
    page.go("about:blank")  # as who closes the tab: no DISCONNECT is sent
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": str(n)} for n in range(200)])
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor), options=options)
    page.until("lines.length >= 200", show="lines.length")
    assert page.run("return [connections, lines]") == [[True], [f"vm/{n} +" for n in range(200)]]


@VERSIONS
def test_a_session_waits_for_its_page_through_a_crash(doctor, open_page, version):
    allow(doctor, {"vm": "*"})
    options = persistent(version, f"page-{next(numbers)}")
    page = open_page()
    page.run("await connect(url, options); await subscribe('vm/+', 1)", url=url(doctor), options=options)
    page.go("about:blank")
    for n in range(3):
        with doctor.http() as http:
            http.put(f"/entities/vm/{n}", {})
        doctor.kill()
        doctor.start(same_ports=True)
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor), options=options)
    page.until("lines.length >= 3", show="lines")
    assert page.run("return [connections, lines]") == [[True], ["vm/0 +", "vm/1 +", "vm/2 +"]]


@VERSIONS
def test_a_page_comes_back_by_itself_after_a_restart(doctor, open_page, version):
    allow(doctor, {"vm": "*"})
    page = open_page()
    page.run("await connect(url, options); await subscribe('vm/+')", url=url(doctor), options=as_session(version))
    doctor.restart(same_ports=True)
    page.until("connections.length >= 2 && client.connected", show="connections")
    page.run("await subscribe('disk/+')")  # answered behind mqtt.js's own subscription to what it had
    with doctor.http() as http:
        http.put("/entities/vm/1", {})
    page.until("lines.length", show="problems")
    assert page.run("return lines") == ["vm/1 +"]


@VERSIONS
def test_two_pages_with_one_client_identifier_do_not_both_hear(doctor, open_page, version):
    allow(doctor, {"vm": "*"})
    options = as_session(version, clientId=f"page-{next(numbers)}", reconnectPeriod=0)
    first, second = open_page(), open_page()
    for page in (first, second):
        page.run("await connect(url, options); await subscribe('vm/+')", url=url(doctor), options=options)
    first.until("!client.connected")
    assert first.run("return problems") == (["0x8e"] if version == 5 else [])
    with doctor.http() as http:
        http.put("/entities/vm/1", {})
    second.until("lines.length", show="problems")
    assert first.run("return lines") == []


@VERSIONS
def test_who_has_no_session_is_told_so(doctor, open_page, version):
    page = open_page()
    page.run("await connect(url, options)", url=url(doctor), options=as_session(version, reconnectPeriod=0))
    assert page.run("return [client.connected, connections, problems.length]") == [False, [], 1]


def test_a_deleted_session_is_disconnected_and_reads_nothing(doctor, open_page):
    allow(doctor, {"vm": "*"})
    page = open_page()
    page.run("await connect(url, options); await subscribe('vm/+')", url=url(doctor),
             options=as_session(5, reconnectPeriod=0))
    with doctor.http() as http:
        http.delete(f"/sessions/{SESSION}")
    page.until("!client.connected")
    assert page.run("return problems") == ["0x98"]
    answer = page.run("return ask(`${api}/entities/vm`, { headers: { SESSION: session } })", api=api(doctor), session=SESSION)
    assert (answer["status"], answer["json"]["status"]) == (401, 401)


@pytest.mark.parametrize("size", [10, 126, 65_536, 700_000])
@VERSIONS
def test_what_a_page_publishes_comes_to_other_pages_whole(doctor, open_page, version, size):
    hearing, speaking = open_page(), open_page()
    for page in (hearing, speaking):
        page.run("await connect(url, options)", url=url(doctor), options=as_connector(doctor, version))
    hearing.run("await subscribe('chat/#', 2)")
    speaking.run("await publish('chat/é', 'x'.repeat(size - 1) + '!', { qos: 2, retain: true })", size=size)
    hearing.until("lines.length", show="problems")
    assert hearing.run("return [lines.length, lines[0].length, lines[0].slice(0, 8), lines[0].at(-1)]") == [
        1, len("chat/é ") + size, "chat/é x", "!"]
    late = open_page()  # and to those who come later, since it was retained
    late.run("await connect(url, options); await subscribe('chat/#', 1)", url=url(doctor), options=as_connector(doctor, version))
    late.until("lines.length", show="problems")
    assert late.run("return lines[0].length") == len("chat/é ") + size


def test_a_page_may_send_and_read_the_headers_of_the_api(doctor, open_page):
    page = open_page()
    ask = "return ask(url, options)"
    documents, secret = api(doctor) + "/entities/vm", {"SECRET": doctor.secret}
    put = {"method": "PUT", "body": '{"name":"a"}'}
    as_text = page.run(ask, url=documents + "/1", options={**put, "headers": secret})  # what fetch() calls it unasked
    assert as_text["status"] == 415
    json = {"Content-Type": "application/json"}
    written = page.run(ask, url=documents + "/1", options={**put, "headers": {**secret, **json}})
    assert written["status"] in (200, 201)
    read = page.run(ask, url=documents + "/1", options={"headers": secret})
    assert (read["json"], read["revision"]) == ({"id": "1", "name": "a"}, str(written["json"]["revision"]))
    same = page.run(ask, url=documents + "/1", options={"headers": {**secret, "If-None-Match": read["etag"]}})
    assert same["status"] == 304
    patched = page.run(ask, url=documents + "/1", options={"method": "PATCH", "body": '{"name":"b"}', "headers": {
        **secret, "If-Match": read["etag"], "Content-Type": "application/merge-patch+json"}})
    assert patched["json"]["updated"] == {"1": ["name"]}
    late = page.run(ask, url=documents + "/1", options={"method": "DELETE", "headers": {**secret, "If-Match": read["etag"]}})
    assert (late["status"], late["json"]["status"]) == (412, 412)
    gone = page.run(ask, url=documents + "/1", options={"method": "DELETE", "headers": secret})
    assert gone["status"] == 204


def test_a_page_of_another_origin_gets_in_by_neither_way(doctor, open_page, site):
    allow(doctor, {"vm": "*"})
    page = open_page(site.origin.replace("localhost", "127.0.0.1") + "/")
    assert page.run("return fetch(url, { headers: { SESSION: session } }).catch((error) => error.name)",
                    url=api(doctor) + "/entities", session=SESSION) == "TypeError"
    page.run("await connect(url, options)", url=url(doctor), options=as_session(5, reconnectPeriod=0))
    assert page.run("return [client.connected, connections]") == [False, []]
