# SPDX-License-Identifier: Apache-2.0
"""`millrace format`: pipeline files in canonical form."""
import os
import subprocess
import unittest

import support

UGLY = 'filter{ # why\n\tmutate\n\t{ add_field=>{ "${HOME}"=>"${file:/nowhere}" } } }\r\n'
NEAT = 'filter { # why\n  mutate { add_field => { "${HOME}" => "${file:/nowhere}" } }\n}\n'


class Format(support.Case):
    def format(self, *words, given=b''):
        done = subprocess.run([support.BINARY, 'format', *map(str, words)], input=given, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60 * support.PATIENCE)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def check(self, path):
        return subprocess.run([support.BINARY, '-t', '-f', path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60 * support.PATIENCE, env={**os.environ, 'PSEUDONYM_KEY': 'x', 'GEOIP_DATABASE': '/dev/null'})

    def test_prints_and_leaves_the_file(self):
        path = self.write('a.conf', UGLY)
        self.assertEqual((0, NEAT, ''), self.format(path))
        self.assertEqual(UGLY.encode(), path.read_bytes())
        self.assertEqual((0, NEAT, ''), self.format('-', given=UGLY.encode()))

    def test_an_empty_file_is_in_its_form(self):
        path = self.write('empty.conf', '')
        for words in ((path,), ('--check', path)):
            self.assertEqual((0, '', ''), self.format(*words))

    def test_rewrites_in_place(self):
        path, other = self.write('a.conf', UGLY), self.write('b.conf', '\ufeff' + NEAT)
        path.chmod(0o640)
        link = self.folder / 'link.conf'
        link.symlink_to(path)
        self.assertEqual((0, '', ''), self.format('-i', link, other))
        self.assertEqual((NEAT, NEAT), (path.read_text(), other.read_text()))
        self.assertEqual(0o640, path.stat().st_mode & 0o777)
        self.assertTrue(link.is_symlink())
        self.assertEqual({'a.conf', 'b.conf', 'link.conf'}, {name for name in os.listdir(self.folder) if '.conf' in name})
        before = path.stat()
        self.assertEqual((0, '', ''), self.format('-i', path))
        self.assertEqual(before.st_ino, path.stat().st_ino, 'what is canonical already is not written')

    def test_check_shows_a_diff(self):
        ugly, neat = self.write('a.conf', 'filter {\n    drop { }\n}\n'), self.write('b.conf', NEAT)
        status, shown, _ = self.format('--check', neat, ugly)
        self.assertEqual((1, f'--- {ugly}\n+++ {ugly} (formatted)\n@@ -1,3 +1,3 @@\n filter {{\n-    drop {{ }}\n+  drop {{}}\n }}\n'),
                         (status, shown))
        self.assertEqual((0, '', ''), self.format('--check', neat))
        self.assertEqual('filter {\n    drop { }\n}\n', ugly.read_text())

    def test_a_file_with_mistakes_is_refused_and_left(self):
        path, good = self.write('a.conf', 'filter { if [a] = 5 { drop { } } }'), self.write('b.conf', UGLY)
        status, _, said = self.format('-i', path, good)
        self.assertEqual(1, status)
        self.assertIn(f"{path}:1:17: error: '=' is no operator; write '=='", said)
        self.assertEqual('filter { if [a] = 5 { drop { } } }', path.read_text())
        self.assertEqual(NEAT, good.read_text(), 'the others are formatted all the same')

    def test_what_cannot_be_is_said(self):
        path = self.write('a.conf', NEAT)
        for words, wanted in (((), 'FILE is missing'), ((path, path), 'several files need -i or --check'),
                              (('-i', '--check', path), '--check and -i exclude each other'),
                              (('-i', '-'), 'standard input cannot be rewritten'), (('--chekc', path), '--chekc')):
            status, _, said = self.format(*words)
            self.assertEqual(2, status, words)
            self.assertIn(wanted, said)
        status, _, said = self.format(self.folder / 'nowhere.conf')
        self.assertEqual(1, status)
        self.assertIn("nowhere.conf': No such file or directory", said)

    def test_what_ships_means_the_same_afterwards(self):
        paths = sorted((support.ROOT / 'deploy/pipelines').rglob('*.conf'))
        self.assertGreater(len(paths), 10)
        for path in paths:
            with self.subTest(path.name):
                status, made, said = self.format(path)
                self.assertEqual((0, ''), (status, said))
                copy = self.write('copy.conf', made)
                self.assertEqual((0, made, ''), self.format(copy), 'formatted twice it is the same')
                before, after = self.check(path), self.check(copy)
                self.assertEqual((before.returncode, before.stdout.replace(bytes(path), b'copy')),
                                 (after.returncode, after.stdout.replace(bytes(copy), b'copy')))


if __name__ == '__main__':
    unittest.main()
