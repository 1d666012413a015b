"""Twenty function instances. A cold one replaces each that dies."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import NamedTuple

from tests.races.process import STALLED, Answer, Ask, serve
from tests.races.services import Services

SIZE = 20
DEAD = Answer("Dead")
ANSWER_SECONDS_MAX = 60.0


class Member(NamedTuple):
    process: BaseProcess
    pipe: Pipe


class Pool:
    """`broken` names a mutation of the product with which all instances run."""

    def __init__(self, services: Services, broken: str = "") -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.races.process"])
        self._services = services
        self._broken = broken
        self._members = [self._start() for _ in range(SIZE)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for member in self._members:
            member.pipe.close()
            member.process.join(5)
            if member.process.is_alive():
                member.process.kill()

    def ask(self, asks: Sequence[Ask]) -> list[Answer]:
        """Sends all requests at once, each to its own process. A process that dies answers `DEAD`."""
        for member, ask in zip(self._members, asks, strict=False):
            member.pipe.send(ask)
        return [self._receive(number) for number in range(len(asks))]

    def stall(self, ask: Ask) -> bool:
        """Sends the request to the last instance. Returns whether it stalls before it answers."""
        pipe = self._members[-1].pipe
        pipe.send(ask)
        if not pipe.poll(ANSWER_SECONDS_MAX):
            raise TimeoutError("a function instance does not answer")
        self._early = pipe.recv()
        return bool(self._early == STALLED)

    def resume(self) -> Answer:
        """Resumes the stalled instance and returns its answer."""
        self._members[-1].pipe.send("resume")
        return self._receive(SIZE - 1)

    def _receive(self, number: int) -> Answer:
        process, pipe = self._members[number]
        if not wait([pipe, process.sentinel], ANSWER_SECONDS_MAX):
            raise TimeoutError("a function instance does not answer")
        try:
            answer: Answer = pipe.recv()
        except (EOFError, ConnectionResetError):
            process.join()
            pipe.close()
            self._members[number] = self._start()
            return DEAD
        return answer

    def _start(self) -> Member:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._services, self._broken), daemon=True)
        process.start()
        theirs.close()
        return Member(process, ours)
