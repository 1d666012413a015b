"""What the vault tells of an error that nobody foresaw."""

from __future__ import annotations

from typing import Self


class VaultFailed(Exception):
    """An unforeseen error without its text, which may quote a request: only its kind and its place."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
        return cls(f"{type(error).__name__} at {where}")
