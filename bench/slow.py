#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How millrace does with destinations that behave as real ones do: `./dev bench slow [N]`.

N lines go to bench/sink.c, which answers late, refuses requests or documents: out of a file, or by Beats over eight connections
(`millrace send`). What counts is the rate by the clock, against the same sink without the trouble, in the same run: the cases are
interleaved over the rounds and the ratio is that of the medians. A case with refused documents ends when all healthy ones have
arrived; those that are refused for ever are still tried again then. With --binary OLD=PATH another build is measured beside this
one. With --save the report is written to bench/results/DATE-slow.md."""
import argparse
import contextlib
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import run

DEADLINE_SECONDS = 120
CONNECTIONS = 8
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
    ('Beats at once', '', 2, None),
    ('Beats after 20 ms', '--delay 20', 2, 'Beats at once'),
    ('Beats after 100 ms', '--delay 100', 2, 'Beats at once'),
)
FILE_INPUT = '''file {{ path => "{lines}" mode => "read" codec => "json" sincedb_path => "/dev/null"
  file_completed_action => "log" file_completed_log_path => "{folder}/completed" }}'''
BEATS_INPUT = 'beats {{ port => {beats} codec => "json" }}'
PIPELINE = '''input {{ INPUT }}
output {{ elasticsearch {{ hosts => ["127.0.0.1:{port}"] index => "slow" manage_template => false }} }}
'''


@contextlib.contextmanager
def beats_clients(bench, binary, child, port):
    """Eight clients, each with its part of the lines, once millrace listens."""
    run.wait_for_port(port, child)
    send = [binary, 'send', '--to', f'127.0.0.1:{port}', '--window', str(run.WINDOW), '--compress', '0']
    clients = [subprocess.Popen([*send, path], stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log)
               for path in bench.parts('payment', CONNECTIONS)]
    try:
        yield
    finally:
        for client in clients:
            client.kill()
            client.wait()


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def wait_for_documents(bench, sink, refuses, started):
    """The counts when every document that is not refused has arrived, and when the last one did."""
    least = bench.events - (bench.events // 500 if refuses else 0)
    last, steady = -1, started
    while True:
        counts, now = sink.counts(), time.monotonic()
        if counts['documents'] != last:
            last, steady = counts['documents'], now
        if last >= bench.events or (last >= least and now - steady > 1) or now - started > DEADLINE_SECONDS:
            return counts, steady
        time.sleep(0.01)


def measure(bench, binary, case):
    """Documents a second until every one that is not refused has arrived; peak memory, CPU seconds, bulk requests."""
    name, flags, lanes, _ = case
    by_beats = name.startswith('Beats')
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(run.Sink(bench.tools / 'sink', *flags.split()))
        beats = run.free_port()
        text = PIPELINE.replace('INPUT', BEATS_INPUT if by_beats else FILE_INPUT).format(
            lines=bench.lines('payment'), folder=bench.folder, port=sink.port, beats=beats)
        started = time.monotonic()
        child = bench.start(binary, ['-w', str(lanes), '--pipeline.ecs_compatibility', 'disabled',
                                     '--shutdown.timeout', '1 s', '-e', text])
        if by_beats:
            stack.enter_context(beats_clients(bench, binary, child, beats))
            started = time.monotonic()
        counts, ended = wait_for_documents(bench, sink, 'refuse' in flags, started)
        sink_cpu = cpu_seconds(sink.child.pid)
        child.send_signal(run.signal.SIGTERM)
        try:
            finished = bench.finish(child, started)
        except RuntimeError:
            finished = {'user': 0, 'system': 0, 'peak_rss_mib': 0}
        return {'rate': counts['documents'] / (ended - started), 'documents': counts['documents'], 'bulks': counts['bulks'],
                'cpu': finished['user'] + finished['system'], 'sink_cpu': sink_cpu, 'rss': finished['peak_rss_mib']}


def rows(found, labels):
    for name, _, _, against in CASES:
        for label in labels:
            runs = found.get((name, label))
            if not runs:
                continue

            def median(key, of=runs):
                return statistics.median(each[key] for each in of)
            rate = median('rate')
            base = median('rate', found[against, label]) if against else rate
            yield (f"| {name} | {label} | {rate:,.0f} | {rate / base:.2f} | "
                   f"{min(each['documents'] for each in runs):,} | {median('bulks'):,.0f} | "
                   f"{median('cpu'):.2f} | {median('sink_cpu'):.2f} | {max(each['rss'] for each in runs):.0f} |")


def chosen(words):
    """The cases that have one of the words in their names, and what they are compared with."""
    names = {case[0] for case in CASES if not words or any(word in case[0] for word in words.split(','))}
    names |= {case[3] for case in CASES if case[0] in names}
    return [case for case in CASES if case[0] in names]


def main():
    parser = argparse.ArgumentParser(description='Measures millrace with slow and refusing destinations.')
    parser.add_argument('events', nargs='?', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--cases', help='parts of names, with commas')
    parser.add_argument('--binary', action='append', metavar='LABEL=PATH', default=[])
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    parser.add_argument('--save', action='store_true')
    options = parser.parse_args()
    binaries = dict(entry.split('=', 1) for entry in options.binary) or {'this': run.ROOT / 'build-release/millrace'}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = run.Bench(options, pathlib.Path(folder))
        for number in range(options.rounds):
            for case in chosen(options.cases):
                for label, binary in binaries.items():
                    found.setdefault((case[0], label), []).append(measure(bench, binary, case))
                    print(f"{number} {case[0]} {label} {found[case[0], label][-1]['rate']:,.0f}", file=sys.stderr)
    how = run.taken_how(options)
    report = '\n'.join([
        f"# {how['date']}: slow and refusing destinations", '',
        f"{how['events']:,} lines to one elasticsearch output, {how['rounds']} interleaved rounds, medians. "
        f"{how['cores']} cores, {how['cpu']}, Linux {how['kernel']}, {how['build']}, commit {how['commit']}.", '',
        "| the sink | binary | documents/s | of the rate without it | fewest documents | bulks | CPU s | the sink's CPU s | "
        'peak RSS MiB |',
        '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |', *rows(found, binaries)]) + '\n'
    print(report)
    if options.save:
        (run.BENCH / f"results/{datetime.date.today()}-slow.md").write_text(report)


if __name__ == '__main__':
    main()
