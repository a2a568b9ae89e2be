# SPDX-License-Identifier: Apache-2.0
"""The disk queue: what an origin was told is safe stays so, over crashes, damage, a full disk and outages longer than memory."""
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import lumberjack
import search_stub
import support

SANITIZED = bool(os.environ.get('MILLRACE_SANITIZED'))
COPY = 'output { file { path => "@OUT@" codec => line { format => "%{message}" } } }'
HELD = 'output { http { url => "http://127.0.0.1:@PORT@/" http_method => "post" } }'


class QueueCase(support.Case):
    """Runs pipelines over the queue in `self.queue`. `self.down` is a port that nobody listens on."""

    def setUp(self):
        super().setUp()
        self.queue = self.folder / 'data/queue/main'
        self.out = self.folder / 'out'
        self.down = support.free_port()

    def arguments(self, source, output, *more, filters=''):
        text = f'input {{ {source} }} {filters} ' + support.fill(output, OUT=self.out, PORT=self.down)
        return ('-e', text, '--queue.type', 'persisted', *more)

    def serve(self, source, output=HELD, *more, stdin=None, **options):
        """Starts a pipeline whose figures can be asked for."""
        self.api = support.free_port()
        millrace = self.start(*self.arguments(source, output, '--api.http.port', self.api, *more, **options), stdin=stdin)
        millrace.wait_for_port(self.api)
        return millrace

    def figures(self, pipeline='main'):
        url = f'http://127.0.0.1:{self.api}/_node/stats/pipelines/{pipeline}'
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)['pipelines'][pipeline]['queue']

    def wait_written(self, millrace, count):
        millrace.wait_for(lambda: self.figures()['written_events'] >= count, f'{count} events in the queue', 60)

    def fill(self, count, *more, first=0):
        """Leaves so many events in the queue, none delivered; ends by SIGKILL."""
        millrace = self.serve('stdin {}', HELD, *more, stdin=True)
        millrace.child.stdin.write(b''.join(b'%d\n' % n for n in range(first, first + count)))
        millrace.child.stdin.flush()
        self.wait_written(millrace, count)
        millrace.kill()

    def empty(self, *more, **options):
        """Delivers what is in the queue; returns the process, which has ended."""
        return self.run_to_end(*self.arguments('stdin {}', COPY, *more, **options))

    def lines(self):
        return self.out.read_text().splitlines() if self.out.exists() else []

    def numbers(self):
        return sorted(int(line) for line in self.lines())


class Crashes(QueueCase):
    def test_stdin(self):
        self.fill(5000)
        self.empty()
        self.assertEqual(list(range(5000)), self.numbers())
        self.empty()
        self.assertEqual(5000, len(self.numbers()), 'what is delivered does not come again')
        self.assertEqual(['lock'], sorted(path.name for path in self.queue.iterdir()))

    def test_each_durability(self):
        for how in ('none', 'interval', 'ack'):
            with self.subTest(how):
                self.fill(300, '--queue.durability', how)
                self.empty('--queue.durability', how)
                self.assertEqual(list(range(300)), self.numbers())
                self.out.unlink()

    def test_in_the_middle_of_delivering(self):
        """Killed while some are answered for: none is missing, and of those answered few come again."""
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        output = f'output {{ elasticsearch {{ hosts => ["{stub.address}"] index => "i" manage_template => false }} }}'
        self.fill(20000)
        millrace = self.serve('stdin {}', output, stdin=True)
        millrace.wait_for(lambda: len(stub.documents) > 500, '500 documents')
        millrace.kill()
        self.run_to_end(*self.arguments('stdin {}', output))
        seen = sorted(int(source['message']) for _, _, source in stub.documents)
        self.assertEqual(list(range(20000)), sorted(set(seen)))

    def test_http_requests_that_were_answered(self):
        port = support.free_port()
        millrace = self.serve(f'http {{ host => "127.0.0.1" port => {port} }}')
        millrace.wait_for_port(port)
        answered, stopped = [], threading.Event()

        def post(client):
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
            try:
                for n in range(client * 10000, client * 10000 + 10000):
                    connection.request('POST', '/', str(n), {'content-type': 'text/plain'})
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        answered.append(n)
            except (OSError, http.client.HTTPException):
                stopped.set()

        clients = [threading.Thread(target=post, args=(client,), daemon=True) for client in range(4)]
        for client in clients:
            client.start()
        millrace.wait_for(lambda: len(answered) > 300, '300 answers', 60)
        millrace.kill()
        for client in clients:
            client.join(60)
        self.empty()
        self.assertEqual([], sorted(set(answered) - set(self.numbers())))

    def test_beats_windows_that_were_acknowledged(self):
        port = support.free_port()
        millrace = self.serve(f'beats {{ host => "127.0.0.1" port => {port} }}')
        millrace.wait_for_port(port)
        acknowledged = 0
        with lumberjack.Client(port) as client:
            for window in range(20):
                events = [{'message': str(n)} for n in range(window * 100, window * 100 + 100)]
                client.send(lumberjack.batch(events))
                while (ack := client.read_acks(1, 60)) and ack[0] != (2, 100):
                    self.assertNotIn(ack[0], (lumberjack.CLOSED, lumberjack.RESET))
                self.assertTrue(ack, 'no acknowledgement came')
                acknowledged += 100
            client.send(lumberjack.batch([{'message': str(n)} for n in range(2000, 2100)]))
            millrace.kill()
        self.empty()
        got = self.numbers()
        self.assertEqual(list(range(acknowledged)), [n for n in got if n < acknowledged])

    def test_a_file_and_its_position(self):
        """The registry is ahead of what was delivered, and the queue has the difference; ids make up for what is read twice."""
        source = self.write('in.log', ''.join(f'{n}\n' for n in range(20000)))
        read = f'file {{ path => "{source}" mode => "read" exit_after_read => true file_completed_action => "log" ' \
               f'file_completed_log_path => "{self.folder}/done" sincedb_path => "{self.folder}/db" }}'
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        output = f'output {{ elasticsearch {{ hosts => ["127.0.0.1:@PORT@"] index => "i" data_stream => false ' \
                 f'manage_template => false deduplicate => true }} }}'
        millrace = self.serve(read, output)
        self.wait_written(millrace, 3000)
        millrace.kill()
        self.down = stub.port
        self.run_to_end(*self.arguments(read, output))
        ids = {target['_id']: source['message'] for target, (_, _, source) in zip(stub.targets, stub.documents)}
        self.assertEqual(list(range(20000)), sorted(int(text) for text in ids.values()))


class Outages(QueueCase):
    def test_inputs_go_on_and_memory_does_not_grow(self):
        lines = 60000 if SANITIZED else 400000
        source = self.write('in.log', ''.join(f'{n} {"x" * 150}\n' for n in range(lines)))
        millrace = self.serve(f'file {{ path => "{source}" mode => "read" file_completed_action => "log" '
                              f'file_completed_log_path => "{self.folder}/done" }}',
                              HELD, '--pipeline.memory', '16mb', '--queue.durability', 'interval')
        self.wait_written(millrace, lines)
        self.assertEqual(lines, self.figures()['events_count'])
        if not SANITIZED:
            self.assertLess(millrace.resident_kib('Anonymous'), 48 * 1024)
        self.assertEqual(0, self.figures()['acknowledged_events'])

    def test_a_full_queue_holds_inputs_up_and_lets_them_go_on(self):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        stub.failing = 503
        output = f'output {{ elasticsearch {{ hosts => ["{stub.address}"] index => "i" manage_template => false ' \
                 f'retry_initial_interval => 1 retry_max_interval => 1 }} }}'
        source = self.write('in.log', ''.join(f'{n} {"x" * 1000}\n' for n in range(20000)))
        millrace = self.serve(f'file {{ path => "{source}" mode => "read" file_completed_action => "log" '
                              f'file_completed_log_path => "{self.folder}/done" }}',
                              output, '--queue.max_bytes', '4mb', '--pipeline.memory', '8mb')
        millrace.wait_for_log('queue is full')
        figures = self.figures()
        self.assertEqual(1, figures['full'])
        self.assertLess(figures['events_count'], 20000)
        self.assertLessEqual(figures['queue_size_in_bytes'], 4.3 * 1024 * 1024)
        stub.failing = None
        millrace.wait_for(lambda: len(stub.documents) >= 20000, 'all documents', 60)
        seen = {int(source['message'].split()[0]) for _, _, source in stub.documents}
        self.assertEqual(set(range(20000)), seen)
        self.assertEqual(0, millrace.stop())

    def test_max_events(self):
        millrace = self.serve('generator { count => 50000 }', HELD, '--queue.max_events', '5000', '--pipeline.memory', '8mb')
        millrace.wait_for_log('queue is full')
        self.assertLess(self.figures()['events_count'], 5000 + 2 * 2000 + 1)


class Ends(QueueCase):
    def fill_and_stop(self, *more):
        millrace = self.serve('stdin {}', HELD, *more, stdin=True)
        millrace.child.stdin.write(b''.join(b'%d\n' % n for n in range(1000)))
        millrace.child.stdin.flush()
        self.wait_written(millrace, 1000)
        return millrace

    def test_sigterm_leaves_what_is_not_delivered(self):
        millrace = self.fill_and_stop('--shutdown.timeout', '1s')
        self.assertEqual(0, millrace.stop())
        self.empty()
        self.assertEqual(list(range(1000)), self.numbers())

    def test_sigterm_with_drain_waits_until_it_is_empty(self):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        stub.failing = 503
        output = f'output {{ elasticsearch {{ hosts => ["{stub.address}"] index => "i" manage_template => false ' \
                 f'retry_initial_interval => 1 retry_max_interval => 1 }} }}'
        millrace = self.serve('stdin {}', output, '--queue.drain', 'true', '--shutdown.timeout', '120s', stdin=True)
        millrace.child.stdin.write(b''.join(b'%d\n' % n for n in range(20000)))
        millrace.child.stdin.flush()
        self.wait_written(millrace, 20000)
        millrace.signal(15)
        millrace.wait_for_log('SIGTERM|stopping')
        stub.failing = None
        self.assertEqual(0, millrace.wait(120))
        self.assertEqual(20000, len(stub.documents))

    def test_a_pipeline_that_ends_by_itself_delivers_all(self):
        lines = b''.join(b'%d\n' % n for n in range(30000))
        self.run_to_end(*self.arguments('stdin {}', COPY), stdin=lines)
        self.assertEqual(list(range(30000)), self.numbers())

    def test_back_to_memory_says_what_is_left(self):
        self.fill(77)
        millrace = self.run_to_end('-e', 'input { stdin {} } output { null {} }')
        self.assertRegex(millrace.stderr, r'queue\.type is memory now.*events=77')
        self.empty()
        self.assertEqual(list(range(77)), self.numbers())


class Configurations(QueueCase):
    def test_a_second_process_is_refused(self):
        millrace = self.serve('stdin {}', HELD, stdin=True)
        second = self.run_to_end(*self.arguments('stdin {}', COPY, '--path.data', self.folder / 'other', '--path.queue',
                                                 self.queue.parent), status=1)
        self.assertIn('in use by another process', second.stderr)
        self.assertTrue(millrace.is_running())

    def test_what_was_queued_goes_through_the_filters_of_today(self):
        self.fill(100)
        self.empty('-w', '1', filters='filter { mutate { replace => { "message" => "7%{message}" } } }')
        self.assertEqual(sorted(int(f'7{n}') for n in range(100)), self.numbers())

    def test_metadata_tags_and_types_come_back(self):
        event = {'@timestamp': '2026-01-02T03:04:05.123456789Z', 'n': 12345678901234567890123, 'f': 1.5, 'tags': ['a'],
                 '@metadata': {'k': {'x': [1, None, True]}}, 'deep': {'a': [{'b': {}}, []]}, 'ü': '😀\u0000'}
        source = 'stdin { codec => json type => "t" add_field => { "[@metadata][more]" => "m" } }'
        output = 'output { file { path => "@OUT@" codec => json_lines } }'
        copy = 'filter { mutate { copy => { "@metadata" => "meta" } } }'
        results = []
        for arguments in (self.arguments(source, output, filters=copy),
                          [part for part in self.arguments(source, output, filters=copy) if part not in
                           ('--queue.type', 'persisted')]):
            self.run_to_end(*arguments, stdin=json.dumps(event).encode())
            results.append(json.loads(self.out.read_text()))
            self.out.unlink()
        self.assertEqual(results[1], results[0])
        self.assertEqual({'k': {'x': [1, None, True]}, 'more': 'm'}, results[0]['meta'])

    def test_two_queues(self):
        config = '''input { generator { lines => ["@NAME@ %{sequence}"] count => 2000 } }
          output { file { path => "@OUT@" codec => json_lines } }'''
        for run in range(2):
            text = ''.join(f'- pipeline.id: {name}\n  queue.type: {kind}\n  config.string: |\n    '
                           + support.fill(config, NAME=name, OUT=self.folder / f'{name}.out').replace('\n', '\n    ') + '\n'
                           for name, kind in (('one', 'persisted'), ('two', 'persisted'), ('three', 'memory')))
            self.write('settings/pipelines.yml', text)
            self.run_to_end('--path.settings', self.folder / 'settings')
        for name in ('one', 'two', 'three'):
            self.assertEqual(4000, len((self.folder / f'{name}.out').read_text().splitlines()), name)
        self.assertEqual(['one', 'two'], sorted(path.name for path in self.queue.parent.iterdir()))

    def test_between_pipelines(self):
        """The receiver's queue is a place where the sender's events are safe: its origin goes on while outputs are down."""
        lines = 5000
        self.write('settings/pipelines.yml', f'''
- pipeline.id: front
  config.string: 'input {{ stdin {{}} }} output {{ pipeline {{ send_to => ["back"] }} }}'
- pipeline.id: back
  queue.type: persisted
  config.string: 'input {{ pipeline {{ address => "back" }} }} {support.fill(HELD, PORT=self.down)}'
''')
        self.api = support.free_port()
        millrace = self.start('--path.settings', self.folder / 'settings', '--api.http.port', self.api, stdin=True)
        millrace.child.stdin.write(b''.join(b'%d\n' % n for n in range(lines)))
        millrace.child.stdin.flush()
        millrace.wait_for_port(self.api)
        millrace.wait_for(lambda: self.figures('back')['written_events'] >= lines, 'all of it in the queue', 60)
        millrace.kill()
        self.empty('--pipeline.id', 'back')
        self.assertEqual(list(range(lines)), self.numbers())

    def test_a_reload_goes_on_with_the_same_queue(self):
        self.fill(500)
        path = self.write('p.conf', f'input {{ heartbeat {{ interval => 3600 }} }} {support.fill(HELD, PORT=self.down)}')
        self.api = support.free_port()
        millrace = self.start('-f', path, '--queue.type', 'persisted', '--api.http.port', self.api)
        millrace.wait_for_log('has events that were not delivered')
        path.write_text('input { heartbeat { interval => 3601 } } ' + support.fill(COPY, OUT=self.out))
        millrace.signal(1)
        millrace.wait_for(lambda: len(self.lines()) >= 500, 'all of it', 60)
        self.assertEqual(set(range(500)), {int(line) for line in self.lines() if line.isdigit()})
        self.assertEqual(0, millrace.stop())


class Figures(QueueCase):
    def test_logstash_names_and_prometheus(self):
        millrace = self.serve('stdin {}', HELD, '--queue.max_bytes', '100mb', stdin=True)
        millrace.child.stdin.write(b'1\n2\n3\n')
        millrace.child.stdin.flush()
        self.wait_written(millrace, 3)
        figures = self.figures()
        self.assertEqual(('persisted', 3, 3, 100 << 20), tuple(figures[name] for name in (
            'type', 'events', 'events_count', 'max_queue_size_in_bytes')))
        self.assertGreater(figures['queue_size_in_bytes'], 100)
        self.assertEqual((100 << 20, 0), tuple(figures['capacity'][name] for name in (
            'max_queue_size_in_bytes', 'max_unread_events')))
        self.assertEqual(str(self.queue), figures['data']['path'])
        with urllib.request.urlopen(f'http://127.0.0.1:{self.api}/metrics', timeout=30) as answer:
            text = answer.read().decode()
        self.assertIn('millrace_queue_events{pipeline="main"} 3\n', text)
        self.assertIn('millrace_queue_written_events_total{pipeline="main"} 3\n', text)


class Commands(QueueCase):
    def command(self, verb, *arguments, **options):
        return self.run_to_end('queue', verb, *arguments, '--path.data', self.folder / 'data', **options)

    def test_verify_cat_export_import(self):
        self.fill(100)
        self.assertRegex(self.command('verify').stdout, r'^main: 100 events, \d+ bytes on disk, from 2\d{3}-\S+Z\n$')
        self.assertEqual([str(n) for n in range(100)], [event['message'] for event in self.command('cat').json_lines()])
        self.assertEqual(['0', '1'], [event['message'] for event in self.command('cat', '-n', '2').json_lines()])
        exported = self.command('export', '--where', '[message] == "7" or [message] == "8"').stdout
        self.assertEqual(2, exported.count('\n'))
        said = self.command('import', '--pipeline.id', 'other', stdin=exported.encode()).stdout
        self.assertEqual("2 events imported into the queue of pipeline 'other'\n", said)
        self.assertEqual(exported, self.command('export', '--pipeline.id', 'other').stdout.replace(
            *(re.search(r'"written":"[^"]*"', text).group() for text in (
                self.command('export', '--pipeline.id', 'other').stdout, exported))))
        self.command('import', stdin=b'{"message":"100"}\n\n{"message":"101","@metadata":{"a":1}}\n')
        self.empty()
        self.assertEqual(list(range(102)), self.numbers())
        self.assertIn('other: 2 events', self.command('verify').stdout)

    def test_all_of_it_or_nothing(self):
        lines = b''.join(b'{"message":"%d","x":"%s"}\n' % (n, b'x' * 1000) for n in range(3000)) + b'{"message"\n'
        millrace = self.command('import', stdin=lines, status=1)
        self.assertIn('line 3001', millrace.stderr)
        self.assertIn('nothing was imported', millrace.stderr)
        self.assertIn('main: 0 events', self.command('verify').stdout)

    def test_provenance_goes_with_an_export(self):
        """What was exported and imported gives the same document as what was not."""
        source = self.write('in.log', 'one\ntwo\n')
        read = f'file {{ path => "{source}" mode => "tail" start_position => "beginning" sincedb_path => "{self.folder}/db" }}'
        output = 'output { elasticsearch { hosts => ["127.0.0.1:@PORT@"] index => "i" data_stream => false ' \
                 'manage_template => false deduplicate => true } }'
        millrace = self.serve(read, output)
        self.wait_written(millrace, 2)
        millrace.kill()
        exported = self.command('export').stdout
        self.command('import', '--pipeline.id', 'other', stdin=exported.encode())
        stub = search_stub.SearchStub(port=self.down)
        self.addCleanup(stub.close)
        self.run_to_end(*self.arguments('stdin {}', output))
        first = sorted(target['_id'] for target in stub.targets)
        stub.targets.clear()
        self.run_to_end(*self.arguments('stdin {}', output, '--pipeline.id', 'other'))
        self.assertEqual(first, sorted(target['_id'] for target in stub.targets))
        self.assertEqual(2, len(set(first)))

    def test_one_that_is_in_use_is_read_and_not_written(self):
        millrace = self.serve('stdin {}', HELD, stdin=True)
        millrace.child.stdin.write(b'1\n2\n')
        millrace.child.stdin.flush()
        self.wait_written(millrace, 2)
        self.assertEqual(2, len(self.command('cat').json_lines()))
        self.assertIn('in use by another process', self.command('import', stdin=b'{}', status=1).stderr)

    def test_damage_is_told_and_an_exit_status(self):
        self.fill(100)
        (segment,) = self.queue.glob('*.log')
        segment.write_bytes(segment.read_bytes()[:-1])
        millrace = self.command('verify', status=1)
        self.assertIn('1 damaged place', millrace.stdout)

    def test_what_is_wrong_is_said(self):
        for arguments, status, said in ((('look',), 2, 'none of verify'), (('cat', '--where', '[n'), 1, 'is no condition'),
                                        (('cat', '--wher', 'x'), 2, 'wher')):
            with self.subTest(arguments):
                self.assertIn(said, self.run_to_end('queue', *arguments, status=status).stderr)


class Damage(QueueCase):
    def setUp(self):
        super().setUp()
        for part in range(4):  # a segment each
            self.fill(500, first=part * 500)
        self.segments = sorted(self.queue.glob('*.log'))
        self.assertEqual(4, len(self.segments))

    def check(self, lost, said=True):
        """Everything comes but (a part of) what was in these segments."""
        millrace = self.empty()
        got = self.numbers()
        self.assertEqual(len(set(got)), len(got))
        for part in set(range(4)) - lost:
            self.assertEqual([], [n for n in range(part * 500, part * 500 + 500) if n not in got])
        if said:
            self.assertEqual(1, len(re.findall('queue is damaged', millrace.stderr)), millrace.stderr)
            self.assertIn(f'path={self.queue}', millrace.stderr)
        kept = [path.name for path in (self.queue / 'damaged').iterdir()] if said else []
        self.assertEqual(len(lost) if said else 0, len(kept), kept)

    def test_zeroed(self):
        self.segments[1].write_bytes(bytes(self.segments[1].stat().st_size))
        self.check({1})

    def test_truncated(self):
        self.segments[2].write_bytes(self.segments[2].read_bytes()[:-30])
        self.check({2})

    def test_a_flipped_bit(self):
        content = bytearray(self.segments[0].read_bytes())
        content[len(content) // 2] ^= 4
        self.segments[0].write_bytes(content)
        self.check({0})

    def test_missing_or_empty(self):
        self.segments[3].unlink()
        self.segments[0].write_bytes(b'')
        self.check({0, 3}, said=False)

    def test_duplicated(self):
        shutil.copy(self.segments[1], self.queue / 'segment-0000000077.log')
        millrace = self.empty()
        self.assertEqual(list(range(2000)), self.numbers())
        self.assertIn('queue is damaged', millrace.stderr)

    def test_marks_that_are_noise(self):
        for number, segment in enumerate(self.segments):
            segment.with_suffix('.done').write_bytes(os.urandom(1000 * number))
        self.check(set(), said=False)


class FullDisk(QueueCase):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / 'small'
        self.disk.mkdir()
        mount = ['mount', '-t', 'tmpfs', '-o', 'size=2m', 'none', str(self.disk)]
        if os.geteuid() != 0 or not shutil.which('mount') or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            raise unittest.SkipTest('a small disk cannot be mounted here: not root, or without the right to mount')
        self.addCleanup(subprocess.run, ['umount', '-l', str(self.disk)])

    def test_inputs_wait_and_go_on_when_there_is_room_again(self):
        ballast = self.disk / 'ballast'
        ballast.write_bytes(bytes(1 << 20))
        source = self.write('in.log', ''.join(f'{n} {"x" * 100}\n' for n in range(5000)))
        output = f'output {{ file {{ path => "{self.out}" codec => line {{ format => "%{{message}}" }} }} ' \
                 f'http {{ url => "http://127.0.0.1:@PORT@/" http_method => "post" }} }}'
        millrace = self.serve(f'file {{ path => "{source}" mode => "read" file_completed_action => "log" '
                              f'file_completed_log_path => "{self.folder}/done" }}',
                              output, '--path.queue', self.disk, '--pipeline.memory', '8mb')
        millrace.wait_for_log('No space left')
        self.assertLess(self.figures()['events_count'], 5000)
        ballast.unlink()
        millrace.wait_for(lambda: self.figures()['written_events'] >= 5000, 'the rest in the queue', 60)
        millrace.kill()
        self.out.unlink()
        self.empty('--path.queue', self.disk)
        seen = {int(line.split()[0]) for line in self.out.read_text().splitlines()}
        self.assertEqual(set(range(5000)), seen)


if __name__ == '__main__':
    unittest.main()
