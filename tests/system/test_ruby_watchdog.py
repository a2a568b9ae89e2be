# SPDX-License-Identifier: Apache-2.0
"""A Ruby script that does not return is named in the log, counted, and seen in the pipeline's health."""
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

    def test_each_run_that_takes_too_long_is_named_once(self):
        millrace = self.run_text(SLOW, stdin=b'slow\nquick\nslow\n')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(3, len(millrace.json_lines()))
        stuck = [line for line in millrace.stderr.splitlines() if 'has not returned' in line]
        returned = [line for line in millrace.stderr.splitlines() if 'has returned' in line]
        self.assertEqual((2, 2), (len(stuck), len(returned)), millrace.stderr)
        self.assertRegex(stuck[0], r'\[ERROR\]\[dozing\] .*pipeline\.conf line=4 seconds=\d')
        self.assertRegex(returned[0], r'\[dozing\] .*seconds=\d')
        self.assertEqual(({'status': 'green'}, 0, 2), self.counters())

    def test_zero_means_any_time(self):
        millrace = self.run_text(SLOW, '0', stdin=b'slow\n')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertNotIn('has not returned', millrace.stderr)
        self.assertEqual(({'status': 'green'}, 0, 0), self.counters())

    def test_a_script_that_never_returns_is_named_while_it_runs(self):
        millrace = self.run_text(FOREVER, stdin=b'one\n')
        millrace.wait_for_log('dozing.* has not returned')
        time.sleep(0.5)  # two timeouts more
        self.assertEqual(1, millrace.stderr.count('has not returned'))
        self.assertTrue(millrace.is_running())
        millrace.kill()
        self.assertEqual('', millrace.stdout)

    def test_one_that_never_returns_while_it_is_loaded(self):
        path = self.write('pipeline.conf', 'filter { ruby { id => "asleep" init => "while true; end" code => "1"'
                          ' script_timeout => 0.1 } }')
        millrace = self.start('-f', path)
        millrace.wait_for_log('asleep.* has not returned')
        millrace.kill()


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
