"""Models: what the agent has resident with its models and without them, idle; each several times, in turn."""

import argparse
import re
import statistics
import time

from processes import Processes, machine, memory_mib
from ward import Agent, Mosquitto, folder


def resident(enabled):
    """Resident MiB of an idle agent, ten seconds after it is ready."""
    with Processes() as processes:
        where = folder(processes)
        agent = Agent(processes, where, Mosquitto(processes, where), ["B1"], f"[model]\nenabled = {str(enabled).lower()}\n")
        time.sleep(10)
        live = re.search(r"^wardlight_model_status 2$", agent.get("/metrics")[1], re.MULTILINE)
        if enabled != bool(live):
            raise SystemExit(f"the models should be {'live' if enabled else 'off'}:\n{agent.log.read_text()}")
        return memory_mib(agent.process.pid)


def main():
    """Measures in turn."""
    parser = argparse.ArgumentParser(prog="tests/bench/run models", description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    print(machine())
    pairs = [(resident(False), resident(True)) for _ in range(arguments.times)]
    without, having = ([pair[which] for pair in pairs] for which in (0, 1))
    print("\n| | resident MiB | most MiB |\n|---|---|---|")
    for name, values in (("without models", without), ("with the three models", having)):
        print(f"| {name} | {statistics.median(v[0] for v in values):.1f} | {statistics.median(v[1] for v in values):.1f} |")
    difference = statistics.median(v[0] for v in having) - statistics.median(v[0] for v in without)
    print(f"\nThe models take {difference:.1f} MiB.")


if __name__ == "__main__":
    main()
