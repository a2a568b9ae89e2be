#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How millrace does with destinations that behave as real ones do: `./dev bench slow [N]`.

A file of N lines goes to bench/sink.c, which answers late, refuses requests or documents. What counts is the rate by the
clock, against the same sink without the trouble, in the same run: the cases are interleaved over the rounds and the ratio
is that of the medians. A case with refused documents ends when all healthy ones have arrived. With --binary OLD=PATH another
build is measured beside this one. With --save the report is written to bench/results/DATE-slow.md."""
import argparse
import datetime
import pathlib
import statistics
import sys
import tempfile
import time

import run

DEADLINE_SECONDS = 120
CASES = (
    # name, flags of the sink, lanes, what it is compared with
    ('at once', '', 2, None),
    ('at once, -w 1', '', 1, 'at once'),
    ('after 20 ms', '--delay 20', 2, 'at once'),
    ('after 100 ms', '--delay 100', 2, 'at once'),
    ('1 of 1,000 documents 429', '--refuse 1 429', 2, 'at once'),
    ('1 of 1,000 documents 500', '--refuse 1 500', 2, 'at once'),
    ('1 of 1,000 documents 403', '--refuse 1 403', 2, 'at once'),
    ('every third request 503', '--fail-every 3 503', 2, 'at once'),
    ('the same, after 20 ms', '--delay 20 --fail-every 3 503', 2, 'after 20 ms'),
    ('the first 12 requests 413', '--too-large 12', 2, 'at once'),
)
PIPELINE = '''input {{ file {{ path => "{lines}" mode => "read" codec => "json" sincedb_path => "/dev/null"
  file_completed_action => "log" file_completed_log_path => "{folder}/completed" }} }}
output {{ elasticsearch {{ hosts => ["127.0.0.1:{port}"] index => "slow" manage_template => false }} }}
'''


def measure(bench, binary, flags, lanes):
    """Seconds until every document that is not refused has arrived; peak memory, CPU seconds, bulk requests."""
    with run.Sink(bench.tools / 'sink', *flags.split()) as sink:
        text = PIPELINE.format(lines=bench.lines('payment'), folder=bench.folder, port=sink.port)
        started = time.monotonic()
        child = bench.start(binary, ['-w', str(lanes), '--pipeline.ecs_compatibility', 'disabled',
                                     '--shutdown.timeout', '1 s', '-e', text])
        least = bench.events - (bench.events // 500 if 'refuse' in flags else 0)
        last, steady = -1, started
        while True:
            counts, now = sink.counts(), time.monotonic()
            if counts['documents'] != last:
                last, steady = counts['documents'], now
            if last >= bench.events or (last >= least and now - steady > 1):
                break
            if now - started > DEADLINE_SECONDS:
                break
            time.sleep(0.01)
        child.send_signal(run.signal.SIGTERM)
        try:
            finished = bench.finish(child, started)
        except RuntimeError:
            finished = {'user': 0, 'system': 0, 'peak_rss_mib': 0}
        return {'rate': last / (steady - started), 'documents': last, 'bulks': counts['bulks'],
                'cpu': finished['user'] + finished['system'], 'rss': finished['peak_rss_mib']}


def rows(found, labels):
    for name, flags, lanes, against in CASES:
        for label in labels:
            runs = found[name, label]
            rate = statistics.median(each['rate'] for each in runs)
            base = statistics.median(each['rate'] for each in found[against, label]) if against else rate
            yield (f"| {name} | {label} | {rate:,.0f} | {rate / base:.2f} | "
                   f"{min(each['documents'] for each in runs):,} | {runs[0]['bulks']:,} | "
                   f"{statistics.median(each['cpu'] for each in runs):.2f} | {max(each['rss'] for each in runs):.0f} |")


def main():
    parser = argparse.ArgumentParser(description='Measures millrace with slow and refusing destinations.')
    parser.add_argument('events', nargs='?', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--binary', action='append', metavar='LABEL=PATH', default=[])
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    parser.add_argument('--save', action='store_true')
    options = parser.parse_args()
    binaries = dict(entry.split('=', 1) for entry in options.binary) or {'this': run.ROOT / 'build-release/millrace'}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = run.Bench(options, pathlib.Path(folder))
        for number in range(options.rounds):
            for name, flags, lanes, _ in CASES:
                for label, binary in binaries.items():
                    found.setdefault((name, label), []).append(measure(bench, binary, flags, lanes))
                    print(f"{number} {name} {label} {found[name, label][-1]['rate']:,.0f}", file=sys.stderr)
    how = run.taken_how(options)
    report = '\n'.join([
        f"# {how['date']}: slow and refusing destinations", '',
        f"{how['events']:,} lines of a file to one elasticsearch output, {how['rounds']} interleaved rounds, medians. "
        f"{how['cores']} cores, {how['cpu']}, Linux {how['kernel']}, {how['build']}, commit {how['commit']}.", '',
        '| the sink | binary | documents/s | of the rate without it | fewest documents | bulks | CPU s | peak RSS MiB |',
        '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |', *rows(found, binaries)]) + '\n'
    print(report)
    if options.save:
        (run.BENCH / f"results/{datetime.date.today()}-slow.md").write_text(report)


if __name__ == '__main__':
    main()
