# SPDX-License-Identifier: Apache-2.0
"""What the tests of the beats input share: a pipeline from beats to a file or to a stand-in for Elasticsearch."""
import fcntl
import json
import os
import pathlib
import subprocess
import threading
import unittest

import lumberjack
import search_stub
import support

CLIENTS = support.ROOT / 'tests' / 'clients'


class Gate:
    """Holds every document whose message starts with one of `held` back: the search server answers 503 for it."""

    def __init__(self, *held):
        self.held, self.lock = held, threading.Lock()

    def open(self):
        with self.lock:
            self.held = ()

    def status_of(self, source):
        with self.lock:
            return 503 if str(source.get('message', '')).startswith(self.held or ('\0',)) else 201


def unread_bytes(port):
    """What clients on the IPv4 loopback have sent to this port and nobody has read yet, as the kernel counts it."""
    unread = 0
    for line in pathlib.Path('/proc/net/tcp').read_text('ascii').splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()  # proc_pid_net(5)
        unsent, received = (int(size, 16) for size in queues.split(':'))
        unread += received if int(local.split(':')[1], 16) == port else 0
        unread += unsent if int(remote.split(':')[1], 16) == port else 0
    return unread


class BeatsCase(support.Case):
    """Starts millrace with a beats input whose options a test may add to, and reads what came out."""

    def serve(self, options='', output=None, arguments=(), port=None, filters=''):
        self.port = port or support.free_port()
        self.path = self.folder / 'events.jsonl'
        self.counters_path = self.folder / 'counters.json'
        output = output or f'file {{ path => "{self.path}" codec => json_lines }}'
        text = f'input {{ beats {{ id => "beats" host => "127.0.0.1" port => {self.port} {options} }} }} {filters} ' \
               f'output {{ {output} }}'
        self.millrace = self.start('-e', text, '--counters', self.counters_path, *arguments)
        self.millrace.wait_for_log('waiting for Beats')
        return self.millrace

    def search_output(self, stub):
        return f'elasticsearch {{ hosts => ["{stub.address}"] index => "events" manage_template => false ' \
               f'retry_initial_interval => 1 retry_max_interval => 1 }}'

    def serve_search(self, stub, options='', arguments=()):
        return self.serve(options, self.search_output(stub), arguments)

    def search_stub(self, status_of=None):
        stub = search_stub.SearchStub(status_of)
        self.addCleanup(stub.close)
        return stub

    def client(self, **options):
        client = lumberjack.Client(self.port, **options)
        self.addCleanup(client.close)
        return client

    def events(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text('utf-8').splitlines()]

    def messages(self):
        return [event.get('message') for event in self.events()]

    def wait_for_events(self, count):
        self.millrace.wait_for(lambda: len(self.events()) >= count, f'{count} events')
        return self.events()

    def counters(self):
        """Stops millrace, and returns the counters of the beats input."""
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)
        inputs = json.loads(self.counters_path.read_text())['pipelines']['main']['plugins']['inputs']
        return next(plugin['events'] for plugin in inputs if plugin['id'] == 'beats')

    def wait_until_read(self):
        """Until millrace has read every byte that its clients have sent so far."""
        self.millrace.wait_for(lambda: unread_bytes(self.port) == 0, 'all that was sent to be read')

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.millrace.pid}/fd'))

    def cpu_seconds(self):
        fields = pathlib.Path(f'/proc/{self.millrace.pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def assert_memory(self, kib, limit_kib):
        """Not under a sanitizer, which keeps what was freed."""
        if not support.SANITIZED:
            self.assertLess(kib, limit_kib)

    def assert_serves(self):
        """Another client is served as if nothing had happened."""
        with lumberjack.Client(self.port) as client:
            client.send(lumberjack.batch(lumberjack.messages('still here')))
            self.assertEqual([(2, 1)], client.read_acks(1))

    def assert_refused(self, *parts, acks=()):
        """The connection is closed in order, with these acks and nothing else."""
        with lumberjack.Client(self.port) as client:
            try:
                client.send(*parts)
            except ConnectionError:
                pass  # closed before all was sent: what was answered is read below
            self.assertEqual([*acks, lumberjack.CLOSED], client.read_to_end())

    def build_go_client(self):
        """The path of the go-lumber client, built once; skips the test where that cannot be."""
        support.need_command('go', 'the client on go-lumber is not built; install golang-go')
        program = support.ROOT / 'build' / 'tests' / 'clients' / 'lumber'
        with BuildLock(program):
            done = subprocess.run(['go', 'build', '-o', program, './lumber'], cwd=CLIENTS, capture_output=True, text=True,
                                  env={**os.environ, 'GOTOOLCHAIN': 'local', 'GOFLAGS': '-mod=mod -buildvcs=false'})
        if done.returncode != 0:
            raise unittest.SkipTest(f'go-lumber cannot be fetched or built: {done.stderr.strip()[-300:]}')
        return program

    def run_go_client(self, *arguments, status=0, timeout=60.0):
        done = subprocess.run([self.go_client, '-to', f'127.0.0.1:{self.port}', *map(str, arguments)], capture_output=True,
                              text=True, timeout=timeout * support.PATIENCE)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout)


class BuildLock:
    """One builder at a time, also across the processes that run the test files."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path.with_suffix('.lock')

    def __enter__(self):
        self.file = open(self.path, 'w')
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()
