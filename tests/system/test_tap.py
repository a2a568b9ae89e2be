# SPDX-License-Identifier: Apache-2.0
"""millrace tap: events of a running pipeline at each point, from one process of several, through a reload; its socket is nobody
else's, and who looks on and does not read holds nothing up."""
import json
import pathlib
import signal
import socket
import stat

import support

CHAIN = '''input { stdin { id => "in" } }
filter {
  kv { id => "kv" source => "message" }
  if [user] == "bob" { drop { id => "fall" } }
  mutate { id => "mask" gsub => ["card", "\\d", "*"] remove_field => ["message", "event", "host"] }
}
output { file { id => "out" path => "@OUT@" codec => json_lines } }'''
TAIL = '''input { file { path => "@IN@" mode => "tail" start_position => "beginning" stat_interval => "50 ms" sincedb_path => "@DB@" } }
filter { mutate { id => "mark" add_field => { "version" => "@VERSION@" } } }
output { file { path => "@OUT@" codec => json_lines } }'''


class Tap(support.Case):
    def run_chain(self, *arguments, data='data'):
        config = self.write('pipeline.conf', support.fill(CHAIN, out=self.folder / 'out'))
        self.data = self.folder / data
        millrace = self.start('-f', config, '--no-api.enabled', '--path.data', self.data, *arguments, stdin=True)
        millrace.wait_for_log('pipeline started')
        return millrace

    def tap(self, *arguments):
        """One that looks already."""
        tap = self.start('tap', '--path.data', self.data, *arguments)
        tap.wait_for_log('at most')
        return tap

    def refused(self, *arguments, status=1):
        return self.run_to_end('tap', '--path.data', self.data, *arguments, status=status).stderr

    @staticmethod
    def feed(millrace, *lines):
        for line in lines:
            millrace.child.stdin.write((line if isinstance(line, bytes) else line.encode()) + b'\n')
        millrace.child.stdin.flush()

    def one(self, millrace, line, *arguments):
        """The line that a tap shows of one event."""
        tap = self.tap('--format', 'json', '-n', '1', *arguments)
        self.feed(millrace, line)
        self.assertEqual(0, tap.wait())
        return tap.json_lines()[0]

    def test_each_point_shows_what_is_there(self):
        millrace = self.run_chain()
        line = 'user=anna card=4111'
        self.assertEqual('****', self.one(millrace, line)['event']['card'])
        self.assertEqual('****', self.one(millrace, line, 'out')['event']['card'])
        self.assertEqual('****', self.one(millrace, line, 'mask')['event']['card'])
        self.assertEqual('4111', self.one(millrace, line, 'mask', '--before')['event']['card'])
        self.assertNotIn('user', self.one(millrace, line, 'in')['event'])
        both = self.one(millrace, line, 'mask', '--diff')
        self.assertEqual(('4111', '****'), (both['before']['card'], both['after']['card']))
        self.assertIsNone(self.one(millrace, 'user=bob', 'fall', '--diff')['after'])
        self.assertIn('path', self.one(millrace, line, 'in', '--metadata', '--where', '[message]').get('metadata', {'path': 1}))

    def test_people_see_what_a_filter_did(self):
        millrace = self.run_chain()
        tap = self.tap('mask', '--diff', '-n', '1', '--where', '[user] == "eve"')
        self.feed(millrace, 'user=anna card=1', 'user=eve card=42')
        self.assertEqual(0, tap.wait())
        self.assertIn('- [card] "42"\n+ [card] "**"\n', tap.stdout)
        self.assertIn('unchanged)', tap.stdout)

    def test_hostile_contents_do_nothing_to_a_terminal(self):
        millrace = self.run_chain()
        hostile = 'card="\x1b[2J\x1b]0;x\x07" a="\u009b31m" b="\u202e\u2028" <script>alert(1)</script>'.encode()
        for arguments in ((), ('mask', '--diff'), ('in', '--format', 'json')):
            tap = self.tap('-n', '2', *arguments)
            self.feed(millrace, hostile, b'invalid=\xff\xfe ' + hostile)
            self.assertEqual(0, tap.wait())
            shown = tap.stdout
            for character in '\x1b\x07\u009b\u202e\u2028':
                self.assertNotIn(character, shown)
            self.assertIn('\\u009B31m', shown)
            self.assertIn('\\u001B[', shown)

    def test_what_cannot_be_looked_at_is_told(self):
        self.run_chain()
        self.assertIn("did you mean 'mask'?", self.refused('masc'))
        self.assertIn('it has in, kv, fall, mask, out', self.refused('nothing-like-it'))
        self.assertIn('a difference needs the id of a filter', self.refused('in', '--diff'))
        self.assertIn("'before' needs the id of a filter", self.refused('--before'))
        self.assertIn('is no condition', self.refused('--where', '[a] =='))
        self.assertIn("no pipeline 'mian' runs now; did you mean 'main'?", self.refused('--pipeline', 'mian'))
        self.assertIn("--rate is '5000'", self.refused('--rate', '5000', status=2))
        self.assertIn('condition', self.refused('--where', '[a] == "' + 'x' * 5000 + '"'))
        self.assertIn('unexpected argument', self.refused('in', 'out', status=2))
        self.data = self.folder / 'nowhere'
        self.assertIn('no millrace that can be looked at', self.refused())

    def test_only_its_user_can_open_the_socket_and_it_goes_with_the_process(self):
        millrace = self.run_chain()
        directory, path = self.data / 'tap', self.data / 'tap' / f'{millrace.pid}.sock'
        self.assertEqual(0o700, stat.S_IMODE(directory.stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE(path.stat().st_mode))
        self.assertEqual(0, millrace.stop())
        self.assertEqual([], list(directory.iterdir()))
        killed = self.run_chain()
        killed.kill()
        self.assertEqual(1, len(list(directory.iterdir())))
        self.assertIn('no millrace that can be looked at', self.refused())
        after = self.run_chain()
        self.assertEqual([f'{after.pid}.sock'], [file.name for file in directory.iterdir()])

    def test_a_long_path_and_a_path_that_cannot_be(self):
        millrace = self.run_chain(data='a' * 100 + '/' + 'b' * 100)
        self.assertEqual('x', self.one(millrace, 'user=x')['event']['user'])
        self.write('file', '')
        millrace = self.start('-e', 'input { stdin { } } output { stdout { } }', '--no-api.enabled', '--path.data',
                              self.folder / 'file', stdin=b'one\n')
        self.assertEqual(0, millrace.wait())
        self.assertIn("'millrace tap' cannot look on", millrace.stderr)

    def test_of_several_processes_one_is_named(self):
        first = self.run_chain()
        second = self.run_chain()
        said = self.refused()
        self.assertIn('name one with --pid', said)
        self.assertEqual({str(first.pid), str(second.pid)}, set(said.split('--pid: ')[1].split()))
        self.assertEqual('y', self.one(second, 'user=y', '--pid', second.pid)['event']['user'])

    def test_who_does_not_read_holds_nothing_up(self):
        count = 20000
        config = self.write('pipeline.conf', f'''input {{ stdin {{ }} }}
            filter {{ mutate {{ id => "large" add_field => {{ "filling" => "{'x' * 20000}" }} }} }}
            output {{ file {{ path => "{self.folder / 'out'}" codec => line {{ format => "%{{message}}" }} }} }}''')
        self.data = self.folder / 'data'
        millrace = self.start('-f', config, '--no-api.enabled', '--path.data', self.data, stdin=True)
        millrace.wait_for_log('pipeline started')
        with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as gone:
            for client in (deaf, gone):
                client.connect(str(next((self.data / 'tap').iterdir())))
                client.sendall(b'{"rate":1000}\n')
                self.assertIn(b'"tap"', client.recv(1000))
            gone.close()
            tap = self.tap('--rate', '1000', '-n', '1')
            self.feed(millrace, *(str(n) for n in range(count)))
            millrace.child.stdin.close()
            self.assertEqual(0, millrace.wait(60))
            self.assertEqual(0, tap.wait(), tap.stderr)
        self.assertEqual(count, len((self.folder / 'out').read_text().split()))

    def test_lines_that_are_no_requests(self):
        millrace = self.run_chain()
        path = str(next((self.data / 'tap').iterdir()))
        for line, answer in ((b'nonsense\n', b'{"error":"'), (b'[1]\n', b'{"error":"a tap is asked for with an object"}'),
                             (b'{"where":1}\n', b"'where' is nothing that"), (b'{"else":true}\n', b"'else' is nothing that"),
                             (b'{"sample":0}\n', b'sample is a number from 1'), (b'x' * 100_000, b'')):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10 * support.PATIENCE)
                client.connect(path)
                try:
                    client.sendall(line)
                    got = b''
                    while chunk := client.recv(1000):
                        got += chunk
                except ConnectionError:  # it hung up in the middle of the line
                    got = b''
                self.assertIn(answer, got)
        self.assertEqual('x', self.one(millrace, 'user=x')['event']['user'])

    def test_a_tap_stays_when_the_pipeline_is_read_anew(self):
        def text(version):
            return support.fill(TAIL, IN=self.folder / 'log', DB=self.folder / 'db', OUT=self.folder / 'out', VERSION=version)
        self.data = self.folder / 'data'
        config = self.write('pipeline.conf', text('one'))
        log = self.write('log', '')
        millrace = self.start('-f', config, '--no-api.enabled', '--path.data', self.data)
        millrace.wait_for_log('pipeline started')
        tap = self.tap('mark', '--format', 'json', '-n', '2')
        log.write_text('a\n')
        tap.wait_for(tap.json_lines, 'an event of the first')
        config.write_text(text('two'))
        millrace.signal(signal.SIGHUP)
        millrace.wait_for_log('a pipeline runs as it was changed', 30)
        with log.open('a') as more:
            more.write('b\n')
        self.assertEqual(0, tap.wait())
        self.assertEqual([('a', 'one'), ('b', 'two')], [(line['event']['message'], line['event']['version'])
                                                       for line in tap.json_lines()])

    def test_one_of_several_pipelines(self):
        for name in ('one', 'two'):
            self.write(f'{name}.log', '')
        self.write('settings/pipelines.yml', '\n'.join(
            f'- pipeline.id: {name}\n  config.string: |\n    ' + support.fill(
                TAIL, IN=self.folder / f'{name}.log', DB=self.folder / f'{name}.db', OUT=self.folder / name,
                VERSION=name).replace('\n', '\n    ') for name in ('one', 'two')))
        self.data = self.folder / 'data'
        millrace = self.start('--path.settings', self.folder / 'settings', '--no-api.enabled', '--path.data', self.data)
        for _ in range(2):
            millrace.wait_for(lambda: millrace.stderr.count('pipeline started') == 2, 'two pipelines')
        self.assertIn('several pipelines run, so one is to be named: one, two', self.refused())
        tap = self.tap('--pipeline', 'two', '--format', 'json', '-n', '1')
        for name in ('one', 'two'):
            pathlib.Path(self.folder, f'{name}.log').write_text('line\n')
        self.assertEqual(0, tap.wait())
        self.assertEqual('two', json.loads(tap.stdout)['event']['version'])
