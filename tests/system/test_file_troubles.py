# SPDX-License-Identifier: Apache-2.0
"""What keeps the file input from its files: no descriptors, no permission, nothing that matches, files that are none."""
import gzip
import os
import pathlib
import resource
import signal
import unittest

import support
import test_file_input
from test_file_input import KEEP, READ, TAIL

NOBODY = 65534


class FileCase(test_file_input.FileInput):
    """What FileInput offers, without its tests."""


for name in [name for name in dir(test_file_input.FileInput) if name.startswith('test_')]:
    setattr(FileCase, name, None)


def without_rights(command):
    """A prefix under which files of mode 0 cannot be read: also where the tests run as root."""
    if os.geteuid() != 0:
        return command
    support.need_command('setpriv', 'the tests run as root, which may read everything')
    return ('setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups', *command)


class Unreadable(FileCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() == 0:
            os.chown(self.folder, NOBODY, NOBODY)

    def start(self, *arguments, **options):
        return super().start(*arguments, prefix=without_rights(()), **options)

    def forbid(self, name, mode=0):
        os.chmod(self.folder / name, mode)
        if os.geteuid() == 0:
            os.chown(self.folder / name, 0, 0)

    def allow(self, name, mode=0o755):
        os.chmod(self.folder / name, mode)

    def test_exit_after_read_ends_though_a_file_cannot_be_opened(self):
        for names in (('b.log',), ('a.log',), ('0.log', 'b.log')):
            with self.subTest(names):
                self.setUp()
                self.append('a1.log', 'one')
                for name in names:
                    self.append(name, 'hidden')
                    self.forbid(name)
                millrace = self.begin(READ + KEEP)
                self.assertEqual(0, millrace.wait())
                self.assertEqual(['one'], self.out())
                self.assertEqual(len(names), millrace.stderr.count('cannot open a file'))

    def test_an_unreadable_file_is_told_once(self):
        self.append('a.log', 'hidden')
        self.append('b.log', 'seen')
        self.forbid('a.log')
        millrace = self.begin(TAIL)
        for number in range(20):
            self.append('b.log', f'{number}')
            self.wait_for_lines(millrace, ['seen', *map(str, range(number + 1))])
        self.assertEqual(1, millrace.stderr.count('cannot open a file'))
        self.allow('a.log', 0o644)
        self.wait_for_lines(millrace, ['seen', *map(str, range(20)), 'hidden'])

    def test_a_directory_that_may_not_be_read_is_told_once(self):
        self.append('b.log', 'seen')
        (self.folder / 'closed').mkdir()
        self.append('closed/a.log', 'hidden')
        for mode, pattern in ((0, 'closed/*.log'), (0o311, '*/*.log'), (0, 'closed/a.log'), (0, '**/a.log')):
            with self.subTest(pattern):
                self.forbid('closed', mode)
                millrace = self.begin(TAIL, path=pattern)
                millrace.wait_for_log('Permission denied|no file matches')
                self.append('b.log', 'more')
                self.assertEqual(0, millrace.stop())
                self.assertEqual(1, millrace.stderr.count('Permission denied'), millrace.stderr)
        self.forbid('closed', 0)
        millrace = self.begin(TAIL, path='closed/*.log')
        millrace.wait_for_log('Permission denied')
        self.allow('closed')
        self.wait_for_lines(millrace, ['hidden'])


class NothingThere(FileCase):
    def test_a_pattern_that_matches_nothing_is_told_once(self):
        millrace = self.begin(TAIL, path='nowhere/*.log')
        millrace.wait_for_log('no file matches .*path=\\S*nowhere/\\*.log')
        (self.folder / 'nowhere').mkdir()
        self.append('nowhere/a.log', 'one')
        self.wait_for_lines(millrace, ['one'])
        self.assertEqual(1, millrace.stderr.count('no file matches'))

    def test_each_pattern_for_itself(self):
        self.append('a.log', 'one')
        text = support.fill(test_file_input.PIPELINE.replace('"@PATH@"', '["@FOLDER@/a.log", "@FOLDER@/b.log", "@FOLDER@/c*"]'),
                            folder=self.folder, options=READ + KEEP, codec='line').replace('@FOLDER@', str(self.folder))
        millrace = self.run_to_end('-e', text)
        self.assertEqual(2, millrace.stderr.count('no file matches'), millrace.stderr)

    def test_what_is_no_file_is_left_out(self):
        os.mkfifo(self.folder / 'pipe.log')
        (self.folder / 'directory.log').mkdir()
        os.symlink(self.folder / 'none', self.folder / 'dangling.log')
        os.symlink('loop.log', self.folder / 'loop.log')
        self.append('real.txt', 'through a link')
        os.symlink(self.folder / 'real.txt', self.folder / 'link.log')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['through a link'])
        os.unlink(self.folder / 'link.log')
        (self.folder / 'link.log').mkdir()
        self.append('b.log', 'one')
        self.wait_for_lines(millrace, ['through a link', 'one'])
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('no regular file'))
        self.assertEqual(1, millrace.stderr.count('symbolic links'), millrace.stderr)

    def test_a_file_that_cannot_be_read(self):
        os.symlink('/proc/self/mem', self.folder / 'a.log')  # regular, and read() fails
        self.append('b.log', 'one')
        millrace = self.begin(READ + 'file_completed_action => "log" file_completed_log_path => "@FOLDER@/done" ')
        self.assertEqual(0, millrace.wait())
        self.assertEqual(['one'], self.out())
        self.assertEqual(1, millrace.stderr.count('cannot read a file'))

    def test_rotated_archives_are_no_text(self):
        self.append('app.log', 'one')
        for name in ('app.log.1.gz', 'app.log.2.gz', 'app.log.3.gzip'):
            (self.folder / name).write_bytes(gzip.compress(os.urandom(5000)))
        millrace = self.begin(TAIL, path='app.log*')
        self.wait_for_lines(millrace, ['one'])
        (self.folder / 'app.log.4.gz').write_bytes(gzip.compress(os.urandom(5000)))
        self.append('app.log', 'two')
        self.wait_for_lines(millrace, ['one', 'two'])
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('compressed files are left out'))

    def test_a_very_long_path(self):
        folder = self.folder
        for _ in range(15):
            folder = folder / ('d' * 200)
            folder.mkdir()
        folder = folder.relative_to(self.folder)
        self.append(folder / 'a.log', 'far away')
        millrace = self.begin(TAIL, path='**/*.log')
        self.wait_for_lines(millrace, ['far away'])
        self.assertEqual(0, millrace.stop())
        self.append(folder / 'a.log', 'more')
        self.wait_for_lines(self.begin(TAIL, path='**/*.log'), ['far away', 'more'])


class Leaving(FileCase):
    def test_the_last_line_of_a_file_that_nobody_finds_again(self):
        for leave in (lambda path: os.unlink(path), lambda path: os.rename(path, str(path) + '.old'),
                      lambda path: (os.unlink(path), path.write_text('new\n'))):
            with self.subTest(leave):
                self.setUp()
                path = self.folder / 'a.log'
                path.write_text('one\nunfinished')
                millrace = self.begin(TAIL)
                self.wait_for_lines(millrace, ['one'])
                leave(path)
                self.assertEqual(0, millrace.stop())
                self.assertEqual(['one', 'unfinished'], [line for line in self.out() if line != 'new'])

    def test_one_that_is_found_again_waits_for_its_end(self):
        path = self.folder / 'a.log'
        path.write_text('one\nunfini')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['one'])
        os.rename(path, self.folder / 'b.log')
        self.assertEqual(0, millrace.stop())
        self.append('b.log', 'shed')
        self.wait_for_lines(self.begin(TAIL), ['one', 'unfinished'])

    def test_what_was_not_read_yet_of_a_deleted_file(self):
        self.append('a.log', 'one')
        millrace = self.begin(TAIL)
        self.wait_for_lines(millrace, ['one'])
        millrace.signal(signal.SIGSTOP)
        self.append('a.log', 'two', 'three')
        os.unlink(self.folder / 'a.log')
        millrace.signal(signal.SIGTERM)
        millrace.signal(signal.SIGCONT)
        self.assertEqual(0, millrace.wait())
        self.assertEqual(['one', 'three', 'two'], sorted(self.out()))


class Descriptors(FileCase):
    FILES = 400
    OUTPUT = 'output { http { url => "http://@AT@/" http_method => "post" format => "json" } }'

    def check(self, limit, options=''):
        server = self.recorder(lambda request: (200, {}, {'connection': 'close'}))
        for number in range(self.FILES):
            self.append(f'{number}.log', f'{number}')
        text = test_file_input.PIPELINE.split('output')[0] + self.OUTPUT
        text = support.fill(text, path=self.folder / '*.log', options=TAIL + options, at=server.address)
        millrace = self.start('-e', support.fill(text, folder=self.folder),
                              prefix=('sh', '-c', f'ulimit -n {limit}; exec "$0" "$@"'))
        messages = lambda: sorted(request.json()['message'] for request in server.taken())
        expected = [str(number) for number in range(self.FILES)]
        millrace.wait_for(lambda: len(server.taken()) >= self.FILES, 'all files', timeout=30)
        for number in range(0, self.FILES, self.FILES // 5):
            self.append(f'{number}.log', f'more of {number}')
            expected.append(f'more of {number}')
        millrace.wait_for(lambda: len(server.taken()) >= len(expected), 'what was appended', timeout=30)
        self.assertEqual(sorted(expected), messages())
        millrace.wait_for(lambda: len(self.sincedb()) == self.FILES, 'the sincedb')
        self.assertEqual(0, millrace.stop())
        # Said once, and only if a file had to wait: on a slow machine each may have been read before the next one is found.
        said = millrace.stderr.count('more files than may be open')
        self.assertLessEqual(said, 1, millrace.stderr)
        self.assertEqual(said, millrace.stderr.count('WARN'), millrace.stderr)

    def test_few_descriptors(self):
        self.check(256)

    def test_very_few_descriptors(self):
        self.check(64)

    def test_max_open_files(self):
        self.check(1024, ' max_open_files => 3')

    def test_the_soft_limit_is_raised(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        millrace = self.start('-e', 'input { heartbeat { interval => 1 } } output { null {} }',
                              prefix=('sh', '-c', 'ulimit -S -n 64; exec "$0" "$@"'))
        millrace.wait_for_log('pipeline started')
        limits = pathlib.Path(f'/proc/{millrace.pid}/limits').read_text('utf-8')
        self.assertRegex(limits, rf'Max open files +{hard} +{hard} ')


class ManyFiles(FileCase):
    def test_thousands(self):
        expected = []
        for number in range(2000):
            lines = [f'{number} {line}' for line in range(20)]
            self.append(f'{number}.log', *lines)
            expected += lines
        self.assertEqual(0, self.begin(READ + KEEP).wait())
        self.assertEqual(sorted(expected), sorted(self.out()))


if __name__ == '__main__':
    unittest.main()
