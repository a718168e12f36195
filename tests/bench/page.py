"""An open page, as a process of its own: reads the agent's WebSocket and prints each alarm frame with the time of its arrival.

Usage: page.py PORT. Lines: nanoseconds since 1970, bed, kind, state.
"""

import base64
import json
import os
import socket
import struct
import sys
import time


def connect(port):
    """The socket, after the handshake, and what was read beyond it."""
    link = socket.create_connection(("127.0.0.1", port))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    hello = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    link.sendall(f"{hello}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += link.recv(65536) or sys.exit("the agent closed the connection")
    head, rest = data.split(b"\r\n\r\n", 1)
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        sys.exit(head.decode())
    return link, bytearray(rest)


def parse(data):
    """The first frame in `data` as (opcode, payload, bytes used), or None."""
    if len(data) < 2:
        return None
    length, start = data[1] & 127, 2
    if length == 126 and len(data) >= 4:
        length, start = struct.unpack_from(">H", data, 2)[0], 4
    elif length == 127 and len(data) >= 10:
        length, start = struct.unpack_from(">Q", data, 2)[0], 10
    elif length >= 126:
        return None
    end = start + length
    return None if len(data) < end else (data[0] & 15, bytes(data[start:end]), end)


def send(link, opcode, payload):
    """Sends a short frame, masked with zeros."""
    link.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload)


def main():
    """Reads until the agent closes."""
    link, data = connect(int(sys.argv[1]))
    print("open", flush=True)
    while True:
        frame = parse(data)
        if frame is None:
            received = link.recv(262144)
            if not received:
                return
            data += received
            continue
        arrived = time.time_ns()
        opcode, payload, used = frame
        del data[:used]
        if opcode == 9:
            send(link, 10, payload)
        elif opcode == 8:
            return
        elif opcode == 1 and payload.startswith(b'{"type":"resync"'):
            print("resync", flush=True)
        elif opcode == 1 and b'"type":"alarm"' in payload[:64]:
            body = json.loads(payload)
            alarm = body.get("alarm", body)
            print(arrived, alarm.get("bed", body.get("bed")), alarm["kind"], alarm["state"], flush=True)


if __name__ == "__main__":
    main()
