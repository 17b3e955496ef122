import pytest

from doctor import Server

from .chromium import Chromium
from .site import Site

SECRET = "open sesame"


@pytest.fixture(scope="session")
def chromium():
    browser = Chromium()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site():
    serving = Site()
    yield serving
    serving.close()


@pytest.fixture
def doctor(site):
    """A secured Doctor that lets the site's pages in."""
    with Server(secret=SECRET, config=f'cors_origins = ["{site.origin}"]\n') as running:
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
