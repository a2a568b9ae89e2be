#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the disk queue costs: `python3 bench/disk_queue.py [N]` runs the load file_tier over N lines, without and with a queue.

CPU time is that of the millrace process, the kernel's included; wall time is until the last document arrived. Runs are
interleaved, their order turned in every other round; medians, and the lowest and highest beside them."""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile

import run

QUEUE = ('--queue.type', 'persisted', '--queue.durability')
KINDS = {'memory': (), **{how: (*QUEUE, how) for how in ('none', 'interval', 'ack')}}


def run_once(bench, case, binary):
    with run.Sink(bench.tools / 'sink') as sink:
        measured = case.run(bench, binary, sink)
        arrived = sink.counts()['documents']
    if arrived != bench.events:
        raise RuntimeError(f'{case.name}: {arrived} documents of {bench.events}')
    return {'cpu': measured['user'] + measured['system'], 'wall': measured['clock']}


def spread(figures):
    return f'{statistics.median(figures):.3f} s ({min(figures):.3f} to {max(figures):.3f})'


def report(runs):
    for name, measured in runs.items():
        words = []
        for what in ('cpu', 'wall'):
            figures = [one[what] for one in measured]
            base = statistics.median(one[what] for one in runs['memory'])
            words.append(f'{what} {spread(figures)} {statistics.median(figures) / base - 1:+.0%}')
        print(f'{name:9} ' + '; '.join(words))


def main():
    parser = argparse.ArgumentParser(description='Measures what the disk queue costs.')
    parser.add_argument('events', nargs='?', type=int, default=200000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--workers', default='1')
    parser.add_argument('--binary', default=str(run.ROOT / 'build-release/millrace'))
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    options = parser.parse_args()
    cases = [run.FileCase(name, 'file_tier', extra=('-w', options.workers, *extra), pipeline='file_tier')
             for name, extra in KINDS.items()]
    runs = {case.name: [] for case in cases}
    with tempfile.TemporaryDirectory(prefix='millrace-bench-') as folder:
        bench = run.Bench(options, pathlib.Path(folder))
        for number in range(options.rounds):
            for case in cases if number % 2 == 0 else cases[::-1]:
                runs[case.name].append(run_once(bench, case, os.path.abspath(options.binary)))
    report(runs)


if __name__ == '__main__':
    sys.exit(main())
