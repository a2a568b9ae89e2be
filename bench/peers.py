#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures millrace beside other log shippers that do the same job: `./dev bench --peers [N]`.

The job is pipelines/file_tier.conf: a file of JSON lines, date, mask, tier and category, bulk requests by the day, one alert
for each SYSTEM_ERROR. What each of the others is given is in peers/. Every document and every alert of the first round is
compared (bench/check.py); one that does another job has no figure. Rounds are interleaved; the ratio is that of the medians
of CPU time (user and system, of the one process, from its exit).

Beside them run two that bound what can be reached: `yajl`, bench/yajl_bare.c, the library's callbacks over the same lines and
nothing else; and `floor`, bench/floor.c, which reads and sends the lines by yyjson, beside `without alerts`, millrace with
pipelines/file_bulk.conf. The floor is built where yyjson is installed (Debian 12 has no package), or named by --floor.

rsyslog is measured where it is installed with rsyslog-elasticsearch; syslog-ng too, or unpacked by `./dev bench --peers`
under build-peers/, since Debian installs only one of the two; Fluent Bit where `fluent-bit` is in PATH or named by
--fluent-bit (bench/README.md says how to build it). One that is absent is said to be. --save writes results/DATE-peers.md."""
import argparse
import datetime
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import check
import run

PEERS = run.BENCH / 'peers'
UNPACKED = run.ROOT / 'build-peers'
DEADLINE_SECONDS = 600
POLL_SECONDS = 0.05


def which(name, *places):
    return next((str(place) for place in places if place and os.access(place, os.X_OK)), None) or shutil.which(name)


class Peer:
    """Another program; a name, what it is run with, and how it tells its version."""

    check, alerts, sends = 'payment', True, True  # the kind of bench/check.py; whether it sends alerts; and anything

    def __init__(self, name, program, arguments, env=None, needs=None):
        self.name, self.program, self.arguments, self.env, self.needs = name, program, arguments, env or {}, needs

    def missing(self):
        if not self.program:
            return 'is not installed'
        if self.needs and not pathlib.Path(self.needs).exists():
            return f'lacks {self.needs}'
        return None

    def version(self):
        words = [self.program, '-v' if 'rsyslog' in self.program else '--version']
        return run.first_line(['env', *(f'{key}={value}' for key, value in self.env.items()), *words]).split(' (aka')[0].strip(' :')

    def command(self, bench, sink):
        """Its configuration filled in, in a folder of its own, and the words that run it."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=bench.folder))
        text = (PEERS / f'{self.name}.conf').read_text()
        fillings = {'LINES': bench.lines('payment'), 'PORT': sink.port, 'FOLDER': folder, 'PEERS': PEERS}
        for key, value in fillings.items():
            text = text.replace(f'@{key}@', str(value))
        config = folder / f'{self.name}.conf'
        config.write_text(text)
        return [self.program, *(word.format(config=config, folder=folder) for word in self.arguments)]

    def run(self, bench, sink):
        """Starts it, waits until everything has arrived, ends it; what it cost."""
        started = time.monotonic()
        child = subprocess.Popen(self.command(bench, sink), stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log,
                                 env={**os.environ, **self.env})
        while not arrived(bench, sink):
            if child.poll() is not None:
                raise RuntimeError(f'{self.name} ended with {child.returncode}: {bench.folder}/millrace.log')
            if time.monotonic() - started > DEADLINE_SECONDS:
                child.kill()
                child.wait()
                raise RuntimeError(f'only {sink.counts()} after {DEADLINE_SECONDS} s')
            time.sleep(POLL_SECONDS)
        clock = time.monotonic() - started
        child.send_signal(signal.SIGTERM)
        return {**bench.finish(child, started), 'clock': clock}


class Millrace:
    """The program itself, with a case of the bench."""

    sends = True

    def __init__(self, name, binary, case=run.CASES[0], alerts=True):
        self.name, self.binary, self.case, self.alerts = name, binary, case, alerts
        self.check = 'payment' if alerts else 'payment_bulk'

    def missing(self):
        return None

    def version(self):
        return run.first_line([self.binary, '--version'])

    def run(self, bench, sink):
        return self.case.run(bench, self.binary, sink)


class Bound:
    """A program that does less, over the same lines: how little it could cost."""

    check, alerts = None, False

    def __init__(self, name, program, what, sends):
        self.name, self.program, self.what, self.sends = name, program, what, sends

    def missing(self):
        return None if os.access(self.program, os.X_OK) else 'was not built'

    def version(self):
        return self.what

    def run(self, bench, sink):
        words = [str(sink.port)] if self.sends else []
        started = time.monotonic()
        child = subprocess.Popen([self.program, bench.lines('payment'), *words], stdin=subprocess.DEVNULL,
                                 stdout=bench.log, stderr=bench.log)
        return bench.finish(child, started)


def peers(options):
    unpacked = UNPACKED / 'usr/sbin/syslog-ng'
    libraries = UNPACKED / 'usr/lib/syslog-ng'
    found = sorted(libraries.glob('3.*'))
    modules = [f'--module-path={found[0]}'] if found else []
    return (
        Peer('fluent-bit', which('fluent-bit', options.fluent_bit, '/opt/fluent-bit/bin/fluent-bit'), ('-c', '{config}')),
        Peer('rsyslog', which('rsyslogd', '/usr/sbin/rsyslogd'), ('-n', '-f', '{config}', '-i', '{folder}/pid'),
             needs='/usr/lib/x86_64-linux-gnu/rsyslog/omelasticsearch.so'),
        Peer('syslog-ng', which('syslog-ng', unpacked),
             ('-F', '--no-caps', '-f', '{config}', '-p', '{folder}/pid', '-R', '{folder}/persist', '-c', '{folder}/control',
              *modules), {'LD_LIBRARY_PATH': str(libraries)} if found else {}),
    )


def wanted_alerts(bench):
    if not hasattr(bench, 'alerts'):
        with open(bench.lines('payment'), encoding='utf-8') as lines:
            bench.alerts = sum(check.is_system_error(line) for line in lines)
    return bench.alerts


def arrived(bench, sink):
    counts = sink.counts()
    return counts['documents'] >= bench.events and counts['alerts'] >= wanted_alerts(bench)


def measure(bench, what, keep):
    """One run. With keep the documents and alerts are stored and compared."""
    store = bench.folder / 'store' if keep else None
    with run.Sink(bench.tools / 'sink', *([store] if store else [])) as sink:
        measured = what.run(bench, sink)
        counts = sink.counts()
    if not what.sends:
        return measured
    alerts = wanted_alerts(bench) if what.alerts else 0
    if counts['documents'] != bench.events or counts['alerts'] != alerts:
        raise RuntimeError(f'{counts} for {bench.events} lines with {alerts} alerts')
    if keep and what.check:
        checked = subprocess.run([sys.executable, run.BENCH / 'check.py', what.check, bench.lines('payment'), store],
                                 stdout=subprocess.PIPE, text=True)
        if checked.returncode != 0:
            raise RuntimeError(f'does another job:\n{checked.stdout}')
    return measured


def run_rounds(bench, runners):
    runs, broken = {}, {}
    for number in range(bench.options.rounds):
        for what in runners:
            if what.name in broken:
                continue
            try:
                measured = measure(bench, what, keep=number == 0)
            except (RuntimeError, OSError) as error:
                broken[what.name] = str(error)
                print(f'{what.name}: {error}', file=sys.stderr)
                continue
            runs.setdefault(what.name, []).append(measured)
            print(f"{what.name} {cost(bench, measured):.2f} us", file=sys.stderr)
    return runs, broken


def cost(bench, measured):
    return 1e6 * (measured['user'] + measured['system']) / bench.events


def report(bench, runners, runs, broken):
    how = run.taken_how(bench.options)
    lines = [f"# Beside others, {how['date']}", '', f"{how['events']:,} lines, {how['rounds']} interleaved rounds: the job of "
             f"`pipelines/file_tier.conf`. {how['cores']} cores, {how['cpu']}, Linux {how['kernel']}, {how['compiler']}, "
             f"commit {how['commit']}. Every document and alert of the first round was compared.", '',
             '| | version | µs of CPU for each event, median (lowest to highest) | times millrace | events/s | peak RSS MiB |',
             '| --- | --- | ---: | ---: | ---: | ---: |']
    own = statistics.median(cost(bench, one) for one in runs[runners[0].name]) if runs.get(runners[0].name) else None
    for what in runners:
        if what.missing() or what.name in broken:
            why = what.missing() or broken[what.name].splitlines()[0]
            lines.append(f'| {what.name} | not measured: {why} | | | | |')
            continue
        costs = sorted(cost(bench, one) for one in runs[what.name])
        middle = statistics.median(costs)
        clock = statistics.median(one['clock'] for one in runs[what.name])
        peak = max(one['peak_rss_mib'] for one in runs[what.name])
        times = f'{middle / own:.2f}' if own else ''
        lines.append(f'| {what.name} | {what.version()} | {middle:.2f} ({costs[0]:.2f} to {costs[-1]:.2f}) | {times} | '
                     f'{bench.events / clock:,.0f} | {peak:.1f} |')
    return '\n'.join(lines) + '\n'


def read_options():
    parser = argparse.ArgumentParser(description='Measures millrace beside other log shippers.')
    parser.add_argument('events', nargs='?', type=int, default=200000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--binary', type=os.path.abspath, default=run.ROOT / 'build-release/millrace')
    parser.add_argument('--fluent-bit', metavar='PATH')
    parser.add_argument('--floor', metavar='PATH', help='bench/floor.c, built by hand')
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    parser.add_argument('--save', action='store_true', help='write bench/results/DATE-peers.md')
    return parser.parse_args()


def main():
    options = read_options()
    runners = (Millrace('millrace', options.binary), *peers(options),
               Bound('yajl', options.tools / 'yajl_bare', "the library's callbacks alone", sends=False),
               Millrace('without alerts', options.binary, run.FileCase('file_bulk', 'no alerts'), alerts=False),
               Bound('floor', options.floor or options.tools / 'floor', 'yyjson, bulk requests and nothing else', sends=True))
    for what in runners:
        if what.missing():
            print(f'{what.name} {what.missing()}: not measured', file=sys.stderr)
    folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-peers-'))
    try:
        bench = run.Bench(options, folder)
        runs, broken = run_rounds(bench, [what for what in runners if not what.missing()])
        text = report(bench, runners, runs, broken)
    finally:
        shutil.rmtree(folder)
    print(text)
    if options.save:
        (run.BENCH / 'results' / f'{datetime.date.today().isoformat()}-peers.md').write_text(text)
    return 1 if broken else 0


if __name__ == '__main__':
    sys.exit(main())
