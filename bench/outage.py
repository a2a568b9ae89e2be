#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an outage of one destination costs the others, and how much memory: `python3 bench/outage.py [N]`.

`alerts`: N payment lines from a file to bulk requests, one alert of each that is a SYSTEM_ERROR, with on_full => spool; the sink of the
alerts answers, or takes connections and says nothing. Documents by the clock, in interleaved pairs. Afterwards the sink comes back, and
every alert has to arrive.

`memory`: a cgroup of 32 MiB (needs root and cgroups of memory), input as fast as it goes, and Elasticsearch that takes connections and
says nothing for --seconds; then it answers, and every line has to arrive. Without a queue, and with one."""
import argparse
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import run

CGROUPS = pathlib.Path('/sys/fs/cgroup')
LIMIT_BYTES = 32 << 20
SPOOL = 'on_full => "spool" hold_max => "200 ms" request_timeout => 2'
INPUT = '''input { file { path => "%s" mode => "read" codec => "json" sincedb_path => "/dev/null" file_completed_action => "log"
  file_completed_log_path => "%s/completed" } }
'''
DOCUMENTS = 'elasticsearch { hosts => ["127.0.0.1:%d"] index => "i" manage_template => false timeout => "2 s" resurrect_delay => "1 s" }'
ALERTS = 'if [level] == "ERROR" { http { url => "http://127.0.0.1:%d/api/v1/alerts" http_method => "post" format => "json" ' + SPOOL + ' } }'


def hole():
    """A port that takes connections and says nothing."""
    return socket.create_server(('127.0.0.1', 0), backlog=512)


def sink_at(bench, port):
    limit = time.monotonic() + 20
    while True:
        try:
            return run.Sink(bench.tools / 'sink', port=port)
        except RuntimeError:
            if time.monotonic() > limit:
                raise


def wait_for(sink, what, count, child, seconds=600):
    limit = time.monotonic() + seconds
    while sink.counts()[what] < count:
        if child.poll() is not None:
            raise RuntimeError(f'millrace ended with {child.returncode}')
        if time.monotonic() > limit:
            raise RuntimeError(f'{sink.counts()[what]} of {count} {what} after {seconds} s')
        time.sleep(0.02)
    return time.monotonic()


def stop(child):
    child.send_signal(signal.SIGTERM)
    child.wait(60)


# ---- alerts

def errors_in(path):
    with open(path, encoding='utf-8') as lines:
        return sum('"level":"ERROR"' in line for line in lines)


def run_alerts(bench, down):
    """Seconds until all documents are there, and until all alerts are after their sink is back."""
    lines = bench.lines('payment')
    silent = hole()
    port = silent.getsockname()[1]
    with run.Sink(bench.tools / 'sink') as sink:
        alerts = None
        if not down:
            silent.close()
            alerts = sink_at(bench, port)
        text = INPUT % (lines, bench.folder) + 'output { ' + DOCUMENTS % sink.port + ' ' + ALERTS % port + ' }'
        started = time.monotonic()
        child = bench.start(bench.options.binary, ['-w', str(bench.options.workers), '-e', text])
        done = wait_for(sink, 'documents', bench.events, child)
        silent.close()
        alerts = alerts or sink_at(bench, port)
        with alerts:
            arrived = wait_for(alerts, 'alerts', errors_in(lines), child)
        stop(child)
    return done - started, arrived - done


def measure_alerts(bench):
    runs = {False: [], True: []}
    for number in range(bench.options.rounds):
        for down in (False, True) if number % 2 == 0 else (True, False):
            runs[down].append(run_alerts(bench, down))
    for down, measured in runs.items():
        seconds, later = zip(*measured)
        print(f"alerts {'down' if down else 'up  '}: {bench.events / statistics.median(seconds):>9,.0f} documents/s "
              f'({bench.events / max(seconds):,.0f} to {bench.events / min(seconds):,.0f}); all {errors_in(bench.lines("payment")):,} '
              f'alerts {statistics.median(later):.1f} s later')


# ---- memory

class Cgroup:
    """One with a limit of memory; processes that start in it count."""

    def __init__(self):
        old = CGROUPS / 'memory'
        self.folder = (old if old.is_dir() else CGROUPS) / f'millrace-bench-{os.getpid()}'
        self.folder.mkdir()
        limit = 'memory.limit_in_bytes' if old.is_dir() else 'memory.max'
        (self.folder / limit).write_text(str(LIMIT_BYTES))
        self.peak_file = self.folder / ('memory.max_usage_in_bytes' if old.is_dir() else 'memory.peak')

    def command(self, words):
        return ['sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(self.folder), *map(str, words)]

    def close(self):
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.05)


def run_memory(bench, flags):
    lines = bench.lines('payment')
    silent = hole()
    port = silent.getsockname()[1]
    group = Cgroup()
    try:
        text = INPUT % (lines, bench.folder) + 'output { ' + DOCUMENTS % port + ' }'
        data = tempfile.mkdtemp(dir=bench.folder)
        words = [bench.options.binary, '-w', str(bench.options.workers), '-e', text, '--path.data', data, *flags]
        child = subprocess.Popen(group.command(words), stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log)
        begun, peak = time.monotonic(), 0
        while time.monotonic() < begun + bench.options.seconds:
            if child.poll() is not None:
                raise RuntimeError(f'millrace ended with {child.returncode} in the outage')
            peak = max(peak, run.status_kib(child.pid, 'RssAnon'))
            time.sleep(0.1)
        silent.close()
        with sink_at(bench, port) as sink:
            back = time.monotonic()
            done = wait_for(sink, 'documents', bench.events, child)
            arrived = sink.counts()['documents']
        peak = max(peak, run.status_kib(child.pid, 'RssAnon'))
        stop(child)
        return {'rss_anon_mib': peak / 1024, 'seconds': done - back, 'documents': arrived}
    finally:
        silent.close()
        if child.poll() is None:
            child.kill()
            child.wait()
        group.close()


def measure_memory(bench):
    for name, flags in (('no queue', ()), ('queue, interval', ('--queue.type', 'persisted', '--queue.durability', 'interval'))):
        found = run_memory(bench, flags)
        print(f"memory 32 MiB, {bench.options.seconds} s without Elasticsearch, {name}: alive, RssAnon at most "
              f"{found['rss_anon_mib']:.1f} MiB; {found['documents']:,} of {bench.events:,} documents "
              f"{found['seconds']:.1f} s after it was back")


def main():
    parser = argparse.ArgumentParser(description='Measures outages.')
    parser.add_argument('events', nargs='?', type=int, default=1000000)
    parser.add_argument('--only', choices=('alerts', 'memory'))
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--binary', default=str(run.ROOT / 'build-release/millrace'))
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='millrace-bench-') as folder:
        bench = run.Bench(options, pathlib.Path(folder))
        if options.only != 'memory':
            measure_alerts(bench)
        if options.only != 'alerts':
            measure_memory(bench)


if __name__ == '__main__':
    sys.exit(main())
