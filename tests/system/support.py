# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: a millrace process, an HTTP server that records, ports, waiting.

A system test is a class derived from support.Case in tests/system/test_NAME.py. The binary is the one named by the
environment variable MILLRACE, else build/millrace. Nothing sleeps for a fixed time: tests wait for what they need
(a log line, a port, a condition) up to a limit. Processes are stopped by their pid and live in a folder of their own.

    class StdinToStdout(support.Case):
        def test_a_line_becomes_an_event(self):
            millrace = self.start('-e', 'output { stdout { codec => json_lines } }', stdin=b'hello\\n')
            self.assertEqual(0, millrace.wait())
            self.assertEqual('hello', millrace.json_lines()[0]['message'])
"""
import fcntl
import http.server
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get('MILLRACE') or ROOT / 'build' / 'millrace').resolve()
# Sanitizers slow the program down; limits of time are never what a test is about.
PATIENCE = float(os.environ.get('MILLRACE_PATIENCE', '1'))
SANITIZED = bool(os.environ.get('MILLRACE_SANITIZED'))
THREAD_SANITIZED = os.environ.get('MILLRACE_SANITIZED') == 'thread'
POLL_SECONDS = 0.01
SANITIZER_REPORT = re.compile(r'(Address|Leak|Thread)Sanitizer|^\S+:\d+:\d+: runtime error: ', re.M)


def wait_until(condition, what, timeout=10.0):
    """Calls condition until it answers something true, and returns that."""
    limit = time.monotonic() + timeout * PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > limit:
            raise AssertionError(f'waited {timeout * PATIENCE:g} s for {what}')
        time.sleep(POLL_SECONDS)


def free_port():
    """A TCP port of the loopback address that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def is_listening(port, host='127.0.0.1'):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def need_command(name, why):
    """Skips the test, loudly and with the reason, when a program that it needs is absent."""
    path = shutil.which(name)
    if not path:
        raise unittest.SkipTest(f"'{name}' is not installed: {why}")
    return path


def need_file(path, why):
    if not pathlib.Path(path).exists():
        raise unittest.SkipTest(f"'{path}' is absent: {why}")
    return pathlib.Path(path)


def fill(text, **values):
    """Fills @NAME@ in the text of a pipeline; braces belong to the language, so str.format does not do."""
    for name, value in values.items():
        text = text.replace(f'@{name.upper()}@', str(value))
    return text


class Process:
    """One running millrace. Its standard error and output go to files, so it never blocks on a full pipe."""

    def __init__(self, arguments, folder, stdin=None, env=None, prefix=()):
        number = len(list(folder.glob('stderr.*')))
        self.stderr_path = folder / f'stderr.{number}'
        self.stdout_path = folder / f'stdout.{number}'
        self.command = [*map(str, prefix), str(BINARY), *map(str, arguments)]
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with open(self.stderr_path, 'wb') as stderr, open(self.stdout_path, 'wb') as stdout:
            self.child = subprocess.Popen(self.command, stdin=source, stdout=stdout, stderr=stderr, cwd=folder,
                                          env={**os.environ, **(env or {})})
        if isinstance(stdin, bytes):
            threading.Thread(target=self._feed, args=(stdin,), daemon=True).start()

    def _feed(self, data):
        try:
            self.child.stdin.write(data)
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    @property
    def pid(self):
        return self.child.pid

    @property
    def stderr(self):
        return self.stderr_path.read_text('utf-8', 'replace')

    @property
    def stdout(self):
        return self.stdout_path.read_text('utf-8', 'replace')

    def json_lines(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    def is_running(self):
        return self.child.poll() is None

    def wait_for(self, condition, what, timeout=10.0):
        """Like wait_until, but gives up at once when the process ends, and shows what it said."""
        def check():
            running = self.is_running()
            result = condition()
            if not result and not running:
                raise AssertionError(f'millrace ended with {self.child.returncode} before {what}:\n{self.stderr}')
            return result
        try:
            return wait_until(check, what, timeout)
        except AssertionError as error:
            raise AssertionError(f'{error}\n--- stderr of {" ".join(self.command)[:300]}\n{self.stderr[-4000:]}') from None

    def wait_for_log(self, pattern, timeout=10.0):
        """Waits until standard error has the regular expression; returns its match."""
        return self.wait_for(lambda: re.search(pattern, self.stderr), f'log /{pattern}/', timeout)

    def wait_for_port(self, port, timeout=10.0):
        self.wait_for(lambda: is_listening(port), f'port {port}', timeout)

    def wait(self, timeout=30.0):
        """Waits for the end; returns the exit status (negative: the signal)."""
        try:
            return self.child.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f'millrace still runs after {timeout * PATIENCE:g} s:\n{self.stderr[-4000:]}') from None

    def signal(self, number):
        self.child.send_signal(number)

    def stop(self, timeout=30.0):
        """SIGTERM, the orderly end; returns the exit status."""
        if self.is_running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL: what a crash looks like to everybody else."""
        if self.is_running():
            self.signal(signal.SIGKILL)
        return self.wait()

    def resident_kib(self, key='Rss'):
        """A figure of /proc/PID/smaps_rollup in KiB, e.g. Rss; RssAnon is under the name Anonymous."""
        text = pathlib.Path(f'/proc/{self.pid}/smaps_rollup').read_text()
        return int(re.search(rf'^{key}:\s+(\d+) kB', text, re.M).group(1))


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def json(self):
        return json.loads(self.body)


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that was killed resets its connections: nothing to show."""


class Recorder:
    """An HTTP/1.1 server on a free port that keeps every request and answers with what `answer` returns.

    answer(request) returns (status, body) or (status, body, headers); body is bytes, text or something for JSON.
    Without one every request gets 200 and {}."""

    def __init__(self, answer=None, port=0):
        self.requests = []
        self.answer = answer or (lambda request: (200, {}))
        self.lock = threading.Lock()
        self.server = QuietServer(('127.0.0.1', port), self._handler())
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def taken(self, path=None):
        """The requests so far, those to `path` when one is given."""
        with self.lock:
            return [request for request in self.requests if path in (None, request.path)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _take(self, request):
        with self.lock:
            self.requests.append(request)
        answered = self.answer(request)
        status, body, headers = answered if len(answered) == 3 else (*answered, {})
        if not isinstance(body, (bytes, str)):
            body, headers = json.dumps(body), {'content-type': 'application/json', **headers}
        return status, body.encode() if isinstance(body, str) else body, headers

    def _handler(recorder):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            disable_nagle_algorithm = True

            def read_body(self):
                if self.headers.get('transfer-encoding', '').lower() != 'chunked':
                    return self.rfile.read(int(self.headers.get('content-length') or 0))
                body = b''
                while size := int(self.rfile.readline().split(b';')[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def serve(self):
                if self.headers.get('expect', '').lower() == '100-continue':
                    self.send_response_only(100)
                    self.end_headers()
                request = Request(self.command, self.path, self.headers, self.read_body())
                status, body, headers = recorder._take(request)
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header('content-length', str(len(body)))
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

            def log_message(self, *_):
                pass
        return Handler


class Case(unittest.TestCase):
    """A test with a folder of its own, whose processes and servers are gone when it ends."""

    maxDiff = 4000

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-test-'))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start(self, *arguments, stdin=None, env=None, data=True, prefix=()):
        """Starts millrace. stdin: bytes to feed and close, True for a pipe kept open (millrace.child.stdin), else
        nothing. data: give it a --path.data of this test's folder."""
        if not BINARY.exists():
            raise AssertionError(f"'{BINARY}' is not built: run ./dev build")
        extra = ('--path.data', self.folder / 'data') if data and '--path.data' not in arguments else ()
        millrace = Process([*arguments, *extra], self.folder, stdin, env, prefix)
        self.addCleanup(self._end, millrace)
        return millrace

    def run_to_end(self, *arguments, stdin=b'', status=0, timeout=30.0, **options):
        """Starts millrace, waits for its end and checks the exit status; returns the process."""
        millrace = self.start(*arguments, stdin=stdin, **options)
        self.assertEqual(status, millrace.wait(timeout), millrace.stderr)
        return millrace

    def on_terminal(self, *arguments, env=None, status=0, timeout=30.0):
        """Runs millrace with a terminal of 80 columns as its standard output and error; returns what it showed there."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name not in ('NO_COLOR', 'CLICOLOR_FORCE')}
        child = subprocess.Popen([str(BINARY), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                 cwd=self.folder, env={**environment, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8', **(env or {})})
        os.close(theirs)
        guard = threading.Timer(timeout * PATIENCE, child.kill)
        guard.start()
        shown = b''
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # EIO: nobody has the other end any more
            pass
        finally:
            os.close(ours)
            ended = child.wait()
            guard.cancel()
        text = shown.decode('utf-8', 'replace').replace('\r\n', '\n')
        self.assertEqual(status, ended, text)
        return text

    def recorder(self, answer=None):
        server = Recorder(answer)
        self.addCleanup(server.close)
        return server

    def hold_port(self, port):
        """For a port that a shipped file names: nobody else's test uses it until this one ends."""
        lock = open(pathlib.Path(tempfile.gettempdir(), f'millrace-test-port-{port}.lock'), 'w')
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        wait_until(lambda: not is_listening(port), f'port {port} to be free')
        return port

    def write(self, name, content):
        """A file in this test's folder; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def _end(self, millrace):
        millrace.kill()
        if millrace.child.stdin and not millrace.child.stdin.closed:
            try:
                millrace.child.stdin.close()
            except BrokenPipeError:
                pass
        if SANITIZER_REPORT.search(millrace.stderr):
            self.fail(f'a sanitizer reported:\n{millrace.stderr[-8000:]}')
