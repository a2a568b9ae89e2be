# SPDX-License-Identifier: Apache-2.0
"""A Ruby script that does not return is ended: named in the log, counted, its event tagged; SIGTERM always works."""
import json
import signal
import time
import unittest

import lumberjack
import support
from beats import BeatsCase

SLOW = "t = Time.now; while Time.now - t < 1.5; end if event.get('message') == 'slow'"
FOREVER = "while true; end"


def filter_of(code, timeout='0.2'):
    return f'''filter {{
  ruby {{ id => "quick" code => "event.set('a', 1)" }}
  ruby {{ id => "dozing" code => "{code}" script_timeout => {timeout} }}
}}
'''


class OneLane(support.Case):
    """The main loop is what the script blocks: the watchdog has to speak for itself."""

    def run_text(self, code, timeout='0.2', **options):
        path = self.write('pipeline.conf', 'input { stdin { codec => line } }\n' + filter_of(code, timeout) +
                          'output { stdout { codec => json_lines } }\n')
        return self.start('-f', path, '-w', '1', '--counters', self.folder / 'counters.json', **options)

    def counters(self):
        pipeline = json.loads((self.folder / 'counters.json').read_text())['pipelines']['main']
        events = {plugin['id']: plugin['events'] for plugin in pipeline['plugins']['filters']}
        return pipeline['health'], events['quick']['script_timeouts'], events['dozing']['script_timeouts']

    def test_each_run_that_takes_too_long_is_ended(self):
        millrace = self.run_text(SLOW, stdin=b'slow\nquick\nslow\n')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        events = {event['message']: event.get('tags') for event in millrace.json_lines()}
        self.assertEqual({'slow': ['_rubyexception'], 'quick': None}, events)
        self.assertEqual(3, len(millrace.json_lines()))
        ended = [line for line in millrace.stderr.splitlines() if 'has not returned' in line]
        self.assertEqual(2, len(ended), millrace.stderr)
        self.assertRegex(ended[0], r'\[ERROR\]\[dozing\] .*pipeline\.conf line=4 seconds=\d')
        self.assertEqual(({'status': 'green'}, 0, 2), self.counters())

    def test_nothing_that_a_script_rescues_keeps_it(self):
        codes = ['begin; while true; end; rescue Exception; retry; end',
                 'begin; while true; end; ensure; while true; end; end',
                 'loop { begin; loop { }; rescue Exception; end }',
                 'class Sly < StandardError; def message; while true; end; end; end; raise Sly',
                 'Fiber.new { while true; end }.resume',
                 "('a' * 15000000).gsub(/a/, 'b')",
                 '[3, 1, 2].sort { while true; end }']
        for code in codes:
            with self.subTest(code):
                millrace = self.run_text(code, stdin=b'one\n')
                self.assertEqual(0, millrace.wait(), millrace.stderr)
                self.assertEqual([['_rubyexception']], [event.get('tags') for event in millrace.json_lines()])

    def test_zero_means_any_time(self):
        millrace = self.run_text(SLOW, '0', stdin=b'slow\n')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertNotIn('has not returned', millrace.stderr)
        self.assertEqual(({'status': 'green'}, 0, 0), self.counters())

    @unittest.skipIf(support.THREAD_SANITIZED, 'ThreadSanitizer keeps a signal back until the thread calls something that it knows')
    def test_a_signal_ends_a_script_that_never_returns(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            millrace = self.run_text(FOREVER + " if event.get('message') == 'one'", '0', stdin=True)
            millrace.child.stdin.write(b'zero\n')
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: 'zero' in millrace.stdout, 'the first event')
            millrace.child.stdin.write(b'one\n')
            millrace.child.stdin.flush()
            time.sleep(0.3)  # it spins by then; nothing depends on it
            millrace.signal(number)
            self.assertEqual(0, millrace.wait(), millrace.stderr)
            self.assertIn('has not returned while the pipeline stops', millrace.stderr)
            self.assertEqual(['zero', 'one'], [event['message'] for event in millrace.json_lines()])

    def test_one_that_never_returns_while_it_is_loaded(self):
        path = self.write('pipeline.conf', 'filter { ruby { id => "asleep" init => "while true; end" code => "1"'
                          ' script_timeout => 0.1 } }')
        millrace = self.start('-f', path)
        self.assertEqual(1, millrace.wait())
        self.assertRegex(millrace.stderr, 'ScriptTimeout: .*script_timeout')

    def test_one_that_cannot_be_opened_takes_nothing_with_it(self):
        script = self.write('script.rb', "def register(params)\n raise 'no'\nend\ndef filter(event)\n [event]\nend\n")
        opened = 'ruby { code => "1" } '
        for filters in ('ruby { init => "raise %q(no)" code => "1" }', f'ruby {{ path => "{script}" }}',
                        'aggregate { task_id => "%{a}" code => "1" timeout_code => "def" }',
                        opened + 'ruby { init => "raise %q(no)" code => "1" }'):
            for lanes in '12':
                with self.subTest(filters=filters, lanes=lanes):
                    millrace = self.start('-w', lanes, '-e', 'input { stdin { } } filter { ' + filters + ' }')
                    self.assertEqual(1, millrace.wait(), millrace.stderr)
                    self.assertNotIn('Assertion', millrace.stderr)


class TwoLanes(BeatsCase):
    """The main lane still serves: the health is red while the script runs on the other one."""

    def health(self):
        self.counters_path.unlink(missing_ok=True)
        self.millrace.signal(signal.SIGUSR1)
        self.millrace.wait_for(lambda: self.counters_path.exists() and self.counters_path.read_text().endswith('}\n'),
                               'the counters')
        return json.loads(self.counters_path.read_text())['pipelines']['main']['health']

    def test_the_health_is_red_meanwhile(self):
        self.serve(arguments=('-w', '2'), filters=filter_of(SLOW))
        first, second = self.client(), self.client()
        first.send(lumberjack.batch(lumberjack.messages('quick')))
        first.read_acks(1)
        second.send(lumberjack.batch(lumberjack.messages('slow')))
        red = self.millrace.wait_for(lambda: (now := self.health())['status'] == 'red' and now, 'a red health')
        self.assertIn("'dozing'", red['symptom'])
        second.read_acks(1, keepalives=True)
        self.millrace.wait_for(lambda: self.health() == {'status': 'green'}, 'a green health')


if __name__ == '__main__':
    unittest.main()
