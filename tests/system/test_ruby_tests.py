# SPDX-License-Identifier: Apache-2.0
"""The tests in a script file of a ruby filter run when the pipeline is checked: -t shows them, a failing one refuses the start."""
import unittest

import support

SCRIPT = '''
def register(params)
  @by = params['by']
end

def filter(event)
  event.set('n', event.get('n') * @by)
  [event]
end

test 'three times' do
  parameters { { 'by' => 3 } }
  in_event { { 'n' => 2 } }
  expect('one event') { |events| events.size == 1 }
  expect('six') { |events| events.first.get('n') == %d }
end
'''


class ScriptTests(support.Case):
    def run_script(self, expected, *arguments, **options):
        self.script = self.write('script.rb', SCRIPT % expected)
        path = self.write('pipeline.conf', f'''input {{ stdin {{ codec => json_lines }} }}
filter {{
  ruby {{ path => "{self.script}" script_params => {{ by => 10 }} }}
}}
output {{ stdout {{ codec => json_lines }} }}
''')
        return self.run_to_end('-f', path, *arguments, **options)

    def passed(self, millrace):
        return [line for line in millrace.stderr.splitlines() if 'tests of the script file passed' in line]

    def test_checking_runs_them(self):
        millrace = self.run_script(6, '-t')
        self.assertIn('Configuration OK', millrace.stdout)
        line, = self.passed(millrace)
        self.assertIn(f'file={self.script} tests=1 expectations=2', line)

    def test_they_run_once_for_all_lanes_and_touch_no_event(self):
        millrace = self.run_script(6, '-w', '2', stdin=b'{"n":1}\n')
        self.assertEqual([10], [event['n'] for event in millrace.json_lines()])
        self.assertEqual(1, len(self.passed(millrace)), millrace.stderr)

    def test_a_failing_one_refuses_the_pipeline_in_one_line(self):
        for arguments in ('-t',), ():
            millrace = self.run_script(7, *arguments, stdin=b'{"n":1}\n', status=1)
            self.assertEqual('', millrace.stdout)
            line = millrace.stderr.splitlines()[0]
            self.assertIn("pipeline.conf:3:18: error: filter 'ruby'", line)
            self.assertIn(f"'{self.script}': 1 of 2 expectations failed: test 'three times', 'six'", line)

    def test_what_came_out_is_in_the_log_at_debug_only(self):
        self.assertNotIn(r'n\" => 6', self.run_script(7, '-t', status=1).stderr)
        self.assertIn(r'n\" => 6', self.run_script(7, '-t', '--log.level', 'debug', status=1).stderr)


if __name__ == '__main__':
    unittest.main()
