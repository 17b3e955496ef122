"""The same from pages that were served over TLS, to the API and the broker over TLS."""

import os
import signal
import time

from doctor import Server
from doctor.certificates import Authority

from .addresses import api, url
from .test_front_end import open_front_end, shows
from .test_mqtt_js import PATHS, SESSION, VERSIONS, allow, as_session

READ = "return ask(`${api}/entities/vm`, { headers: { SESSION: session } })"


def connect(page, doctor, version=5, path="/mqtt", **more):
    page.run("await connect(url, options)", url=url(doctor, path, tls=True), options=as_session(version, **more))


@PATHS
@VERSIONS
def test_a_page_hears_over_wss_and_reads_over_https(doctor, site, open_page, version, path):
    allow(doctor, {"vm": ["1"]})
    page = open_page(site.secure_origin + "/")
    connect(page, doctor, version, path)
    assert page.run("return subscribe('#', 1)") == 1
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": "2"}, {"id": "1", "text": "x" * 300_000}])
    page.until("lines.length", show="problems")
    assert page.run("return lines") == ["vm/1 +"]
    assert page.run(READ, api=api(doctor, tls=True), session=SESSION)["json"] == [{"id": "1", "text": "x" * 300_000}]


@VERSIONS
def test_a_large_commit_arrives_whole_over_wss(doctor, site, open_page, version):
    allow(doctor, {"vm": "*"})
    page = open_page(site.secure_origin + "/")
    connect(page, doctor, version)
    page.run("await subscribe('vm/+', 2)")
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": str(n)} for n in range(3000)])
    page.until("lines.length >= 3000", show="lines.length")
    assert page.run("return lines") == [f"vm/{n} +" for n in range(3000)]


def test_the_front_end_is_right_again_after_crashes_over_tls(doctor, site, open_page):
    page = open_front_end(doctor, site, open_page, {"vm": "*"}, tls=True)
    for n in range(2):
        doctor.kill()
        doctor.start(same_ports=True)
        with doctor.http() as http:
            http.put("/entities/vm/1", {"n": n})
            shows(page, f'[{{"id":"1","n":{n}}}]')


def test_a_new_certificate_disturbs_no_page(doctor, site, authority, open_page):
    allow(doctor, {"vm": "*"})
    before, behind = open_page(site.secure_origin + "/"), open_page(site.secure_origin + "/")
    connect(before, doctor)
    before.run("await subscribe('vm/+')")
    authority.issue("doctor")  # into the files that the server was given
    os.kill(doctor.pid, signal.SIGHUP)
    until = time.monotonic() + 10
    while "read again" not in doctor.log:
        assert time.monotonic() < until, doctor.log
        time.sleep(0.02)
    connect(behind, doctor)
    behind.run("await subscribe('vm/+')")
    with doctor.http() as http:
        http.put("/entities/vm/1", {})
    for page in (before, behind):
        page.until("lines.length", show="problems")
        assert page.run("return [connections.length, lines]") == [1, ["vm/1 +"]]


def test_a_certificate_of_a_stranger_is_refused_by_the_browser(site, open_page, tmp_path):
    strange = Authority(tmp_path, "stranger").issue("doctor")
    with Server(config=f'cors_origins = ["{site.secure_origin}"]\n', tls=strange) as doctor:
        page = open_page(site.secure_origin + "/")
        connect(page, doctor, reconnectPeriod=0)
        assert page.run("return [client.connected, connections]") == [False, []]
        assert page.run("return fetch(url).catch((error) => error.name)", url=api(doctor, tls=True) + "/entities") == "TypeError"
