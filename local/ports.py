"""Finds free ports, and names the process behind a used one."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from local.progress import Failure


def require_free(ports: dict[int, str]) -> None:
    """Raises `Failure` that names every port in use. `ports` maps each port to its purpose."""
    used = [f"  port {port}, for {purpose}{_holder(port)}" for port, purpose in ports.items() if not _is_free(port)]
    if used:
        raise Failure(
            "These ports are in use by other programs:\n"
            + "\n".join(used)
            + "\nStop them, or give `make up` other ports with FEEDLANE_AWS_PORT, FEEDLANE_API_PORT,"
            " FEEDLANE_SIMULATOR_PORT and FEEDLANE_CODAT_PORT. `make up INSTANCE=second` takes free ones, and"
            " after `make down INSTANCE=second` chooses anew."
        )


def free_ports(preferred: tuple[int, ...]) -> tuple[int, ...]:
    """The preferred ports, or as many others if one of them is in use."""
    if all(map(_is_free, preferred)):
        return preferred
    return any_free_ports(len(preferred))


def any_free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as stack:
        # All are open at once, so that each is different.
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return tuple(int(probe.getsockname()[1]) for probe in probes)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    """The process that uses a port, where the system shows it (Linux)."""
    try:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {row[9] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            if link.is_symlink() and any(f"socket:[{inode}]" == str(_target(link)) for inode in inodes):
                command = (link.parent.parent / "cmdline").read_text().replace("\0", " ").strip()
                return f": process {link.parent.parent.name}, {command[:80]}"
    except OSError:
        pass
    return ""


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
