"""A load by `wardlight-sim load`, and what a consumer makes of it."""

import json
import subprocess
import sys
import time

from processes import cpu_seconds, poll
from ward import SIMULATOR, SITE

DEVICES = 200
SETTLE_S = 2.0
"""From the start of a load to the start of the steady window."""


def device(number):
    """Name of a device of the load."""
    return f"load-{number:05}"


class Load:
    """Open loop: messages are due at their times, whatever the broker and the consumer do."""

    def __init__(self, processes, where, broker, rate, seconds, boot, connections=8):
        self.report_file = where / f"load-{boot}.json"
        command = [SIMULATOR, "load", "--broker", f"mqtt://127.0.0.1:{broker.port}", "--site", SITE, "--devices", DEVICES]
        command += ["--connections", connections, "--rate", rate, "--for", f"{seconds}s", "--boot", boot]
        command += ["--report", self.report_file, "--quiet"]
        self.process = processes.start(command, stderr=subprocess.DEVNULL)

    def report(self, patience=60.0):
        """Waits for the end and returns the load's own report."""
        self.process.wait(patience)
        return json.loads(self.report_file.read_text())


def measure(processes, where, broker, consumer, rate, seconds, boot):
    """Offers `rate` messages per second for `seconds`; returns what `consumer` finished in the steady window and what it cost.

    `consumer` has `pid`, `done()` (messages finished so far) and `state()` (for people, when it does not finish).
    """
    base = consumer.done()
    load = Load(processes, where, broker, rate, seconds, boot)
    pids = {"consumer": consumer.pid, "broker": broker.process.pid, "load": load.process.pid}

    def sample():
        return time.monotonic(), consumer.done(), {name: cpu_seconds(pid) for name, pid in pids.items()}

    time.sleep(SETTLE_S)
    start, done_before, cpu_before = sample()
    time.sleep(seconds - SETTLE_S - 0.5)
    stop, done_after, cpu_after = sample()
    report = load.report()
    # What the broker still holds is finished before the next load begins.
    if not poll(lambda: consumer.done() - base >= report["acknowledged"], 120.0):
        sys.exit(f"acknowledged {report['acknowledged']}, done {consumer.done() - base}, and no more came\n{consumer.state()}")
    elapsed, done = stop - start, done_after - done_before
    return {
        "offered_per_s": rate,
        "done_per_s": done / elapsed,
        "acknowledged": report["acknowledged"],
        "payload_bytes": report["payload_bytes"],
        "window_s": elapsed,
        "cpu_us_per_message": {name: 1e6 * (cpu_after[name] - cpu_before[name]) / max(1, done) for name in pids},
        "cpu_share": {name: (cpu_after[name] - cpu_before[name]) / elapsed for name in pids},
        "loss_report": {key: report[key] for key in ("sent", "refused", "unacknowledged", "unsent", "reconnects")},
    }


def saturate(run, first, say, factor=1.25, kept=0.9, most=20):
    """Offers more and more until the consumer falls clearly behind; returns all measurements and the index of the fastest."""
    trials = []
    rate = first
    for _ in range(most):
        trials.append(run(rate))
        say(trials[-1])
        if trials[-1]["done_per_s"] < kept * rate:
            break
        rate *= factor
    # A trial may finish more than is offered, when it catches up with what it was late with: that is no rate it keeps.
    best = max(range(len(trials)), key=lambda i: min(trials[i]["done_per_s"], trials[i]["offered_per_s"]))
    return trials, best
