# SPDX-License-Identifier: Apache-2.0
"""The stdin input when standard input is a file, which cannot be polled."""
import support

PIPELINE = 'input { stdin { codec => json_lines } } output { stdout { codec => json_lines } }'


class File(support.Case):
    def read(self, content):
        path = self.write('input', content)
        return self.run_to_end('-w', '1', '-e', PIPELINE, prefix=('sh', '-c', 'exec "$@" <"$0"', path)).json_lines()

    def test_every_line_is_an_event(self):
        lines = ''.join(f'{{"n":{n},"text":"{"x" * 100}"}}\n' for n in range(20000))
        self.assertEqual(list(range(20000)), [event['n'] for event in self.read(lines)])

    def test_an_empty_file(self):
        self.assertEqual([], self.read(''))

    def test_a_last_line_without_its_end(self):
        self.assertEqual([1, 2], [event['n'] for event in self.read('{"n":1}\n{"n":2}')])


class Closed(support.Case):
    """Standard descriptors that are not open: what does not need them runs, what does says so."""
    COUNT = 'input { generator { count => 3 } } output { @OUTPUT@ }'

    def closed(self, which, *arguments, status, **options):
        return self.run_to_end(*arguments, status=status, **options, prefix=('bash', '-c', f'exec "$@" {which}', 'bash'))

    def test_standard_output(self):
        for which in ('>&-', '<&- >&-'):
            with self.subTest(which):
                millrace = self.closed(which, '-e', support.fill(self.COUNT, output='stdout { }'), status=1)
                self.assertIn('standard output is not open', millrace.stderr)

    def test_standard_input(self):
        for which in ('<&-', '<&- >&-'):
            with self.subTest(which):
                millrace = self.closed(which, '-e', 'input { stdin { } } output { null { } }', status=1)
                self.assertIn('standard input is not open', millrace.stderr)

    def test_all_that_is_not_needed(self):
        for which in ('<&-', '>&-', '2>&-', '<&- >&- 2>&-', '<&- 2>&-', '>&- 2>&-'):
            with self.subTest(which):
                out = self.folder / 'out'
                output = f'file {{ path => "{out}" codec => line }}'
                self.closed(which, '-e', support.fill(self.COUNT, output=output), status=0)
                self.assertEqual(3, len(out.read_text().splitlines()))
                out.unlink()

    def test_other_commands(self):
        self.closed('<&- 2>&-', 'plugins', status=0, data=False)
        self.closed('<&-', 'generate', '--count', '3', status=0, data=False)


class ReaderGone(support.Case):
    """Nobody reads standard output any more: the pipeline ends, and no event is taken as delivered."""

    def test_the_pipeline_ends(self):
        millrace = self.start('-e', PIPELINE, stdin=True,
                              prefix=('bash', '-c', 'set -o pipefail; "$@" | head -n 1', 'bash'))
        for n in range(1000):
            try:
                millrace.child.stdin.write(b'{"n":%d}\n' % n)
                millrace.child.stdin.flush()
            except BrokenPipeError:
                break
            if not millrace.is_running():
                break
            support.time.sleep(support.POLL_SECONDS)
        self.assertEqual(1, millrace.wait())
        self.assertEqual(1, len(millrace.json_lines()))  # which of them: batches of two lanes are in no order
        self.assertEqual(1, millrace.stderr.count('cannot write standard output, the pipeline ends'), millrace.stderr)

    def test_what_was_not_written_is_read_again(self):
        count, counters = 20000, self.folder / 'counters'
        lines = self.write('lines', ''.join(f'line {n}\n' for n in range(count)))
        pipeline = (f'input {{ file {{ path => "{lines}" mode => "tail" start_position => "beginning" '
                    f'sincedb_path => "{self.folder}/sincedb" exit_after_read => false }} }} '
                    'output { stdout { codec => json_lines } }')
        self.run_to_end('-e', pipeline, '--counters', counters, status=1,
                        prefix=('bash', '-c', 'set -o pipefail; "$@" | head -n 1', 'bash'))
        first = support.json.loads(counters.read_text())['pipelines']['main']['events']['out']
        self.assertLess(first, count)
        second = self.start('-e', pipeline)
        last = f'"line {count - 1}"'
        second.wait_for(lambda: last in second.stdout, 'the last line', 30)
        second.stop()
        self.assertGreaterEqual(first + len(second.json_lines()), count)


if __name__ == '__main__':
    support.unittest.main()
