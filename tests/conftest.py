import pytest

from doctor import Server
from doctor.certificates import Authority, Files
from doctor.rpc import ALICE, SECRET
from doctor.scenario import Failed, run, scenarios


@pytest.fixture
def server():
    """An unsecured server on a fresh store."""
    with Server() as running:
        yield running


@pytest.fixture
def secured():
    """A server with a secret on a fresh store."""
    with Server(secret="open sesame") as running:
        yield running


@pytest.fixture(scope="module")
def rpc_server():
    """A secured server with two documents, of which Alice may read one."""
    with Server(secret=SECRET) as running:
        with running.http() as http:
            http.put(f"/sessions/{ALICE}", {"permissions": {"vm": ["1"]}})
            http.put("/entities/vm", [{"id": "1", "name": "one"}, {"id": "2", "name": "two"}])
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server_files(authority):
    """What a server shows."""
    return authority.issue("server")


@pytest.fixture(scope="module")
def trust(authority):
    """What a client of it needs."""
    return Files(authority.ca)


@pytest.fixture
def tls(server_files):
    """An unsecured server with TLS beside its plain ports."""
    with Server(tls=server_files) as running:
        yield running


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".txt" and file_path.parent.name == "scenarios":
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    def collect(self):
        for scenario in scenarios(self.path.read_text()):
            item = ScenarioItem.from_parent(self, name=scenario.name)
            item.scenario = scenario
            yield item


class ScenarioItem(pytest.Item):
    def runtest(self):
        run(self.scenario)

    def repr_failure(self, failure):
        if isinstance(failure.value, Failed):
            return f"{self.path}: {self.name}\n{failure.value}"
        return super().repr_failure(failure)

    def reportinfo(self):
        return self.path, self.scenario.number, self.name
