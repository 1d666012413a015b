"""Runs one schedule through Codat from its seed."""

from __future__ import annotations

from functools import partial

from tests.chaos import schedule
from tests.chaos.codat.operator import CodatOperator
from tests.chaos.codat.switches import draw
from tests.chaos.codat.world import CodatWorld
from tests.chaos.schedule import Play

PLAY = Play(CodatWorld, CodatOperator, draw)
run = partial(schedule.run, play=PLAY)
