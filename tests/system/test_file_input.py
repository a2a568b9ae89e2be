# SPDX-License-Identifier: Apache-2.0
"""The file input with real files: what is read, once and whole, through rotation, truncation and kill -9."""
import collections
import gzip
import os
import unittest

import support

PIPELINE = '''
input { file { path => "@PATH@" sincedb_path => "@FOLDER@/sincedb" stat_interval => "50 ms" discover_interval => 2 @OPTIONS@ } }
output { file { path => "@FOLDER@/out" codec => @CODEC@ } }
'''
TAIL = 'start_position => "beginning"'
READ = 'mode => "read" exit_after_read => true '
KEEP = 'file_completed_action => "log" file_completed_log_path => "@FOLDER@/completed" '


class FileInput(support.Case):
    def begin(self, options, path='*.log', codec='line { format => "%{message}" }', ecs='disabled'):
        text = support.fill(PIPELINE, path=self.folder / path, options=options, codec=codec)
        text = support.fill(text, folder=self.folder)
        return self.start('--pipeline.ecs_compatibility', ecs, '--path.data', self.folder / 'data', '-e', text)

    def append(self, name, *lines):
        with open(self.folder / name, 'a', encoding='utf-8') as file:
            file.writelines(f'{line}\n' for line in lines)

    def out(self):
        path = self.folder / 'out'
        return path.read_text('utf-8').splitlines() if path.exists() else []

    def sincedb(self):
        path = self.folder / 'sincedb'
        return [line.split(' ', 5) for line in path.read_text().splitlines()] if path.exists() else []

    def position(self):
        """That of the one file there is; None when it is not written yet."""
        records = self.sincedb()
        return int(records[0][3]) if records else None

    def wait_for_lines(self, millrace, lines):
        millrace.wait_for(lambda: sorted(self.out()) == sorted(lines) or len(self.out()) > len(lines),
                          f'{len(lines)} lines')
        self.assertEqual(sorted(lines), sorted(self.out()))

    def test_reads_files_once_and_exits(self):
        lines = [f'line {number} äöü' for number in range(5000)]
        self.append('a.log', *lines[:3000])
        self.append('b.log', *lines[3000:])
        millrace = self.begin(READ + KEEP)
        self.assertEqual(0, millrace.wait())
        self.assertEqual(sorted(lines), sorted(self.out()))
        completed = (self.folder / 'completed').read_text().splitlines()
        self.assertEqual([str(self.folder / 'a.log'), str(self.folder / 'b.log')], sorted(completed))
        again = self.begin(READ + KEEP)
        self.assertEqual(0, again.wait())
        self.assertEqual(len(lines), len(self.out()))

    def test_a_last_line_without_its_end_is_an_event(self):
        (self.folder / 'a.log').write_bytes(b'one\ntwo')
        self.assertEqual(0, self.begin(READ + KEEP).wait())
        self.assertEqual(['one', 'two'], sorted(self.out()))

    def test_completed_files_are_deleted_by_default(self):
        self.append('a.log', 'one')
        self.append('other.txt', 'left alone')
        self.assertEqual(0, self.begin(READ).wait())
        self.assertEqual(['one'], self.out())
        self.assertFalse((self.folder / 'a.log').exists())
        self.assertTrue((self.folder / 'other.txt').exists())
        self.assertEqual([], self.sincedb())

    def test_reads_what_is_not_in_memory(self):
        lines = [f'line {number:07d} ' + 'x' * 100 for number in range(20000)]
        self.append('a.log', *lines)
        with open(self.folder / 'a.log', 'rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.assertEqual(0, self.begin(READ + KEEP).wait())
        self.assertEqual(lines, sorted(self.out()))

    def test_no_file_at_all_ends_at_once(self):
        self.assertEqual(0, self.begin(READ).wait())
        self.assertEqual([], self.out())

    def test_reads_compressed_files(self):
        lines = [f'packed {number}' for number in range(20000)]
        with open(self.folder / 'a.log.gz', 'wb') as file:
            file.write(gzip.compress('\n'.join(lines[:9999]).encode() + b'\n'))
            file.write(gzip.compress('\n'.join(lines[9999:]).encode()))
        options = READ + KEEP + ' check_archive_validity => true'
        self.assertEqual(0, self.begin(options, '*.gz').wait())
        self.assertEqual(sorted(lines), sorted(self.out()))
        self.assertEqual(os.path.getsize(self.folder / 'a.log.gz'), self.position())

    def test_a_damaged_archive_is_left_alone(self):
        (self.folder / 'bad.gz').write_bytes(gzip.compress(b'lines\n' * 1000)[:-20])
        self.assertEqual(0, self.begin(READ + ' check_archive_validity => true', '*.gz').wait())
        self.assertEqual([], self.out())
        self.assertTrue((self.folder / 'bad.gz').exists())

    def test_follows_a_growing_file(self):
        self.append('a.log', 'one')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['one'])
        self.append('a.log', 'two', 'three')
        self.wait_for_lines(millrace, ['one', 'two', 'three'])
        self.append('new.log', 'four')
        self.wait_for_lines(millrace, ['one', 'two', 'three', 'four'])
        with open(self.folder / 'a.log', 'a', encoding='utf-8') as file:
            file.write('not yet ')
            file.flush()
            self.append('new.log', 'five')
            self.wait_for_lines(millrace, ['one', 'two', 'three', 'four', 'five'])
            file.write('whole\n')
        self.wait_for_lines(millrace, ['one', 'two', 'three', 'four', 'five', 'not yet whole'])

    def test_begins_at_the_end_by_default(self):
        self.append('a.log', 'old')
        millrace = self.begin('')
        millrace.wait_for(lambda: (self.folder / 'sincedb').exists(), 'the first positions')
        self.append('a.log', 'new')
        self.append('b.log', 'all of a file that came later')
        self.wait_for_lines(millrace, ['new', 'all of a file that came later'])

    def test_leaves_out_what_is_excluded(self):
        self.append('a.log', 'a')
        self.append('skip.log', 'skipped')
        self.assertEqual(0, self.begin(READ + KEEP + ' exclude => ["skip*"]').wait())
        self.assertEqual(['a'], self.out())

    def test_rotation_by_renaming_loses_nothing(self):
        expected = []
        millrace = self.begin(TAIL, path='app.log')
        for generation in range(5):
            before = f'{generation}: before'
            self.append('app.log', before)
            expected.append(before)
            self.wait_for_lines(millrace, expected)
            with open(self.folder / 'app.log', 'a', encoding='utf-8') as old:
                os.rename(self.folder / 'app.log', self.folder / f'app.log.{generation}')
                self.append('app.log', f'{generation}: in the new file')
                old.write(f'{generation}: late, in the old one\n')
            expected += [f'{generation}: in the new file', f'{generation}: late, in the old one']
            self.wait_for_lines(millrace, expected)

    def test_a_renamed_file_that_matches_still_is_not_read_again(self):
        self.append('a.log', 'one')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['one'])
        os.rename(self.folder / 'a.log', self.folder / 'b.log')
        self.append('b.log', 'two')
        self.append('a.log', 'three')
        self.wait_for_lines(millrace, ['one', 'two', 'three'])

    def test_a_truncated_file_is_read_from_its_start(self):
        self.append('a.log', *['a rather long line'] * 10)
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['a rather long line'] * 10)
        os.truncate(self.folder / 'a.log', 0)
        millrace.wait_for_log('file_truncated|was truncated')
        self.append('a.log', 'short')
        self.wait_for_lines(millrace, ['a rather long line'] * 10 + ['short'])
        millrace.wait_for(lambda: self.position() == 6, 'the new position')

    def test_stops_and_goes_on_where_it_was(self):
        self.append('a.log', 'one', 'two')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['one', 'two'])
        with open(self.folder / 'a.log', 'a', encoding='utf-8') as file:
            file.write('half')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(8, self.position())
        self.append('a.log', ' and half', 'three')
        self.wait_for_lines(self.begin(TAIL), ['one', 'two', 'half and half', 'three'])

    def test_kill_loses_nothing_and_repeats_little(self):
        lines = {f'line {number:06d} ' + 'x' * 300 for number in range(60000)}
        self.append('a.log', *sorted(lines))
        size = (self.folder / 'a.log').stat().st_size
        out = self.folder / 'out'
        for part in (1, 2, 3):
            millrace = self.begin(TAIL)
            millrace.wait_for(lambda: out.exists() and out.stat().st_size >= part * size / 4, 'a part of the lines')
            millrace.kill()
        millrace = self.begin(TAIL)
        millrace.wait_for(lambda: self.position() == size, 'the end of the file', timeout=30)
        self.assertEqual(0, millrace.stop())
        counts = collections.Counter(self.out())
        torn = counts.keys() - lines  # a write that the kill cut in two
        self.assertLessEqual(len(torn), 3)
        self.assertEqual(set(), lines - counts.keys())

    def test_another_delimiter(self):
        (self.folder / 'a.log').write_bytes(b'one;;two\nmore;;three')
        self.assertEqual(0, self.begin(READ + KEEP + ' delimiter => ";;"', codec='line { format => "<%{message}>" }').wait())
        self.assertEqual('<one>\n<three>\n<two\nmore>', '\n'.join(sorted('\n'.join(self.out()).replace('>\n<', '>\0<').split('\0'))))

    def test_says_where_a_line_came_from(self):
        self.append('a.log', '{"n":1}')
        self.assertEqual(0, self.begin(READ + KEEP + ' codec => "json"', codec='json_lines', ecs='v8').wait())
        event = support.json.loads(self.out()[0])
        self.assertEqual(1, event['n'])
        self.assertEqual(str(self.folder / 'a.log'), event['log']['file']['path'])
        self.assertEqual('{"n":1}', event['event']['original'])
        self.assertIn('name', event['host'])

    def test_options_that_cannot_be(self):
        for options, reason in (('exit_after_read => true', 'exit_after_read'), ('mode => "sideways"', 'tail'),
                                ('delimiter => ""', 'delimiter')):
            millrace = self.begin(options)
            self.assertEqual(1, millrace.wait(), options)
            self.assertIn(reason, millrace.stderr)
        (self.folder / 'sincedb').mkdir()
        millrace = self.begin('')
        self.assertEqual(1, millrace.wait())
        self.assertIn('is a directory', millrace.stderr)


if __name__ == '__main__':
    unittest.main()
