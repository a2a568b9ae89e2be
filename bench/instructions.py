#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions an event costs: `./dev bench instructions`.

Nine fixed loads run under valgrind's callgrind, which counts the instructions of the process itself (none of the
kernel's), so that the figures are alike on every machine. What start and end cost is taken off by a second run over a
tenth of the lines. --keep writes bench/instructions.json; without it the figures are compared with that file, and one
that grew by more than 3 % makes this fail: whoever has a reason for it writes the file anew in the same commit.

What a compiler makes of the sources differs by its version, and so do the libraries: the file says what it was made with,
and with anything else there is nothing to compare (exit 77, as for a test that is skipped)."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

import run

SKIPPED = 77
LIBRARIES = ('yajl', 'libuv', 'zlib')
EVENTS = 20000
FEWER = EVENTS // 10
MAY_GROW = 1.03
START_SECONDS = 120  # in callgrind, beside others
KEPT = run.BENCH / 'instructions.json'
# Functions of libc that choose by the processor are held to one choice.
ENVIRONMENT = {'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load'}
FILE = '''input { file { path => "%s" mode => "read" codec => "%s" sincedb_path => "/dev/null" exit_after_read => true
  file_completed_action => "log" file_completed_log_path => "%s/completed" } }
output { null {} }
'''


class ToNull(run.FileCase):
    """Lines through a codec and no further."""

    def __init__(self, name, what, codec):
        super().__init__(name, what)
        self.codec = codec

    def run(self, bench, binary, sink, env=None, count=None):
        text = FILE % (bench.lines(self.kind, count), self.codec, bench.folder)
        child = bench.start(binary, ['-e', text, *self.extra])
        return bench.finish(child, 0)


class FromOneClient(run.BeatsCase):
    """The payment file as it is, from one connection, so that the batches are the same each time."""

    def run(self, bench, binary, sink, env=None, count=None):
        lines, port = bench.lines(self.kind, count), run.free_port()
        led = ['--listen-at', f'{run.PAYMENT_PORT}:127.0.0.1:{port}']
        child = bench.start(binary, [*bench.payment(sink), *led])
        started = run.wait_for_port(port, child, START_SECONDS)
        send = [bench.options.binary, 'send', '--to', f'127.0.0.1:{port}', '--field', 'service=payment',
                '--window', str(run.WINDOW), *self.extra, lines]
        subprocess.run(send, stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log, check=True)
        child.send_signal(run.signal.SIGTERM)
        return bench.finish(child, started)


CASES = (
    ToNull('plain', 'lines of a file, to null', 'plain'),
    ToNull('json', 'the same as JSON', 'json'),
    run.FileCase('file_tier', 'tier and categorize, bulk and alerts'),
    run.FileCase('file_bulk', 'the same without alerts'),
    run.FileCase('file_ruby', 'the ruby block, bulk and alerts'),
    run.FileCase('file_grok', 'grok over an access log, bulk', kind='access'),
    run.FileCase('file_queue', 'file_tier over a disk queue', extra=('--queue.type', 'persisted', '--queue.durability', 'interval'),
                 pipeline='file_tier'),
    FromOneClient('beats', 'Beats, the payment file', ('--compress', '0')),
    FromOneClient('beats_compressed', 'the same, compressed', ('--compress', str(run.COMPRESSION))),
)


class Counted(run.Bench):
    """Runs of millrace in callgrind."""

    def start(self, binary, arguments, env=None):
        self.counts_file = self.folder / 'callgrind.out'
        wrapped = ['--tool=callgrind', f'--callgrind-out-file={self.counts_file}', binary, *arguments, '-w', '1']
        return super().start('valgrind', wrapped, {**ENVIRONMENT, **(env or {})})

    def count(self):
        return int(re.search(r'^(?:summary|totals): (\d+)', self.counts_file.read_text(), re.M).group(1))


def measure(options, case):
    """Instructions for each event."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Counted(options, pathlib.Path(folder))
        for events in (FEWER, EVENTS):
            with run.Sink(options.tools / 'sink') as sink:
                case.run(bench, options.binary, sink, count=events)
                arrived = sink.counts()['documents']
            if arrived != (0 if isinstance(case, ToNull) else events):
                raise RuntimeError(f'{case.name}: {arrived} documents arrived of {events}')
            counts.append(bench.count())
    return round((counts[1] - counts[0]) / (EVENTS - FEWER))


def measure_all(options):
    cases = [case for case in CASES if case.name in options.cases.split(',')]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(zip((case.name for case in cases), pool.map(lambda case: measure(options, case), cases)))


def made_with(options):
    """What the figures depend on beside the sources."""
    build = json.loads((options.tools.parent / 'meson-info/intro-buildoptions.json').read_text())
    chosen = {option['name']: option['value'] for option in build}
    libraries = [f"{name} {run.first_line(['pkg-config', '--modversion', name])}" for name in LIBRARIES]
    return {'compiler': run.first_line(['cc', '--version']), 'machine': platform.machine(),
            'libc': os.confstr('CS_GNU_LIBC_VERSION'), 'libraries': ', '.join(libraries),
            'build': f"{chosen['buildtype']}, simd {chosen['simd']}, fast_json {chosen['fast_json']}"}


def differences(before, now):
    return [f'{what}: {now.get(what)}, not {before.get(what)}' for what in now if now.get(what) != before.get(what)]


def compare(found, kept):
    """False when one has grown."""
    grown = [name for name, figure in found.items() if figure > kept.get(name, figure) * MAY_GROW]
    for name, figure in found.items():
        before = kept.get(name)
        print(f'{name:18} {figure:>9,}' + (f'  {figure / before - 1:+7.1%} of {before:,}' if before else ''))
    if grown:
        print(f'more instructions than {KEPT.name} has: {", ".join(grown)}. If it has to be so, or to keep what was won: '
              './dev bench instructions --keep writes it anew; commit it with the change')
    return not grown


def read_options():
    parser = argparse.ArgumentParser(description='Counts instructions for each event.')
    parser.add_argument('--binary', default=str(run.ROOT / 'build/millrace'))
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build/bench', help=argparse.SUPPRESS)
    parser.add_argument('--cases', default=','.join(case.name for case in CASES), help='names, with commas')
    parser.add_argument('--keep', action='store_true', help='write bench/instructions.json')
    options = parser.parse_args()
    options.events = EVENTS
    options.tools = options.tools.resolve()
    return options


def main():
    options = read_options()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {'made_with': {}, 'instructions': {}}
    with_now = made_with(options)
    others = [] if options.keep or not kept['made_with'] else differences(kept['made_with'], with_now)
    if others:
        print(f'nothing to compare with: {KEPT.name} was made with something else. ' + '; '.join(others))
        return SKIPPED
    found = measure_all(options)
    good = compare(found, kept['instructions'])
    if options.keep:
        every = {**kept['instructions'], **found} if kept['made_with'] == with_now else found
        KEPT.write_text(json.dumps({'made_with': with_now, 'instructions': every}, indent=2) + '\n')
    return 0 if good or options.keep else 1


if __name__ == '__main__':
    os.chdir(run.ROOT)
    sys.exit(main())
