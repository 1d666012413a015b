"""Whether a port is free, and who has it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from local.progress import Failure


def require_free(ports: dict[int, str]) -> None:
    """`ports` says what each is for. Raises Failure, which names every port that is taken."""
    taken = [f"  port {port}, for {purpose}{_holder(port)}" for port, purpose in ports.items() if not _is_free(port)]
    if taken:
        raise Failure(
            "Something else is using these ports:\n"
            + "\n".join(taken)
            + "\nStop it, or move Feedlane: FEEDLANE_AWS_PORT, FEEDLANE_API_PORT and FEEDLANE_SIMULATOR_PORT"
            " set the ports of `make up`."
        )


def free_ports(wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The wanted ports, or as many others if one of them is taken."""
    if all(map(_is_free, wanted)):
        return wanted
    with ExitStack() as stack:
        # All at once, so that none comes twice.
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in wanted]
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
    """The process behind a port, where the system tells (Linux)."""
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
