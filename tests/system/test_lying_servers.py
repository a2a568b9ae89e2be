# SPDX-License-Identifier: Apache-2.0
"""Clients whose server lies: what it answers are its real answers with bytes changed, cut, repeated or torn. The program goes on,
and ends when it is told to. MILLRACE_FUZZ_SECONDS=600 lies for so long to each."""
import os
import random
import socket
import struct
import sys
import threading
import time
import unittest

import support
from test_hostile_ports import mutate

FUZZ_SECONDS = float(os.environ.get('MILLRACE_FUZZ_SECONDS', '0'))
LIES = 3  # that have been told
ANSWERS_MAX = 200  # on one connection


def http_answer(body, status='200 OK'):
    return (f'HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-elastic-product: Elasticsearch\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


def frame(kind, channel, payload):
    return struct.pack('>BHI', kind, channel, len(payload)) + payload + b'\xce'


def method(channel, group, number, arguments=b''):
    return frame(1, channel, struct.pack('>HH', group, number) + arguments)


RABBIT = [method(0, 10, 10, b'\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US'), method(0, 10, 30, b'\x07\xff\0\x02\0\0\0\x3c'),
          method(0, 10, 41, b'\0'), method(1, 20, 11, b'\0\0\0\0'), method(1, 85, 11), method(1, 60, 11), method(1, 40, 11),
          method(1, 50, 11, b'\x01q\0\0\0\x01\0\0\0\0'), method(1, 50, 21), method(1, 60, 21, b'\x01t'), method(1, 60, 80, b'\0' * 8 + b'\x01\0'),
          method(1, 60, 60, b'\x01t' + b'\0' * 7 + b'\x01\0\0\x01k') + frame(2, 1, b'\0\x3c\0\0' + b'\0' * 7 + b'\x07\0\0') + frame(3, 1, b'{"a":1}')]
REDIS = [b'+OK\r\n', b':1\r\n', b'$-1\r\n', b'*2\r\n$3\r\nkey\r\n$7\r\n{"a":1}\r\n', b'-WRONGTYPE no list\r\n', b'*0\r\n', b'*-1\r\n',
         b'*3\r\n$9\r\nsubscribe\r\n$3\r\nkey\r\n:1\r\n', b'*3\r\n$7\r\nmessage\r\n$3\r\nkey\r\n$7\r\n{"a":2}\r\n']
BULK = b'{"took":1,"errors":true,"items":[{"create":{"_index":"i","_id":"1","status":201}},{"create":{"status":429,"error":{"type":"a","reason":"b"}}}]}'
ELASTIC = [http_answer(b'{"name":"n","version":{"number":"8.11.0"},"tagline":"You Know, for Search"}'), http_answer(BULK),
           http_answer(b'{"errors":false}'), http_answer(b'{}', '429 Too Many Requests'), http_answer(b'', '204 No Content'),
           b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
           b'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0']


class Liar:
    """Answers whatever it is sent with one of the answers, mutated more often than not."""

    def __init__(self, answers, seed):
        self.answers, self.random, self.lies, self.connections = answers, random.Random(seed), 0, 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port, self.closed = self.listener.getsockname()[1], False
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.lie, args=(client, random.Random(self.random.random())), daemon=True).start()

    def lie(self, client, randomness):
        count = randomness.randrange(1, ANSWERS_MAX)
        self.connections += 1
        try:
            with client:
                client.settimeout(0.2)
                for step in range(count):
                    request = client.recv(1 << 16)
                    if not request:
                        break
                    in_turn = self.answers[step % len(self.answers)]
                    answer = in_turn if randomness.random() < 0.8 else randomness.choice(self.answers)
                    if randomness.random() < 0.3:
                        answer = mutate(randomness, answer)
                        self.lies += 1
                    client.sendall(answer)
        except OSError:
            pass

    def close(self):
        self.closed = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


# Kafka is in test_lying_kafka.
KINDS = {
    'redis input': (REDIS, 'input {{ redis {{ host => "127.0.0.1" port => {port} data_type => list key => "key" timeout => 1 }} '
                           'redis {{ host => "127.0.0.1" port => {port} data_type => channel key => "key" timeout => 1 }} }} output {{ null {{}} }}'),
    'redis output': (REDIS, '{events} output {{ redis {{ host => ["127.0.0.1"] port => {port} data_type => list key => "key" reconnect_interval => 1 }} }}'),
    'rabbitmq input': (RABBIT, 'input {{ rabbitmq {{ host => "127.0.0.1" port => {port} queue => "q" connect_retry_interval => 0.05 }} }} output {{ null {{}} }}'),
    'rabbitmq output': (RABBIT, '{events} output {{ rabbitmq {{ host => "127.0.0.1" port => {port} exchange => "x" exchange_type => direct '
                                'connect_retry_interval => 0.05 }} }}'),
    'elasticsearch output': (ELASTIC, '{events} output {{ elasticsearch {{ hosts => ["127.0.0.1:{port}"] index => "i" }} }}'),
    'http output': (ELASTIC, '{events} output {{ http {{ url => "http://127.0.0.1:{port}/" http_method => post }} }}'),
    'http_poller': (ELASTIC, 'input {{ http_poller {{ urls => {{ one => "http://127.0.0.1:{port}/" two => "http://127.0.0.1:{port}/b" }} '
                             'schedule => {{ every => "1s" }} }} }} output {{ null {{}} }}'),
}
EVENTS = 'input { generator { lines => ["one", "two"] count => 100000000 } }'


class LyingServers(support.Case):
    """All at once, since most of the time goes by between one connection and the next."""

    def begin(self, name):
        answers, text = KINDS[name]
        liar = Liar(answers, name)
        self.addCleanup(liar.close)
        return name, liar, self.start('-w', '1', '-e', text.format(port=liar.port, events=EVENTS), '--no-api.enabled', '--shutdown.timeout', '1',
                                      '--path.data', self.folder / name.replace(' ', '-'))

    def finish(self, name, liar, millrace):
        millrace.wait_for(lambda: liar.lies >= LIES and time.monotonic() - self.begun >= FUZZ_SECONDS, f'{name} to be lied to',
                          timeout=FUZZ_SECONDS + 60)
        self.assertTrue(millrace.is_running(), millrace.stderr[-4000:])
        millrace.stop()
        self.assertIsNone(support.SANITIZER_REPORT.search(millrace.stderr), millrace.stderr[-4000:])
        self.assertGreaterEqual(millrace.child.returncode, 0, 'it ended by itself, in order or with what it could not deliver')
        if FUZZ_SECONDS:
            print(f'{name}: {liar.lies} lies on {liar.connections} connections in {time.monotonic() - self.begun:.0f} s', file=sys.stderr)

    def test_all(self):
        self.begun = time.monotonic()
        begun = [self.begin(name) for name in KINDS]
        for name, liar, millrace in begun:
            with self.subTest(name):
                self.finish(name, liar, millrace)


if __name__ == '__main__':
    unittest.main()
