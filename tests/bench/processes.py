"""Processes that a benchmark starts, what they use, and their end."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Processes(contextlib.ExitStack):
    """Everything that was started ends with the block, by its process id, however the block ends."""

    def __enter__(self):
        # SIGTERM ends a benchmark as Ctrl-C does: through the blocks.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return super().__enter__()

    def start(self, command, **options):
        """Starts a process and returns it."""
        process = subprocess.Popen([str(part) for part in command], **options)
        self.callback(end, process)
        return process


def end(process, patience=10.0):
    """Asks a process to end, and insists after `patience` seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid):
    """User and system time of a process and all its threads so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid):
    """Resident memory of a process in MiB: now, and the most it ever was."""
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(status[field].split()[0]) / 1024 for field in ("VmRSS", "VmHWM"))


def poll(check, patience):
    """Waits until `check` returns something true, and returns it, or None when the patience is at its end."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        result = check()
        if result:
            return result
        time.sleep(0.05)
    return None


def wait_for(what, check, patience=30.0):
    """Waits until `check` returns something true, or ends the benchmark."""
    return poll(check, patience) or sys.exit(f"{what}: not within {patience:g} s")


def other_load():
    """Share of the processors in use over one second, before anything of ours runs."""

    def used_and_all():
        fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    before = used_and_all()
    time.sleep(1)
    after = used_and_all()
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def machine():
    """One line about where this ran."""
    info = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), "unknown processor")
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return f"{date}, {os.cpu_count()} x {model}, {100 * other_load():.0f} % of it in use by others at the start"
