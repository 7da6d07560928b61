"""Shared parts: result files that are complete at any moment, models, and whole training steps."""

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.plain import configuration
from ign.core.files import atomic
from ign.data import ImageSet
from ign.training.methods import Batch
from ign.training.module import Training
from ign.training.setup import make_model

LIMIT = 16 * 2**20
"""The largest size of a result file in bytes."""
LATE = 10**6
"""The step of the average in a graph, so that its decay is the final one, a constant."""
FILES = 8
"""The largest number of result files."""


class Results:
    """A JSON file that is rewritten after each result, so that a run that is cut off counts.

    Args:
        folder: The folder of the results.
        name: The name of the file without its suffix.
    """

    def __init__(self, folder: Path, name: str):
        self.path = folder / f"{name}.json"
        self.found: dict[str, Any] = {}
        if self.path.is_file():
            self.found = json.loads(self.path.read_text(encoding="utf-8"))

    def has(self, name: str) -> bool:
        """Whether a result is there, from this run or an earlier one."""
        return name in self.found

    def put(self, name: str, value: Any) -> None:
        """Add a result and write the file."""
        self.found[name] = value
        with atomic(self.path) as file:
            file.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")

    def measure(self, name: str, call: Callable[[], Any]) -> Any:
        """Put the result of a call, or its error, unless the result is there already."""
        if not self.has(name):
            try:
                self.put(name, call())
            except Exception as error:  # the other measurements still count
                self.put(name, {"error": f"{type(error).__name__}: {error}"[:500]})
            shown = json.dumps(self.found[name])
            print(f"{self.path.stem} {name}: {shown[:160]}", flush=True)
        return self.found[name]


class Clock:
    """The time that is left of a budget of seconds."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        return self.end - time.monotonic()


def faces(options: dict[str, Any], number: int, size: int, path: str | None) -> ImageSet:
    """The images of the zip, or random images if there is none."""
    from ign.data import load

    if path:
        return load(path, size=size, limit=options.get("limit"), cache=None, memory_limit=1e12)
    g = torch.Generator().manual_seed(0)
    small = torch.randint(256, (number, 3, 8, 8), generator=g).float()
    images = torch.nn.functional.interpolate(small, size=(size, size), mode="bilinear")
    return ImageSet(images.to(torch.uint8), None, [str(i) for i in range(number)], "random")


class Step:
    """A training step as in `ign train`: draw the batch, losses, backward, Adam, average.

    Args:
        preset: The preset.
        images: The training images.
        device: The device.
        options: Changed fields, with dots.
        half: Whether to compute in bfloat16 autocast.
        way: ``eager``, ``compiled``, or ``graphed`` for one CUDA graph of the whole step.
    """

    def __init__(
        self,
        preset: str,
        images: ImageSet,
        device: torch.device,
        options: dict[str, Any],
        half: bool = False,
        way: str = "eager",
    ):
        self.config = configuration(preset, options)
        model, method = make_model(self.config, images, None)
        self.module = Training(model, method, images.to(device), self.config).to(device)
        for part in (model.network, method):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model, self.method, self.device, self.half = model, method, device, half
        model.network.train()
        method.train()
        self.graphed = graphed = way == "graphed"
        self.trained = [p for m in (model.network, method) for p in m.parameters()]
        rate: Any = self.config.learning_rate
        self.optimizer = torch.optim.Adam(
            self.trained, torch.tensor(rate, device=device) if graphed else rate,
            self.config.betas, fused=True, capturable=graphed,
        )  # fmt: skip
        if way == "compiled":
            method.compile_step(mode="reduce-overhead" if device.type == "cuda" else None)
        self.number, self.terms = 0, dict[str, Tensor]()
        self.graph: torch.cuda.CUDAGraph | None = None
        if graphed:
            self._capture()

    def draw(self) -> Batch:
        """The batch of the present step."""
        return self.module.batch(self.number, 0, self.config.batch_size)

    def compute(self, batch: Batch) -> None:
        """The losses of a batch, their gradients, and the updates."""
        updates = self.method.losses(self.model.network, batch)
        for _ in range(self.method.updates):
            self.optimizer.zero_grad(set_to_none=self.graph is None)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                update = next(updates)
            update.loss.backward(inputs=self.trained)
            self.optimizer.step()
            self.terms |= {name: term.detach() for name, term in update.terms.items()}
            del update
        self.module.average.update(self.model.network, LATE if self.graphed else self.number)

    def __call__(self) -> None:
        batch = self.draw()
        if self.graph is None:
            self.compute(batch)
        else:
            for name, value in vars(self.fixed).items():
                if isinstance(value, Tensor):
                    value.copy_(getattr(batch, name))
            self.graph.replay()
        self.number += 1

    def slow(self, factor: float) -> None:
        """Multiply the learning rate of the configuration by a factor."""
        for group in self.optimizer.param_groups:
            rate = factor * self.config.learning_rate
            if self.graphed:
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def _capture(self) -> None:
        """Record the computation of a step in a CUDA graph, after steps that warm it up."""
        before = copy.deepcopy(self.state())
        self.fixed = self.draw()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.compute(self.fixed)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            self.compute(self.fixed)
        self.graph = graph
        self.load(before)

    def state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        modules = {"model": self.model, "method": self.method, "average": self.module.average}
        states = {name: module.state_dict() for name, module in modules.items()}
        return {**states, "optimizer": self.optimizer.state_dict(), "number": self.number}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state; a graph keeps the tensors that it was recorded with."""
        self.model.load_state_dict(state["model"])
        self.method.load_state_dict(state["method"])
        self.module.average.load_state_dict(state["average"])
        self.number = state["number"]
        if not self.optimizer.state:
            self.optimizer.load_state_dict(state["optimizer"])
            return
        saved = state["optimizer"]["state"]
        for i, p in enumerate(self.trained):
            for name, value in self.optimizer.state[p].items():
                value.copy_(saved[i][name] if i in saved else torch.zeros_like(value))
