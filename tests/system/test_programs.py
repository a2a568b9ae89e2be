# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs that run programs: exec and pipe."""
import json
import os
import pathlib
import signal

import support

OFF, ON = 'ecs_compatibility => disabled', 'ecs_compatibility => v8'


class ProgramCase(support.Case):
    def read(self, plugin, options, count, more=''):
        """The first events of an input, with their metadata; millrace runs on."""
        self.counters_path = self.folder / 'counters'
        copy = 'filter { mutate { copy => { "@metadata" => "meta" } } }'
        self.millrace = self.start('-w', '1', '-e', f'input {{ {plugin} {{ {options} }} }} {copy} {more} '
                                   'output { stdout { codec => json_lines } }', '--counters', self.counters_path)
        return self.events(count)

    def events(self, count):
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= count, f'{count} events', 20)
        return [json.loads(line) for line in self.millrace.stdout.split('\n')[:count]]

    def counted(self, kind='inputs'):
        self.assertEqual(0, self.millrace.stop())
        return json.loads(self.counters_path.read_text())['pipelines']['main']['plugins'][kind][0]['events']


class ExecInput(ProgramCase):
    def test_the_whole_output_is_an_event(self):
        event = self.read('exec', f'{OFF} command => "printf \'a\\nb\\n\'; exit 3" interval => 3600', 1)[0]
        self.assertEqual('a\nb\n', event['message'])
        self.assertEqual("printf 'a\\nb\\n'; exit 3", event['command'])
        self.assertEqual(os.uname().nodename, event['host'])
        self.assertEqual(3, event['meta']['exit_status'])
        self.assertIsInstance(event['meta']['duration'], float)

    def test_ecs(self):
        event = self.read('exec', f'{ON} command => "echo x" interval => 3600', 1)[0]
        self.assertEqual({'command_line': 'echo x', 'exit_code': 0}, event['process'])
        self.assertEqual({'name': os.uname().nodename}, event['host'])
        self.assertIsInstance(event['meta']['input']['exec']['process']['elapsed_time'], int)
        self.assertEqual({'original': 'x\n'}, event['event'])

    def test_no_output_is_an_event_without_text(self):
        self.assertEqual('', self.read('exec', f'{OFF} command => "true" interval => 3600', 1)[0]['message'])

    def test_a_signal_ends_it(self):
        event = self.read('exec', f'{OFF} command => "kill -9 $$" interval => 3600', 1)[0]
        self.assertEqual(128 + 9, event['meta']['exit_status'])

    def test_words_without_a_shell(self):
        program = self.write('program', '#!/bin/sh\necho "$#" "$1" "$2"; ps -o comm= -p $PPID\n')
        program.chmod(0o755)
        text = self.read('exec', f'{OFF} command => "{program} one  two" interval => 3600', 1)[0]['message']
        self.assertEqual('2 one two\nmillrace\n', text)

    def test_what_cannot_be_started_makes_no_event(self):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-e', 'input { exec { command => "/no/such/program" interval => 0.05 } } output { stdout { } }',
                                   '--counters', self.counters_path)
        self.millrace.wait_for(lambda: self.millrace.stderr.count("cannot start '/no/such/program'") > 2, 'three attempts')
        counted = self.counted()
        self.assertEqual(0, counted['out'])
        self.assertEqual(counted['runs'], counted['runs_failed'])

    def test_again_and_again(self):
        events = self.read('exec', f'{OFF} command => "echo x" interval => 0.02 codec => line', 5)
        self.assertEqual(['x'] * 5, [event['message'] for event in events])

    def test_a_last_line_belongs_to_its_run(self):
        events = self.read('exec', f'{OFF} command => "printf x" interval => 0.02 codec => line', 3)
        self.assertEqual(['x'] * 3, [event['message'] for event in events])

    def test_longer_than_the_interval(self):
        events = self.read('exec', f'{OFF} command => "sleep 0.1; echo x" interval => 0.01', 3)
        self.assertEqual(['x\n'] * 3, [event['message'] for event in events])
        self.millrace.wait_for_log('ran longer than to its next time')
        counted = self.counted()
        self.assertIn(counted['runs'] - counted['out'], (0, 1))

    def test_cron(self):
        events = self.read('exec', f'{OFF} command => "date +%s.%N" schedule => "* * * * * * UTC"', 2)
        first, second = (float(event['message']) for event in events)
        self.assertEqual(1, int(second) - int(first))

    def test_too_much_output(self):
        event = self.read('exec', f'{OFF} command => "yes xxxxxxxxx | head -c 5000000" interval => 3600 max_output_bytes => 1000', 1)[0]
        self.assertEqual('xxxxxxxxx\n' * 100, event['message'])
        self.millrace.wait_for_log('more than max_output_bytes')
        self.assertEqual(1, self.counted()['runs_cut'])

    def test_a_command_ends_with_its_group_when_we_stop(self):
        pids = self.folder / 'pids'
        self.millrace = self.start('-e', f'input {{ exec {{ command => "sleep 600 & echo $! > {pids}.new; mv {pids}.new {pids}; '
                                   'wait" interval => 1 } } output { stdout { } }')
        self.millrace.wait_for(pids.exists, 'the command')
        pid = int(pids.read_text())
        self.assertEqual(0, self.millrace.stop())
        support.wait_until(lambda: not is_alive(pid), 'the end of sleep')

    def test_options(self):
        for options, said in (('', 'interval or schedule'), ('interval => 1 schedule => "* * * * *"', 'interval or schedule'),
                              ('schedule => "61 * * * *"', "'61' cannot be minutes")):
            millrace = self.run_to_end('-t', '-e', f'input {{ exec {{ command => "true" {options} }} }} output {{ null {{ }} }}',
                                       status=1)
            self.assertIn(said, millrace.stderr)


def is_alive(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


class PipeInput(ProgramCase):
    def test_each_line_is_an_event(self):
        events = self.read('pipe', f'{OFF} command => "printf \'one\\ntwo\\r\\n\\nlast\'"', 4)
        self.assertEqual(['one', 'two', '', 'last'], [event['message'] for event in events])
        self.assertEqual({os.uname().nodename}, {event['host'] for event in events})
        self.assertEqual({"printf 'one\\ntwo\\r\\n\\nlast'"}, {event['command'] for event in events})
        self.millrace.wait_for_log('the command ended and is started again .*status=0 after_s=10')

    def test_ecs(self):
        event = self.read('pipe', f'{ON} command => "echo x"', 1)[0]
        self.assertEqual({'command_line': 'echo x'}, event['process'])

    def test_lines_come_when_they_are_written(self):
        self.read('pipe', f'{OFF} command => "echo now; sleep 600"', 1)
        self.assertEqual(0, self.millrace.stop())

    def test_many_lines_whatever_the_pieces(self):
        count = 200000
        events = self.read('pipe', f'{OFF} command => "seq {count}"', count)
        self.assertEqual([str(n + 1) for n in range(count)], [event['message'] for event in events])

    def test_it_is_started_again(self):
        events = self.read('pipe', f'{OFF} command => "echo $$"', 2)
        self.assertNotEqual(events[0]['message'], events[1]['message'])

    def test_what_cannot_be_started(self):
        millrace = self.start('-e', 'input { pipe { command => "/no/such/program" } } output { stdout { } }')
        millrace.wait_for_log("cannot start '/no/such/program'.*next_try_in_s=10")
        self.assertEqual(0, millrace.stop())


class OutputCase(ProgramCase):
    def run_with(self, options, lines, kind='exec'):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} output {{ {kind} {{ {options} }} }}',
                                        '--counters', self.counters_path, stdin=lines)
        return json.loads(self.counters_path.read_text())['pipelines']['main']['plugins']['outputs'][0]['events']


class ExecOutput(OutputCase):
    def test_a_command_for_each_event(self):
        out = self.folder / 'out'
        counted = self.run_with(f'command => "echo %{{n}} >> {out}; echo noise"', b'{"n":1}\n{"n":2}\n{"n":3}\n')
        self.assertEqual('1\n2\n3\n', out.read_text())
        self.assertEqual(3, counted['delivered'])
        self.assertEqual('', self.millrace.stdout)
        self.assertNotIn('noise', self.millrace.stderr)

    def test_an_exit_status_is_said_and_says_nothing_about_the_event(self):
        counted = self.run_with('command => "exit %{n}"', b'{"n":1}\n{"n":0}\n')
        self.assertEqual((2, 1), (counted['delivered'], counted['runs_failed']))
        self.assertIn('the command ended with an error status=1', self.millrace.stderr)

    def test_a_command_that_cannot_be(self):
        counted = self.run_with('command => "true %{n}"', b'{"n":"\\u0000"}\n{"n":"%s"}\n{"n":1}\n' % (b'x' * 200000))
        self.assertEqual((1, 2), (counted['delivered'], counted['refused']))


class PipeOutput(OutputCase):
    def test_a_line_for_each_event(self):
        out = self.folder / 'out'
        counted = self.run_with(f'command => ["/bin/sh", "-c", "cat > {out}"] message_format => "%{{n}}"',
                                b''.join(b'{"n":%d}\n' % n for n in range(5000)), 'pipe')
        support.wait_until(lambda: out.exists() and out.read_text().count('\n') == 5000, '5000 lines')
        self.assertEqual(''.join(f'{n}\n' for n in range(5000)), out.read_text())
        self.assertEqual(5000, counted['delivered'])

    def test_a_program_for_each_command(self):
        out = self.folder / 'out'
        self.run_with(f'command => ["tee", "-a", "{out}-%{{k}}"]', b'{"k":"a"}\n{"k":"b"}\n{"k":"a","n":2}\n', 'pipe')
        one, two = self.folder / 'out-a', self.folder / 'out-b'
        support.wait_until(lambda: one.exists() and two.exists() and one.read_text().count('\n') == 2 and
                           two.read_text().count('\n') == 1, 'the lines of both')
        self.assertEqual([None, 2], [json.loads(line).get('n') for line in one.read_text().splitlines()])

    def test_a_command_that_cannot_be(self):
        millrace = self.run_to_end('-t', '-e', 'input { stdin { } } output { pipe { command => "cat > file" } }', status=1)
        self.assertIn("command 'cat > file' is no program", millrace.stderr)
        millrace = self.start('-e', 'input { generator { count => 1 } } output { pipe { command => ["/no/such/program"] } }')
        millrace.wait_for_log('cannot be started, trying again .*/no/such/program')

    def test_a_program_that_ends_is_started_again(self):
        out = self.folder / 'out'
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-w', '1', '-e', 'input { stdin { codec => json_lines } } output { pipe { '
                                   f'command => ["/bin/sh", "-c", "echo $$ >> {out}.pids; cat >> {out}"] message_format => "%{{n}}" }} }}',
                                   '--counters', self.counters_path, stdin=True)
        pids = pathlib.Path(f'{out}.pids')
        self.feed(b'{"n":1}\n')
        support.wait_until(lambda: out.exists() and out.read_text() == '1\n', 'the first line')
        first = int(pids.read_text())
        os.kill(-first, signal.SIGKILL)
        self.millrace.wait_for_log('the program ended with an error')
        self.feed(b'{"n":2}\n')
        support.wait_until(lambda: out.read_text() == '1\n2\n', 'the second line')
        self.assertEqual(2, pids.read_text().count('\n'))

    def feed(self, line):
        self.millrace.child.stdin.write(line)
        self.millrace.child.stdin.flush()

    def test_a_program_without_events_for_ttl_is_let_go(self):
        out = self.folder / 'out'
        self.millrace = self.start('-w', '1', '-e', 'input { stdin { codec => json_lines } } output { pipe { ttl => 0.2 '
                                   f'command => ["/bin/sh", "-c", "cat > {out}; echo over >> {out}"] }} }}', stdin=True)
        self.feed(b'{"n":1}\n')
        support.wait_until(lambda: out.exists() and out.read_text().endswith('over\n'), 'the end of the program')
        self.assertTrue(self.millrace.is_running())


if __name__ == '__main__':
    support.unittest.main()
