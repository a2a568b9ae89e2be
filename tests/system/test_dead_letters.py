# SPDX-License-Identifier: Apache-2.0
"""Dead letters: what a destination refuses for good is kept, looked at, sent again and thrown away, and nothing of it is lost."""
import json
import os
import shutil
import signal
import socket
import unittest
import urllib.request

import search_stub
import support

PIPELINE = '''input { stdin { codec => json_lines } }
filter { mutate { add_field => { "[@metadata][team]" => "pay" } } }
output {
  elasticsearch { hosts => ["@ADDRESS@"] id => "documents" index => "events" }
  if [n] > 5 { file { path => "@FOLDER@/seen" codec => json_lines id => "seen" } }
}'''
FOLLOW = '''input { dead_letter_queue { path => "@ROOT@" @MORE@ } }
output { file { path => "@FOLDER@/followed" codec => json_lines } }'''


class LetterCase(support.Case):
    def setUp(self):
        super().setUp()
        self.refused = {2, 3, 7}
        self.stub = search_stub.SearchStub(lambda source: 400 if source['n'] in self.refused else 201)
        self.addCleanup(self.stub.close)
        self.root = self.folder / 'data/dead_letter_queue'
        text = support.fill(PIPELINE, ADDRESS=self.stub.address, FOLDER=self.folder)
        self.pipeline = self.write('pipeline.conf', text)

    def lines(self, numbers):
        return ''.join(json.dumps({'n': n, 'text': f'ünï "{n}"\n'}, ensure_ascii=False) + '\n' for n in numbers).encode()

    def run_pipeline(self, numbers=range(10), *arguments, **options):
        return self.run_to_end('-f', self.pipeline, *arguments, stdin=self.lines(numbers), **options)

    def dlq(self, *arguments, **options):
        return self.run_to_end('dlq', *arguments, '--path.data', self.folder / 'data', **options)

    def letters(self, *arguments):
        return self.dlq('show', *arguments).json_lines()

    def numbers(self, *arguments):
        return sorted(letter['event']['n'] for letter in self.letters(*arguments))

    def arrived(self):
        return sorted(source['n'] for _, _, source in self.stub.documents)


class DeadLetters(LetterCase):
    def test_what_is_refused_is_kept_whole_with_the_reason(self):
        millrace = self.run_pipeline()
        self.assertEqual([0, 1, 4, 5, 6, 8, 9], self.arrived())
        self.assertIn('kept as dead letters', millrace.stderr)
        letters = self.letters()
        self.assertEqual([2, 3, 7], [letter['event']['n'] for letter in letters])
        first = letters[0]
        self.assertEqual(('main', 'elasticsearch', 'documents', 1, {'team': 'pay'}),
                         tuple(first[name] for name in ('pipeline', 'plugin_type', 'plugin_id', 'attempts', 'metadata')))
        self.assertIn('400', first['reason'])
        self.assertEqual('ünï "2"\n', first['event']['text'])
        self.assertIn('@timestamp', first['event'])
        listed = self.dlq('list').stdout
        self.assertRegex(listed, r'^main: 3 dead letters, \d+ bytes on disk, from 2\d{3}-')
        self.assertRegex(listed, r'\n +3  documents  400 ')

    def test_files_are_nobody_elses(self):
        self.run_pipeline()
        for path in (self.root / 'main').iterdir():
            self.assertEqual(0o600, path.stat().st_mode & 0o777, path)
        self.assertEqual(0o700, (self.root / 'main').stat().st_mode & 0o777)

    def test_nobody_who_does_not_want_them_gets_any(self):
        self.run_pipeline(range(10), '--dead_letter_queue.enable', 'false')
        self.assertFalse(self.root.exists())
        self.assertEqual('no dead letters', self.dlq('list').stdout[:15])

    def test_replay_sends_them_to_the_output_that_refused_them_alone(self):
        self.run_pipeline()
        seen = (self.folder / 'seen').read_text()
        self.refused = {3}
        self.dlq('replay', '-f', self.pipeline)
        self.assertEqual([0, 1, 2, 4, 5, 6, 7, 8, 9], self.arrived())
        self.assertEqual(seen, (self.folder / 'seen').read_text())
        letters = self.letters()
        self.assertEqual([3], [letter['event']['n'] for letter in letters])
        self.refused = set()
        self.dlq('replay', '-f', self.pipeline)
        self.assertEqual(list(range(10)), self.arrived())
        self.assertEqual([], self.letters())
        again = {source['n']: source for _, _, source in self.stub.documents}
        self.assertEqual({'n', 'text', '@timestamp', '@version', 'event', 'host'} & set(again[0]), set(again[2]) & set(again[0]))

    def test_replay_of_the_whole_pipeline(self):
        self.run_pipeline()
        self.refused = set()
        self.dlq('replay', '-f', self.pipeline, '--whole')
        self.assertEqual(list(range(10)), self.arrived())
        self.assertEqual(2, (self.folder / 'seen').read_text().count('"n":7'))

    def test_only_those_for_which_a_condition_holds(self):
        self.run_pipeline()
        self.assertEqual([2, 3], self.numbers('--where', '[n] < 5'))
        self.assertEqual([2], self.numbers('--where', '[n] < 5', '-n', '1'))
        self.assertEqual([2, 3, 7], self.numbers('--where', '[@metadata][dead_letter_queue][reason] =~ "400"'))
        self.refused = set()
        self.dlq('replay', '-f', self.pipeline, '--where', '[n] == 3')
        self.assertEqual([2, 7], self.numbers())
        self.assertIn("2 dead letters of pipeline 'main' thrown away", self.dlq('purge', '--all').stdout)
        self.assertEqual([], self.numbers())

    def test_what_is_wrong_is_said(self):
        for arguments, status, said in ((('show', '--where', '[n'), 1, "'[n' is no condition"), (('purge',), 2, '--all'),
                                        (('replay',), 2, '-f FILE'), (('lsit',), 2, 'none of list'),
                                        (('show', '--wher', 'x'), 2, 'wher')):
            with self.subTest(arguments):
                self.assertIn(said, self.dlq(*arguments, status=status).stderr)

    def test_a_replay_ends_though_all_are_refused_again(self):
        self.refused = set(range(50))
        self.run_pipeline(range(50))
        for _ in range(2):
            self.dlq('replay', '-f', self.pipeline)
            self.assertEqual(list(range(50)), sorted(self.numbers()))

    def test_a_replay_that_is_killed_loses_nothing(self):
        self.refused = set(range(500))
        self.run_pipeline(range(500))
        self.refused = set(range(250))
        for _ in range(3):
            replay = self.start('dlq', 'replay', '-f', self.pipeline, '--rate', '200', '--path.data', self.folder / 'data',
                                data=False)
            before = len(self.stub.documents)
            replay.wait_for(lambda: len(self.stub.documents) > before or not replay.is_running(), 'documents')
            replay.kill()
        self.refused = set()
        self.dlq('replay', '-f', self.pipeline)
        self.assertEqual(set(range(500)), set(self.arrived()))
        self.assertEqual([], self.numbers())

    def test_killed_in_the_middle_each_event_is_delivered_or_kept(self):
        self.refused = {n for n in range(20000) if n % 10 == 0}
        source = self.write('in.log', self.lines(range(20000)).decode())
        text = support.fill(PIPELINE, ADDRESS=self.stub.address, FOLDER=self.folder).replace(
            'stdin { codec', f'file {{ path => "{source}" mode => "read" file_completed_action => "log" exit_after_read => true '
            f'file_completed_log_path => "{self.folder}/done" sincedb_path => "{self.folder}/sincedb" codec').replace(
            'json_lines }', 'json }', 1)
        path = self.write('file.conf', text)
        for want in (3000, 9000):
            millrace = self.start('-f', path)
            millrace.wait_for(lambda: len(self.stub.documents) > want or not millrace.is_running(), 'documents')
            millrace.kill()
        self.run_to_end('-f', path, timeout=60)
        self.assertEqual({n for n in range(20000) if n % 10}, set(self.arrived()))
        self.assertEqual(self.refused, set(self.numbers()))

    def test_a_pipeline_can_follow_them(self):
        text = support.fill(FOLLOW, ROOT=self.root, MORE='', FOLDER=self.folder)
        followed = self.folder / 'followed'
        follower = self.start('-e', text, '--path.data', self.folder / 'other')
        self.run_pipeline()
        follower.wait_for(lambda: followed.exists() and followed.read_text().count('\n') == 3, 'three letters')
        follower.wait_for(lambda: self.numbers() == [], 'them to be done')
        self.refused = {12}
        self.run_pipeline(range(10, 14))
        follower.wait_for(lambda: followed.read_text().count('\n') == 4, 'another letter')
        self.assertEqual(0, follower.stop())
        self.assertEqual([2, 3, 7, 12], [json.loads(line)['n'] for line in followed.read_text().splitlines()])

    def test_a_full_queue_holds_back_what_is_refused_and_says_so(self):
        self.refused = set(range(10))
        text = self.lines(range(10)).decode().replace('ünï', 'x' * 3000)
        millrace = self.start('-f', self.pipeline, '--dead_letter_queue.max_bytes', '10000', stdin=text.encode())
        millrace.wait_for_log('no room for more dead letters: what is refused waits')
        self.assertTrue(millrace.is_running())
        seen = set()
        while len(seen) < 10:
            here = self.numbers()
            seen |= set(here)
            self.dlq('purge', '--where', f'[n] in [{", ".join(map(str, [*here, -1]))}]')
        self.assertEqual(0, millrace.wait())

    def test_policies_of_a_full_queue(self):
        self.refused = set(range(10))
        text = self.lines(range(10)).decode().replace('ünï', 'x' * 3000).encode()
        for policy, kept in (('drop_newer', lambda count: list(range(count))), ('drop_older', lambda count: list(range(10 - count, 10)))):
            with self.subTest(policy):
                self.run_to_end('-f', self.pipeline, '--dead_letter_queue.max_bytes', '20000', '--dead_letter_queue.storage_policy',
                                policy, stdin=text)
                numbers = self.numbers()
                self.assertTrue(0 < len(numbers) < 10, numbers)
                self.assertEqual(kept(len(numbers)), numbers)
                shutil.rmtree(self.root)

    def test_damage_costs_what_it_hits(self):
        self.run_pipeline()
        (path,) = (self.root / 'main').glob('segment-*.log')
        content = bytearray(path.read_bytes())
        content[content.index(b'"n":3') + 4] ^= 1
        path.write_bytes(content)
        self.assertEqual([2, 7], self.numbers())
        self.assertIn('1 damaged place', self.dlq('list').stdout)

    def test_two_processes_do_not_write_to_one_queue(self):
        held = self.start('-f', self.pipeline, stdin=True)
        held.child.stdin.write(self.lines([2]))
        held.child.stdin.flush()
        held.wait_for_log('kept as dead letters')
        other = self.run_to_end('-f', self.pipeline, '--path.data', self.folder / 'other', '--path.dead_letter_queue', self.root,
                                stdin=self.lines([3]))
        self.assertIn('another process keeps its dead letters there', other.stderr)
        held.child.stdin.close()
        self.assertEqual(0, held.wait())
        self.assertEqual([2], self.numbers())

    def test_without_a_place_for_them_the_pipeline_goes_on(self):
        self.write('file', '')
        millrace = self.run_pipeline(range(10), '--path.dead_letter_queue', self.folder / 'file')
        self.assertIn('events that are refused are not kept', millrace.stderr)
        self.assertEqual([0, 1, 4, 5, 6, 8, 9], self.arrived())

    def test_figures_of_the_api(self):
        """As Logstash has them, while letters come, wait for room, are dropped and expire."""
        self.refused = set(range(100))
        none = self.start('-e', 'input { stdin {} } output { null {} }', '--api.http.port', '9600-9700', '--no-dead_letter_queue.enable',
                          stdin=True)
        self.assertNotIn('dead_letter_queue', self.pipeline_stats(none))
        for policy in ('drop_newer', 'drop_older', 'block'):
            with self.subTest(policy):
                millrace = self.start('-f', self.pipeline, '--api.http.port', '9600-9700', '--dead_letter_queue.max_bytes', '20000',
                                      '--dead_letter_queue.storage_policy', policy, '--dead_letter_queue.retain.age', '1h', stdin=True)
                before = self.pipeline_stats(millrace)['dead_letter_queue']
                self.assertEqual({'queue_size_in_bytes': 0, 'max_queue_size_in_bytes': 20000, 'dropped_events': 0, 'expired_events': 0,
                                  'written_events': 0, 'waiting_events': 0, 'storage_policy': policy, 'last_error': 'no errors'}, before)
                millrace.child.stdin.write(self.lines(range(10)).replace('ünï'.encode(), b'x' * 3000))
                millrace.child.stdin.flush()

                def settled():
                    figures = self.pipeline_stats(millrace)['dead_letter_queue']
                    full = figures['last_error'] == 'dead_letter_queue.max_bytes is reached'
                    done = figures['written_events'] + figures['dropped_events'] * (policy == 'drop_newer')
                    if policy == 'block':
                        done += figures['waiting_events']
                    return figures if full and done == 10 else None
                figures = millrace.wait_for(settled, 'all of them to be written, dropped or waiting')
                left = len(self.numbers())
                self.assertTrue(0 < figures['queue_size_in_bytes'] <= 20000 + 4000, figures)
                self.assertEqual(10 - left if policy != 'block' else 0, figures['dropped_events'])
                self.assertEqual(policy == 'block', figures['waiting_events'] > 0)
                self.assertEqual(-signal.SIGKILL, millrace.kill())
                shutil.rmtree(self.root)

    def pipeline_stats(self, millrace):
        port = millrace.wait_for_log(r'API listens address=127\.0\.0\.1:(\d+)').group(1)
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/_node/stats/pipelines/main', timeout=30 * support.PATIENCE) as answer:
            return json.load(answer)['pipelines']['main']

    def test_letters_that_expire_are_counted(self):
        self.refused = set(range(100))
        self.run_pipeline(range(5))
        for path in (self.root / 'main').glob('segment-*.log'):
            os.utime(path, (1, 1))
        millrace = self.start('-f', self.pipeline, '--api.http.port', '9600-9700', '--dead_letter_queue.retain.age', '1h', stdin=True)
        millrace.child.stdin.write(self.lines([7]))
        millrace.child.stdin.flush()
        figures = millrace.wait_for(lambda: [figures for figures in (self.pipeline_stats(millrace)['dead_letter_queue'],)
                                             if figures['written_events'] == 1 and figures['expired_events']], 'the letter')[0]
        self.assertEqual((5, 0), (figures['expired_events'], figures['dropped_events']))
        self.assertEqual([7], self.numbers())


ISOLATED = '''input { file { path => "@FOLDER@/in.log" mode => "read" exit_after_read => true file_completed_action => "log"
  file_completed_log_path => "@FOLDER@/done" sincedb_path => "@FOLDER@/sincedb" codec => json } }
output {
  elasticsearch { hosts => ["@ADDRESS@"] index => "events" }
  if [alert] { http { id => "alerts" url => "http://@SINK@/alerts" http_method => "post" format => "json"
    hold_max => "200 ms" @FULL@ } }
}'''


class OneOutputIsDown(LetterCase):
    """An alert sink that is refused, or never answers, does not stop the documents; the alerts are sent when it is back."""

    COUNT, EACH = 20000, 50

    def test_documents_go_on_and_alerts_are_kept(self):
        silent = socket.socket()
        self.addCleanup(silent.close)
        silent.bind(('127.0.0.1', 0))
        silent.listen(1)
        for what, port in (('refused', support.free_port()), ('never accepted', silent.getsockname()[1])):
            with self.subTest(what):
                self.one_is_down(f'127.0.0.1:{port}', what)

    def one_is_down(self, sink, what):
        self.refused = set()
        self.stub.documents.clear()
        shutil.rmtree(self.folder / 'data', True)
        for name in ('done', 'sincedb'):
            (self.folder / name).unlink(True)
        self.write('in.log', ''.join(json.dumps({'n': n, **({'alert': True} if n % self.EACH == 0 else {})}) + '\n'
                                     for n in range(self.COUNT)))
        def text(address):
            return support.fill(ISOLATED, FOLDER=self.folder, ADDRESS=self.stub.address, SINK=address,
                                FULL='on_full => "dead_letter" automatic_retries => 0 request_timeout => 2')
        millrace = self.start('-f', self.write('down.conf', text(sink)), '--pipeline.batch.size', '250')
        self.assertEqual(0, millrace.wait(60), millrace.stderr)
        self.assertIn('events waited longer than hold_max and become dead letters', millrace.stderr)
        self.assertEqual(list(range(self.COUNT)), self.arrived())
        alerts = [n for n in range(0, self.COUNT, self.EACH)]
        self.assertEqual(alerts, self.numbers())
        receiver = self.recorder()
        # Here it takes them, however long this machine needs for that.
        self.dlq('replay', '-f', self.write('up.conf', text(receiver.address).replace('"200 ms"', '"60 s"')))
        self.assertEqual(alerts, sorted(request.json()['n'] for request in receiver.taken('/alerts')))
        self.assertEqual([], self.numbers())

    def test_it_is_refused_where_no_letters_are_kept(self):
        text = 'input { generator { count => 1 } } output { null { on_full => "dead_letter" } }'
        millrace = self.run_to_end('-e', text, '--dead_letter_queue.enable', 'false', status=1)
        self.assertIn('on_full => dead_letter wants dead_letter_queue.enable', millrace.stderr)


class Filters(LetterCase):
    """on_error of filters, and conditions that cannot be evaluated: what is not a letter goes on, and each is counted once."""

    def run_filters(self, filters, *arguments):
        lines = ''.join(json.dumps({'n': n, 'j': '{"a":1}' if n % 3 else '{bad', 'k': n if n % 4 else 'text'}) + '\n'
                                    for n in range(600)).encode()
        pipeline = (f'input {{ stdin {{ codec => json_lines }} }} filter {{ {filters} }} '
                    f'output {{ file {{ path => "{self.folder / "out"}" codec => json_lines }} }}')
        return self.run_to_end('--counters', 'counters.json', '-e', pipeline, *arguments, stdin=lines)

    def out(self):
        return [json.loads(line) for line in (self.folder / 'out').read_text().splitlines()]

    def check(self, filters, gone, letters, *arguments):
        self.run_filters(filters, *arguments)
        self.assertEqual(set(range(600)) - set(gone), {event['n'] for event in self.out()})
        self.assertEqual(sorted(letters), self.numbers())
        counted = json.loads((self.folder / 'counters.json').read_text())['pipelines']['main']['events']
        self.assertEqual((600, 600 - len(gone)), (counted['in'], counted['out']))

    def test_a_filter_that_fails(self):
        bad = range(0, 600, 3)
        for workers in (1, 3):
            with self.subTest(workers=workers):
                for path in (self.folder / 'out',):
                    path.unlink(missing_ok=True)
                shutil.rmtree(self.folder / 'data', ignore_errors=True)
                self.check('json { id => "j" source => "j" on_error => "dead_letter" } mutate { add_tag => ["on"] }', bad, bad,
                           '-w', workers)
                letter = self.letters()[0]
                self.assertEqual(('json', 'j', 'the filter failed on it'),
                                 tuple(letter[name] for name in ('plugin_type', 'plugin_id', 'reason')))
                self.assertEqual(['_jsonparsefailure'], letter['event']['tags'])

    def test_drop_and_tag(self):
        self.check('json { source => "j" on_error => "drop" }', range(0, 600, 3), [])
        (self.folder / 'out').unlink()
        self.check('json { source => "j" on_error => "tag" }', [], [])
        self.assertEqual(200, sum('_jsonparsefailure' in event.get('tags', ()) for event in self.out()))

    def test_a_condition_that_cannot_be_evaluated(self):
        odd = range(0, 600, 4)
        self.check('if [k] > 5 { mutate { add_tag => ["large"] } }', odd, odd)
        letter = self.letters()[0]
        self.assertEqual(('if-statement', 'the condition cannot be evaluated for it'), (letter['plugin_id'], letter['reason']))
        self.dlq('replay', '--whole', '-f', self.write('mended.conf', f'output {{ file {{ path => "{self.folder / "mended"}" codec => json_lines }} }}'))
        self.assertEqual(list(odd), sorted(json.loads(line)['n'] for line in (self.folder / 'mended').read_text().splitlines()))
        self.assertEqual([], self.numbers())

    def test_without_letters_it_is_refused(self):
        millrace = self.run_to_end('-e', 'input { generator { count => 1 } } filter { json { source => "m" on_error => "dead_letter" } } '
                                   'output { null { } }', '--dead_letter_queue.enable', 'false', status=1)
        self.assertIn('on_error => dead_letter wants dead_letter_queue.enable', millrace.stderr)


if __name__ == '__main__':
    unittest.main()
