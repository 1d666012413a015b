"""An account that allows a number of executions of Lambda at once, and the stack's functions that share them.

A model in virtual time: what runs, for how long, and who waits for whom. The numbers are the template's and the code's:
the mappings' concurrency, the receives, the pauses before a retry, the vault's reservation. AWS behaves as documented:
a synchronous call without a free execution is refused at once (429), and boto3 tries it again; a mapping tries its
batch again until its visibility timeout ends, and then the messages come back, each with one more receive.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cli.deployment import account
from feedlane.aws.batch import RETRY_PAUSE_SECONDS_MAX, RETRY_PAUSE_SECONDS_MIN
from tests.stack.template import Queue, queue_of

VAULT = "credential_vault"
# boto3's standard mode, as `feedlane.aws.clients` sets it.
CALLS_MAX, CALL_PAUSE_SECONDS_MAX = 4, 20.0
VAULT_SECONDS, OWN_SECONDS = 0.4, 0.1
MAPPING_PAUSE_SECONDS_MAX = 30.0


@dataclass
class Message:
    receives: int = 0


@dataclass
class Mapping:
    """A function behind a queue. Each message is an invocation of its own, which is harder than batches."""

    function: str
    queue: Queue
    calls_vault: bool
    ready: deque[Message] = field(default_factory=deque)
    running: int = 0


class Account:
    def __init__(self, limit: int, concurrency: str, seed: int, vault_seconds: float = VAULT_SECONDS) -> None:
        self.now = 0.0
        fits = limit >= account.reserved() + account.UNRESERVED_MIN
        self.reserved = {VAULT: account.reserved()} if concurrency == "full" and fits else {}
        self.open = limit - sum(self.reserved.values())
        self.concurrency = concurrency
        self.vault_seconds = vault_seconds
        self.running: Counter[str] = Counter()
        self.most_running = 0
        self.done: Counter[str] = Counter()
        self.dead: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._mappings: list[Mapping] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def waiting(self, function: str, messages: int, *, calls_vault: bool) -> None:
        queue = queue_of(function, self.concurrency)
        mapping = Mapping(function, queue, calls_vault, deque(Message() for _ in range(messages)))
        self._mappings.append(mapping)
        self._after(self._random.random(), lambda: self._poll(mapping))

    def visited(self, function: str, per_second: float, seconds: float, *, calls_vault: bool) -> None:
        """People and platforms come at random moments. Whoever is refused is answered with an error, and is counted."""
        moment = 0.0
        while (moment := moment + self._random.expovariate(per_second)) < seconds:
            self._after(moment, lambda: self._visit(function, calls_vault))

    def run(self, seconds: float) -> None:
        """Until nothing is left to do, or this time has passed."""
        while self._events and self.now < seconds:
            self.now, _, act = heapq.heappop(self._events)
            act()

    @property
    def left(self) -> int:
        return sum(len(mapping.ready) + mapping.running for mapping in self._mappings) + len(self._events)

    def _visit(self, function: str, calls_vault: bool) -> None:
        if self._take(function):
            visit = Mapping(function, Queue(1, 0, 1), calls_vault, running=1)
            self._after(OWN_SECONDS, lambda: self._work(visit, Message(1), 1))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, act))

    def _take(self, function: str) -> bool:
        if function in self.reserved:
            free = self.running[function] < self.reserved[function]
        else:
            free = self._in_the_open() < self.open
        if free:
            self.running[function] += 1
            self.most_running = max(self.most_running, self.running.total())
        else:
            self.refused[function] += 1
        return free

    def _in_the_open(self) -> int:
        return sum(count for function, count in self.running.items() if function not in self.reserved)

    def _poll(self, mapping: Mapping) -> None:
        while mapping.ready and mapping.running < mapping.queue.concurrency:
            message = mapping.ready.popleft()
            mapping.running += 1
            message.receives += 1
            self._invoke(mapping, message, self.now + mapping.queue.visibility_seconds, 1)

    def _invoke(self, mapping: Mapping, message: Message, until: float, attempt: int) -> None:
        if self._take(mapping.function):
            self._after(OWN_SECONDS, lambda: self._work(mapping, message, 1))
            return
        pause = self._random.uniform(0.5, 1) * min(MAPPING_PAUSE_SECONDS_MAX, 2.0**attempt)
        if self.now + pause < until:
            self._after(pause, lambda: self._invoke(mapping, message, until, attempt + 1))
        else:
            mapping.running -= 1
            self._again(mapping, message, until - self.now)

    def _work(self, mapping: Mapping, message: Message, call: int) -> None:
        if not mapping.calls_vault:
            self._end(mapping, message, succeeded=True)
        elif self._take(VAULT):
            self._after(self.vault_seconds, lambda: self._answer(mapping, message))
        elif call < CALLS_MAX:
            pause = self._random.random() * min(CALL_PAUSE_SECONDS_MAX, 2.0 ** (call - 1))
            self._after(pause, lambda: self._work(mapping, message, call + 1))
        else:
            self._end(mapping, message, succeeded=False)

    def _answer(self, mapping: Mapping, message: Message) -> None:
        self.running[VAULT] -= 1
        self._end(mapping, message, succeeded=True)

    def _end(self, mapping: Mapping, message: Message, *, succeeded: bool) -> None:
        self.running[mapping.function] -= 1
        mapping.running -= 1
        if succeeded:
            self.done[mapping.function] += 1
        else:
            pause = RETRY_PAUSE_SECONDS_MIN * 2.0 ** (message.receives - 1)
            self._again(mapping, message, min(RETRY_PAUSE_SECONDS_MAX, pause))
        self._poll(mapping)

    def _again(self, mapping: Mapping, message: Message, pause: float) -> None:
        if message.receives >= mapping.queue.receives_max:
            self.dead[mapping.function] += 1
            return

        def arrive() -> None:
            mapping.ready.append(message)
            self._poll(mapping)

        self._after(pause, arrive)
