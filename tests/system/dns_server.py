# SPDX-License-Identifier: Apache-2.0
"""A DNS server on a free port of the loopback address, over UDP and TCP, that answers by the first label of a name.

    ip-1-2-3-4.any.name   the address 1.2.3.4           alias.…     a CNAME to ip-9-9-9-9.target, with its address
    many.…                several addresses             six.…       only an IPv6 address, fd00::6
    nothing.…             no such name (NXDOMAIN)       empty.…     exists, but has no address
    never.…               no answer, ever               broken.…    SERVFAIL
    big.…                 truncated over UDP, 6.6.6.6 over TCP      late-N.…  nothing to the first N queries, then 5.5.5.5
    garbage.…             bytes that are no answer
    4.3.2.1.in-addr.arpa  the name host-1-2-3-4.example, and with 9 in front none; ….ip6.arpa the name six.example

Everything that was asked is in `asked`, in order, as (name, type). Answers are held back while `held` says so: until the
number of queries waiting for one has reached `hold`."""
import collections
import socket
import struct
import threading

A, CNAME, PTR, AAAA = 1, 5, 12, 28
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3


def encode_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.') if label) + b'\0'


def record(name, kind, data):
    return encode_name(name) + struct.pack('>HHIH', kind, 1, 60, len(data)) + data


class DnsServer:
    def __init__(self, hold=0, port=None):
        self.lock = threading.Lock()
        self.asked = []
        self.tcp_asked = 0
        self.hold = hold
        self.waiting = []
        self.most_waiting = 0
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self.udp.bind(('127.0.0.1', port or 0))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket()
            try:
                self.tcp.bind(('127.0.0.1', self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
        self.tcp.listen()
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def count(self, name=None, kind=None):
        with self.lock:
            return sum(1 for asked in self.asked if name in (None, asked[0]) and kind in (None, asked[1]))

    def names(self):
        with self.lock:
            return collections.Counter(name for name, _ in self.asked)

    def release(self):
        """Answers everything held, and holds nothing any more."""
        with self.lock:
            self.hold = 0
            waiting, self.waiting = self.waiting, []
        for packet, peer in waiting:
            self.udp.sendto(packet, peer)

    def close(self):
        for sock in (self.udp, self.tcp):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            if not query:
                return  # closed
            packet = self._answer(query, udp=True)
            if packet:
                self._send(packet, peer)

    def _send(self, packet, peer):
        with self.lock:
            if self.hold:
                self.waiting.append((packet, peer))
                self.most_waiting = max(self.most_waiting, len(self.waiting))
                if len(self.waiting) < self.hold:
                    return
                packets, self.waiting = self.waiting, []
            else:
                packets = [(packet, peer)]
        for packet, peer in packets:
            self.udp.sendto(packet, peer)

    def _serve_tcp(self):
        while True:
            try:
                client, _ = self.tcp.accept()
            except OSError:
                return
            with client:
                stream = client.makefile('rb')
                while header := stream.read(2):
                    packet = self._answer(stream.read(int.from_bytes(header, 'big')), udp=False)
                    client.sendall(len(packet).to_bytes(2, 'big') + packet)

    def _answer(self, query, udp):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = int.from_bytes(query[at + 1:at + 3], 'big')
        name = '.'.join(labels)
        with self.lock:
            self.asked.append((name, kind))
            self.tcp_asked += not udp
            times = self.asked.count((name, kind))
        first = labels[0].lower()
        if first == 'never' or first.startswith('late-') and times <= int(first[5:]):
            return None
        if first == 'garbage':
            return query[:2] + b'\x81\x80' + b'\xff' * 30
        code, records, truncated = self._records(name, first, kind)
        if truncated and udp:
            records, flags = [], 0x8380
        else:
            flags = 0x8180 | code
        return query[:2] + struct.pack('>HHHHH', flags, 1, len(records), 0, 0) + query[12:at + 5] + b''.join(records)

    def _records(self, name, first, kind):
        if name.endswith('.arpa'):
            return self._names(name, first)
        if first == 'nothing':
            return NXDOMAIN, [], False
        if first == 'broken':
            return SERVFAIL, [], False
        if first == 'six' and kind == AAAA:
            return NOERROR, [record(name, AAAA, socket.inet_pton(socket.AF_INET6, 'fd00::6'))], False
        if kind != A or first in ('empty', 'six'):
            return NOERROR, [], False
        if first == 'alias':
            target = 'ip-9-9-9-9.target'
            return NOERROR, [record(name, CNAME, encode_name(target)), record(target, A, bytes([9] * 4))], False
        if first == 'many':
            return NOERROR, [record(name, A, bytes([n] * 4)) for n in (7, 8, 9)], False
        if first == 'big':
            return NOERROR, [record(name, A, bytes([6] * 4))], True
        if first.startswith('late-'):
            return NOERROR, [record(name, A, bytes([5] * 4))], False
        if first.startswith('ip-'):
            return NOERROR, [record(name, A, bytes(map(int, first.split('-')[1:5])))], False
        return NXDOMAIN, [], False

    def _names(self, name, first):
        if name.endswith('.ip6.arpa'):
            return NOERROR, [record(name, PTR, encode_name('six.example'))], False
        labels = name.split('.')[:4]
        if labels[3] == '9':
            return NXDOMAIN, [], False
        host = encode_name('host-' + '-'.join(reversed(labels)) + '.example')
        return NOERROR, [record(name, PTR, host), record(name, PTR, encode_name('other.example'))], False
