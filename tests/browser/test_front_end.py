"""The front end that docs/mqtt.md shows, to the letter, in a browser."""

from .addresses import api
from .site import example

SESSION = "3f0a9c58e2d14b7a"
SHOW = "let seen; function show(documents) { seen = documents; document.querySelector('pre').append(JSON.stringify(documents), '\\n'); }\n"


def open_front_end(doctor, site, open_page, permissions, tls=False):
    with doctor.http() as http:
        http.put(f"/sessions/{SESSION}", {"permissions": permissions})
    code = example()
    assert "http://localhost:3000" in code and SESSION in code
    site.page("/front-end", SHOW + code.replace("http://localhost:3000", api(doctor, tls)))
    page = open_page((site.secure_origin if tls else site.origin) + "/front-end")
    page.until("seen !== undefined")
    return page


def shows(page, documents):
    page.until(f"JSON.stringify(seen) === {documents!r}", timeout=30, show="JSON.stringify(seen)")


def test_it_shows_what_its_session_may_read_and_follows(doctor, site, open_page):
    page = open_front_end(doctor, site, open_page, {"vm": ["1", "2"]})
    shows(page, "[]")
    with doctor.http() as http:
        http.put("/entities/vm", [{"id": "1", "n": 0}, {"id": "3", "n": 0}])
        shows(page, '[{"id":"1","n":0}]')
        for n in range(1, 300):
            http.patch("/entities/vm/1", {"n": n})
        shows(page, '[{"id":"1","n":299}]')
        http.put("/entities/vm/2", {})
        http.delete("/entities/vm/1")
        shows(page, '[{"id":"2"}]')


def test_it_does_not_read_again_for_what_it_may_not_see_nor_twice_for_one_commit(doctor, site, open_page):
    page = open_front_end(doctor, site, open_page, {"vm": "*"})
    reads = "performance.getEntriesByType('resource').filter((entry) => entry.initiatorType === 'fetch').length"
    before = page.run(f"return {reads}")
    with doctor.http() as http:
        http.put("/entities/disk", [{"id": str(n)} for n in range(1000)])
        http.put("/entities/vm", [{"id": str(n)} for n in range(1000)])
    page.until("seen.length === 1000", show="seen.length")
    page.run("await new Promise((resolve) => setTimeout(resolve, 300))")
    assert page.run(f"return {reads}") == before + 1


def test_it_is_right_again_after_a_crash_and_a_restart(doctor, site, open_page):
    page = open_front_end(doctor, site, open_page, {"vm": "*"})
    n = 0
    for end in (doctor.stop, doctor.kill, doctor.kill):
        end()
        doctor.start(same_ports=True)
        with doctor.http() as http:
            http.put("/entities/vm/1", {"n": n})  # most likely before the page is back
            shows(page, f'[{{"id":"1","n":{n}}}]')
            http.put("/entities/vm/1", {"n": n + 1})
            shows(page, f'[{{"id":"1","n":{n + 1}}}]')
        n += 2
