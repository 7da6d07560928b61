"""A job holds the model for a bounded time, whatever it asks for."""

import time
from collections.abc import Callable

import pytest
from drawings import seven, untrained
from PIL import Image

from ign.app import limit
from ign.app.markup import data_url
from ign.app.tasks import Tasks

WHITE = data_url(Image.new("L", (280, 280), 255))
JOBS: dict[str, Callable[[Tasks, str], object]] = {
    "generate": lambda tasks, _: tasks.generate(0, 64, 20),
    "real": lambda tasks, _: tasks.real({"picture": data_url(seven(True))}, 0.8, []),
    "load_sample": lambda tasks, _: tasks.load_sample(0, 0),
    "paint": lambda tasks, _: tasks.paint({"picture": WHITE, "mask": WHITE}, 0, 12, 20, True),
    "between": lambda tasks, _: tasks.between(0, 0, 1, 0.5, 20, "linear"),
    "add": lambda tasks, _: tasks.add(0, 0, 1, 2, 1.0, 20),
    "score": lambda tasks, photo: tasks.score([photo] * 300, "displacement"),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_of_a_slow_network_is_stopped(name, photo, monkeypatch):
    tasks = Tasks(untrained(1))
    layer = list(tasks.model.network.modules())[-1]
    layer.register_forward_hook(lambda *_: time.sleep(0.3))
    monkeypatch.setattr(limit, "SECONDS", 0.2)
    with pytest.raises(ValueError, match=r"takes over 0\.2 seconds and was stopped"):
        JOBS[name](tasks, photo)


def test_a_job_in_time_is_not_stopped_and_leaves_the_network_as_it_was():
    tasks = Tasks(untrained(1))
    with limit.time_limit(tasks.model.network, 60):
        wanted = tasks.generate(0, 4, 2)
    with pytest.raises(ValueError, match="was stopped"), limit.time_limit(tasks.model.network, -1):
        tasks.model.sample(1)
    assert tasks.generate(0, 4, 2) == wanted
    assert not any(module._forward_pre_hooks for module in tasks.model.network.modules())
