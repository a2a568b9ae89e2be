#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures millrace: `./dev bench [N]`. Events per CPU-second, memory, start-up, allocations for each event.

CPU is user and system time of the millrace process alone, from its exit (wait4); the sink, the clients and the checker
are not counted. Cases, and binaries where two are compared (--binary LABEL=PATH, repeated), are interleaved over the
rounds, and the median is reported beside the lowest and the highest. The first round of each case keeps every document
and compares it (bench/check.py); that round's figures count as well, since only the sink works more. A case whose
documents are wrong has no figure. With --save the report is written to bench/results/DATE.md and DATE.json."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
PAYMENT = ROOT / 'deploy/pipelines/payment.conf'
PAYMENT_PORT = 5044  # written in the payment pipeline
STARTS, WINDOW, CONNECTIONS, COMPRESSION = 20, 2048, 2, 3
POLL_SECONDS = 0.01


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for_port(port, child, seconds=20):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if child.poll() is not None:
            raise RuntimeError(f'ended with {child.returncode} before it listened on {port}')
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return time.monotonic()
        except OSError:
            time.sleep(0.0005)
    raise RuntimeError(f'nothing listens on {port}')


class Sink:
    """The far end, with words of bench/sink; a path among them keeps what it is sent."""

    def __init__(self, program, *words, port=None):
        self.port = port or free_port()
        self.child = subprocess.Popen([program, str(self.port), *map(str, words)])
        wait_for_port(self.port, self.child)

    def counts(self):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/counts') as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


class Bench:
    """What the cases share: where things are, how many events, the lines, what a run of millrace costs."""

    def __init__(self, options, folder):
        self.options, self.folder, self.events = options, folder, options.events
        self.tools = options.tools
        self.log = open(folder / 'millrace.log', 'wb')

    def lines(self, kind, count=None):
        path = self.folder / f'{kind}-{count or self.events}.log'
        if not path.exists():
            subprocess.run([sys.executable, BENCH / 'lines.py', kind, str(count or self.events), path], check=True)
        return path

    def parts(self, kind, count):
        """The lines, dealt out to so many files."""
        lines = self.lines(kind)
        paths = [lines.with_suffix(f'.part{number}of{count}') for number in range(count)]
        if not all(path.exists() for path in paths):
            text = lines.read_bytes().splitlines(keepends=True)
            share = -(-len(text) // count)
            for number, path in enumerate(paths):
                path.write_bytes(b''.join(text[number * share:(number + 1) * share]))
        return paths

    def start(self, binary, arguments, env=None):
        data = tempfile.mkdtemp(dir=self.folder)
        return subprocess.Popen([binary, *map(str, arguments), '--path.data', data], stdin=subprocess.DEVNULL,
                                stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})

    def payment(self, sink):
        """Arguments that run the payment pipeline as it is, with its hosts led to the sink."""
        hosts = ('elasticsearch:9200', 'alertmanager:9093')
        led = [word for host in hosts for word in ('--connect-to', f'{host}:127.0.0.1:{sink.port}')]
        return ['-f', PAYMENT, *led, '--path.templates', ROOT / 'deploy/templates']

    def finish(self, child, started):
        """Waits for the end; seconds of CPU and clock, and the peak of resident memory.

        The peak is read while it runs: the one that wait4 gives begins with that of the process that started it."""
        peak_kib, pid = 0, 0
        while not pid:
            peak_kib = max(peak_kib, status_kib(child.pid, 'VmHWM'))
            time.sleep(POLL_SECONDS)
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError(f'millrace ended with {child.returncode}: {self.folder}/millrace.log')
        return {'user': usage.ru_utime, 'system': usage.ru_stime, 'clock': time.monotonic() - started,
                'peak_rss_mib': peak_kib / 1024}


class FileCase:
    """A file through a pipeline of bench/pipelines to the sink."""

    def __init__(self, name, what, kind='payment', extra=(), pipeline=None):
        self.name, self.what, self.kind, self.pipeline = name, what, kind, pipeline or name
        self.extra = ('--pipeline.ecs_compatibility', 'disabled', *extra) if kind == 'payment' else extra

    def run(self, bench, binary, sink, env=None, count=None):
        env = {'BENCH_LINES': str(bench.lines(self.kind, count)), 'BENCH_FOLDER': str(bench.folder),
               'BENCH_SINK': f'127.0.0.1:{sink.port}', **(env or {})}
        started = time.monotonic()
        child = bench.start(binary, ['-f', BENCH / f'pipelines/{self.pipeline}.conf', *self.extra], env)
        return bench.finish(child, started)


class BeatsCase:
    """The payment pipeline as it is; `millrace send` on several connections, each with its part of the lines."""

    kind = 'payment'

    def __init__(self, name, what, extra=()):
        self.name, self.what, self.extra = name, what, extra

    def run(self, bench, binary, sink):
        parts = bench.parts(self.kind, CONNECTIONS)
        child = bench.start(binary, bench.payment(sink))
        started = wait_for_port(PAYMENT_PORT, child)
        send = [binary, 'send', '--to', f'127.0.0.1:{PAYMENT_PORT}', '--field', 'service=payment',
                '--window', str(WINDOW), *self.extra]
        clients = [subprocess.Popen([*send, path], stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log)
                   for path in parts]
        failed = [client.args for client in clients if client.wait() != 0]
        child.send_signal(signal.SIGTERM)
        measured = bench.finish(child, started)
        if failed:
            raise RuntimeError(f'a client failed: {bench.folder}/millrace.log')
        return measured


CASES = (
    FileCase('file_tier', 'file, tier and categorize, bulk and alerts'),
    FileCase('file_ruby', "file, the payment pipeline's ruby block, bulk and alerts"),
    FileCase('file_grok', 'access log through grok and date, bulk', 'access',
             ('--pipeline.ecs_compatibility', 'disabled')),
    BeatsCase('beats', f'Beats, {CONNECTIONS} connections, window {WINDOW}, payment pipeline', ('--compress', '0')),
    BeatsCase('beats_compressed', f'the same, compressed at level {COMPRESSION}', ('--compress', str(COMPRESSION))),
)


def run_case(bench, case, binary, keep):
    """One run; its figures. With keep the documents are stored and compared."""
    store = bench.folder / 'store' if keep else None
    with Sink(bench.tools / 'sink', *([store] if store else [])) as sink:
        measured = case.run(bench, binary, sink)
        measured['counts'] = sink.counts()
    if measured['counts']['documents'] != bench.events:
        raise RuntimeError(f"{measured['counts']['documents']} documents arrived of {bench.events}")
    if keep:
        check = subprocess.run([sys.executable, BENCH / 'check.py', case.kind, bench.lines(case.kind), store],
                               stdout=subprocess.PIPE, text=True)
        if check.returncode != 0:
            raise RuntimeError(f'the documents are wrong:\n{check.stdout}')
    measured['events_per_cpu_second'] = bench.events / (measured['user'] + measured['system'])
    return measured


def run_throughput(bench, binaries, cases):
    """Every case with every binary, interleaved over the rounds; a case that fails once is left out after that."""
    runs, broken = {}, {}
    for number in range(bench.options.rounds):
        for case in cases:
            for label, binary in binaries.items():
                key = (case.name, label)
                if key in broken:
                    continue
                try:
                    runs.setdefault(key, []).append(run_case(bench, case, binary, keep=number == 0))
                    print(f"{case.name} {label} {runs[key][-1]['events_per_cpu_second']:,.0f}", file=sys.stderr)
                except (RuntimeError, OSError) as error:
                    broken[key] = str(error)
                    print(f'{case.name} {label}: {error}', file=sys.stderr)
    return [summary(case, label, runs.get((case.name, label), []), broken.get((case.name, label)), bench.events)
            for case in cases for label in binaries]


def summary(case, label, runs, broken, events):
    row = {'case': case.name, 'what': case.what, 'binary': label, 'rounds': len(runs), 'failed': broken}
    if not runs or broken:
        return row
    rates = sorted(run['events_per_cpu_second'] for run in runs)

    def median(key):
        return statistics.median(run[key] for run in runs)
    row.update(events_per_cpu_second=statistics.median(rates), lowest=rates[0], highest=rates[-1],
               user=median('user'), system=median('system'), clock=median('clock'),
               events_per_second=events / median('clock'), peak_rss_mib=max(run['peak_rss_mib'] for run in runs),
               microseconds_per_event=1e6 * (median('user') + median('system')) / events, counts=runs[0]['counts'])
    return row


def status_kib(pid, key):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith(key + ':'):
            return int(line.split()[1])
    return 0  # it has ended


def measure_rest(bench, binary):
    """Resident memory a second after start with the payment pipeline, and the time until it listens."""
    with Sink(bench.tools / 'sink') as sink:
        begins, resident, anonymous = [], [], []
        for number in range(STARTS):
            started = time.monotonic()
            child = bench.start(binary, bench.payment(sink))
            begins.append((wait_for_port(PAYMENT_PORT, child) - started) * 1000)
            if number < 3:
                time.sleep(1)
                resident.append(status_kib(child.pid, 'VmRSS') / 1024)
                anonymous.append(status_kib(child.pid, 'RssAnon') / 1024)
            child.send_signal(signal.SIGTERM)
            bench.finish(child, started)
    return {'start_to_listening_ms': statistics.median(begins), 'rest_rss_mib': statistics.median(resident),
            'rest_rss_anon_mib': statistics.median(anonymous)}


def measure_test(bench, binary):
    """Milliseconds that `-t` takes on the payment pipeline."""
    times = []
    for _ in range(STARTS):
        started = time.monotonic()
        child = bench.start(binary, ['-t', '-f', PAYMENT, '--path.templates', ROOT / 'deploy/templates'])
        if child.wait() != 0:
            raise RuntimeError(f'-t ended with {child.returncode}')
        times.append((time.monotonic() - started) * 1000)
    return {'test_ms': statistics.median(times)}


def measure_allocations(bench, binary):
    """Allocations that an event costs: what a run over twice the lines has more, divided by the lines more."""
    few = min(bench.events, 100000)
    allocations = []
    for count in (few, 2 * few):
        result = bench.folder / 'allocations'
        env = {'LD_PRELOAD': str(bench.tools / 'malloc_count.so'), 'MALLOC_COUNT_FILE': str(result)}
        with Sink(bench.tools / 'sink') as sink:
            CASES[0].run(bench, binary, sink, env, count)
            if sink.counts()['documents'] != count:
                raise RuntimeError(f'not every one of {count} documents arrived')
        allocations.append(int(result.read_text()))
    return {'allocations_per_event': (allocations[1] - allocations[0]) / few}


def measure_rest_of(bench, binary):
    found = {}
    for measure in (measure_rest, measure_test, measure_allocations):
        try:
            found.update(measure(bench, binary))
        except (RuntimeError, OSError) as error:
            found.setdefault('failed', []).append(f'{measure.__name__}: {error}')
    return found


def first_line(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split('\n')[0]
    except OSError:
        return ''


def taken_how(options):
    cpu = next((line.split(':')[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')), '')
    return {'date': datetime.date.today().isoformat(), 'events': options.events, 'rounds': options.rounds,
            'commit': first_line(['git', '-C', ROOT, 'describe', '--always', '--dirty']), 'cpu': cpu,
            'cores': len(os.sched_getaffinity(0)), 'kernel': platform.release(),
            'compiler': first_line(['gcc', '--version']), 'build': 'meson -Dbuildtype=release'}


def report(how, rows, rest):
    """The report as Markdown."""
    lines = [f"# {how['date']}", '', f"{how['events']:,} events, {how['rounds']} interleaved rounds, median (lowest to "
             f"highest). {how['cores']} cores, {how['cpu']}, Linux {how['kernel']}, {how['compiler']}, {how['build']}, "
             f"commit {how['commit']}.", '',
             '| case | binary | events per CPU-second | µs CPU each | user + system s | events/s | peak RSS MiB |',
             '| --- | --- | ---: | ---: | ---: | ---: | ---: |']
    for row in rows:
        name = f"{row['case']}: {row['what']} | {row['binary']}"
        if row['failed'] or 'user' not in row:
            lines.append(f"| {name} | failed: {(row['failed'] or 'not run').splitlines()[0]} | | | | |")
            continue
        lines.append(f"| {name} | {row['events_per_cpu_second']:,.0f} ({row['lowest']:,.0f} to {row['highest']:,.0f}) | "
                     f"{row['microseconds_per_event']:.2f} | {row['user']:.2f} + {row['system']:.2f} | "
                     f"{row['events_per_second']:,.0f} | {row['peak_rss_mib']:.1f} |")
    for label, found in rest.items():
        lines += ['', f'{label}:', ''] + [f'- {key}: {value:.3g}' for key, value in found.items() if key != 'failed']
        lines += [f'- failed: {what}' for what in found.get('failed', ())]
    return '\n'.join(lines) + '\n'


def read_options():
    parser = argparse.ArgumentParser(description='Measures millrace.')
    parser.add_argument('events', nargs='?', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--cases', help='names, with commas: ' + ', '.join(case.name for case in CASES))
    parser.add_argument('--binary', action='append', metavar='LABEL=PATH', help='compare binaries in interleaved runs')
    parser.add_argument('--tools', type=pathlib.Path, default=ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    parser.add_argument('--no-rest', action='store_true', help='leave out memory at rest, start-up and allocations')
    parser.add_argument('--save', action='store_true', help='write bench/results/DATE.md and .json')
    parser.add_argument('--keep', action='store_true', help='keep the folder with lines, documents and logs')
    return parser.parse_args()


def main():
    options = read_options()
    pairs = options.binary or [f"millrace={ROOT / 'build-release/millrace'}"]
    binaries = {label: os.path.abspath(path) for label, path in (pair.split('=', 1) for pair in pairs)}
    names = options.cases.split(',') if options.cases else [case.name for case in CASES]
    cases = [case for case in CASES if case.name in names]
    folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-bench-'))
    try:
        bench = Bench(options, folder)
        rows = run_throughput(bench, binaries, cases)
        rest = {} if options.no_rest else {label: measure_rest_of(bench, path) for label, path in binaries.items()}
    finally:
        if options.keep:
            print(f'kept {folder}', file=sys.stderr)
        else:
            shutil.rmtree(folder)
    how = taken_how(options)
    print(report(how, rows, rest))
    if options.save:
        results = BENCH / 'results'
        results.mkdir(exist_ok=True)
        (results / f"{how['date']}.md").write_text(report(how, rows, rest))
        (results / f"{how['date']}.json").write_text(json.dumps({'how': how, 'cases': rows, 'rest': rest}, indent=1) + '\n')
    return 1 if any(row['failed'] for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())
