# SPDX-License-Identifier: Apache-2.0
"""Whoever connects may send anything: mutated bytes, half messages, nothing at all, a thousand at once. On every port that is
listened on a clean client is served all the same. MILLRACE_FUZZ_SECONDS=600 sends mutated bytes for so long to each,
MILLRACE_FUZZ_PORTS=gelf,udp to those alone."""
import gzip
import http.client
import os
import random
import resource
import socket
import ssl
import sys
import time
import unittest
import zlib

import certificates
import lumberjack
import support

FUZZ_SECONDS = float(os.environ.get('MILLRACE_FUZZ_SECONDS', '0'))
FUZZ_ROUNDS = 300
HOSTILE = 1000


def http_request(body):
    return b'POST /path?a=b HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' % (
        len(body), body)


SEEDS = {
    'tcp': [b'PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n', b'a line\nanother\r\n', b'x' * 3000 + b'\n', '日本\n'.encode(), b'\0' * 100],
    'http': [http_request(b'{"a":1}'), http_request(b'x' * 5000), b'GET / HTTP/1.0\r\n\r\n',
             b'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
             b'POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n\x1f\x8b\x08'],
    'api': [b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', b'GET /_millrace/tap?where=%5Ba%5D&sample=3 HTTP/1.1\r\nHost: localhost\r\n\r\n',
            b'GET /_node/stats/pipelines/main?pretty HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eDp5\r\n\r\n', http_request(b'x')],
    'syslog': [b'<13>Oct 11 22:14:15 host app[7]: text\n', b'<34>1 2003-10-11T22:14:15.003Z host app 1 ID47 [a@1 b="c"] text\n', b'<999999>' + b'x' * 3000],
    'udp': [b'a line', b'\0' * 2000, '日本'.encode()],
    'gelf': [b'{"version":"1.1","host":"h","short_message":"m","timestamp":1385053862.3072,"level":1,"_a":{"b":[1]}}',
             b'\x1e\x0f12345678\0\x02{"short_message":', b'\x1e\x0f12345678\x01\x02"m"}', b'\x1e\x0f87654321\xff\xff',
             gzip.compress(b'{"short_message":"packed"}'), zlib.compress(b'{"short_message":"packed"}'), gzip.compress(bytes(1 << 20))],
    'beats': [lumberjack.batch(lumberjack.messages('one', 'two')), lumberjack.batch(lumberjack.messages('packed'), compress=True)
              if 'compress' in lumberjack.batch.__code__.co_varnames else lumberjack.batch(lumberjack.messages('x'))],
}
HELLO = bytes.fromhex('16030100a4010000a00303') + bytes(range(32)) + b'\0\0\x08\x13\x01\x13\x02\xc0\x2b\xc0\x2f\x01\0' + bytes(90)


def mutate(randomness, text):
    text = bytearray(text)
    for _ in range(randomness.randrange(1, 8)):
        at = randomness.randrange(len(text) + 1)
        kind = randomness.randrange(5)
        if kind == 0 and text:
            text[at % len(text)] ^= 1 << randomness.randrange(8)
        elif kind == 1:
            text[at:at] = randomness.randbytes(randomness.randrange(1, 20))
        elif kind == 2:
            del text[at:at + randomness.randrange(1, 50)]
        elif kind == 3:
            text += text[at:at + 500]
        else:
            text[at:at + 4] = randomness.choice((b'\xff\xff\xff\xff', b'\0\0\0\0', b'9999', b'\r\n\r\n'))
    return bytes(text)


class Port(support.Case):
    """One pipeline with every kind of port."""

    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.folder)
        pair = self.authority.issue('server')
        tls = f'ssl_enabled => true ssl_certificate => "{pair.certificate}" ssl_key => "{pair.key}" ssl_client_authentication => none'
        self.ports = {name: support.free_port() for name in ('tcp', 'http', 'beats', 'tcp tls', 'http tls', 'beats tls', 'proxy', 'api tls', 'syslog', 'syslog udp',
                                                              'udp', 'gelf', 'gelf udp')}
        inputs = ''.join(
            f'{name.split()[0]} {{ host => "127.0.0.1" port => {port} {tls if "tls" in name else ""} }}\n'
            for name, port in self.ports.items() if name.split()[0] in ('tcp', 'http', 'beats'))
        inputs += ''.join(f'{name} {{ host => "127.0.0.1" port => {self.ports[name]} }}\n' for name in ('syslog', 'udp'))
        self.ports['syslog udp'] = self.ports['syslog']  # it listens on both
        inputs += f'gelf {{ host => "127.0.0.1" use_tcp => true port_tcp => {self.ports["gelf"]} port_udp => {self.ports["gelf udp"]} }}\n'
        inputs += f'tcp {{ host => "127.0.0.1" port => {self.ports["proxy"]} proxy_protocol => true }}'
        self.path = self.folder / 'events.jsonl'
        self.millrace = self.start('-e', f'input {{ {inputs} }} output {{ file {{ path => "{self.path}" codec => json_lines }} }}', '--api.http.port', self.ports['api tls'],
                                   '--api.ssl.enabled', '--api.ssl.certificate', pair.certificate, '--api.ssl.key', pair.key)
        for name, port in self.ports.items():
            self.millrace.wait_for_log(f'API listens .*:{port}' if name == 'api tls' else f'port={port}\\b')

    def connect(self, name, timeout=10):
        return socket.create_connection(('127.0.0.1', self.ports[name]), timeout)

    def context(self, name):
        return self.authority.client_context() if 'tls' in name else None

    def assert_serves(self, name):
        kind, text = name.split()[0], f'clean for {name} at {time.monotonic()}'
        self.mark = self.path.stat().st_size if self.path.exists() else 0
        if kind == 'api':
            connection = http.client.HTTPSConnection('localhost', self.ports[name], timeout=30, context=self.context(name))
            connection.request('GET', '/healthz')
            self.assertEqual(b'ok\n', connection.getresponse().read())
            connection.close()
            return
        if kind == 'http':
            connection = http.client.HTTPSConnection('localhost', self.ports[name], timeout=30, context=self.context(name)) \
                if 'tls' in name else http.client.HTTPConnection('127.0.0.1', self.ports[name], timeout=30)
            connection.request('POST', '/', text)
            self.assertEqual(200, connection.getresponse().status)
            connection.close()
        elif 'udp' in name:  # datagrams may be dropped while the others are read
            def arrives():
                self.datagram(name, b'{"short_message":"%s"}' % text.encode() if kind == 'gelf' else text.encode())
                return text in self.written()
            self.millrace.wait_for(arrives, f'a datagram of {name}', timeout=30)
        elif kind == 'gelf':
            with self.connect(name, 30) as client:
                client.sendall(b'{"short_message":"%s"}\0' % text.encode())
        elif kind == 'beats':
            with lumberjack.Client(self.ports[name], timeout=30, tls=self.context(name)) as client:
                client.send(lumberjack.batch(lumberjack.messages(text)))
                self.assertEqual([(2, 1)], client.read_acks(1, timeout=30))
        else:
            with self.connect(name, 30) as raw:
                client = self.context(name).wrap_socket(raw, server_hostname='localhost') if 'tls' in name else raw
                client.sendall(b'PROXY UNKNOWN\r\n' * (kind == 'proxy') + text.encode() + b'\n')
                client.close()
        self.millrace.wait_for(lambda: text in self.written(), f'the clean client of {name}', timeout=30)

    def written(self):
        """Since the clean client began: what was thrown before may be gigabytes."""
        if not self.path.exists():
            return ''
        with open(self.path, 'rb') as file:
            file.seek(self.mark)
            return file.read().decode('utf-8', 'replace')

    def datagram(self, name, content):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(content[:65000], ('127.0.0.1', self.ports[name]))

    def throw(self, name, content):
        if 'udp' in name:
            self.datagram(name, content)
            return
        try:
            with self.connect(name) as client:
                client.sendall(content)
        except OSError:
            pass


class Mutations(Port):
    def fuzz(self, name):
        kind = 'tcp' if name.startswith('proxy') else name.split()[0]
        randomness = random.Random(f'{name} {FUZZ_SECONDS}')
        seeds = [*SEEDS[kind], *([HELLO] * 3 if 'tls' in name else [])]
        begun, rounds = time.monotonic(), 0
        end = begun + FUZZ_SECONDS
        while rounds < FUZZ_ROUNDS or time.monotonic() < end:
            rounds += 1
            content = mutate(randomness, randomness.choice(seeds))
            if 'tls' in name and rounds % 2:  # behind a good handshake
                try:
                    with self.connect(name) as raw, self.context_once.wrap_socket(raw, server_hostname='localhost') as client:
                        client.sendall(content)
                except (OSError, ssl.SSLError):
                    pass
            else:
                self.throw(name, content)
            if rounds % 100 == 0:
                self.assertTrue(self.millrace.is_running(), self.millrace.stderr[-4000:])
        self.rounds, self.seconds = rounds, time.monotonic() - begun

    def test_mutated_bytes(self):
        self.context_once = self.authority.client_context()
        for name in os.environ.get('MILLRACE_FUZZ_PORTS', ','.join(self.ports)).split(','):
            with self.subTest(name):
                self.fuzz(name)
                self.assert_serves(name)
                print(f'{name}: {self.rounds} rounds in {self.seconds:.0f} s', file=sys.stderr) if FUZZ_SECONDS else None
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)


class Crowds(Port):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 3 * HOSTILE
        if soft < wanted:
            if hard != resource.RLIM_INFINITY and hard < wanted:
                self.skipTest(f'{hard} descriptors are too few for {HOSTILE} clients')
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        super().setUp()

    def crowd(self, name):
        """Connected and silent, or in the middle of something."""
        kind = 'tcp' if name.startswith('proxy') else name.split()[0]
        clients = []
        for n in range(HOSTILE):
            client = self.connect(name)
            clients.append(client)
            if n % 3:
                seed = HELLO if 'tls' in name else SEEDS[kind][0]
                client.sendall(seed[:len(seed) // 2])
        return clients

    def test_a_thousand_hostile_clients(self):
        for name in (name for name in self.ports if 'udp' not in name):
            with self.subTest(name):
                clients = self.crowd(name)
                self.assert_serves(name)
                for client in clients:
                    client.close()
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)

    def test_one_that_sends_slowly_and_one_that_sends_much(self):
        for name in ('tcp', 'http', 'beats'):
            with self.subTest(name), self.connect(name) as slow, self.connect(name) as much:
                seed = SEEDS[name][0]
                much.setblocking(False)
                for byte in seed[:-1]:
                    slow.sendall(bytes([byte]))
                    try:
                        much.send(os.urandom(1 << 16))
                    except (BlockingIOError, ConnectionError):
                        pass
                self.assert_serves(name)


if __name__ == '__main__':
    unittest.main()
