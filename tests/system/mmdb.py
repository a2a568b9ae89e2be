# SPDX-License-Identifier: Apache-2.0
"""Writes a small database in MaxMind's format, for a file that names one: write(path, {'81.2.69.0/24': {...}})."""
import ipaddress
import struct

RECORD_BYTES, SEPARATOR = 3, bytes(16)
STRING, DOUBLE, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 3, 5, 6, 7, 9, 11


def control(kind, size):
    head, small = (kind << 5, b'') if kind < 8 else (0, bytes([kind - 7]))
    return bytes([head | min(size, 29)]) + small + (bytes([size - 29]) if size >= 29 else b'')


def number(kind, value):
    size = {UINT16: 2, UINT32: 4, UINT64: 8}[kind]
    return control(kind, size) + value.to_bytes(size, 'big')


def encode(value):
    if isinstance(value, dict):
        return control(MAP, len(value)) + b''.join(encode(key) + encode(item) for key, item in value.items())
    if isinstance(value, list):
        return control(ARRAY, len(value)) + b''.join(map(encode, value))
    if isinstance(value, str):
        return control(STRING, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return control(DOUBLE, 8) + struct.pack('>d', value)
    return value if isinstance(value, bytes) else number(UINT32, value)


class Tree:
    """A binary tree of IPv6 addresses, IPv4 below ::/96. A side is None, the number of a node, or ('data', offset)."""

    def __init__(self):
        self.nodes = [[None, None]]

    def insert(self, network, target):
        network = ipaddress.ip_network(network)
        bits = f'{int(network.network_address):0{network.max_prefixlen}b}'[:network.prefixlen]
        bits = '0' * (128 - network.max_prefixlen) + bits
        node = self.nodes[0]
        for bit in map(int, bits[:-1]):
            if node[bit] is None:
                node[bit] = len(self.nodes)
                self.nodes.append([None, None])
            node = self.nodes[node[bit]]
        node[int(bits[-1])] = target

    def side(self, to):
        if to is None:
            return len(self.nodes)
        return to if isinstance(to, int) else to[1] + len(self.nodes) + len(SEPARATOR)

    def bytes(self):
        return b''.join(self.side(to).to_bytes(RECORD_BYTES, 'big') for node in self.nodes for to in node)


def write(path, records, kind='GeoLite2-City'):
    tree, data = Tree(), b''
    for network, record in records.items():
        tree.insert(network, ('data', len(data)))
        data += encode(record)
    metadata = {'binary_format_major_version': number(UINT16, 2), 'binary_format_minor_version': number(UINT16, 0),
                'ip_version': number(UINT16, 6), 'node_count': len(tree.nodes),
                'record_size': number(UINT16, RECORD_BYTES * 8), 'build_epoch': number(UINT64, 1),
                'database_type': kind, 'languages': ['en'], 'description': {'en': 'for tests'}}
    path.write_bytes(tree.bytes() + SEPARATOR + data + b'\xab\xcd\xefMaxMind.com' + encode(metadata))
    return path
