"""What holds of every answer, whatever was asked."""

VARY = "SECRET, SESSION, Authorization, Accept-Encoding"
NEEDED = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


def check(method, target, answer):
    if answer.status >= 400:
        check_problem(method, answer)
    kind = target.partition("?")[0].split("/")[1] if target.startswith("/") else ""
    if kind not in ("entities", "query", "sessions") or method == "OPTIONS" or answer.status in (408, 414, 431):
        return
    if answer.status not in (401, 403):
        assert (answer["Doctor-Revision"] or "").isdigit(), "no Doctor-Revision"
    cache = "no-store" if kind == "sessions" else "private, no-cache"
    assert answer["Cache-Control"] == cache, f"Cache-Control: {answer['Cache-Control']}"
    vary = [word.strip() for word in (answer["Vary"] or "").split(",")]
    assert all(word in vary for word in VARY.split(", ")), f"Vary: {answer['Vary']}"


def check_problem(method, answer):
    """RFC 9457, with words that a user can act on."""
    needed = NEEDED.get(answer.status)
    assert not needed or answer[needed], f"{answer.status} without {needed}"
    if method == "HEAD":
        return
    assert answer["Content-Type"].split(";")[0] == "application/problem+json", f"Content-Type: {answer['Content-Type']}"
    problem = answer.json
    assert isinstance(problem["type"], str) and isinstance(problem["title"], str) and problem["title"]
    assert problem["status"] == answer.status
    assert len(problem["detail"]) >= 5 and "\n" not in problem["detail"], "the detail says nothing"
