#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures starts of binaries beside each other: `bench/start.py LABEL=PATH [LABEL=PATH]...`.

Each of N rounds (21) starts every binary once for each case: `--version`; `-t` of the payment pipeline; that pipeline until
it listens, against a sink; in the first three rounds also what it has in memory a second later. Reported are the least and
the median, of the clock and of the process's own CPU time, which a busy machine changes less."""
import argparse
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import time

import run

ROUNDS, RESTS = 21, 3
TEST = ['-t', '-f', str(run.PAYMENT), '--path.templates', str(run.ROOT / 'deploy/templates')]


def to_its_end(binary, arguments):
    """Milliseconds of clock and of CPU that it takes."""
    null = [(os.POSIX_SPAWN_OPEN, number, '/dev/null', os.O_RDWR, 0) for number in range(3)]
    started = time.monotonic()
    _, status, usage = os.wait4(os.posix_spawn(binary, [binary, *arguments], os.environ, file_actions=null), 0)
    took = time.monotonic() - started
    if status != 0:
        raise RuntimeError(f'{binary} {" ".join(arguments)} ended with {os.waitstatus_to_exitcode(status)}')
    return {'clock': took * 1000, 'cpu': (usage.ru_utime + usage.ru_stime) * 1000}


def to_listening(bench, binary, sink, rests):
    """Milliseconds until it listens, and MiB in memory a second later."""
    started = time.monotonic()
    child = bench.start(binary, bench.payment(sink))
    found = {'clock': (run.wait_for_port(run.PAYMENT_PORT, child) - started) * 1000}
    if rests:
        time.sleep(1)
        found['rss'], found['anon'] = (run.status_kib(child.pid, key) / 1024 for key in ('VmRSS', 'RssAnon'))
    child.send_signal(signal.SIGTERM)
    bench.finish(child, started)
    return found


def measure(bench, binaries, rounds):
    """Every figure of every case and binary: {(case, label): [...]}."""
    found = {}
    with run.Sink(bench.tools / 'sink') as sink:
        for number in range(rounds):
            for label, binary in binaries.items():
                data = ['--path.data', str(bench.folder / 'data')]
                for case, measured in (('--version', to_its_end(binary, ['--version'])), ('-t', to_its_end(binary, TEST + data)),
                                       ('until it listens', to_listening(bench, binary, sink, number < RESTS))):
                    found.setdefault((case, label), []).append(measured)
    return found


def report(found):
    lines = ['| | binary | clock ms: least, median | CPU ms: least, median | RSS, RssAnon MiB |', '| --- | --- | ---: | ---: | ---: |']
    for (case, label), figures in sorted(found.items()):
        def pair(key):
            values = [one[key] for one in figures if key in one]
            return f'{min(values):.2f}, {statistics.median(values):.2f}' if values else ''
        rest = [[one[key] for one in figures if key in one] for key in ('rss', 'anon')]
        memory = ', '.join(f'{statistics.median(values):.1f}' for values in rest if values)
        lines.append(f'| {case} | {label} | {pair("clock")} | {pair("cpu")} | {memory} |')
    return '\n'.join(lines)


def main():
    parser = argparse.ArgumentParser(description='Measures starts of binaries beside each other.')
    parser.add_argument('binary', nargs='+', metavar='LABEL=PATH')
    parser.add_argument('--rounds', type=int, default=ROUNDS)
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help='where the sink is')
    options = parser.parse_args()
    options.events = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = run.Bench(options, pathlib.Path(folder))
        print(report(measure(bench, dict(word.split('=', 1) for word in options.binary), options.rounds)))


if __name__ == '__main__':
    sys.exit(main())
