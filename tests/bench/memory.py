"""Memory: what the agent has resident with 100 beds whose monitors send ECG, pleth and respiration, and one page open."""

import argparse
import json
import subprocess
import sys
import time

from processes import Processes, cpu_seconds, machine, memory_mib
from ward import SIMULATOR, SITE, Agent, Mosquitto, folder

PAGE = __file__.replace("memory.py", "page.py")


def main():
    """Runs the ward and measures."""
    parser = argparse.ArgumentParser(prog="tests/bench/run memory", description=__doc__)
    parser.add_argument("--beds", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    print(machine())
    with Processes() as processes:
        where = folder(processes)
        broker = Mosquitto(processes, where)
        # The names that `wardlight-sim ward` uses.
        beds = {f"bed-{n:02}": [f"mon-{n:02}"] for n in range(1, arguments.beds + 1)}
        agent = Agent(processes, where, broker, list(beds))
        pid = agent.process.pid
        print(f"Idle, {arguments.beds} empty beds: {memory_mib(pid)[0]:.1f} MiB resident")
        agent.occupy(beds)
        report = where / "ward.json"
        command = [SIMULATOR, "ward", "--scenario", "quiet", "--beds", arguments.beds, "--for", f"{arguments.seconds}s"]
        command += ["--broker", f"mqtt://127.0.0.1:{broker.port}", "--site", SITE, "--report", report]
        ward = processes.start(command, stderr=subprocess.DEVNULL)
        processes.start([sys.executable, "-B", PAGE, agent.port], stdout=subprocess.DEVNULL)
        cpu, start = cpu_seconds(pid), time.monotonic()
        print("\n| after s | resident MiB | most MiB |\n|---|---|---|")
        while ward.poll() is None:
            time.sleep(min(10, max(0.1, start + arguments.seconds - 1 - time.monotonic())))
            elapsed = time.monotonic() - start
            if ward.poll() is None:
                resident, most = memory_mib(pid)
                share = (cpu_seconds(pid) - cpu) / elapsed
                print(f"| {elapsed:.0f} | {resident:.1f} | {most:.1f} |", flush=True)
            if elapsed > arguments.seconds - 1.5:
                break
        messages = (ward.wait(30), json.loads(report.read_text())["messages"])[1]
        pages = agent.counter("wardlight_pages_open")
    print(f"\nMessages: {messages}. Pages open: {pages}. Agent: {100 * share:.0f} % of a processor.")


if __name__ == "__main__":
    main()
