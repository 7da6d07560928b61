"""Functions and commands in several processes of this machine, forked from one that has torch."""

import os
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from forked import context


def together(work: Callable[..., None], world: int, *args: object) -> None:
    """``work(rank, world, *args)`` in each process of a gloo group."""
    assert _start(_grouped, world, work, _port(), *args) == [0] * world


def command(world: int, *words: object, folder: Path | None = None) -> list[int]:
    """``ign WORDS`` in so many processes, as torchrun starts them: their exit statuses.

    Args:
        world: How many processes.
        words: The command's words.
        folder: Where process i finds itself in the folder i; None for the present one.
    """
    return _start(_main, world, [str(word) for word in words], _port(), folder)


def _start(target: Callable[..., None], world: int, *args: object) -> list[int]:
    kind = context()
    running = [kind.Process(target=target, args=(rank, world, *args)) for rank in range(world)]
    for process in running:
        process.start()
    for process in running:
        process.join(300)
        process.kill()
        process.join()
    return [process.exitcode or 0 for process in running]


def _grouped(rank: int, world: int, work: Callable[..., None], port: int, *args: object) -> None:
    status = 1
    try:
        torch.set_num_threads(1)
        address = f"tcp://127.0.0.1:{port}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=world)
        work(rank, world, *args)
        dist.barrier()
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def _main(rank: int, world: int, words: list[str], port: int, folder: Path | None) -> None:
    from lightning.pytorch.utilities import rank_zero_only

    from ign.cli import main

    torch.set_num_threads(1)
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world}
    place |= {"GROUP_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in place.items()}
    os.environ["TORCHELASTIC_RUN_ID"] = "test"
    rank_zero_only.rank = rank  # which Lightning reads when it is imported, here before the fork
    if folder:
        os.chdir(folder / str(rank))
    status = 1
    try:
        status = main(words)
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def _port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
