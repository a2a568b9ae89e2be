# SPDX-License-Identifier: Apache-2.0
"""GELF: recorded cases of Logstash's plugins, chunks, compression, TCP, hostile senders."""
import gzip
import json
import os
import pathlib
import random
import socket
import threading
import zlib

import support
from datagrams import DatagramCase

HERE = pathlib.Path(__file__).parent / 'recorded'


def chunks(data, size, identifier=None, count=None):
    """The datagrams of a message."""
    parts = [data[at:at + size] for at in range(0, len(data), size)]
    identifier = identifier or os.urandom(8)
    return [b'\x1e\x0f' + identifier + bytes([number, count or len(parts)]) + part for number, part in enumerate(parts)]


class GelfCase(DatagramCase):
    def serve_gelf(self, options=''):
        self.serve(options, plugin='gelf')

    def connect(self, port):
        client = socket.create_connection(('127.0.0.1', port), timeout=20 * support.PATIENCE)
        self.addCleanup(client.close)
        return client


class Recorded(GelfCase):
    def test_cases(self):
        groups = {}
        for case in json.loads((HERE / 'gelf_input.json').read_text()):
            groups.setdefault(case['config'].replace('%PORT%', '1'), []).append(case)
        for config, cases in groups.items():
            self.serve_text(f'input {{ {config} }} output {{ stdout {{ codec => json_lines }} }}')
            self.send(*[case['send'].encode() for case in cases], bind='127.0.0.9')
            for event, case in zip(self.events(len(cases)), cases):
                with self.subTest(case['name']):
                    for name in ('@version', *(['@timestamp'] if '@timestamp' not in case['expect'] else [])):
                        self.assertIn(name, event)
                        event.pop(name)
                    self.assertEqual('127.0.0.9', event.pop('source_host'))
                    self.assertEqual(case['expect'], event)
            self.assertEqual(0, self.millrace.stop())


class Datagrams(GelfCase):
    MESSAGE = json.dumps({'version': '1.1', 'host': 'h', 'short_message': 's', '_text': 'x' * 3000}).encode()

    def assert_messages(self, count):
        for event in self.events(count):
            self.assertEqual(('s', 'h', 'x' * 3000), (event['message'], event['host'], event['text']))

    def test_compressed(self):
        self.serve_gelf()
        self.send(self.MESSAGE, gzip.compress(self.MESSAGE), *[zlib.compress(self.MESSAGE, level) for level in (1, 6, 9)])
        self.assert_messages(5)

    def test_broken_compression(self):
        self.serve_gelf()
        packed = gzip.compress(self.MESSAGE)
        self.send(packed[:-9], packed[:20] + b'broken' + packed[26:], packed, b'\x78\x9c\x00', packed)
        self.assert_messages(2)
        self.assertEqual(3, self.counted()['messages_broken'])

    def test_chunks_in_any_order(self):
        self.serve_gelf()
        choose = random.Random(5)
        sent = []
        for data in (self.MESSAGE, gzip.compress(self.MESSAGE), zlib.compress(self.MESSAGE)):
            for size in (1000, 40, 30):
                parts = chunks(data, max(size, (len(data) + 127) // 128))
                choose.shuffle(parts)
                sent += parts + (parts[:1] if len(parts) > 1 else [])
        self.send(*sent)
        self.assert_messages(9)

    def test_messages_between_each_other(self):
        self.serve_gelf()
        one, two = chunks(self.MESSAGE, 500), chunks(self.MESSAGE, 500)
        self.send(*[part for pair in zip(one, two) for part in pair])
        self.assert_messages(2)

    def test_senders_are_not_mixed(self):
        self.serve_gelf()
        parts = chunks(self.MESSAGE, 2000, identifier=b'12345678')
        self.send(parts[0], bind='127.0.0.8')
        self.send(parts[1], bind='127.0.0.9')
        self.send(parts[1], bind='127.0.0.8')
        self.assert_messages(1)

    def test_chunks_that_cannot_be(self):
        self.serve_gelf()
        bad = [b'\x1e\x0f', b'\x1e\x0f' + b'x' * 9, b'\x1e\x0f12345678\x00\x00', b'\x1e\x0f12345678\x02\x02x',
               b'\x1e\x0f12345678\x00\x81x', b'\x1e\x0f12345678\xff\xffx']
        self.send(*bad, self.MESSAGE)
        self.assert_messages(1)
        self.assertEqual(len(bad), self.counted()['chunks_bad'])

    def test_too_many_messages_in_chunks(self):
        self.serve_gelf('max_chunked_messages => 10')
        first, last = chunks(self.MESSAGE, 2000), chunks(self.MESSAGE, 2000)
        others = [chunks(self.MESSAGE, 2000)[0] for _ in range(20)]
        self.send(first[0], *others, last[0], last[1], first[1])
        self.assert_messages(1)
        self.millrace.wait_for_log('chunks of a message did not all come')
        counted = self.counted()
        self.assertEqual(12, counted['chunked_messages_given_up'])

    def test_too_many_bytes_in_chunks(self):
        self.serve_gelf('max_chunk_bytes => 65536')
        first = chunks(self.MESSAGE, 2000)
        others = [chunks(b'x' * 60000, 30000)[0] for _ in range(3)]
        self.send(first[0], *others, first[1], self.MESSAGE)
        self.assert_messages(1)
        self.assertGreaterEqual(self.counted()['chunked_messages_given_up'], 2)

    def test_an_inflated_message_that_is_too_long(self):
        self.serve_gelf('max_message_bytes => 10000')
        self.send(gzip.compress(b'{"short_message":"' + b'x' * 1000000 + b'"}'), self.MESSAGE)
        self.assert_messages(1)
        self.assertEqual(1, self.counted()['messages_too_long'])

    def test_what_is_no_object(self):
        self.serve_gelf()
        self.send(b'[1]', b'5', b'"text"', b'{"short_message":5}', b'\xff{')
        events = self.events(5)
        self.assertEqual([['_jsonparsefailure']] * 3 + [None] + [['_jsonparsefailure']], [event.get('tags') for event in events])
        self.assertEqual(['"[1]"', '"5"', '"\\"text\\""', None, '"\\xFF{"'], [event.get('message') for event in events])


class Tcp(GelfCase):
    def serve_both(self, options=''):
        self.serve_gelf('use_tcp => true ' + options)
        return int(self.millrace.wait_for_log(r'waiting for GELF over TCP .*port=(\d+)').group(1))

    def test_documents(self):
        port = self.serve_both()
        client = self.connect(port)
        client.sendall(b'{"short_message":"one"}\0{"short_mess')
        self.events(1)
        client.sendall(b'age":"two"}\0{"short_message":"last"}')
        client.close()
        events = self.events(3)
        self.assertEqual(['one', 'two', 'last'], [event['message'] for event in events])
        self.assertEqual({'127.0.0.1'}, {event['source_host'] for event in events})

    def test_tcp_alone(self):
        self.millrace = self.start('-e', 'input { gelf { port => 1 use_udp => false use_tcp => true } } output { stdout { codec => json_lines } }',
                                   '--listen-at', '1:127.0.0.1:0')
        port = int(self.millrace.wait_for_log(r'waiting for GELF over TCP .*port=(\d+)').group(1))
        self.connect(port).sendall(b'{"short_message":"one"}\0')
        self.assertEqual('one', self.events(1)[0]['message'])
        self.assertNotIn('waiting for datagrams', self.millrace.stderr)

    def test_neither(self):
        millrace = self.run_to_end('-t', '-e', 'input { gelf { use_udp => false } } output { null { } }', status=1)
        self.assertIn('neither use_udp nor use_tcp', millrace.stderr)


class Hostile(GelfCase):
    def test_a_clean_sender_is_served_beside_others(self):
        self.serve_gelf()
        choose, good = random.Random(7), chunks(gzip.compress(Datagrams.MESSAGE), 20)
        flood = threading.Thread(target=self.flood, args=(choose, good), daemon=True)
        flood.start()
        flood.join(60)
        self.send(b'{"short_message":"clean"}')
        self.millrace.wait_for(lambda: '"clean"' in self.millrace.stdout, 'the clean message', 20)

    def flood(self, choose, good):
        for _ in range(2000):
            changed = bytearray(choose.choice(good))
            for _ in range(choose.randint(1, 4)):
                changed[choose.randrange(len(changed))] = choose.randrange(256)
            self.send(bytes(changed[:choose.randint(1, len(changed))]))


if __name__ == '__main__':
    support.unittest.main()
