# SPDX-License-Identifier: Apache-2.0
"""`./dev` as a new machine meets it: what it asks apt for and what it says meanwhile. The tools that it calls are
stand-ins that note how they were called."""
import shutil
import subprocess
import sys
import unittest

import support

sys.path.insert(0, str(support.ROOT / 'tests'))
import run

STUBS = {
    # Installed is what apt-get was asked for.
    'dpkg-query': '''for package; do case " $(cat "$NOTES/installed" 2>/dev/null) " in
        *" $package "*) echo "$package installed" ;; esac; done''',
    'apt-get': '''echo "$*" >>"$NOTES/apt"
        case "$*" in *install*)
            echo "Reading package lists"
            echo "dlstatus:1:50.0:Retrieving" >&3; echo "pmstatus:gcc:100.0:Installed gcc" >&3
            [ -z "${APT_FAILS:-}" ] || { echo "E: no space left" >&2; exit 100; }
            echo "$*" >"$NOTES/installed" ;;
        esac''',
    'sudo': 'exec "$@"',
    'meson': '''echo "$*" >>"$NOTES/meson"; echo "Message: library pcre2 (built once)"
        [ -z "${MESON_FAILS:-}" ] || { echo "meson.build:1: ERROR: no compiler"; exit 1; }
        mkdir -p "$2"; : >"$2/build.ninja"''',
    'ninja': '''echo "$*" >>"$NOTES/ninja"
        for i in 1 20 40 60 80 100; do echo "[$i/100] Compiling $i.c"; done
        [ -z "${NINJA_FAILS:-}" ] || { echo "FAILED: a.c"; echo "a.c:1:1: error: no such thing"; exit 1; }''',
    'python3': 'echo "$*" >>"$NOTES/python3"',
}


class Dev(support.Case):
    def setUp(self):
        super().setUp()
        self.place, self.notes = self.folder / 'place', self.folder / 'notes'
        tools = self.folder / 'tools'
        for folder in (self.place, self.notes, tools):
            folder.mkdir()
        shutil.copy(support.ROOT / 'dev', self.place)
        (self.place / 'build').mkdir()
        (self.place / 'build/millrace').write_text('#!/bin/sh\necho "demo $*"\n')
        (self.place / 'build/millrace').chmod(0o755)
        for name, body in STUBS.items():
            (tools / name).write_text(f'#!/bin/sh\n{body}\n')
            (tools / name).chmod(0o755)
        for name in ('sh', 'env', 'cat', 'sed', 'grep', 'tee', 'rm', 'mkdir', 'mktemp', 'id', 'dirname'):
            (tools / name).symlink_to(shutil.which(name))
        self.tools = tools

    def dev(self, *words, **env):
        return subprocess.run(['sh', str(self.place / 'dev'), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60 * support.PATIENCE,
                              env={'PATH': str(self.tools), 'NOTES': str(self.notes), **env})

    def note(self, name):
        path = self.notes / name
        return path.read_text().splitlines() if path.exists() else []

    def test_test_asks_apt_once_for_everything(self):
        done = self.dev('test')
        self.assertEqual(0, done.returncode, done.stderr)
        update, install = self.note('apt')
        self.assertIn('update', update)
        for package in ('gcc', 'meson', 'debhelper', 'debootstrap', 'zsh', 'fish', 'maven', 'golang-go', 'rabbitmq-server'):
            self.assertIn(f' {package} ', f'{install} ')
        self.assertEqual(['tests/run.py '], [f'{line} ' for line in self.note('python3')])

    def test_what_is_installed_is_not_asked_for(self):
        self.dev('test')
        (self.notes / 'apt').unlink()
        self.assertEqual(0, self.dev('test').returncode)
        self.assertEqual([], self.note('apt'))

    def test_variants_are_built_and_run_each_in_its_folder(self):
        done = self.dev('variants', '-k', 'json')
        self.assertEqual(0, done.returncode, done.stderr)
        sanitized = '-Db_sanitize=address,undefined -Db_lundef=false'
        self.assertEqual(['setup build-json-alone -Dfast_json=false', f'setup build-json-alone-asan -Dfast_json=false {sanitized}',
                          'setup build-plain-scan -Dsimd=false', f'setup build-plain-scan-asan -Dsimd=false {sanitized}'],
                         self.note('meson'))
        folders = [f'--folder build-{name}' for name in ('json-alone', 'json-alone-asan', 'plain-scan', 'plain-scan-asan')]
        self.assertEqual([f'tests/run.py {" ".join(folders)} -k json'], self.note('python3'))

    def test_one_variant_without_sanitizers(self):
        done = self.dev('variants', 'plain-scan', '--no-sanitizers')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['setup build-plain-scan -Dsimd=false'], self.note('meson'))
        self.assertEqual(['tests/run.py --folder build-plain-scan'], self.note('python3'))

    def test_demo_builds_the_program_alone(self):
        done = self.dev('demo', '-n', '5')
        self.assertEqual(b'demo demo -n 5\n', done.stdout, done.stderr)
        self.assertEqual(['-C build millrace'], self.note('ninja'))
        install = f'{self.note("apt")[1]} '
        for package in ('debhelper', 'maven', 'zsh'):
            self.assertNotIn(f' {package} ', install)

    def test_says_what_it_does(self):
        said = self.dev('demo').stderr.decode()
        for part in ('dev: installing ', ' packages: gcc', 'dev: installing downloading 50 %', 'dev: installing unpacking 100 %',
                     'dev: configuring: library pcre2 (built once)', 'dev: compiling build 20/100', 'dev: compiling build 100/100'):
            self.assertIn(part, said)
        self.assertNotIn('Reading package lists', said)

    def test_what_fails_is_shown_and_ends_it(self):
        for variable, wanted in (('APT_FAILS', ('E: no space left', 'dev: cannot install gcc')),
                                 ('MESON_FAILS', ('ERROR: no compiler', 'dev: cannot configure build')),
                                 ('NINJA_FAILS', ('a.c:1:1: error: no such thing', 'dev: cannot build build'))):
            with self.subTest(variable):
                for name in ('installed', 'apt'):
                    (self.notes / name).unlink(missing_ok=True)
                (self.place / 'build/build.ninja').unlink(missing_ok=True)
                done = self.dev('demo', **{variable: '1'})
                self.assertEqual((1, b''), (done.returncode, done.stdout))
                for text in wanted:
                    self.assertIn(text, done.stderr.decode())


class Counting(support.Case):
    """What tests/run.py prints of what it found."""

    def test_a_line_for_each_suite(self):
        self.assertEqual('build unit base                                  1.2 s    12 passed',
                         run.counts_line('build unit base', run.Outcome(12), 1.21))
        self.assertEqual('x                                                0.0 s     1 passed  1 failed  2 skipped',
                         run.counts_line('x', run.Outcome(1, ['a'], ['b', 'c']), 0))

    def test_skips_are_listed_by_their_reason(self):
        skipped = ['build system test_a: test_x (test_a.A): no Maven', 'build system test_b: test_y (test_b.B): no Maven',
                   'build system test_c: test_z (test_c.C): not root']
        self.assertEqual(['SKIPPED no Maven: build system test_a test_x (test_a.A) and 1 more',
                          'SKIPPED not root: build system test_c test_z (test_c.C)'], list(run.by_reason(skipped)))


if __name__ == '__main__':
    unittest.main()
