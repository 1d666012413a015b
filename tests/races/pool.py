"""Twenty function instances. One that has died is replaced by a cold one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import NamedTuple

from tests.races.place import Place
from tests.races.process import STALLED, Answer, Ask, serve

SIZE = 20
DEAD = Answer("Dead")
PATIENCE = 60.0


class Member(NamedTuple):
    process: BaseProcess
    pipe: Pipe


class Pool:
    """`broken` names a mutation of the product that all of them run with."""

    def __init__(self, place: Place, broken: str = "") -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.races.process"])
        self._place = place
        self._broken = broken
        self._members = [self._born() for _ in range(SIZE)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for member in self._members:
            member.pipe.close()
            member.process.join(5)
            if member.process.is_alive():
                member.process.kill()

    def ask(self, asks: Sequence[Ask]) -> list[Answer]:
        """All at once, each in a process of its own. A process that dies answers `DEAD`."""
        for member, ask in zip(self._members, asks, strict=False):
            member.pipe.send(ask)
        return [self._heard(number) for number in range(len(asks))]

    def stalled(self, ask: Ask) -> bool:
        """Sends the ask to the last instance; whether it stalls on the way (or answers without)."""
        pipe = self._members[-1].pipe
        pipe.send(ask)
        if not pipe.poll(PATIENCE):
            raise TimeoutError("a function instance does not answer")
        self._early = pipe.recv()
        return bool(self._early == STALLED)

    def resumed(self) -> Answer:
        """What the stalled instance answers in the end."""
        self._members[-1].pipe.send("go on")
        return self._heard(SIZE - 1)

    def _heard(self, number: int) -> Answer:
        process, pipe = self._members[number]
        if not wait([pipe, process.sentinel], PATIENCE):
            raise TimeoutError("a function instance does not answer")
        try:
            answer: Answer = pipe.recv()
        except (EOFError, ConnectionResetError):
            process.join()
            pipe.close()
            self._members[number] = self._born()
            return DEAD
        return answer

    def _born(self) -> Member:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._place, self._broken), daemon=True)
        process.start()
        theirs.close()
        return Member(process, ours)
