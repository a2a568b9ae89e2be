# SPDX-License-Identifier: Apache-2.0
"""Several pipelines in one process, and the life of a run: counters, signals, exit statuses."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import unittest

import support

FILE_TO_FILE = '''input { file { path => "@IN@" mode => "read" exit_after_read => true file_completed_action => "log"
  file_completed_log_path => "@DONE@" } }
filter { mutate { add_field => { "went" => "@NAME@" } } }
output { file { path => "@OUT@" codec => json_lines } }'''
ENDLESS = 'input { generator { lines => ["x"] } } output { null {} }'


class Pipelines(support.Case):
    def pipeline(self, name, lines):
        """A pipeline file that copies lines; returns its path and that of its output."""
        source, out = self.write(f'{name}.log', ''.join(f'{name} {i}\n' for i in range(lines))), self.folder / f'{name}.out'
        return self.write(f'{name}.conf', support.fill(FILE_TO_FILE, IN=source, OUT=out, NAME=name,
                                                       DONE=self.folder / f'{name}.done')), out

    def test_each_has_its_own_way(self):
        first, first_out = self.pipeline('first', 700)
        second, second_out = self.pipeline('second', 300)
        self.write('settings/pipelines.yml', f'- pipeline.id: one\n  path.config: "{first}"\n  pipeline.workers: 1\n'
                                             f'- pipeline.id: two\n  path.config: "{second}"\n')
        counters = self.folder / 'counters.json'
        self.run_to_end('--path.settings', self.folder / 'settings', '--counters', counters)
        for name, out, lines in (('first', first_out, 700), ('second', second_out, 300)):
            events = [json.loads(line) for line in out.read_text().splitlines()]
            self.assertEqual(sorted(f'{name} {i}' for i in range(lines)), sorted(event['message'] for event in events))
            self.assertEqual({name}, {event['went'] for event in events})
        counted = json.loads(counters.read_text())['pipelines']
        self.assertEqual({'one': 700, 'two': 300}, {name: counts['events']['in'] for name, counts in counted.items()})
        self.assertEqual(1, counted['one']['pipeline']['workers'])

    def test_a_bad_one_refuses_all_and_every_problem_is_told(self):
        good, out = self.pipeline('good', 10)
        self.write('settings/pipelines.yml', f'- pipeline.id: one\n  path.config: "{good}"\n'
                                             '- pipeline.id: two\n  config.string: "filter { nosuch {} }"\n'
                                             '- pipeline.id: three\n  config.string: "filter { grok {"\n')
        millrace = self.run_to_end('--path.settings', self.folder / 'settings', status=1)
        self.assertIn("no filter plugin 'nosuch'", millrace.stderr)
        self.assertIn('never closed', millrace.stderr)
        self.assertFalse(out.exists())


class DoesNotStart(support.Case):
    def test_the_run_ends_and_says_why_at_once(self):
        """The first one runs for ever by itself; the second one's port is taken."""
        taken = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        self.write('settings/pipelines.yml',
                   '- pipeline.id: one\n  config.string: "input { heartbeat {} } output { null {} }"\n'
                   f'- pipeline.id: two\n  config.string: "input {{ beats {{ host => \'127.0.0.1\' port => {port} }} }} '
                   'output { null {} }"\n')
        millrace = self.run_to_end('--path.settings', self.folder / 'settings', status=1)
        self.assertRegex(millrace.stderr, f'beats.*{port}')
        self.assertIn('pipeline stopped pipeline=one', millrace.stderr)
        self.assertNotIn('pipeline stopped pipeline=two', millrace.stderr)


class Run(support.Case):
    def test_the_books_balance(self):
        counters = self.folder / 'counters.json'
        text = '''filter { if "3" in [message] { drop {} } }
                  output { stdout { codec => line } if [message] == "4" { null {} } }'''
        self.run_to_end('-e', text, '--counters', counters, stdin=b''.join(b'%d\n' % i for i in range(100)))
        main = json.loads(counters.read_text())['pipelines']['main']
        events = main['events']
        self.assertEqual(100, events['in'])
        self.assertEqual(19, events['cancelled'])
        self.assertEqual(events['in'] + events['created'], events['filtered'] + events['cancelled'])
        for output, routed in zip(main['plugins']['outputs'], (81, 1)):
            counts = output['events']
            self.assertEqual(routed, counts['routed'])
            self.assertEqual(routed, counts['delivered'] + counts['conflicts'] + counts['refused'] + counts['dropped'])

    def test_searches_that_are_given_up_are_counted(self):
        counters, slow = self.folder / 'counters.json', 'a' * 32 + 'b'
        text = '''filter {
          grok { id => "grok" match => { "message" => "^(?<found>(a+)+)$" } }
          mutate { id => "gsub" gsub => ["message", "^(a+)+$", "short"] }
          ruby { id => "ruby" code => "2.times { begin; event.get('message') =~ /^(a+)+$/; rescue; end }; 'a' * 3 =~ /a/" }
          if [message] =~ /^(a+)+$/ or [message] == "short" { mutate { id => "if" add_tag => ["short"] } }
        } output { stdout { codec => json_lines } }'''
        millrace = self.run_to_end('-e', text, '--counters', counters, '--regex.match_limit', 5000, '-w', 1,
                                   stdin=f'{slow}\naaa\n{slow}\n'.encode())
        events = millrace.json_lines()
        self.assertEqual([['_groktimeout', '_mutate_error'], ['short'], ['_groktimeout', '_mutate_error']],
                         [event['tags'] for event in events])
        main = json.loads(counters.read_text())['pipelines']['main']
        self.assertEqual({'grok': 2, 'gsub': 2, 'ruby': 4, 'if': 0},
                         {plugin['id']: plugin['events']['match_limits'] for plugin in main['plugins']['filters']})
        self.assertEqual(2, main['events']['condition_match_limits'])

    def test_a_search_without_end_is_given_up_in_time(self):
        """Each of these would take minutes; the rest of the event's way is as ever."""
        text = '''filter {
          mutate { id => "gsub" gsub => ["message", "a(?=.*\\d)", "_"] }
          grok { id => "grok" match => { "message" => "a(?=.*\\d)" } }
          kv { id => "kv" value_split_pattern => "=+" target => "pairs" }
          if [message] =~ /a(?=.*\\d)/ { mutate { add_tag => ["matched"] } }
          mutate { gsub => ["message", ".(?m:.*)", "short"] }
        } output { stdout { codec => json_lines } }'''
        lines = ('a' * 200000, 'k=v ' + '=' * 200000, 'short')
        millrace = self.run_to_end('-e', text, '--regex.timeout', '20 ms', '-w', 1, stdin='\n'.join(lines).encode())
        events = millrace.json_lines()
        self.assertEqual(['short'] * 3, [event['message'] for event in events])
        self.assertEqual([['_mutate_error', '_groktimeout'],
                          ['_grokparsefailure', '_kv_filter_timeout'], ['_grokparsefailure']],
                         [event['tags'] for event in events])
        for plugin in ('gsub', 'grok', 'kv'):
            self.assertEqual(1, sum(f'[{plugin}] a search took more than' in line for line in millrace.stderr.splitlines()))

    def test_limits_of_searches_are_settings_of_a_pipeline(self):
        self.write('settings/pipelines.yml', '''
- pipeline.id: deep
  config.string: 'input { generator { message => "@" count => 1 } } filter { grok { match => { "message" => "^(?:a|b)*c" } } }
                  output { stdout { codec => line { format => "deep %{tags}" } } }'
- pipeline.id: flat
  regex.jit_stack: 32kb
  regex.heap_limit: 64kb
  config.string: 'input { generator { message => "@" count => 1 } } filter { grok { match => { "message" => "^(?:a|b)*c" } } }
                  output { stdout { codec => line { format => "flat %{tags}" } } }'
'''.replace('@', 'a' * 20000 + 'c'))
        millrace = self.run_to_end('--path.settings', self.folder / 'settings')
        self.assertEqual(['deep %{tags}', 'flat _groktimeout'], sorted(millrace.stdout.split('\n'))[1:])

    def test_sigusr1_reports_and_sigterm_ends(self):
        millrace = self.start('-e', ENDLESS)
        millrace.wait_for_log('pipeline started')
        millrace.signal(signal.SIGUSR1)
        report = json.loads(millrace.wait_for_log(r'(?m)^(\{"pipelines".*)$').group(1))
        self.assertIn('generator', [plugin['name'] for plugin in report['pipelines']['main']['plugins']['inputs']])
        self.assertEqual(0, millrace.stop())
        self.assertRegex(millrace.stderr, r'pipeline stopped.*events_in=\d+')

    def test_a_hang_up_does_not_end_it(self):
        millrace = self.start('-e', 'input { generator { lines => ["x"] } } output { null {} }')
        millrace.wait_for_log('pipeline started')
        for count in (1, 2):
            millrace.signal(signal.SIGHUP)
            millrace.wait_for(lambda: millrace.stderr.count('nothing has changed in the pipelines') == count, 'a line for each')
        self.assertEqual(0, millrace.stop())
        self.assertRegex(millrace.stderr, r'pipeline stopped.*events_in=\d+')

    def test_a_second_signal_ends_at_once(self):
        text = 'input { generator { } } output { elasticsearch { hosts => ["127.0.0.1:@PORT@"] } }'
        millrace = self.start('-e', support.fill(text, PORT=support.free_port()))
        millrace.wait_for_log('pipeline started')
        millrace.signal(signal.SIGTERM)
        millrace.wait_for_log(r'stopping: delivering \d+ events?, up to 30 s; signal again to quit now signal=SIGTERM')
        millrace.signal(signal.SIGTERM)
        self.assertEqual(128 + signal.SIGTERM, millrace.wait())
        self.assertRegex(millrace.stderr, r'quitting now signal=SIGTERM\n.*\d+ events? (was|were) not delivered; sources that can')

    def test_a_signal_at_the_very_end_changes_nothing(self):
        """The counters are the last that is written: into a fifo they wait for whoever reads them."""
        os.mkfifo(self.folder / 'counters')
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(number):
                millrace = self.start('-e', 'input { generator { count => 1 } } output { null {} }', '--counters',
                                      self.folder / 'counters')
                port = int(millrace.wait_for_log(r'monitoring API listens address=127.0.0.1:(\d+)').group(1))
                millrace.wait_for(lambda: not support.is_listening(port), 'all to be closed')
                millrace.wait_for(lambda: pathlib.Path(f'/proc/{millrace.pid}/stat').read_text().split()[2] == 'S', 'it to wait')
                millrace.signal(number)
                read = subprocess.run(['timeout', '20', 'cat', self.folder / 'counters'], stdout=subprocess.PIPE)
                self.assertEqual(0, millrace.wait())
                self.assertIn('pipelines', json.loads(read.stdout))

    def test_two_signals_at_the_same_moment_are_one_wish(self):
        millrace = self.start('-e', ENDLESS)
        millrace.wait_for_log('pipeline started')
        for _ in range(2):
            os.kill(millrace.pid, signal.SIGTERM)
        self.assertEqual(0, millrace.wait())
        self.assertIn('pipeline stopped', millrace.stderr)
        self.assertNotIn('quitting', millrace.stderr)

    def test_a_line_now_and_then_says_what_happens(self):
        text = ('input { generator { message => "x" count => 5 } stdin { } } '
                'output { null { } elasticsearch { id => "far" hosts => ["127.0.0.1:@PORT@"] } }')
        millrace = self.start('-e', support.fill(text, PORT=support.free_port()), '--log.progress', '50 ms',
                              '--shutdown.timeout', '0', stdin=True)
        millrace.wait_for_log(r'\[INFO \]\[millrace\] events so far pipeline=main in=5 out=5 per_second=\S+ in_flight=5 '
                              r'slowest_output=far waiting_there=5')
        millrace.stop()

    def test_no_such_line_when_nobody_wants_it(self):
        silent = self.run_to_end('-e', 'input { generator { count => 1000 } } output { null { } }', '--log.progress', '0')
        self.assertNotIn('events so far', silent.stderr)

    def test_the_timeout_says_what_is_left(self):
        text = 'input { generator { } } output { elasticsearch { hosts => ["127.0.0.1:@PORT@"] } }'
        millrace = self.start('-e', support.fill(text, PORT=support.free_port()), '--shutdown.timeout', '0.5')
        millrace.wait_for_log('pipeline started')
        self.assertEqual(0, millrace.stop())
        self.assertRegex(millrace.stderr, r'\d+ events were not delivered; sources that can will send them again pipeline=main events=[1-9]')


class MereCheck(support.Case):
    BROKEN = ('mutate { gsub => [ "a", "(", "b" ] }', 'prune { whitelist_names => [ "(" ] }', 'prune { blacklist_values => { "a" => "(" } }',
              'translate { source => "a" target => "b" regex => true dictionary => { "(" => "x" } }')

    def test_it_finds_what_a_start_would_find(self):
        for text in self.BROKEN:
            with self.subTest(text):
                millrace = self.run_to_end('-t', '-e', f'filter {{ {text} }}', status=1)
                self.assertIn('unmatched parenthesis', millrace.stderr)

    def test_it_finds_all_of_them(self):
        millrace = self.run_to_end('-t', '-e', f'filter {{ {" ".join(self.BROKEN)} }}', status=1)
        self.assertEqual(len(self.BROKEN), millrace.stderr.count('unmatched parenthesis'))


if __name__ == '__main__':
    unittest.main()
