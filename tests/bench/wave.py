"""Blocks of waveform in CBOR: see docs/devices.md."""

import struct


def block(code, seq, at_ms, rate_hz, samples):
    """A block whose samples are in microvolts; at most 255 of them a second."""
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = b"\xa9\x00\x01\x01\x1a" + struct.pack(">I", seq) + b"\x02\x1b" + struct.pack(">Q", at_ms)
    head += b"\x04\x1a" + struct.pack(">I", code) + b"\x05\x18" + bytes([rate_hz]) + b"\x06\x82\x22\x01\x07\x00"
    return head + b"\x08\xd8\x4d\x59" + struct.pack(">H", len(data)) + data + b"\x09\x01"
