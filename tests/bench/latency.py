"""Latency: from publishing a message that alarms at once to the alarm's frame on an open page, in a ward of 200 beds with 20 ECGs.

Two kinds of alarms take turns, bed after bed: a cuff pressure below its limit (decided by the agent's rules, without delay) and the
monitor's own alarm (passed through). Publisher, agent and page share one machine and one clock.
"""

import argparse
import itertools
import json
import math
import statistics
import subprocess
import sys
import threading
import time

from load import DEVICES, Load, device
from mqtt import Publisher
from processes import Processes, cpu_seconds, machine, memory_mib, wait_for
from ward import SITE, Agent, Mosquitto, folder
from wave import block

PAGE = __file__.replace("latency.py", "page.py")
BOOT = 1
ECGS, BLOCK_S, RATE_HZ, ECG_LEAD_II = 20, 0.5, 250, 131330
NIBP_SYS, LOW, NORMAL = 150021, 80, 122
KINDS = ["nibp_sys_low", "device_alarm_bench"]


def ecg_block(seq, at_ms):
    """A block of lead II."""
    first = seq * int(RATE_HZ * BLOCK_S)
    samples = [int(900 * math.exp(-(((n % 200) - 100) / 4) ** 2)) + n % 7 for n in range(first, first + int(RATE_HZ * BLOCK_S))]
    return block(ECG_LEAD_II, seq, at_ms, RATE_HZ, samples)


class Probe:
    """A second device at each bed, whose messages alarm."""

    def __init__(self, publisher, number):
        self._publisher, self._name, self._seq = publisher, f"probe-{number:03}", 0
        self._send("birth", {"model": "Probe", "fw": "1", "channels": [{"c": NIBP_SYS, "unit": "mm[Hg]"}]})

    def alarm(self, kind, on):
        """Makes an alarm begin or end; returns the instant of the publication, nanoseconds since 1970."""
        if kind == KINDS[0]:
            return self._send("num", {"m": [{"c": NIBP_SYS, "x": LOW if on else NORMAL}]})
        return self._send("alarm", {"condition": "bench", "on": on, "prio": "medium", "text": "BENCH"})

    def _send(self, topic, fields):
        self._seq += 1
        at = time.time_ns()
        payload = json.dumps({"v": 1, "seq": self._seq, "boot": BOOT, "t": at // 1_000_000, **fields}).encode()
        self._publisher.publish(f"vitals/v1/{SITE}/{self._name}/{topic}", payload)
        return at


class Page:
    """An open page: when each alarm became active."""

    def __init__(self, processes, agent):
        self.process = processes.start([sys.executable, "-B", PAGE, agent.port], stdout=subprocess.PIPE, text=True)
        self.shown, self.resyncs, self._open = {}, 0, False
        threading.Thread(target=self._read, daemon=True).start()
        wait_for("the page", lambda: self._open)

    def _read(self):
        for line in self.process.stdout:
            words = line.split()
            if len(words) == 4 and words[3] == "active":
                self.shown.setdefault((words[1], words[2]), []).append(int(words[0]))
            self.resyncs += words == ["resync"]
            self._open = self._open or words == ["open"]


def publish_all(probes, waves, arguments):
    """Publishes alarms and waves, each at its instant; returns when each alarm was published."""
    sent = {}
    beds = list(probes)
    start = time.monotonic()
    # An alarm each interval, off the beat of the load; its end follows after the beds of half a second.
    alarms = ((0.1 + n * arguments.interval, 0, n) for n in range(arguments.alarms))
    lasting = 0.5
    ends = ((0.1 + n * arguments.interval + lasting, 1, n) for n in range(arguments.alarms))
    total = arguments.alarms * arguments.interval + lasting + 0.5
    blocks = ((k * BLOCK_S / ECGS, 2, k) for k in range(int(total / BLOCK_S * ECGS)))
    for due, what, n in sorted(itertools.chain(alarms, ends, blocks)):
        delay = start + due - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        if what == 2:
            number, seq = n % ECGS, n // ECGS
            topic = f"vitals/v1/{SITE}/{device(number)}/wave/{ECG_LEAD_II}"
            waves.publish(topic, ecg_block(seq, time.time_ns() // 1_000_000 - int(1000 * BLOCK_S)), qos=0)
            continue
        bed, kind = beds[n % len(beds)], KINDS[(n // len(beds) + n) % 2]
        at = probes[bed].alarm(kind, what == 0)
        if what == 0:
            sent.setdefault((bed, kind), []).append(at)
    return sent


def match(sent, shown):
    """Pairs publications with the frames that followed; returns milliseconds by kind of alarm, and how many never came."""
    latencies, missing = {kind: [] for kind in KINDS}, 0
    for key, instants in sent.items():
        frames = sorted(shown.get(key, []))
        for at, following in zip(instants, [*instants[1:], math.inf]):
            arrived = next((frame for frame in frames if at <= frame < following), None)
            if arrived is None:
                missing += 1
            else:
                latencies[key[1]].append((arrived - at) / 1e6)
    return latencies, missing


def row(name, values):
    """A row of the table."""
    if len(values) < 2:
        return f"| {name} | {len(values)} | | | |"
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return f"| {name} | {len(values)} | {cuts[49]:.1f} | {cuts[98]:.1f} | {max(values):.1f} |"


def main():
    """Runs the ward and measures."""
    parser = argparse.ArgumentParser(prog="tests/bench/run latency", description=__doc__)
    parser.add_argument("--alarms", type=int, default=1200, help="how many alarms")
    parser.add_argument("--interval", type=float, default=0.0503, help="seconds between them")
    arguments = parser.parse_args()
    print(machine())
    with Processes() as processes:
        where = folder(processes)
        broker = Mosquitto(processes, where)
        beds = {f"B{n:03}": [device(n), f"probe-{n:03}"] for n in range(DEVICES)}
        agent = Agent(processes, where, broker, list(beds))
        agent.occupy(beds)
        publisher, waves = Publisher(broker.port, "bench-probes"), Publisher(broker.port, "bench-waves")
        probes = {bed: Probe(publisher, n) for n, bed in enumerate(beds)}
        seconds = arguments.alarms * arguments.interval + 10
        load = Load(processes, where, broker, DEVICES, round(seconds), BOOT)
        page = Page(processes, agent)
        time.sleep(5)
        cpu, start = cpu_seconds(agent.process.pid), time.monotonic()
        sent = publish_all(probes, waves, arguments)
        time.sleep(1)
        cpu = (cpu_seconds(agent.process.pid) - cpu) / (time.monotonic() - start)
        resident, _ = memory_mib(agent.process.pid)
        latencies, missing = match(sent, page.shown)
        steady = load.process.poll() is None
        dropped = agent.counter("wardlight_waves_dropped_total")
    print("\n| alarm | count | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|")
    print(row("cuff pressure low (rule)", latencies[KINDS[0]]))
    print(row("the monitor's own (passed through)", latencies[KINDS[1]]))
    print(row("all", latencies[KINDS[0]] + latencies[KINDS[1]]))
    print(
        f"\nNever shown: {missing}. Resyncs of the page: {page.resyncs}. Waves dropped: {dropped}."
        f" Agent: {100 * cpu:.0f} % of a processor, {resident:.0f} MiB. Load ran throughout: {'yes' if steady else 'NO'}."
    )
    sys.exit(0 if missing == 0 and steady else 1)


if __name__ == "__main__":
    main()
