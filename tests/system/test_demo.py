# SPDX-License-Identifier: Apache-2.0
"""millrace demo: what a person sees, what it adds up to, and that nothing is left behind however it ends."""
import collections
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
import urllib.request

import support

sys.path.insert(0, str(support.ROOT / 'bench'))
import check  # noqa: E402  what the pipeline has to make of a line

EVENTS = 2000
MANY = 150000  # so many that the middle is long
BAR = re.compile(r'^    (\S+|\(no \w+\)) +([\d,]+)  \S* +[\d.]+ %$', re.M)


def number(text):
    return int(text.replace(',', ''))


class DemoCase(support.Case):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder / 'tmp'
        self.temporary.mkdir()

    def demo(self, *arguments, **env):
        return self.start('demo', *arguments, data=False, env={'TMPDIR': str(self.temporary), **env})

    def children(self):
        """Command lines of processes that name this test's folder: the store, the pipeline, the sender."""
        found = {}
        for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
            try:
                words = path.read_bytes().split(b'\0')
            except OSError:
                continue
            if words[0] == b'millrace' and str(self.temporary).encode() in b' '.join(words):
                found[words[1].decode()] = int(path.parent.name)
        return found

    def assert_nothing_left(self):
        support.wait_until(lambda: not self.children(), 'the children to be gone')
        self.assertEqual([], list(self.temporary.iterdir()))

    def wait_for_text(self, millrace, text, timeout=30):
        millrace.wait_for(lambda: text in millrace.stdout, f'"{text}" on standard output', timeout)

    def finish(self, millrace, status=0, timeout=60):
        self.assertEqual(status, millrace.wait(timeout), millrace.stdout + millrace.stderr)
        self.assert_nothing_left()
        return millrace.stdout


class Run(DemoCase):
    def expected(self, count):
        """How often each value of a tier and of a category has to be there, by another program's reckoning."""
        done = subprocess.run([support.BINARY, 'generate', '-n', str(count), '--seed', '1'],
                              stdout=subprocess.PIPE, check=True)
        counts = collections.Counter()
        for line in done.stdout.decode().splitlines():
            event = check.expected_payment(line)[0]
            counts[event.get('performance_tier', '(no duration)')] += 1
            counts[event.get('error_category', '(no error)')] += 1
        return dict(counts)

    def test_everything_arrives_and_is_shown(self):
        shown = self.finish(self.demo('-n', str(EVENTS)))
        expected = self.expected(EVENTS)
        self.assertEqual(expected, {name: number(count) for name, count in BAR.findall(shown)})
        self.assertIn('✓ 2,000 events sent, every one stored once\n', shown)
        alerts = expected['SYSTEM_ERROR']
        self.assertIn(f'✓ {alerts} SYSTEM_ERROR events, every one alerted once\n', shown)
        self.assertIn(f'The latest of {alerts} alerts', shown)
        self.assertRegex(shown, r'- userId +"user\w+"\n +\+ userId +"use\*\*\*\w{3}"\n')
        self.assertRegex(shown, r'\+ performance_tier +"SLOW"')
        self.assertRegex(shown, r'[\d,]+ events/s: [\d.]+ s until')
        self.assertRegex(shown, r'the pipeline: [\d.]+ MiB resident')
        self.assertRegex(shown, rf' firing +PaymentErrors, for {alerts} events\n +resolved +PaymentErrors, [\d.]+ s later')
        self.assertRegex(shown, r'Metrics of the pipeline, from http://127\.0\.0\.1:\d+\n')
        self.assertRegex(shown, r'\n +filter +json +2,000 in +2,000 out')
        self.assertRegex(shown, r'The report of today\n.*\d')

    def test_lines_are_plain_and_narrow_without_a_terminal(self):
        shown = self.finish(self.demo('-n', '500', TERM='xterm'))
        self.assertNotRegex(shown, r'[\x1b\r]')
        self.assertIn('500 of 500 stored', shown)
        head, _ = shown.split('  Next\n')
        wide = [line for line in head.split('\n') if len(line) > 80]  # Korean text is the exception, twice as wide
        self.assertEqual([], wide)

    def test_what_it_tells_to_try_works(self):
        shown = self.finish(self.demo('-n', '100'))
        commands = re.sub(r'\|\n +', '| ', shown.split('  Next\n')[1])
        commands = [line.strip() for line in commands.split('\n') if line.strip() and '#' not in line]
        self.assertEqual(4, len(commands))
        self.assertTrue(commands[0].endswith(' demo --keep'))
        for command in commands[1:]:
            with self.subTest(command):
                done = subprocess.run(['sh', '-ec', command], cwd=self.folder, capture_output=True, timeout=60)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertTrue(done.stdout)

    def test_one_event(self):
        self.assertIn('1 of 1 stored', self.finish(self.demo('-n', '1')))

    def test_the_port_of_the_pipeline_is_taken(self):
        port = self.hold_port(5044)
        with socket.socket() as holder:
            holder.bind(('0.0.0.0', port))
            holder.listen()
            self.finish(self.demo('-n', '100'))

    def test_wrong_use(self):
        for words in (['-n', '0'], ['-n', 'many'], ['now'], ['--kept']):
            with self.subTest(words):
                millrace = self.demo(*words)
                self.assertEqual(2, millrace.wait())
                self.assertIn("'millrace help demo' says what it takes", millrace.stderr)

    def test_a_folder_that_cannot_be_made(self):
        millrace = self.demo(TMPDIR=str(self.folder / 'absent'))
        self.assertEqual(1, millrace.wait())
        self.assertRegex(millrace.stderr, r"cannot make '\S+/absent/millrace-demo-XXXXXX': No such file")


class Ends(DemoCase):
    def interrupt(self, millrace, number=signal.SIGINT):
        millrace.signal(number)
        self.assertIn('Stopped; nothing is left behind.', self.finish(millrace, 128 + number))

    def test_interrupted_while_events_are_sent(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            millrace = self.demo('-n', str(MANY))
            self.wait_for_text(millrace, 'over a Beats connection')
            self.interrupt(millrace, number)

    def test_interrupted_as_soon_as_a_child_is_there(self):
        for name in ('store', 'run', 'send'):
            with self.subTest(name):
                millrace = self.demo('-n', str(MANY))
                millrace.wait_for(lambda name=name: name in self.children(), f'the child {name}', 30)
                self.interrupt(millrace)

    def test_interrupted_twice(self):
        millrace = self.demo('-n', str(MANY))
        self.wait_for_text(millrace, 'over a Beats connection')
        millrace.signal(signal.SIGINT)
        millrace.signal(signal.SIGINT)
        self.finish(millrace, 128 + signal.SIGINT)

    def test_killed_it_takes_its_children_with_it(self):
        millrace = self.demo('-n', str(MANY))
        self.wait_for_text(millrace, 'over a Beats connection')
        self.assertLessEqual({'store', 'run'}, set(self.children()))
        millrace.kill()
        support.wait_until(lambda: not self.children(), 'the children to be gone')

    def test_a_child_that_dies_is_named(self):
        for name, called in (('store', 'store'), ('run', 'pipeline'), ('send', 'sender')):
            with self.subTest(called):
                millrace = self.demo('-n', str(MANY))
                self.wait_for_text(millrace, 'over a Beats connection')
                os.kill(support.wait_until(lambda name=name: self.children().get(name), f'the child {name}'),
                        signal.SIGKILL)
                self.finish(millrace, 1)
                self.assertIn(f'millrace demo: {called}: it was ended by signal 9', millrace.stderr)

    def test_a_reader_that_goes_away_ends_it(self):
        command = f'"{support.BINARY}" demo --keep -n 100 | head -n 3'
        subprocess.run(['sh', '-c', command], env={**os.environ, 'TMPDIR': str(self.temporary)},
                       stdout=subprocess.DEVNULL, timeout=60 * support.PATIENCE)
        support.wait_until(lambda: not self.children(), 'the children to be gone')


class Keep(DemoCase):
    def ask(self, url):
        with urllib.request.urlopen('http://' + url, timeout=30) as answer:
            return answer.read().decode()

    def test_it_stays_until_it_is_interrupted(self):
        millrace = self.demo('-n', '1000', '--keep')
        self.wait_for_text(millrace, 'a thousand more events\n')
        self.wait_for_text(millrace, '--field service=payment\n')
        told = re.sub(r'\|\n +', '| ', millrace.stdout.split('Still running')[1])
        indices, slow, alerts = re.findall(r"curl -s '?([^'\n]+)'?\n", told)
        self.assertIn('kakaopay-logs-', self.ask(indices))
        self.assertIn('SLOW', self.ask(slow))
        self.assertIn('"received":', self.ask(alerts))
        more = re.search(r'^ +(\S+ generate .*)$', told, re.M).group(1)
        subprocess.run(['sh', '-ec', more], cwd=self.folder, check=True, capture_output=True, timeout=60)
        address = slow.split('/')[0]
        support.wait_until(lambda: '"count":2000' in self.ask(address + '/_count'), 'the thousand to be stored')
        self.assertEqual({'store', 'run'}, set(self.children()))
        millrace.signal(signal.SIGINT)
        self.assertIn('Stopped; nothing is left behind.', self.finish(millrace))


class Terminal(DemoCase):
    def run_on_a_terminal(self, **env):
        """All that it writes to a terminal of 80 columns."""
        parent, child = pty.openpty()
        try:
            done = subprocess.Popen([support.BINARY, 'demo', '-n', '500'], stdin=child, stdout=child, stderr=child,
                                    env={**os.environ, 'TERM': 'xterm', 'TMPDIR': str(self.temporary), **env})
        finally:
            os.close(child)
        shown = b''
        try:
            while chunk := os.read(parent, 65536):
                shown += chunk
        except OSError:  # nobody has the other end any more
            pass
        os.close(parent)
        self.assertEqual(0, done.wait(60), shown.decode())
        self.assert_nothing_left()
        return shown.decode().replace('\r\n', '\n')

    def test_the_progress_is_written_over(self):
        shown = self.run_on_a_terminal(NO_COLOR='')
        self.assertRegex(shown, r'\r    (\x1b\[32m)?█*.* 500 of 500 stored,.* alerts(\x1b\[0m)?\x1b\[K\n')
        self.assertIn('\x1b[1mResult\x1b[0m', shown)
        self.assertIn('\x1b[32m✓ \x1b[0m', shown)

    def test_no_color(self):
        shown = self.run_on_a_terminal(NO_COLOR='1')
        self.assertNotRegex(shown, r'\x1b\[[\d;]*m')
        self.assertIn('✓ 500 events sent', shown)


class Installed(DemoCase):
    def test_the_files_are_found_where_they_are_installed(self):
        support.need_command('meson', 'it installs what was built')
        build = support.BINARY.parent
        support.need_file(build / 'build.ninja', 'the program must stand in the folder that it was built in')
        subprocess.run(['meson', 'install', '-C', str(build), '--no-rebuild', '--quiet'], check=True,
                       capture_output=True, env={**os.environ, 'DESTDIR': str(self.folder / 'root')})
        program = next((self.folder / 'root').rglob('bin/millrace'))
        moved = self.folder / 'elsewhere'
        shutil.move(program.parent.parent, moved)
        done = subprocess.run([moved / 'bin/millrace', 'demo', '-n', '100'], capture_output=True, text=True,
                              env={**os.environ, 'TMPDIR': str(self.temporary)}, timeout=60 * support.PATIENCE)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn('share/millrace/pipelines/payment', done.stdout)
        self.assert_nothing_left()


if __name__ == '__main__':
    unittest.main()
