"""`python -m local.aws`: MiniStack, which unpacks each layer once and not again for each environment of a function.

Environments start a few at a time: see `local/environments.py`.

The layers have thousands of files. Unpacked for each environment, they made most of the time that one takes to start,
and that all of them take to be removed. On AWS too, layers are there before an environment starts. Their bytecode is
built into them, so that a shared copy makes no import faster than an own one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local import environments

_lock = threading.Lock()


class SharedZip(zipfile.ZipFile):
    """An archive that is unpacked into links to a copy that all have."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._name = Path(file).name
        self._copy = Path(tempfile.gettempdir()) / "layers" / hashlib.sha256(Path(file).read_bytes()).hexdigest()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        if not self._name.startswith("layer_"):
            super().extractall(path, members, pwd)
            return
        with _lock:
            if not self._copy.exists():
                new = self._copy.with_suffix(".new")
                super().extractall(new)
                new.rename(self._copy)
        for entry in self._copy.iterdir():
            os.symlink(entry, Path(path) / entry.name)

    def namelist(self) -> list[str]:
        """Without what is in the copy, whose paths have been looked at when it was made: that takes long."""
        return [] if self._copy.exists() else super().namelist()


if __name__ == "__main__":
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": SharedZip})
    lambda_svc.acquire_worker = environments.lease
    app.main()
