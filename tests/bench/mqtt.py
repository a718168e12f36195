"""Just enough MQTT 3.1.1 to publish at a known instant: one blocking socket, no thread between the clock and the wire."""

import socket
import struct


def _text(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind, body):
    length, size = b"", len(body)
    while True:
        size, digit = size >> 7, size & 127
        length += bytes([digit | (128 if size else 0)])
        if not size:
            return bytes([kind]) + length + body


class Publisher:
    """A connection that publishes; PUBACKs are read when something else is sent, and not awaited."""

    def __init__(self, port, name):
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(_packet(0x10, _text("MQTT") + bytes([4, 2]) + struct.pack(">H", 0) + _text(name)))
        if self._socket.recv(4)[3] != 0:
            raise OSError("the broker refuses the connection")
        self._next = 0

    def publish(self, topic, payload, qos=1):
        """Sends one message."""
        body = _text(topic)
        if qos:
            self._next = self._next % 65535 + 1
            body += struct.pack(">H", self._next)
        self._socket.sendall(_packet(0x30 | qos << 1, body + payload))
        try:
            self._socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
