#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions an event costs: `./dev bench instructions`.

Eight fixed loads run under valgrind's callgrind, which counts the instructions of the process itself (none of the
kernel's), so that the figures are alike on every machine. What start and end cost is taken off by a second run over a
tenth of the lines. --keep writes bench/instructions.json; without it the figures are compared with that file, and one
that grew by more than 3 % makes this fail: whoever has a reason for it writes the file anew in the same commit."""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import run

EVENTS = 20000
FEWER = EVENTS // 10
MAY_GROW = 1.03
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
        lines = bench.lines(self.kind, count)
        child = bench.start(binary, bench.payment(sink))
        started = run.wait_for_port(run.PAYMENT_PORT, child)
        send = [bench.options.binary, 'send', '--to', f'127.0.0.1:{run.PAYMENT_PORT}', '--field', 'service=payment',
                '--window', str(run.WINDOW), *self.extra, lines]
        subprocess.run(send, stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log, check=True)
        child.send_signal(run.signal.SIGTERM)
        return bench.finish(child, started)


CASES = (
    ToNull('plain', 'lines of a file, to null', 'plain'),
    ToNull('json', 'the same as JSON', 'json'),
    run.FileCase('file_tier', 'tier and categorize, bulk and alerts'),
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


def measure(bench, case):
    """Instructions for each event."""
    counts = []
    for events in (FEWER, EVENTS):
        with run.Sink(bench.tools / 'sink') as sink:
            case.run(bench, bench.options.binary, sink, count=events)
        counts.append(bench.count())
    return (counts[1] - counts[0]) / (EVENTS - FEWER)


def compare(found):
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    grown = [name for name, figure in found.items() if figure > kept.get(name, figure) * MAY_GROW]
    for name, figure in found.items():
        before = kept.get(name)
        print(f'{name:18} {figure:>9,.0f}' + (f'  {figure / before - 1:+7.1%} of {before:,}' if before else ''))
    if grown:
        print(f'more instructions than {KEPT.name} has: {", ".join(grown)}. If it has to be, --keep writes it anew.')
    return not grown


def main():
    parser = argparse.ArgumentParser(description='Counts instructions for each event.')
    parser.add_argument('--binary', default=str(run.ROOT / 'build-release/millrace'))
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    parser.add_argument('--cases', default=','.join(case.name for case in CASES), help='names, with commas')
    parser.add_argument('--keep', action='store_true', help='write bench/instructions.json')
    options = parser.parse_args()
    options.events = EVENTS
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Counted(options, pathlib.Path(folder))
        for case in CASES:
            if case.name in options.cases.split(','):
                found[case.name] = measure(bench, case)
    good = compare(found)
    if options.keep:
        KEPT.write_text(json.dumps({name: round(figure) for name, figure in found.items()}, indent=2) + '\n')
    return 0 if good or options.keep else 1


if __name__ == '__main__':
    os.chdir(run.ROOT)
    sys.exit(main())
