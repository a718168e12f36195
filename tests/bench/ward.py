"""A Mosquitto and an agent of their own for one benchmark, with beds, patients and devices."""

import http.client
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

from processes import free_port, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGENT = pathlib.Path(os.environ.get("WARDLIGHT", ROOT / "target/release/wardlight"))
SIMULATOR = pathlib.Path(os.environ.get("WARDLIGHT_SIM", ROOT / "target/release/wardlight-sim"))
SITE = "bench"

# The windows are wide because an agent acknowledges after its group commit; the queue has no bound, or an overload would be dropped by the broker after its own acknowledgement.
MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_type error
log_type warning
"""

# Another door, for the agent: both sides show certificates.
TLS = """\
listener {port} 127.0.0.1
cafile {tls}/ca.pem
certfile {tls}/localhost.pem
keyfile {tls}/localhost.key
require_certificate true
use_identity_as_username true
"""

CONFIG = """\
[site]
name = "{site}"
[[unit]]
name = "ward"
beds = {beds}
[http]
listen = "127.0.0.1:{http}"
[mqtt]
{mqtt}
"""


def folder(processes):
    """A folder for this run: on the disk that holds target/, not in memory, because commits are what is measured."""
    parent = pathlib.Path(os.environ.get("WARDLIGHT_BENCH_DIR", ROOT / "target"))
    parent.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(processes.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=parent)))


def listens(port):
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certificates(where):
    """A folder with an authority and its certificates for `localhost` and for an agent, made by openssl; readable for the broker's user."""
    tls = where / "tls"
    tls.mkdir(exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tls, check=True, capture_output=True)

    openssl("req", "-x509", *key, "-subj", "/CN=bench authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("localhost", "agent"):
        authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{name}"]
        openssl("req", "-x509", *key, *authority, "-addext", "basicConstraints=critical,CA:FALSE", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    (tls / "localhost.key").chmod(0o644)
    for above in (tls, where):
        above.chmod(0o755)
    return tls


class Mosquitto:
    """A broker; with a folder of certificates it has a second door for the agent."""

    def __init__(self, processes, where, tls=None):
        self.port, self.tls = free_port(), tls
        self.tls_port = free_port() if tls else None
        door = TLS.format(port=self.tls_port, tls=tls) if tls else ""
        config = where / "mosquitto.conf"
        config.write_text(MOSQUITTO.format(port=self.port) + door)
        self.process = processes.start(["mosquitto", "-c", config])
        wait_for("mosquitto", lambda: listens(self.tls_port or self.port))

    def settings(self):
        """What the agent's configuration says of it."""
        if not self.tls:
            return f'url = "mqtt://127.0.0.1:{self.port}"'
        files = "".join(f'\n{key}_file = "{self.tls}/{name}"' for key, name in (("ca", "ca.pem"), ("cert", "agent.pem"), ("key", "agent.key")))
        return f'url = "mqtts://localhost:{self.tls_port}"{files}'


class Agent:
    """An agent, made with `wardlight init` and given its own beds."""

    def __init__(self, processes, where, broker, beds, more=""):
        for program in (AGENT, SIMULATOR):
            if not program.exists():
                sys.exit(f"{program}: not there; first: cargo build --release -p wardlight -p wardlight-simulator")
        self.dir = where / "agent"
        self.port = free_port()
        init = [AGENT, "init", self.dir, "--broker", f"mqtt://127.0.0.1:{broker.port}"]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        self.config = self.dir / "agent.toml"
        text = CONFIG.format(site=SITE, beds=json.dumps(beds), mqtt=broker.settings(), http=self.port)
        self.config.write_text(text + more)
        self.log = where / "agent.log"
        with self.log.open("w") as log:
            self.process = processes.start([AGENT, "run", "--config", self.config], stdout=log, stderr=log)
        wait_for("the agent", self.is_ready)

    def is_ready(self):
        """Whether the agent has its broker and takes messages."""
        if self.process.poll() is not None:
            sys.exit(f"the agent ended:\n{self.log.read_text()}")
        return listens(self.port) and self.get("/readyz")[0] == 200

    def get(self, path):
        """Status and text of a page."""
        return self._request("GET", path, None)

    def post(self, path, body):
        """Does something through the API; ends the benchmark if it is refused."""
        status, text = self._request("POST", path, json.dumps(body))
        if status != 200:
            sys.exit(f"{path}: {status} {text}")

    def _request(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def occupy(self, devices_of_beds):
        """Admits a patient to each bed and puts its devices there."""
        for bed, devices in devices_of_beds.items():
            self.post(f"/api/v1/beds/{bed}/admit", {"age_years": 60})
            for device in devices:
                self.post(f"/api/v1/beds/{bed}/attach", {"device": device})

    def counter(self, name):
        """The sum of a metric over its labels."""
        lines = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return int(sum(float(value) for value in lines))

    def journal(self, *arguments):
        """The command line of `wardlight journal`."""
        return [AGENT, "journal", *arguments, "--config", self.config]
