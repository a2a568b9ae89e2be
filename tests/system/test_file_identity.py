# SPDX-License-Identifier: Apache-2.0
"""Which file is which: used inodes, files rewritten in place, renamed ones, old sincedbs, and who keeps which sincedb."""
import json
import os
import signal
import time
import unittest

import support
import test_file_input
from test_file_input import KEEP, READ, TAIL

TWO = '''- pipeline.id: a
  config.string: '@A@'
- pipeline.id: b
  config.string: '@B@'
'''


class FileCase(test_file_input.FileInput):
    """What FileInput offers, without its tests."""


for name in [name for name in dir(test_file_input.FileInput) if name.startswith('test_')]:
    setattr(FileCase, name, None)


class Replaced(FileCase):
    def numbers(self, name, first, last, mode='w', text='n={}'):
        with open(self.folder / name, mode, encoding='utf-8') as file:
            file.writelines(text.format(number) + '\n' for number in range(first, last))
        return [text.format(number) for number in range(first, last)]

    def on_its_inode(self, old, new, *arguments, **options):
        """`new` with other content, on the inode of `old`."""
        os.rename(self.folder / old, self.folder / 'hidden')
        lines = self.numbers('hidden', *arguments, mode='r+', **options)
        size = sum(len(line) + 1 for line in lines)
        os.truncate(self.folder / 'hidden', size)
        os.rename(self.folder / 'hidden', self.folder / new)
        return lines

    def test_another_file_on_a_used_inode_is_read_whole(self):
        for mode in (READ.replace('exit_after_read => true', '') + KEEP, TAIL):
            for first, last, what in ((200, 400, 'longer'), (300, 400, 'as long'), (500, 510, 'shorter')):
                with self.subTest(mode=mode, what=what):
                    self.setUp()
                    lines = self.numbers('a.log', 100, 200)
                    millrace = self.begin(mode)
                    self.wait_for_lines(millrace, lines)
                    millrace.wait_for(lambda: self.position() == 600, 'the position')
                    lines += self.on_its_inode('a.log', 'b.log', first, last)
                    self.wait_for_lines(millrace, lines)
                    self.assertEqual(0, millrace.stop())

    def test_also_after_a_stop(self):
        for mode in (READ + KEEP, TAIL):
            for first, last in ((200, 400), (300, 400), (500, 510)):
                with self.subTest(mode=mode, first=first):
                    self.setUp()
                    lines = self.numbers('a.log', 100, 200)
                    millrace = self.begin(mode)
                    self.wait_for_lines(millrace, lines)
                    self.assertEqual(0, millrace.stop())
                    lines += self.on_its_inode('a.log', 'b.log', first, last)
                    millrace = self.begin(mode)
                    self.wait_for_lines(millrace, lines)
                    self.assertEqual(0, millrace.stop())

    def test_deleted_and_made_again_under_the_same_name(self):
        lines = self.numbers('a.log', 100, 200)
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, lines)
        self.assertEqual(0, millrace.stop())
        lines += self.on_its_inode('a.log', 'a.log', 1000, 2000)
        self.wait_for_lines(self.begin(TAIL), lines)

    def test_renamed_while_stopped_is_not_read_again(self):
        lines = self.numbers('a.log', 0, 100)
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, lines)
        self.assertEqual(0, millrace.stop())
        os.rename(self.folder / 'a.log', self.folder / 'b.log')
        lines += self.numbers('b.log', 100, 110, mode='a')
        lines += self.numbers('a.log', 500, 510)
        self.wait_for_lines(self.begin(TAIL), lines)

    def test_rewritten_between_two_looks(self):
        for first, last, what in ((1000, 1100, 'longer'), (20, 30, 'as long'), (20, 29, 'shorter')):
            with self.subTest(what):
                self.setUp()
                lines = self.numbers('a.log', 10, 20)
                millrace = self.begin(TAIL)
                self.wait_for_lines(millrace, lines)
                millrace.wait_for(lambda: self.position() == 50, 'the position')
                millrace.signal(signal.SIGSTOP)
                lines += self.numbers('a.log', first, last)
                millrace.signal(signal.SIGCONT)
                self.wait_for_lines(millrace, lines)
                self.assertEqual(0, millrace.stop())

    def test_what_grows_from_nothing_is_recognised(self):
        (self.folder / 'a.log').touch()
        millrace = self.begin(TAIL)
        lines = []
        for number in range(0, 300, 3):
            lines += self.numbers('a.log', number, number + 3, mode='a')
            self.wait_for_lines(millrace, lines)
        self.assertEqual(0, millrace.stop())
        self.assertIn('\t1024:', (self.folder / 'sincedb').read_text())
        lines += self.numbers('a.log', 1000, 1300)
        self.wait_for_lines(self.begin(TAIL), lines)
        self.assertNotIn('replaced', millrace.stderr)

    def test_nuls_that_a_truncation_left_are_no_part_of_a_line(self):
        hole = 1 << 20
        with open(self.folder / 'a.log', 'w') as file:  # without O_APPEND: it goes on at its old offset
            file.write('x' * (hole - 1) + '\n')
            file.flush()
            millrace = self.begin(TAIL)
            millrace.wait_for(lambda: self.position() == hole, 'the position')
            os.truncate(self.folder / 'a.log', 0)
            millrace.wait_for_log('file was truncated')
            file.write('after the hole\n')
            file.flush()
            self.wait_for_lines(millrace, ['x' * (hole - 1), 'after the hole'])
            self.assertEqual(0, millrace.stop())
            os.truncate(self.folder / 'a.log', 0)
            file.write('again\n')
            file.flush()
            self.wait_for_lines(self.begin(TAIL), ['x' * (hole - 1), 'after the hole', 'again'])

    def test_nuls_that_are_not_behind_a_truncation_stay(self):
        (self.folder / 'a.log').write_bytes(b'\0one\n\0two\n')
        self.wait_for_lines(self.begin(TAIL), ['\0one', '\0two'])


class OldSincedb(FileCase):
    def record(self, name, position, active, path=None, digits=6):
        status = os.stat(self.folder / name)
        with open(self.folder / 'sincedb', 'a') as file:
            file.write(f'{status.st_ino} {os.major(status.st_dev)} {os.minor(status.st_dev)} {position} '
                       f'{active:.{digits}f} {path or self.folder / name}\n')

    def test_positions_of_logstash_are_kept(self):
        self.append('a.log', 'old', 'new')
        self.record('a.log', 4, time.time() + 1)
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['new'])
        self.assertEqual(0, millrace.stop())
        self.assertEqual(5 + 1, len((self.folder / 'sincedb').read_text().split(' ')))  # path with its fingerprint
        self.append('a.log', 'newer')
        self.wait_for_lines(self.begin(TAIL), ['new', 'newer'])

    def test_a_file_that_is_younger_than_its_record_is_another(self):
        self.append('b.log', 'one', 'two')
        self.record('b.log', 4, time.time() - 100, path=self.folder / 'a.log')
        self.wait_for_lines(self.begin(TAIL), ['one', 'two'])

    def test_an_expired_record_says_nothing(self):
        self.append('a.log', 'one', 'two')
        self.record('a.log', 4, time.time() - 15 * 86400)
        self.wait_for_lines(self.begin(TAIL), ['one', 'two'])

    def test_expired_records_leave_memory_too(self):
        millrace = self.begin(TAIL + ' sincedb_clean_after => "0.4 seconds"')
        self.append('a.log', 'one')
        self.wait_for_lines(millrace, ['one'])
        inode = str(os.stat(self.folder / 'a.log').st_ino)
        os.rename(self.folder / 'a.log', self.folder / 'hidden')
        self.append('keep.log', 'two')
        millrace.wait_for(lambda: [r[0] for r in self.sincedb()] == [str(os.stat(self.folder / 'keep.log').st_ino)] or
                          millrace.signal(0) or inode not in [r[0] for r in self.sincedb()], 'the record to go', timeout=90)


class SharedSincedb(FileCase):
    def pipelines(self, server, a_options='', b_options=''):
        text = ('input { file { path => "@IN@" start_position => "beginning" stat_interval => "50 ms" codec => json @OPTIONS@ } } '
                'output { http { url => "http://@AT@/@NAME@" http_method => "post" format => "json" } }')
        fill = lambda name, options: support.fill(text, IN=self.folder / 'in.log', AT=server.address, NAME=name, OPTIONS=options)
        self.write('settings/pipelines.yml', support.fill(TWO, a=fill('a', a_options), b=fill('b', b_options)))
        return self.start('--path.settings', self.folder / 'settings')

    def check_each_gets_all(self, **options):
        well = {'/a'}
        server = self.recorder(lambda request: (200 if request.path in well else 503, {}))
        self.write('in.log', ''.join(f'{{"n":{n}}}\n' for n in range(100)))
        millrace = self.pipelines(server, **options)
        millrace.wait_for(lambda: len(server.taken('/a')) == 100 and server.taken('/b'), 'all of a, and b to try')
        size = (self.folder / 'in.log').stat().st_size
        millrace.wait_for(lambda: any(f' {size} ' in path.read_text() for path in self.kept()), "a's position")
        millrace.kill()
        well.add('/b')
        seen = len(server.taken('/b'))
        millrace = self.pipelines(server, **options)
        got = lambda: {json.loads(r.body)['n'] for r in server.taken('/b')[seen:]}
        millrace.wait_for(lambda: len(got()) == 100, 'all of b')
        self.assertEqual(100, len(server.taken('/a')))
        return millrace

    def kept(self):
        return [path for path in [*self.folder.glob('shared*'), *self.folder.glob('data/plugins/inputs/file/.since*')]
                if path.suffix not in ('.part', '.owner')]

    def test_two_pipelines_on_one_path_have_each_their_own(self):
        self.check_each_gets_all()
        self.assertEqual(2, len(self.kept()))

    def test_one_sincedb_path_for_two_is_told_and_parted(self):
        option = f'sincedb_path => "{self.folder}/shared"'
        millrace = self.check_each_gets_all(a_options=option, b_options=option)
        self.assertRegex(millrace.stderr, 'another input has the same sincedb_path')

    def test_positions_of_before_are_everybodys(self):
        self.write('in.log', '{"n":1}\n{"n":2}\n')
        server = self.recorder()
        status = os.stat(self.folder / 'in.log')
        option = f'sincedb_path => "{self.folder}/shared"'
        self.write('shared', f'{status.st_ino} {os.major(status.st_dev)} {os.minor(status.st_dev)} 8 {time.time() + 1} '
                             f'{self.folder}/in.log\n')
        millrace = self.pipelines(server, option, option)
        millrace.wait_for(lambda: server.taken('/a') and server.taken('/b'), 'both')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(['/a', '/b'], sorted(request.path for request in server.taken()))

    def test_alone_it_stays_where_logstash_has_it(self):
        text = f'input {{ file {{ path => "{self.folder}/in.log" start_position => "beginning" }} }} output {{ stdout {{}} }}'
        for pipeline, line in (('main', 'one'), ('renamed', 'two')):
            self.append('in.log', line)
            millrace = self.start('--pipeline.id', pipeline, '-e', text)
            millrace.wait_for(lambda: line in millrace.stdout, 'the line')
            self.assertEqual(0, millrace.stop())
        self.assertNotIn('one', millrace.stdout)
        self.assertRegex(self.kept()[0].name, r'^\.sincedb_[0-9a-f]{32}$')
        self.assertEqual(1, len(self.kept()))


if __name__ == '__main__':
    unittest.main()
