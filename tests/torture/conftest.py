"""How often things are tried, and the record of what was tried."""

import json
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from torture import command
from torture.promises import FORGED, PROMISES

from ign.cli import VERBS
from ign.evaluate.machine import describe

IMPORTED = (
    "matplotlib.pyplot", "sklearn.datasets", "sklearn.neighbors", "torch.utils.tensorboard",
    "torch._dynamo", "ign.training", "ign.evaluate", "ign.evaluate.report", "ign.figures.make",
    "ign.export", *(f"ign.cli.{verb}" for verb in VERBS if verb != "app"),
)  # fmt: skip
"""What commands import: once, for all forked processes."""

for name, examples in (("quick", 4), ("full", 30)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="try all, not a small part of it")
    parser.addoption("--record", type=Path, metavar="FILE", help="write what was tried as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(name): the promise that a test tries")
    config.addinivalue_line("markers", "one_in(n): without --full, one case of n is tried")
    settings.load_profile("full" if config.getoption("--full", False) else "quick")
    if config.getoption("--record", None) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Record(config.getoption("--record")), "record")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the marks ``one_in`` leave to ``make torture``."""
    if config.getoption("--full", False):
        return
    number, left = Counter[str](), list[pytest.Item]()
    for item in items:
        mark = item.get_closest_marker("one_in")
        name = item.nodeid.partition("[")[0]
        if mark and number[name] % mark.args[0]:
            left.append(item)
        number[name] += 1
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]


@pytest.fixture(scope="session", autouse=True)
def imports() -> None:
    """Import in the process that forks."""
    for name in IMPORTED:
        import_module(name)


@pytest.fixture
def many(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """``many(quick, full)``: how often to try."""
    full = request.config.getoption("--full", False)
    return lambda quick, all_: all_ if full else quick


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``tried()`` counts one try of the test's promise."""
    name = request.node.get_closest_marker("promise").args[0]
    assert name in PROMISES

    def tried() -> None:
        request.node.user_properties.append(("tried", name))

    return tried


@pytest.fixture
def attempt(request: pytest.FixtureRequest, tried) -> Callable[..., command.Result]:
    """:func:`torture.command.attempt`, counted."""

    def attempt(*words, **options) -> command.Result:
        tried()
        request.node.user_properties.append(("command", "1"))
        return command.attempt(*words, **options)

    return attempt


@pytest.fixture
def world():
    with command.world() as made:
        yield made


class Record:
    """Collects from all test processes what was tried and what failed."""

    def __init__(self, path: Path):
        self.path, self.about = path, describe("make torture")
        self.tried, self.failed = Counter[str](), Counter[str]()
        self.skipped = list[str]()
        self.commands = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        names = {v for k, v in report.user_properties if k == "tried"}
        if report.nodeid.startswith(FORGED):
            names = {"forged"}
            self.tried["forged"] += report.when == "call"
        if report.when == "call":
            self.tried.update(v for k, v in report.user_properties if k == "tried")
            self.commands += sum(k == "command" for k, _ in report.user_properties)
        if report.failed:
            self.failed.update(names)
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        rows = {
            name: {"tried": self.tried[name], "failed tests": self.failed[name]}
            for name in PROMISES
        }
        found = {"rows": rows, "commands": self.commands, "skipped": self.skipped}
        found["about"] = self.about
        self.path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
