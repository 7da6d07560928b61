"""How a run is spread over processes."""

from types import SimpleNamespace

import pytest
import torch
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from training.runs import SHARED, main
from training.test_module import training

from ign.training import Config, arguments
from ign.training.config import TrainerConfig
from ign.training.strategy import Sharded, placement


def chosen(**options):
    return placement(Config(trainer=TrainerConfig(**options)))


def test_one_process_needs_no_strategy():
    found = chosen()
    assert isinstance(found.pop("plugins")[0], LightningEnvironment)
    assert found == {"devices": 1, "num_nodes": 1, "strategy": "auto"}


@pytest.mark.parametrize("options", [{"devices": 2}, {"num_nodes": 2}, {"strategy": "ddp"}])
def test_several_processes_take_ddp(options):
    assert isinstance(chosen(**options)["strategy"], DDPStrategy)


def test_torchrun_says_how_many(monkeypatch):
    place = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "16", "LOCAL_WORLD_SIZE": "8"}
    for name, value in {**place, "RANK": "3", "LOCAL_RANK": "3"}.items():
        monkeypatch.setenv(name, value)
    found = chosen(devices=3, strategy="fsdp")
    assert (found["devices"], found["num_nodes"]) == (8, 2)
    assert isinstance(found["strategy"], Sharded)
    assert isinstance(chosen()["strategy"], DDPStrategy)


def test_shards_are_for_one_method(tmp_path, capsys):
    words = ["--method=dcgan", "--trainer.strategy=fsdp", f"--out={tmp_path / 'run'}"]
    assert main("train", "digits", *SHARED, *words) == 2
    assert "fsdp is for method ign; dcgan takes ddp" in capsys.readouterr().err


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("world", [1, 2, 4])
def test_processes_see_the_batch_of_one_in_order(world, parts):
    module = training(trainer=TrainerConfig(accumulate_grad_batches=parts))
    whole = module.batch(5, 0, 8)
    seen = [[] for _ in range(parts)]
    for rank in range(world):
        module.trainer = SimpleNamespace(world_size=world, global_rank=rank)
        for part, first in enumerate(module._offsets()):
            seen[part].append(module.batch(5, first, module.micro_batch(world)))
    for name in ("x", "z"):
        found = torch.cat([getattr(piece, name) for part in seen for piece in part])
        assert torch.equal(found, getattr(whole, name))


def test_batch_must_divide():
    module = training()
    with pytest.raises(ValueError, match="not a multiple of 3"):
        module.micro_batch(3)


def test_several_processes_do_not_compile():
    with pytest.raises(ValueError, match="in one process only"):
        training(compile=True).micro_batch(2)


def test_every_preset_knows_the_strategies():
    config = arguments({"trainer.strategy": "fsdp", "trainer.devices": 2}, "celeba")
    assert isinstance(placement(config)["strategy"], Sharded)
