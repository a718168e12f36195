"""The pipeline that a hospital's data scientist would write: paho-mqtt, a small onnxruntime model, sqlite3. Peer of the throughput
benchmark: each message is decoded and stored, and every tenth scores a window of 60 x 8 values of its device.

With `full`, like the agent: SQLite syncs to disk and commits before each PUBACK. With `batches`: synchronous=NORMAL, a commit
every 500 messages or 100 ms, and the PUBACKs after it.
"""

import argparse
import collections
import json
import sqlite3
import sys
import time

import numpy
import onnx
import onnxruntime
import paho.mqtt.client as paho
from onnx import TensorProto, helper, numpy_helper

WINDOW, VALUES = 60, 8


def network():
    """An untrained MLP of 480, 64, 32 and 1 neurons: what it costs does not depend on what it knows."""
    random = numpy.random.default_rng(1)
    nodes, weights, name = [], [], "x"
    sizes = [WINDOW * VALUES, 64, 32, 1]
    for i, (rows, columns) in enumerate(zip(sizes, sizes[1:])):
        matrix = random.normal(0, 0.05, (rows, columns)).astype(numpy.float32)
        weights += [numpy_helper.from_array(matrix, f"w{i}"), numpy_helper.from_array(numpy.zeros(columns, numpy.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"g{i}"]))
        name = f"a{i}"
        nodes.append(helper.make_node("Sigmoid" if columns == 1 else "Relu", [f"g{i}"], [name]))
    tensor = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "mlp", [tensor("x", TensorProto.FLOAT, [1, sizes[0]])], [tensor(name, TensorProto.FLOAT, [1, 1])], weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Peer:
    """The pipeline."""

    def __init__(self, arguments):
        self.full = arguments.mode == "full"
        self.model = network()
        self.windows = collections.defaultdict(lambda: collections.deque([[0.0] * VALUES] * WINDOW, WINDOW))
        self.database = sqlite3.connect(arguments.database, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(f"PRAGMA synchronous={'FULL' if self.full else 'NORMAL'}")
        self.database.execute("CREATE TABLE messages (topic TEXT, received REAL, payload BLOB, risk REAL)")
        self.pending, self.begun_at, self.seen, self.done = [], 0.0, 0, 0
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, "python-peer", clean_session=False, manual_ack=True
        )
        self.client.on_message = self.on_message
        self.client.max_inflight_messages_set(65535)
        self.client.connect("127.0.0.1", arguments.port)
        self.client.subscribe(f"vitals/v1/{arguments.site}/+/num", 1)

    def on_message(self, _client, _data, message):
        """Stores one message and scores its window if it is its turn."""
        values = [reading["x"] for reading in json.loads(message.payload)["m"]][:VALUES]
        window = self.windows[message.topic]
        window.append(values + [0.0] * (VALUES - len(values)))
        self.seen += 1
        risk = None
        if self.seen % 10 == 0:
            x = numpy.array(window, numpy.float32).reshape(1, -1)
            risk = float(self.model.run(None, {"x": x})[0][0, 0])
        if not self.pending:
            self.database.execute("BEGIN")
            self.begun_at = time.monotonic()
        row = (message.topic, time.time(), message.payload, risk)
        self.database.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", row)
        self.pending.append((message.mid, message.qos))
        if self.full or len(self.pending) >= 500:
            self.commit()

    def commit(self):
        """Commits, then acknowledges."""
        if self.pending:
            self.database.execute("COMMIT")
            for mid, qos in self.pending:
                self.client.ack(mid, qos)
            self.done += len(self.pending)
            self.pending.clear()

    def run(self, counts):
        """Until it is ended; writes how many messages are done, twenty times a second."""
        said_at = 0.0
        while self.client.loop(0.02) == paho.MQTT_ERR_SUCCESS:
            now = time.monotonic()
            if self.pending and now - self.begun_at > 0.1:
                self.commit()
            if now - said_at > 0.05:
                said_at = now
                counts.write(f"{self.done}\n")
                counts.flush()
        sys.exit("the connection is lost")


def main():
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["full", "batches"], required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--database", required=True)
    Peer(parser.parse_args()).run(sys.stdout)


if __name__ == "__main__":
    main()
