# SPDX-License-Identifier: Apache-2.0
"""Standard input and output, the file output and the generator, with codecs, in a running pipeline."""
import gzip
import os
import subprocess
import unittest

import support


class StandardInput(support.Case):
    def run_text(self, text, data, *flags):
        millrace = self.start('--pipeline.ecs_compatibility', 'disabled', '-w', '1', *flags, '-e', text, stdin=data)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        return millrace

    def test_a_last_line_without_its_end_is_an_event(self):
        millrace = self.run_text('input { stdin {} } output { stdout { codec => line { format => "%{message}" } } }', b'one\ntwo')
        self.assertEqual('one\ntwo\n', millrace.stdout)

    def test_reads_a_file(self):
        lines = [f'line {number}' for number in range(50000)]
        (self.folder / 'in').write_text('\n'.join(lines))
        with open(self.folder / 'in', 'rb') as source, open(self.folder / 'out', 'wb') as target:
            status = subprocess.run([support.BINARY, '-w', '1', '--log.level', 'error', '-e',
                                     'input { stdin {} } output { stdout { codec => line { format => "%{message}" } } }'],
                                    stdin=source, stdout=target, check=False).returncode
        self.assertEqual(0, status)
        self.assertEqual(lines, (self.folder / 'out').read_text().splitlines())

    def test_a_line_over_the_limit_is_said_in_the_log(self):
        for codec, tag in (('line', '_linetoolong'), ('json_lines', '_jsonparsetoobigfailure')):
            millrace = self.run_text('input { stdin { codec => %s } } output { stdout { codec => json_lines } }' % codec,
                                     b'{"a":"' + b'x' * 9000000 + b'\n' + b'y' * 9000000 + b'\n{"a":1}\n')
            self.assertEqual([[tag], [tag], None], [event.get('tags') for event in millrace.json_lines()])
            said = [line for line in millrace.stderr.splitlines() if 'longer than the limit' in line]
            self.assertEqual(1, len(said), millrace.stderr)
            self.assertIn('max_bytes=8388608', said[0])

    def test_a_line_is_shown_before_the_next_one_comes(self):
        millrace = self.start('-e', 'input { stdin {} } output { stdout { codec => line { format => "%{message}" } } }',
                              stdin=subprocess.PIPE)
        for line in ('first', 'second'):
            millrace.child.stdin.write(line.encode() + b'\n')
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: line in millrace.stdout, line)
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())

    def test_a_slow_reader_gets_every_event(self):
        lines = [f'line {number} ' + 'x' * 200 for number in range(20000)]
        reader, writer = os.pipe()
        with open(self.folder / 'in', 'w', encoding='ascii') as source:
            source.write('\n'.join(lines))
        with open(self.folder / 'in', 'rb') as source:
            child = subprocess.Popen([support.BINARY, '-w', '1', '--log.level', 'error', '-e', 'input { stdin {} } '
                                      'output { stdout { codec => line { format => "%{message}" } } }'],
                                     stdin=source, stdout=writer)
        os.close(writer)
        with os.fdopen(reader, 'rb') as output:
            received = output.read(100000)
            received += output.read()
        self.assertEqual(0, child.wait(30))
        self.assertEqual(lines, received.decode().splitlines())

    def test_a_reader_that_goes_away_is_named_once(self):
        text = 'input { stdin {} } output { stdout {} }'
        reader, writer = os.pipe()
        os.close(reader)
        child = subprocess.Popen([support.BINARY, '-e', text], stdin=subprocess.PIPE, stdout=writer,
                                 stderr=subprocess.PIPE)
        os.close(writer)
        _, stderr = child.communicate(b'one\ntwo\n', timeout=30)
        self.assertEqual(1, child.returncode)
        self.assertEqual(1, stderr.count(b'cannot write standard output'), stderr)

    def test_rubydebug_is_the_default_of_stdout(self):
        millrace = self.run_text('input { stdin { codec => json } } output { stdout {} }',
                                 b'{"@timestamp":"2024-01-02T03:04:05Z","host":"h","a":[1.5,"x"]}\n')
        self.assertEqual('{\n    "@timestamp" => 2024-01-02T03:04:05.000Z,\n          "host" => "h",\n             "a" => [\n'
                         '        [0] 1.5,\n        [1] "x"\n    ],\n      "@version" => "1"\n}\n', millrace.stdout)

    def test_multiline_is_flushed_after_its_interval(self):
        millrace = self.start('-e', r'input { stdin { codec => multiline { pattern => "^\s" what => "previous" auto_flush_interval => 0.1 } } } '
                              'output { stdout { codec => line { format => "<%{message}>" } } }', stdin=subprocess.PIPE)
        millrace.child.stdin.write(b'one\n two\n')
        millrace.child.stdin.flush()
        millrace.wait_for(lambda: '<one\n two>' in millrace.stdout, 'the pending lines')
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())

    def test_options_of_codecs_are_checked_without_running(self):
        for codec, reason in (('multiline { pattern => "(" what => "next" }', 'multiline'),
                              ('multiline { pattern => "%{NONE}" what => "next" }', 'NONE'),
                              ('line { delimiter => "" }', 'delimiter'), ('plain { charset => "KLINGON" }', 'UTF-8')):
            millrace = self.start('-t', '-e', f'input {{ stdin {{ codec => {codec} }} }}')
            self.assertEqual(1, millrace.wait(), codec)
            self.assertIn(reason, millrace.stderr)

    def test_generator_counts_rounds(self):
        millrace = self.run_text('input { generator { lines => ["a", "b"] count => 3 } } '
                                 'output { stdout { codec => line { format => "%{message}%{sequence}" } } }', b'')
        self.assertEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2'], millrace.stdout.split())


class FileOutput(support.Case):
    def begin(self, options, data):
        text = support.fill('input { stdin { codec => json } } output { file { @OPTIONS@ } }', options=options)
        return self.start('-w', '1', '-e', support.fill(text, folder=self.folder), stdin=data)

    def write(self, options, data):
        millrace = self.begin(options, data)
        self.assertEqual(0, millrace.wait(), millrace.stderr)

    def read(self, name):
        return (self.folder / name).read_text()

    def test_paths_come_from_the_event_but_stay_below_their_root(self):
        events = [b'{"n":"a","v":1}', b'{"n":"b/c","v":2}', b'{"n":"../../etc","v":3}', b'{"n":"a","v":4}', b'{"n":"..","v":5}']
        self.write('path => "@FOLDER@/logs/%{n}/out" codec => line { format => "%{v}" }', b'\n'.join(events))
        self.assertEqual('1\n4\n', self.read('logs/a/out'))
        self.assertEqual('2\n', self.read('logs/b/c/out'))
        self.assertEqual('3\n5\n', self.read('logs/_filepath_failures'))
        made = {path.name for path in self.folder.iterdir() if path.is_dir()}
        self.assertEqual({'logs'}, made - {'data'})  # data: its own path.data

    def test_a_path_may_begin_at_home_and_go_up_and_down(self):
        for path in ('./here/%{n}', f'{self.folder}/x/../up/%{{n}}', f'{self.folder}//slashes/./%{{n}}', '~/%{n}', '~/plain'):
            text = f'input {{ stdin {{ codec => json }} }} output {{ file {{ path => "{path}" codec => plain }} }}'
            self.run_to_end('-w', '1', '-e', text, stdin=b'{"n":"a"}', env={'HOME': str(self.folder / 'home')})
        made = {str(path.relative_to(self.folder)) for path in self.folder.glob('*/*') if path.is_file()}
        self.assertLessEqual({'here/a', 'up/a', 'slashes/a', 'home/a', 'home/plain'}, made)

    def test_gzip_is_whole_and_appends(self):
        for part in (b'{"v":1}\n{"v":2}', b'{"v":3}'):
            self.write('path => "@FOLDER@/out.gz" gzip => true codec => line { format => "%{v}" }', part)
        self.assertEqual(b'1\n2\n3\n', gzip.decompress((self.folder / 'out.gz').read_bytes()))

    def test_a_line_that_was_cut_is_ended_first(self):
        (self.folder / 'out').write_text('whole\ncu')
        self.write('path => "@FOLDER@/out" codec => line { format => "%{v}" }', b'{"v":1}')
        self.assertEqual('whole\ncu\n1\n', self.read('out'))
        (self.folder / 'out').write_text('text')
        self.write('path => "@FOLDER@/out" codec => plain { format => "%{v}" }', b'{"v":1}')
        self.assertEqual('text1', self.read('out'))

    def test_modes_of_what_is_made(self):
        self.write('path => "@FOLDER@/new/out" dir_mode => 0750 file_mode => "0604"', b'{}')
        self.assertEqual(0o604, (self.folder / 'new/out').stat().st_mode & 0o777)
        self.assertEqual(0, (self.folder / 'new').stat().st_mode & 0o027)

    def test_overwrite_keeps_the_last_event(self):
        self.write('path => "@FOLDER@/out" write_behavior => "overwrite" codec => line { format => "%{v}" }',
                   b'{"v":"a long one"}\n{"v":2}')
        self.assertEqual('2\n', self.read('out'))

    def test_a_deleted_file_is_made_again(self):
        millrace = self.begin('path => "@FOLDER@/out" codec => line { format => "%{v}" }', subprocess.PIPE)
        for number in (1, 2):
            millrace.child.stdin.write(b'{"v":%d}\n' % number)
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: (self.folder / 'out').exists() and self.read('out') == f'{number}\n', 'the event')
            (self.folder / 'out').unlink()
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())

    def test_a_path_without_a_fixed_root_is_refused(self):
        millrace = self.begin('path => "/%{n}/out"', b'')
        self.assertEqual(1, millrace.wait())
        self.assertIn('placeholder', millrace.stderr)

    def test_a_file_that_cannot_be_made_holds_events_back(self):
        (self.folder / 'taken').write_text('a file, not a directory')
        millrace = self.begin('path => "@FOLDER@/taken/out" codec => line { format => "%{v}" }', b'{"v":1}')
        millrace.wait_for_log('cannot (make|open)|not a directory')
        (self.folder / 'taken').unlink()
        self.assertEqual(0, millrace.wait())
        self.assertEqual('1\n', self.read('taken/out'))


if __name__ == '__main__':
    unittest.main()
