"""Ranks of distributed training: one file each, under one run id and one key of record ids."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch.distributed as dist

from ..capture.errors import RecordingError


def world() -> tuple[int, int]:
    """This process's rank, and how many there are; 0 and 1 outside distributed training."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def agree(rank: int, ranks: int, begin: Callable[[dict[str, Any]], tuple[str, bytes]]) -> None:
    """Starts recording on every rank; all of them call this.

    `begin` takes what the rank must know (`run_id`, `record_key`) and returns those of the recording that it began. Under
    `ptoken-record` its recorder has told every rank; otherwise rank 0 begins first, and tells the others.
    """
    if ranks == 1 or os.environ.get("PTOKEN_ENDPOINT"):
        begin({})
        return
    failure: Exception | None = None
    shared: list[Any] = [None]
    if rank == 0:
        try:
            run_id, key = begin({})
            shared = [(run_id, key)]
        except RecordingError as error:
            # The others wait for word, whatever it is.
            failure = error
            shared = [str(error)]
    dist.broadcast_object_list(shared, src=0)
    if failure is not None:
        raise failure
    if isinstance(shared[0], str):
        raise RecordingError(f"rank 0 could not begin: {shared[0]}")
    if rank != 0:
        begin({"run_id": shared[0][0], "record_key": shared[0][1]})
