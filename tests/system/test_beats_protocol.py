# SPDX-License-Identifier: Apache-2.0
"""The beats input: what a well-behaved client may say, and the acknowledgement it gets for it."""
import json
import random
import unittest

from beats import BeatsCase, Gate
from lumberjack import batch, data, messages, numbered, packed, pairs, window


class Windows(BeatsCase):
    def setUp(self):
        super().setUp()
        self.serve()

    def assert_acks(self, content, *acks):
        client = self.client()
        client.send(content)
        self.assertEqual(list(acks), client.read_acks(len(acks), keepalives=True))
        client.send(batch(messages('afterwards')))
        self.assertEqual([(2, 1)], client.read_acks(1), 'the connection is usable afterwards')

    def test_one_event(self):
        self.assert_acks(batch(messages('hello')), (2, 1))
        self.assertEqual(['hello', 'afterwards'], self.messages())

    def test_1000_events(self):
        self.assert_acks(batch(numbered('event ', 1000)), (2, 1000))
        self.assertEqual([f'event {i}' for i in range(1000)], self.messages()[:1000])

    def test_compressed(self):
        for level in (0, 1, 6, 9):
            with self.subTest(level=level):
                self.assert_acks(batch(numbered('event ', 50), compress=level), (2, 50))
        self.assertEqual(204, len(self.messages()))

    def test_any_fragmentation(self):
        choose = random.Random(20261123)
        plain, compressed = batch(numbered('fragment ', 40)), batch(numbered('fragment ', 40), compress=3)
        for name, content, piece in (('bytes', plain, 1), ('compressed bytes', compressed, 1), ('random', plain, None),
                                     ('compressed random', compressed, None)):
            with self.subTest(name):
                client = self.client()
                while content:
                    size = piece or choose.randint(1, 300)
                    client.send(content[:size])
                    content = content[size:]
                self.assertEqual([(2, 40)], client.read_acks(1))
        self.assertEqual(160, len(self.messages()))

    def test_frames_in_any_packing(self):
        one, two = data(1, messages('one')[0]), data(2, messages('two')[0])
        self.assert_acks(window(2) + packed(one) + packed(two), (2, 2))
        self.assert_acks(window(2) + one + packed(two), (2, 2))
        self.assert_acks(window(2) + packed(one) + two, (2, 2))
        self.assert_acks(packed(window(2) + one + two), (2, 2))
        self.assert_acks(packed(batch(messages('a')) + batch(messages('b', 'c'))), (2, 1), (2, 2))
        self.assertEqual(['one', 'two', 'afterwards'] * 4 + ['a', 'b', 'c', 'afterwards'], self.messages())

    def test_three_windows_in_one_write(self):
        content = batch(numbered('a', 10)) + batch(numbered('b', 20), compress=3) + batch(numbered('c', 5))
        self.assert_acks(content, (2, 10), (2, 20), (2, 5))
        self.assertEqual(36, len(self.messages()))

    def test_more_windows_in_one_write_than_are_kept(self):
        content = batch(messages('x')) + window(0)
        self.assert_acks(content * 3000, *[(2, 1), (2, 0)] * 3000)
        self.assert_acks(packed(content * 3000), *[(2, 1), (2, 0)] * 3000)

    def test_an_empty_window(self):
        self.assert_acks(window(0), (2, 0))
        self.assert_acks(window(0) + batch(messages('x')), (2, 0), (2, 1))

    def test_the_ack_is_the_last_number_of_the_client(self):
        for first, count, last in ((100, 5, 104), (0, 5, 4), (0x80000000, 3, 0x80000002), (0xffffffff, 1, 0xffffffff)):
            with self.subTest(first=first):
                self.assert_acks(batch(numbered('n', count), first=first), (2, last))
        wrapping = [0xfffffffe, 0xffffffff, 0, 1]
        for numbers in (wrapping, [7, 7, 7], [3, 2, 1]):
            with self.subTest(numbers=numbers):
                frames = b''.join(data(number, {'message': 'n'}) for number in numbers)
                self.assert_acks(window(len(numbers)) + frames, (2, numbers[-1]))

    def test_a_window_of_100000(self):
        client = self.client()
        client.send(batch(numbered('', 100000), compress=1))
        self.assertEqual([(2, 100000)], client.read_acks(1, timeout=30))
        self.assertEqual([str(i) for i in range(100000)], sorted(self.messages(), key=int))


class VersionOne(BeatsCase):
    def setUp(self):
        super().setUp()
        self.serve()

    def test_pairs(self):
        client = self.client()
        client.send(batch([{'line': 'hello', 'host': 'web1'}], version=1))
        self.assertEqual([(1, 1)], client.read_acks(1))
        event, = self.events()
        self.assertEqual(('hello', 'web1'), (event['message'], event['host']))
        self.assertNotIn('line', event)

    def test_compressed_and_in_fragments(self):
        client = self.client()
        client.send(batch([{'line': 'a'}, {'line': 'b'}], version=1, compress=3))
        client.send_slowly(batch([{'line': 'c', 'empty': ''}, {'line': 'd', '': 'x'}], version=1))
        self.assertEqual([(1, 2), (1, 2)], client.read_acks(2))
        self.assertEqual(['a', 'b', 'c', 'd'], self.messages())

    def test_numbers_go_on_across_windows(self):
        client = self.client()
        client.send(batch([{'line': 'a'}], first=41, version=1), batch([{'line': 'b'}, {'line': 'c'}], first=42, version=1))
        self.assertEqual([(1, 41), (1, 43)], client.read_acks(2))

    def test_each_window_is_answered_in_its_version(self):
        client = self.client()
        client.send(batch([{'line': 'a'}], version=1) + batch(messages('b')) + batch([{'line': 'c'}], version=1))
        self.assertEqual([(1, 1), (2, 1), (1, 1)], client.read_acks(3))


class Contents(BeatsCase):
    def test_what_is_no_object_becomes_a_tagged_event(self):
        self.serve()
        for payload, text in ((b'{"message":', '{"message":'), (b'[1,2]', '[1,2]'), (b'7', '7'), (b'null', 'null'),
                              (b'"text"', '"text"'), (b'{"message":"m"} trailing', '{"message":"m"} trailing'),
                              (b'\xff\xfe', '\ufffd\ufffd')):
            with self.subTest(payload=payload):
                before = len(self.events())
                client = self.client()
                client.send(window(3), data(1, {'message': 'before'}), data(2, payload), data(3, {'message': 'after'}))
                self.assertEqual([(2, 3)], client.read_acks(1))
                first, event, last = self.events()[before:]
                self.assertEqual(('before', 'after'), (first['message'], last['message']))
                self.assertEqual(text, event['message'])
                self.assertIn('_jsonparsefailure', event['tags'])
        self.assertEqual(7, self.counters()['json_failures'])

    def test_text_that_is_no_unicode(self):
        self.serve()
        client = self.client()
        payloads = [b'{"message":"bad \xff byte"}', b'{"message":"lone \\ud800 half"}', b'{"message":"nul \\u0000 byte"}']
        client.send(batch(payloads))
        self.assertEqual([(2, 3)], client.read_acks(1))
        texts = [json.loads(line)['message'] for line in self.path.read_bytes().decode('utf-8').splitlines()]
        self.assertEqual(['bad \ufffd byte', 'lone \ufffd half', 'nul \0 byte'], texts)

    def test_depth(self):
        self.serve()
        deep, too_deep = (b'{"a":' + b'[' * depth + b']' * depth + b'}' for depth in (900, 100000))
        client = self.client()
        client.send(batch([deep, too_deep, {'message': 'after'}]))
        self.assertEqual([(2, 3)], client.read_acks(1))
        first, second, last = self.events()
        self.assertIn('a', first)
        self.assertEqual(['_jsonparsefailure'], second['tags'])
        self.assertEqual('after', last['message'])

    def test_large_events(self):
        self.serve('max_event_bytes => "2 MiB"')
        client = self.client()
        client.send(batch(messages('x' * 1000000)))
        self.assertEqual([(2, 1)], client.read_acks(1))
        self.assertEqual(1000000, len(self.messages()[0]))
        self.assert_refused(batch(messages('x' * 25000000)))
        self.assert_serves()
        self.assertEqual(1, self.counters()['limit_errors'])


class Enrichment(BeatsCase):
    EVENT = {'@timestamp': '2024-05-01T10:00:00.123Z', '@metadata': {'beat': 'filebeat', 'version': '7.17.29'},
             'message': 'text', 'host': {'name': 'web1'}, 'tags': ['mine'], 'event': {'dataset': 'd'}}
    OUTPUT = 'stdout { codec => rubydebug { metadata => true } }'

    def take(self, event, options='', ecs='v8', output=None):
        self.serve(options, output, arguments=('--pipeline.ecs_compatibility', ecs))
        client = self.client()
        client.send(batch([event]))
        self.assertEqual([(2, 1)], client.read_acks(1))
        if not output:
            return self.events()[0]
        self.assertEqual(0, self.millrace.stop())
        return self.millrace.stdout

    def test_with_a_message(self):
        event = self.take(self.EVENT)
        self.assertEqual('2024-05-01T10:00:00.123Z', event['@timestamp'])
        self.assertEqual('text', event['message'])
        self.assertEqual({'name': 'web1'}, event['host'])
        self.assertEqual({'dataset': 'd', 'original': 'text'}, event['event'])
        self.assertEqual(['mine', 'beats_input_codec_plain_applied'], event['tags'])
        self.assertNotIn('@metadata', event)

    def test_without_a_message(self):
        event = self.take({'@timestamp': '2024-05-01T10:00:00.123Z', 'metric': 5, 'message': None})
        self.assertEqual(5, event['metric'])
        self.assertEqual(['beats_input_raw_event'], event['tags'])

    def test_with_ecs_disabled(self):
        event = self.take(self.EVENT, ecs='disabled')
        self.assertEqual({'dataset': 'd'}, event['event'])

    def test_metadata(self):
        for ecs, expected in (('v8', '"ip" => "127.0.0.1"'), ('disabled', '"ip_address" => "127.0.0.1"')):
            with self.subTest(ecs=ecs):
                text = self.take(self.EVENT, ecs=ecs, output=self.OUTPUT)
                self.assertIn(expected, text)
                self.assertIn('"beat" => "filebeat"', text)

    def test_metadata_of_many_events(self):
        """What came twice is kept with the address in it; what differs, or has an address already, gets its own."""
        same, other = {'beat': 'filebeat', 'version': '7.17.29'}, {'beat': 'filebeat', 'n': [1.5, None, 'a"b']}
        given = [same, same, same, other, same, same, {}, {}, other, other, {'input': {'type': 'x'}}, {'input': {'type': 'x'}},
                 {'ip_address': 'theirs', 'a': 1}, {'ip_address': 'theirs', 'a': 1}, same, {'pipeline': 'p1'}, {'pipeline': 'p2'}]
        for ecs in ('v8', 'disabled'):
            with self.subTest(ecs=ecs):
                self.serve(output=f'file {{ path => "{self.folder}/{ecs}" codec => line {{ format => "%{{[@metadata]}}" }} }}',
                           arguments=('--pipeline.ecs_compatibility', ecs))
                client = self.client()
                events = [{'@metadata': metadata, 'message': 'text'} for metadata in given]
                client.send(batch([json.dumps(event, separators=(',', ':')).encode() for event in events]))
                self.assertEqual([(2, len(given))], client.read_acks(1))
                self.assertEqual(0, self.millrace.stop())
                lines = (self.folder / ecs).read_text().splitlines()
                self.assertEqual([self.with_address(metadata, ecs) for metadata in given], [json.loads(line) for line in lines])

    @staticmethod
    def with_address(metadata, ecs):
        if ecs == 'disabled':
            return {**metadata, 'ip_address': '127.0.0.1'}
        return {**metadata, 'input': {**metadata.get('input', {}), 'beats': {'host': {'ip': '127.0.0.1'}}}}

    def test_enrich_none(self):
        self.assertNotIn('tags', self.take({'message': 'text'}, 'enrich => none'))

    def test_enrich_none_has_no_address(self):
        self.assertNotIn('127.0.0.1', self.take({'message': 'text'}, 'enrich => [none]', output=self.OUTPUT))

    def test_the_inputs_own_options(self):
        event = self.take({'message': 'text', 'type': 'theirs'}, 'type => "ours" tags => ["t"] add_field => { "f" => "v" }')
        self.assertEqual('theirs', event['type'])
        self.assertEqual('v', event['f'])
        self.assertEqual(['t', 'beats_input_codec_plain_applied'], event['tags'])

    def test_a_codec(self):
        event = self.take({**self.EVENT, 'message': '{"inner":{"a":1},"host":{"ip":"10.0.0.1"}}'}, 'codec => json')
        self.assertEqual({'a': 1}, event['inner'])
        self.assertEqual({'ip': '10.0.0.1', 'name': 'web1'}, event['host'])
        self.assertEqual('2024-05-01T10:00:00.123Z', event['@timestamp'])
        self.assertEqual(['mine', 'beats_input_codec_json_applied'], event['tags'])
        self.assertNotIn('message', event)

    def test_a_codec_that_makes_several_events(self):
        self.take({'message': '[{"n":1},{"n":2}]', 'host': {'name': 'web1'}}, 'codec => json')
        self.assertEqual([(1, 'web1'), (2, 'web1')], [(event['n'], event['host']['name']) for event in self.events()])

    def test_a_line_codec_keeps_nothing_back(self):
        self.take({'message': 'no line break'}, 'codec => line')
        self.assertEqual(['no line break'], self.messages())

    def test_a_timestamp_that_is_none(self):
        event = self.take({'@timestamp': 'yesterday', 'message': 'text'})
        self.assertRegex(event['@timestamp'], r'^20\d\d-')
        self.assertEqual(['beats_input_codec_plain_applied'], event['tags'])


class Order(BeatsCase):
    def test_the_first_window_is_acknowledged_first(self):
        gate = Gate('slow')
        stub = self.search_stub(gate.status_of)
        quick = f'file {{ path => "{self.folder}/events.jsonl" codec => json_lines }}'
        self.serve(output=f'if [message] =~ "^slow" {{ {self.search_output(stub)} }} else {{ {quick} }}', arguments=('-w', '2'))
        client = self.client()
        client.send(batch(numbered('slow ', 3)), batch(numbered('fast ', 5)))
        self.wait_for_events(5)
        self.assertEqual([], client.read_acks(1, timeout=0.3))
        gate.open()
        self.assertEqual([(2, 3), (2, 5)], client.read_acks(2))

    def test_a_window_is_acknowledged_when_its_last_batch_is_delivered(self):
        gate = Gate('late 2999')
        stub = self.search_stub(gate.status_of)
        self.serve_search(stub)
        client = self.client()
        client.send(batch(numbered('late ', 3000)))
        self.millrace.wait_for(lambda: len(stub.documents) == 2999, 'all documents but one')
        self.assertEqual([], client.read_acks(1, timeout=0.3))
        gate.open()
        self.assertEqual([(2, 3000)], client.read_acks(1))


class WithoutTls(BeatsCase):
    def test_old_files_without_tls_start(self):
        """What says how TLS is done does not turn it on."""
        self.serve('ssl => false ssl_certificate => "/none.crt" tls_min_version => 1.2 cipher_suites => ["x"] '
                   'ssl_verify_mode => "peer"')
        for said in ('ssl_enabled', 'ssl_supported_protocols', 'ssl_cipher_suites', 'ssl_client_authentication'):
            self.assertIn(said, self.millrace.stderr)
        self.assert_serves()


if __name__ == '__main__':
    unittest.main()
