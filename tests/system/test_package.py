# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built, installed in a clean root, run there as a service, removed. And the container's image, by the
steps of its Dockerfile. Needs root, debootstrap and the network of apt; what cannot be tried is skipped."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

import clean_root
import support

DEV = support.ROOT / 'dev'
DOCKERFILE = support.ROOT / 'deploy/docker/Dockerfile'
BUILD_SECONDS = 1800
EVENTS = 500
BEATS_TO_BOTH = """\
input { beats { host => "127.0.0.1" port => PORT } }
filter { json { source => "message" } grok { match => { "transactionId" => "^TX%{NOTSPACE:rest}" } } }
output {
  file { path => "/var/log/millrace/events.log" codec => json_lines }
  http { url => "http://localhost:SINK/" http_method => "post" format => "json_batch" }
}
"""
_made = {}


def load_tests(loader, tests, pattern):
    """The package has no sanitizers: its tests belong to the first run of the suite."""
    return unittest.TestSuite() if os.environ.get('MILLRACE_SANITIZED') else tests


def package():
    """The package of this tree, built once."""
    if 'package' not in _made:
        support.need_command('apt-get', 'packages are built and installed on Debian')
        done = subprocess.run([DEV, 'package'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=BUILD_SECONDS)
        if done.returncode != 0:
            raise AssertionError(f'./dev package:\n{done.stdout[-4000:]}')
        [_made['package']] = (support.ROOT / 'build-package').glob('millrace_*.deb')
    return _made['package']


class RootCase(support.Case):
    """Tests that share one clean root."""

    @classmethod
    def setUpClass(cls):
        place = pathlib.Path(tempfile.mkdtemp(prefix='millrace-root-', dir='/var/tmp'))
        cls.addClassCleanup(shutil.rmtree, place, True)
        cls.root = clean_root.CleanRoot(place / 'root')
        cls.addClassCleanup(cls.root.remove)
        (cls.root.path / 'package').mkdir()
        shutil.copy(package(), cls.root.path / 'package/millrace.deb')

    def inside(self, name):
        return self.root.path / name.lstrip('/')

    def named(self):
        """What is called millrace, wherever it is; apt's own books aside."""
        found = self.root.run('find', '/', '-xdev', '(', '-path', '/proc', '-o', '-path', '/dev', '-o', '-path', '/package', ')',
                              '-prune', '-o', '-name', '*millrace*', '-print')
        return found.split()


class Machine:
    """The root, booted: systemd as process 1 of a container that shares this machine's network."""

    def __init__(self, root, folder):
        self.log_path = folder / 'boot.log'
        self.root = root
        with open(self.log_path, 'wb') as log:
            self.child = subprocess.Popen(['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--boot',
                                           f'--directory={root.path}'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def log(self):
        return self.log_path.read_text('utf-8', 'replace')

    def leader(self):
        children = pathlib.Path(f'/proc/{self.child.pid}/task/{self.child.pid}/children').read_text().split()
        return children[0] if children else None

    def run(self, *arguments):
        enter = ['nsenter', '--target', self.leader(), '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--root', '--wd=/']
        done = subprocess.run([*enter, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60 * support.PATIENCE, env=clean_root.ENVIRONMENT)
        return done.stdout

    def wait_until_up(self):
        def is_up():
            if self.child.poll() is not None:
                raise unittest.SkipTest(f'systemd does not boot in a container here:\n{self.log[-1500:]}')
            return self.leader() and re.search('running|degraded', self.run('systemctl', 'is-system-running'))
        support.wait_until(is_up, 'the container to boot', timeout=120)

    def show(self, unit, name):
        return self.run('systemctl', 'show', '--value', f'--property={name}', unit).strip()

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(90)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Package(RootCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root.run('apt-get', 'install', '-y', '--no-install-recommends', '/package/millrace.deb', 'systemd-sysv', 'dbus')

    def millrace(self, *arguments, status=0):
        return self.root.run('millrace', *arguments, status=status)

    def test_it_has_the_version_of_the_program(self):
        version = re.search(r"version: '(.*?)'", (support.ROOT / 'meson.build').read_text())[1]
        self.assertEqual(f'millrace {version}\n', self.millrace('-V'))
        self.assertEqual(version, self.root.run('dpkg-query', '-W', '-f', '${Version}', 'millrace'))

    def test_it_says_what_is_linked_in(self):
        inside = self.root.run('dpkg-query', '-W', '-f', '${Static-Built-Using}', 'millrace')
        for source in ('curl', 'libmicrohttpd', 'librdkafka', 'mruby', 'pcre2', 'sqlite3', 'libuv1', 'zlib'):
            self.assertRegex(inside, rf'(^|, ){source} \(= [\w.+~:-]+\)')
        needed = self.root.run('dpkg-query', '-W', '-f', '${Depends}', 'millrace')
        self.assertEqual({'libc6', 'libssl3', 'libxml2'}, {word.split()[0] for word in needed.split(', ')})

    def test_it_has_everything(self):
        files = set(self.root.run('dpkg', '-L', 'millrace').split())
        self.assertLessEqual({
            '/usr/bin/millrace', '/usr/share/millrace/pipelines/payment.conf',
            '/usr/share/millrace/templates/kakaopay-logs.json', '/etc/millrace/conf.d',
            '/lib/systemd/system/millrace.service', '/lib/systemd/system/millrace-store.service',
            '/usr/share/bash-completion/completions/millrace', '/usr/share/zsh/vendor-completions/_millrace',
            '/usr/share/fish/vendor_completions.d/millrace.fish', '/usr/share/man/man1/millrace.1.gz',
            '/usr/share/doc/millrace/copyright', '/usr/share/doc/millrace/reference/filter/grok.md'}, files)
        kept = set(self.root.run('dpkg-query', '-W', '-f', '${Conffiles}', 'millrace').split()[0::2])
        self.assertEqual({'/etc/millrace/logstash.yml', '/etc/millrace/pipelines.yml'}, kept)

    def test_it_is_hardened(self):
        program = str(self.inside('/usr/bin/millrace'))
        self.assertIn('Type:                              DYN', subprocess.run(
            ['readelf', '-h', program], capture_output=True, text=True, check=True).stdout)
        self.assertIn('BIND_NOW', subprocess.run(['readelf', '-d', program], capture_output=True, text=True, check=True).stdout)

    def test_without_a_pipeline_it_says_where_one_is_expected(self):
        self.assertIn("'/etc/millrace/conf.d/*.conf'", self.millrace(status=1))

    def test_it_runs_what_lies_in_its_folder(self):
        name = self.inside('/etc/millrace/conf.d/one.conf')
        name.write_text('input { generator { count => 3 message => "hello" } } output { stdout { codec => json_lines } }')
        self.addCleanup(name.unlink)
        shown = [json.loads(line) for line in self.millrace('--log.level', 'error').splitlines()]
        self.assertEqual(['hello'] * 3, [event['message'] for event in shown])

    def test_the_shipped_pipelines_find_their_templates(self):
        self.assertIn('Configuration OK', self.millrace('-t', '-f', '/usr/share/millrace/pipelines/payment.conf'))

    def test_the_units_are_without_fault(self):
        for unit in ('millrace', 'millrace-store'):
            path = f'/lib/systemd/system/{unit}.service'
            told = [line for line in self.root.run('systemd-analyze', 'verify', '--man=no', path).splitlines() if unit in line]
            self.assertEqual([], told)
            score = self.root.run('systemd-analyze', 'security', '--offline=yes', '--threshold=20', '--no-pager', path)
            self.assertRegex(score, r'exposure level for millrace(-store)?\.service: [01]\.\d')

    def test_neither_service_is_enabled_by_installing(self):
        for unit in ('millrace', 'millrace-store'):
            self.assertIn('disabled', self.root.try_run('systemctl', 'is-enabled', unit)[1])

    def test_the_service_runs_in_its_sandbox(self):
        port, sink = support.free_port(), self.recorder()
        name = self.inside('/etc/millrace/conf.d/beats.conf')
        name.write_text(BEATS_TO_BOTH.replace('PORT', str(port)).replace('SINK', str(sink.port)))
        self.addCleanup(name.unlink)
        machine = self.boot_with('millrace')
        self.check_sandbox(machine, 'millrace')
        self.send(port)
        events = self.inside('/var/log/private/millrace/events.log')
        support.wait_until(lambda: events.exists() and len(events.read_text().splitlines()) == EVENTS, 'the events')
        self.assertEqual(EVENTS, sum(len(request.json()) for request in sink.taken()))
        self.assertIn('"rest"', events.read_text().splitlines()[0])
        machine.run('systemctl', 'stop', 'millrace')
        self.assertEqual('success', machine.show('millrace', 'Result'))
        self.assertEqual('0', machine.show('millrace', 'ExecMainStatus'))
        self.assertIn(f'events_in={EVENTS} events_out={2 * EVENTS} refused=0', machine.run('journalctl', '-u', 'millrace'))

    def test_the_store_runs_in_its_sandbox(self):
        port = support.free_port()
        change = self.inside('/etc/systemd/system/millrace-store.service.d/port.conf')
        change.parent.mkdir(parents=True)
        self.addCleanup(shutil.rmtree, change.parent)
        change.write_text('[Service]\nExecStart=\n'
                          f'ExecStart=millrace store --listen 127.0.0.1:{port} --path /var/lib/millrace-store\n')
        machine = self.boot_with('millrace-store')
        self.assertEqual('notify', machine.show('millrace-store', 'Type'))
        self.assertTrue(support.is_listening(port), 'it is active once it listens')
        self.check_sandbox(machine, 'millrace-store')
        url = f'http://127.0.0.1:{port}/seen/_doc/1'
        headers = {'content-type': 'application/json'}
        urllib.request.urlopen(urllib.request.Request(url, b'{"name":"kim"}', headers, method='PUT')).close()
        machine.run('systemctl', 'restart', 'millrace-store')
        self.assertTrue(support.is_listening(port), 'the restart has ended')
        with urllib.request.urlopen(url) as answer:
            self.assertEqual({'name': 'kim'}, json.load(answer)['_source'])

    def boot_with(self, unit):
        support.need_command('systemd-nspawn', 'it boots a root in a container')
        self.root.run('systemctl', 'enable', unit)
        self.addCleanup(self.root.run, 'systemctl', 'disable', unit)
        machine = Machine(self.root, self.folder)
        self.addCleanup(machine.stop)
        machine.wait_until_up()
        self.assertEqual('active', machine.show(unit, 'ActiveState'), machine.run('journalctl', '-u', unit))
        return machine

    def check_sandbox(self, machine, unit):
        inner = machine.show(unit, 'MainPID')
        status = machine.run('cat', f'/proc/{inner}/status')
        facts = dict(re.findall(r'^(\w+):\s+(\S+)', status, re.M))
        self.assertNotEqual('0', facts['Uid'])
        self.assertEqual(('1', '2'), (facts['NoNewPrivs'], facts['Seccomp']))
        for capabilities in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb'):
            self.assertEqual(0, int(facts[capabilities], 16), capabilities)
        mounts = machine.run('cat', f'/proc/{inner}/mountinfo')
        self.assertRegex(mounts, r'(?m)^\S+ \S+ \S+ \S+ / ro,')
        self.assertRegex(mounts, rf' /var/lib/private/{unit} rw[, ]')

    def send(self, port):
        lines = subprocess.run([support.BINARY, 'generate', '-n', str(EVENTS)], capture_output=True, check=True).stdout
        subprocess.run([support.BINARY, 'send', '--quiet', '--to', f'127.0.0.1:{port}'], input=lines, check=True,
                       timeout=60 * support.PATIENCE)

    def test_removed_and_purged_it_leaves_nothing(self):
        self.assertIn('/usr/bin/millrace', self.named())
        self.inside('/var/lib/private/millrace').mkdir(parents=True, exist_ok=True)
        self.addCleanup(self.root.run, 'dpkg', '-i', '/package/millrace.deb')
        self.root.run('apt-get', 'remove', '-y', 'millrace')
        self.assertTrue(self.inside('/etc/millrace/pipelines.yml').exists())
        self.assertFalse(self.inside('/usr/bin/millrace').exists())
        self.root.run('apt-get', 'purge', '-y', 'millrace')
        self.assertEqual([], self.named())


def steps(dockerfile):
    """Stages of a Dockerfile, each a list of (INSTRUCTION, text)."""
    text = re.sub(r'\\\n', ' ', re.sub(r'^\s*#.*\n', '', dockerfile.read_text(), flags=re.M))
    stages = []
    for line in filter(str.strip, text.splitlines()):
        word, rest = line.split(maxsplit=1)
        if word == 'FROM':
            stages.append([])
        stages[-1].append((word, rest))
    return stages


class Image(RootCase):
    """There is no container engine here: the steps of the last stage are done by hand in a clean root."""

    def test_its_last_stage(self):
        stage = steps(DOCKERFILE)[-1]
        self.assertEqual(['debian:12-slim'], [rest for word, rest in stage if word == 'FROM'])
        for word, rest in stage:
            if word == 'RUN':
                self.root.run('sh', '-c', rest)
        settings = dict(stage)
        user, group = settings['USER'].split(':')
        entry = json.loads(settings['ENTRYPOINT'])
        as_user = ['setpriv', f'--reuid={user}', f'--regid={group}', '--clear-groups', '--no-new-privs',
                   '--bounding-set=-all', 'env', settings['ENV'], *entry]
        self.assertIn('Configuration OK', self.root.run(*as_user, '-t', '-f', '/usr/share/millrace/pipelines/payment.conf'))
        self.check_process_1(as_user)

    def check_process_1(self, as_user):
        """In the container it is process 1; --pid --fork of the root's own namespace gives the same here."""
        port = support.free_port()
        pipeline = f'input {{ beats {{ host => "127.0.0.1" port => {port} }} }} output {{ null {{ }} }}'
        with open(self.folder / 'log', 'wb') as log:
            child = subprocess.Popen(self.root.command(*as_user, '-e', pipeline), stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=log, env=clean_root.ENVIRONMENT)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        support.wait_until(lambda: support.is_listening(port), (self.folder / 'log').read_text)
        inner = pathlib.Path(f'/proc/{child.pid}/task/{child.pid}/children').read_text().strip()
        self.assertIn('NSpid:\t' + inner + '\t1\n', pathlib.Path(f'/proc/{inner}/status').read_text())
        os.kill(int(inner), signal.SIGTERM)
        self.assertEqual(0, child.wait(30 * support.PATIENCE))
        self.assertIn('pipeline stopped', (self.folder / 'log').read_text())


class Lists(unittest.TestCase):
    """What is written down in two places says the same."""

    def test_the_package_needs_what_dev_installs_to_build(self):
        needed = set(re.findall(r'lib[\w.-]+-dev', (support.ROOT / 'debian/control').read_text()))
        installed = set(re.findall(r'lib[\w.-]+-dev', re.search(r"build_packages='(.*?)'", DEV.read_text(), re.S)[1]))
        self.assertEqual(set(), installed - needed - {'libc6-dev'})

    def test_the_changelog_has_the_version_of_the_program(self):
        version = re.search(r"version: '(.*?)'", (support.ROOT / 'meson.build').read_text())[1]
        self.assertIn(f'millrace ({version}) ', (support.ROOT / 'debian/changelog').read_text().splitlines()[0])

    def test_the_time_to_stop_is_longer_than_that_of_a_shutdown(self):
        shutdown = int(re.search(r'--shutdown.timeout [^[]*\[(\d+)s\]', subprocess.run(
            [support.BINARY, '--help'], capture_output=True, text=True, check=True).stdout)[1])
        for path, pattern in (('systemd/millrace.service', r'TimeoutStopSec=(\d+)s'),
                              ('docker/compose.yaml', r'stop_grace_period: (\d+)s')):
            found = [int(seconds) for seconds in re.findall(pattern, (support.ROOT / 'deploy' / path).read_text())]
            self.assertTrue(found and min(found) > shutdown, (path, found))


if __name__ == '__main__':
    unittest.main()
