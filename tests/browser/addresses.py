"""Where a page finds Doctor. Not by the name of the site: the two are of different origins, as in an installation."""


def api(doctor, tls=False):
    return f"https://127.0.0.1:{doctor.api_tls}" if tls else f"http://127.0.0.1:{doctor.api}"


def url(doctor, path="/mqtt", tls=False):
    return api(doctor, tls).replace("http", "ws") + path
