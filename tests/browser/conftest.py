import pytest

from doctor import Server
from doctor.certificates import Authority

from .chromium import Chromium
from .site import Site

SECRET = "open sesame"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def chromium(authority):
    browser = Chromium(authority)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site(authority):
    serving = Site(authority.issue("site"))
    yield serving
    serving.close()


@pytest.fixture
def doctor(site, authority):
    """A secured Doctor that lets the site's pages in, and listens with TLS as well."""
    origins = f'cors_origins = ["{site.origin}", "{site.secure_origin}"]\n'
    with Server(secret=SECRET, config=origins, tls=authority.issue("doctor")) as running:
        yield running


@pytest.fixture
def open_page(chromium, site):
    """Opens pages of the site, and sees at the end that no script of theirs failed unseen."""
    pages = []

    def open_page(url=site.origin + "/"):
        pages.append(chromium.open(url))
        return pages[-1]

    yield open_page
    failures = []
    for page in pages:
        page.run("return null")  # takes in what there is still to hear
        failures += page.failures
        page.close()
    assert failures == []
