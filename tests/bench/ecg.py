"""ECG: a ward of 1,000 beds with an ECG each; whether every beat is classified in time, and what the inference thread takes.

Each bed sends blocks of a second at 250 Hz. Times are those of the agent's threads, from the kernel; publisher and broker share the
machine.
"""

import argparse
import math
import pathlib
import sys
import time

from mqtt import Publisher
from processes import TICKS, Processes, machine, memory_mib
from ward import SITE, Agent, Mosquitto, folder
from wave import block

RATE_HZ, LEADS = 250, (131330, 131395, 131329)
# 75 beats a minute: an R wave, and a P and a T wave around it.
BEAT_S = 0.8
WAVES = ((0.20, 0.025, 110), (0.36, 0.010, 1000), (0.60, 0.050, 250))


def sample(n):
    """Microvolts of the n-th sample."""
    at = (n / RATE_HZ) % BEAT_S
    return int(sum(height * math.exp(-(((at - middle) / width) ** 2)) for middle, width, height in WAVES)) + n % 5


def second(lead, seq, at_ms):
    """A second of one lead."""
    return block(lead, seq, at_ms, RATE_HZ, [sample(seq * RATE_HZ + n) for n in range(RATE_HZ)])


def threads(pid):
    """Processor seconds of each thread of a process, by name."""
    total = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)
        name = fields[0].split("(", 1)[1]
        values = fields[1].split()
        total[name] = total.get(name, 0) + (int(values[11]) + int(values[12])) / TICKS
    return total


def main():
    """Runs the ward and measures."""
    parser = argparse.ArgumentParser(prog="tests/bench/run ecg", description=__doc__)
    parser.add_argument("--beds", type=int, default=1000)
    parser.add_argument("--leads", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    print(machine())
    with Processes() as processes:
        where = folder(processes)
        broker = Mosquitto(processes, where)
        beds = {f"B{n:04}": [f"mon-{n:04}"] for n in range(arguments.beds)}
        agent = Agent(processes, where, broker, list(beds))
        agent.occupy(beds)
        publisher = Publisher(broker.port, "bench-ecg")
        topics = [[f"vitals/v1/{SITE}/mon-{n:04}/wave/{lead}" for lead in LEADS[: arguments.leads]] for n in range(arguments.beds)]
        # The first seconds teach the detector; what is measured begins after them.
        learning = 15
        start = time.monotonic()
        before = cpu = None
        for seq in range(learning + arguments.seconds):
            if seq == learning:
                before, cpu, began = counts(agent), threads(agent.process.pid), time.monotonic()
            at_ms = time.time_ns() // 1_000_000 - 1000
            payloads = [second(lead, seq, at_ms) for lead in LEADS[: arguments.leads]]
            for n, leads in enumerate(topics):
                # Spread over the second, as beds are.
                ahead = start + seq + n / arguments.beds - time.monotonic()
                if ahead > 0.005:
                    time.sleep(ahead)
                for topic, payload in zip(leads, payloads):
                    publisher.publish(topic, payload, qos=0)
        late = time.monotonic() - start - learning - arguments.seconds
        elapsed = time.monotonic() - began
        used = {name: (seconds - cpu.get(name, 0)) / elapsed for name, seconds in threads(agent.process.pid).items()}
        time.sleep(3)
        after = counts(agent)
        resident, most = memory_mib(agent.process.pid)
    beats, windows, dropped, waves = (b - a for a, b in zip(before, after))
    expected = arguments.beds * arguments.seconds / BEAT_S
    print(f"\n{arguments.beds} beds, {arguments.leads} lead(s), {elapsed:.0f} s; the publisher was {max(0, late):.1f} s late at the end")
    print(f"beats classified {beats} of {expected:.0f} that were sent, windows judged {windows}, dropped {dropped} for the models and {waves} before")
    print("\n| thread | share of one processor |\n|---|---|")
    for name, share in sorted(used.items(), key=lambda item: -item[1]):
        if share >= 0.005:
            print(f"| {name} | {100 * share:.1f} % |")
    print(f"\nAgent: {100 * sum(used.values()):.0f} % of a processor, {resident:.0f} MiB resident, {most:.0f} MiB at most.")
    sys.exit(0 if beats >= 0.99 * expected and dropped == 0 else 1)


def counts(agent):
    """Beats, windows, and what was dropped."""
    names = ("model_beats", "model_windows", "inference_dropped", "waves_dropped")
    return [agent.counter(f"wardlight_{name}_total") for name in names]


if __name__ == "__main__":
    main()
