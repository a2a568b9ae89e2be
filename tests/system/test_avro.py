# SPDX-License-Identifier: Apache-2.0
"""The avro codec against Avro's own Python library: what that writes is read, what is written here it reads."""
import base64
import json
import pathlib
import subprocess

import support

PYTHON = '/usr/bin/python3'
PEER = pathlib.Path(__file__).with_name('avro_peer.py')
SCHEMA = {
    'type': 'record', 'name': 'everything', 'namespace': 'test', 'fields': [
        {'name': 'nothing', 'type': 'null'},
        {'name': 'flag', 'type': 'boolean'},
        {'name': 'small', 'type': 'int'},
        {'name': 'large', 'type': 'long'},
        {'name': 'single', 'type': 'float'},
        {'name': 'real', 'type': 'double'},
        {'name': 'text', 'type': 'string'},
        {'name': 'raw', 'type': 'bytes'},
        {'name': 'four', 'type': {'type': 'fixed', 'name': 'four', 'size': 4}},
        {'name': 'suit', 'type': {'type': 'enum', 'name': 'suit', 'symbols': ['SPADES', 'HEARTS']}},
        {'name': 'list', 'type': {'type': 'array', 'items': 'int'}},
        {'name': 'map', 'type': {'type': 'map', 'values': {'type': 'array', 'items': 'string'}}},
        {'name': 'one_of', 'type': ['null', 'int', 'string', 'double', {'type': 'array', 'items': 'string'}]},
        {'name': 'day', 'type': {'type': 'int', 'logicalType': 'date'}},
        {'name': 'at_millis', 'type': {'type': 'long', 'logicalType': 'timestamp-millis'}},
        {'name': 'at_micros', 'type': {'type': 'long', 'logicalType': 'timestamp-micros'}},
        {'name': 'price', 'type': {'type': 'bytes', 'logicalType': 'decimal', 'precision': 12, 'scale': 2}},
        {'name': 'child', 'type': ['null', 'everything']},
    ]}
SMALL = {'type': 'record', 'name': 'small', 'fields': [{'name': 'a', 'type': 'int'}, {'name': 'b', 'type': 'string'}]}


def need_library():
    support.need_file(PYTHON, 'python3-avro belongs to it')
    if subprocess.run([PYTHON, '-c', 'import avro.io'], check=False, stderr=subprocess.DEVNULL).returncode:
        raise support.unittest.SkipTest('python3-avro is not installed: it is the peer of the avro codec')


def same_time(text):
    """Python writes six digits of a fraction, millrace three where they do."""
    return text.replace('000Z', 'Z')


def comparable(value):
    for name in ('at_millis', 'at_micros'):
        value[name] = same_time(value[name])
    if value['child']:
        comparable(value['child'])
    return value


class Avro(support.Case):
    def setUp(self):
        super().setUp()
        self.schema = self.folder / 'schema.avsc'
        self.schema.write_text(json.dumps(SCHEMA))

    def peer(self, *words, data=b''):
        return subprocess.run([PYTHON, PEER, *map(str, words)], input=data, stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode()

    def written(self, count, seed):
        """Data that the library wrote, and what they say."""
        lines = [line.split('\t') for line in self.peer('write', self.schema, count, seed).splitlines()]
        return [datum for datum, _ in lines], [comparable(json.loads(said)) for _, said in lines]

    def codec(self, options=''):
        return f'avro {{ schema_uri => "{self.schema}" ecs_compatibility => disabled {options} }}'

    def events(self, millrace):
        events = millrace.json_lines()
        for event in events:
            event.pop('@timestamp')
            event.pop('@version')
            event.pop('host', None)
        return events

    def read_by_millrace(self, options, data):
        millrace = self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => {self.codec(options)} }} }} output {{ stdout {{ codec => json_lines }} }}',
                                   stdin=data)
        return [comparable(event) for event in self.events(millrace)]

    def test_reads_what_the_library_writes(self):
        need_library()
        data, said = self.written(300, 7)
        self.assertEqual(said, self.read_by_millrace('', '\n'.join(data).encode()))
        self.assertEqual(said, self.read_by_millrace('encoding => binary', b''.join(map(base64.b64decode, data))))

    def test_the_library_reads_what_it_writes(self):
        need_library()
        data, said = self.written(300, 8)
        out = self.folder / 'out'
        self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => {self.codec()} }} }} '
                        f'output {{ file {{ path => "{out}" codec => {self.codec("encoding => binary")} }} }}', stdin='\n'.join(data).encode())
        self.assertEqual(said, [comparable(json.loads(line)) for line in self.peer('read', self.schema, data=out.read_bytes()).splitlines()])

    def test_events_that_never_were_avro(self):
        need_library()
        self.schema.write_text(json.dumps(SMALL))
        out = self.folder / 'out'
        lines = [json.dumps({'a': number if number % 7 else str(number), 'b': 'é' * number, 'c': [1]}) for number in range(1, 50)]
        millrace = self.run_to_end('-w', '1', '-e', 'input { stdin { codec => json_lines } } '
                                   f'output {{ file {{ path => "{out}" codec => {self.codec("encoding => binary")} }} }}',
                                   stdin='\n'.join(lines).encode())
        self.assertEqual([{'a': number, 'b': 'é' * number} for number in range(1, 50) if number % 7],
                         [json.loads(line) for line in self.peer('read', self.schema, data=out.read_bytes()).splitlines()])
        self.assertIn("field 'a' is no int, as the schema wants it", millrace.stderr)

    def test_a_message_that_is_none_is_kept_and_tagged(self):
        self.schema.write_text(json.dumps(SMALL))
        millrace = self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => {self.codec()} }} }} output {{ stdout {{ codec => json_lines }} }}',
                                   stdin=b'AgR4eQ==\nnot avro\nBAA=\n')
        self.assertEqual([{'a': 1, 'b': 'xy'}, {'message': 'not avro', 'tags': ['_avroparsefailure']}, {'a': 2, 'b': ''}], self.events(millrace))

    def test_a_schema_that_a_server_has(self):
        server = self.recorder(lambda request: (200, json.dumps(SMALL)))
        codec = f'avro {{ schema_uri => "http://{server.address}/small.avsc" username => "u" password => "p" ecs_compatibility => disabled }}'
        text = f'input {{ stdin {{ codec => {codec} }} }} output {{ stdout {{ codec => json_lines }} }}'
        self.run_to_end('-t', '-e', text)
        self.assertEqual([], server.taken('/small.avsc'))
        millrace = self.run_to_end('-w', '2', '-e', text, stdin=b'AgR4eQ==\n')
        self.assertEqual([{'a': 1, 'b': 'xy'}], self.events(millrace))
        asked = server.taken('/small.avsc')
        self.assertEqual(['Basic dTpw'], [request.headers['Authorization'] for request in asked])

    def test_without_its_schema_nothing_starts(self):
        self.schema.write_text('{"type": "record", "name": "r", "fields": [{"name": "a", "type": "strin"}]}')
        server = self.recorder(lambda request: (404, '{}'))
        for uri, said in ((self.schema, "there is no type called 'strin'"), ('/nowhere.avsc', '/nowhere.avsc'), (f'http://{server.address}/', 'status 404')):
            millrace = self.run_to_end('-e', f'input {{ stdin {{ codec => avro {{ schema_uri => "{uri}" }} }} }} output {{ stdout {{ }} }}', status=1)
            self.assertIn("codec 'avro'", millrace.stderr)
            self.assertIn(said, millrace.stderr)

    def test_codecs_that_only_read_are_no_output_codecs(self):
        for output in ('file { path => "/tmp/x" codec => gzip_lines }', 'stdout { codec => gzip_lines }', 'udp { host => "h" port => 1 codec => gzip_lines }'):
            millrace = self.run_to_end('-e', f'input {{ stdin {{ }} }} output {{ {output} }}', status=1)
            self.assertIn("codec 'gzip_lines' cannot write events", millrace.stderr)


if __name__ == '__main__':
    support.unittest.main()
