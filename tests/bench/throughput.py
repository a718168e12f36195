"""Throughput: messages per second that are journaled, and beside it a Python pipeline on the same machine."""

import argparse
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import threading

from load import DEVICES, device, measure, saturate
from processes import Processes, end, machine, memory_mib, wait_for
from ward import SITE, Agent, Mosquitto, certificates, folder


class AgentConsumer:
    """The agent: done is what its journal has committed."""

    def __init__(self, agent):
        self.agent, self.pid = agent, agent.process.pid

    def done(self):
        """Entries committed so far; beside the messages that is an entry per score."""
        return self.agent.counter("wardlight_journal_entries_total")

    def state(self):
        """All metrics and the end of the log."""
        lines = [line for line in self.agent.get("/metrics")[1].splitlines() if line and not line.startswith("#")]
        return "\n".join([*lines, *self.agent.log.read_text().splitlines()[-20:]])


class PeerConsumer:
    """The Python pipeline: done is what it has acknowledged."""

    def __init__(self, processes, where, broker, mode):
        script = pathlib.Path(__file__).with_name("peer.py")
        command = [sys.executable, "-B", script, "--mode", mode, "--port", broker.port, "--site", SITE]
        self.process = processes.start([*command, "--database", where / f"peer-{mode}.sqlite"], stdout=subprocess.PIPE, text=True)
        self.pid, self._lines, self._count = self.process.pid, 0, 0
        threading.Thread(target=self._read, daemon=True).start()
        wait_for("the Python pipeline", lambda: self._lines > 3)

    def _read(self):
        for line in self.process.stdout:
            self._count = int(line)
            self._lines += 1

    def done(self):
        """Messages that it has committed and acknowledged so far."""
        return self._count

    def state(self):
        """Whether it still runs."""
        return f"exit status {self.process.poll()}"


def say(trial):
    """One trial on one line."""
    cpu = " ".join(f"{name} {us:.0f} µs ({100 * trial['cpu_share'][name]:.0f} %)" for name, us in trial["cpu_us_per_message"].items())
    print(f"  offered {trial['offered_per_s']:>8.0f}/s  done {trial['done_per_s']:>8.0f}/s  CPU per message: {cpu}", flush=True)


def search_and_confirm(consumer, processes, where, broker, boots, arguments, first):
    """Finds the highest rate that the consumer keeps, then holds the load there for longer."""

    def run(rate, seconds=arguments.trial):
        return measure(processes, where, broker, consumer, rate, seconds, next(boots))

    trials, best = saturate(run, first, say)
    rate = trials[best]["offered_per_s"] if trials[best]["done_per_s"] > 0.97 * trials[best]["offered_per_s"] else trials[best]["done_per_s"]
    held = run(round(rate), arguments.seconds)
    say(held)
    return trials, held


def count_journal(agent):
    """Stored messages of the load: all, and different ones, as `wardlight journal export` prints them."""
    export = subprocess.Popen(agent.journal("export", "--format", "jsonl"), stdout=subprocess.PIPE, text=True)
    total, different = 0, set()
    for line in export.stdout:
        entry = json.loads(line)
        if entry["kind"] == "num":
            total += 1
            different.add((entry["device"], entry["boot"], entry["seq"]))
    if export.wait() != 0:
        sys.exit("wardlight journal export failed")
    return total, len(different)


def bench_agent(where, boots, arguments, tls=None):
    """The agent, over TLS where there are certificates: rates, memory, and whether its journal holds exactly what was acknowledged."""
    where = pathlib.Path(tempfile.mkdtemp(dir=where))
    where.chmod(0o755)
    with Processes() as processes:
        broker = Mosquitto(processes, where, tls)
        beds = {f"B{n:03}": [device(n)] for n in range(DEVICES)}
        agent = Agent(processes, where, broker, list(beds))
        agent.occupy(beds)
        print(f"wardlight{', over TLS' if tls else ''}, {DEVICES} devices at {DEVICES} beds:")
        trials, held = search_and_confirm(AgentConsumer(agent), processes, where, broker, boots, arguments, arguments.first)
        acknowledged = sum(t["acknowledged"] for t in [*trials, held])
        duplicates, missed = (agent.counter(f"wardlight_{n}_total") for n in ("duplicates", "missed_messages"))
        commits = agent.counter("wardlight_journal_commits_total")
        resident, most = memory_mib(agent.process.pid)
        end(agent.process)
        total, different = count_journal(agent)
        verify = subprocess.run(agent.journal("verify"), capture_output=True, text=True)
    print(
        f"  acknowledged {acknowledged}, journaled {total}, different {different}, missed {missed}, duplicates {duplicates},"
        f" commits {commits}, resident {resident:.0f} MiB (most {most:.0f})"
    )
    print(f"  journal verify: {'ok' if verify.returncode == 0 else verify.stdout + verify.stderr}")
    exact = total == different == acknowledged and verify.returncode == 0
    return trials, held, exact


def bench_peer(mode, where, boots, arguments, first):
    """The Python pipeline."""
    with Processes() as processes:
        broker = Mosquitto(processes, where)
        consumer = PeerConsumer(processes, where, broker, mode)
        print(f"Python pipeline, {mode}:")
        return search_and_confirm(consumer, processes, where, broker, boots, arguments, first)


def table(results):
    """The figures as a Markdown table."""
    ours = results["wardlight, FULL before each PUBACK"]
    print("\n| pipeline | msg/s held | most msg/s | wardlight is | CPU µs per message | broker | load |")
    print("|---|---|---|---|---|---|---|")
    for name, (trials, held) in results.items():
        most = max(t["done_per_s"] for t in [*trials, held])
        cpu = held["cpu_us_per_message"]
        print(
            f"| {name} | {held['done_per_s']:.0f} | {most:.0f} | {ours[1]['done_per_s'] / held['done_per_s']:.1f} x"
            f" | {cpu['consumer']:.0f} | {cpu['broker']:.0f} | {cpu['load']:.0f} |"
        )


def main():
    """Runs the three pipelines one after the other."""
    parser = argparse.ArgumentParser(prog="tests/bench/run throughput", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="length of the final measurement at the highest rate kept")
    parser.add_argument("--trial", type=float, default=6, help="length of each trial before it")
    parser.add_argument("--first", type=float, default=10000, help="rate of the agent's first trial, messages per second")
    parser.add_argument("--only-agent", action="store_true", help="without the Python pipelines")
    parser.add_argument("--tls", action="store_true", help="the agent a second time, with TLS 1.3 and certificates between it and the broker")
    arguments = parser.parse_args()
    print(machine())
    boots, results = itertools.count(1), {}
    with Processes() as processes:
        where = folder(processes)
        trials, held, exact = bench_agent(where, boots, arguments)
        results["wardlight, FULL before each PUBACK"] = (trials, held)
        if arguments.tls:
            *over_tls, exact_too = bench_agent(where, boots, arguments, certificates(where))
            results["the same, its connection to the broker over TLS"] = tuple(over_tls)
            exact = exact and exact_too
        if not arguments.only_agent:
            results["Python, FULL before each PUBACK"] = bench_peer("full", where, boots, arguments, 100)
            results["Python, NORMAL, commits in batches"] = bench_peer("batches", where, boots, arguments, 1500)
    table(results)
    print(f"\nPayload: {held['payload_bytes']:.0f} bytes. Journaled = acknowledged: {'yes' if exact else 'NO'}.")
    sys.exit(0 if exact else 1)


if __name__ == "__main__":
    main()
