import pytest

from doctor import Server
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
