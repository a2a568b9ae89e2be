#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How millrace bears an outage of one destination: `python3 bench/outage.py alerts | memory | long`.

`alerts`: payment lines as fast as they are taken, through one Beats connection with three windows under way (`millrace send`), to bulk
requests, and one alert of each that is an ERROR, with on_full => spool. In interleaved pairs the sink of the alerts answers, or takes
connections and says nothing, for --seconds. Documents by the clock in that time. Then it is there again, the client ends, and every
alert has to arrive.

`memory`: a cgroup of 32 MiB (needs root and cgroups of memory), N lines from a file as fast as they go, and Elasticsearch that takes
connections and says nothing for --seconds; then it answers, and every line has to arrive. Without a queue, and with one.

`long`: Beats clients on go-lumber (tests/clients/lumber), which this project did not write, send events and send again whatever was
not acknowledged; every ten seconds another one comes, up to four at a time, with windows sent ahead so that more is offered than memory
holds. After ten seconds in which all is well, Elasticsearch is away for --seconds: by turns of five seconds it refuses connections and
answers every bulk request with 503. Afterwards it is there again, and the run is over when nothing has arrived for half a minute: then
everything sent must have. Resident memory is noted every ten seconds (--samples FILE keeps it). Reported: what it was a minute after
the outage began, its highest and its last value in the outage, and the counts; the exit status is 1 when anything is missing. With
--queue persisted a disk queue takes events in meanwhile, so many in ten seconds as --burst says, for each of the clients that come
one after the other."""
import argparse
import collections
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import run

sys.path.insert(0, str(run.ROOT / 'tests/system'))
import beats  # noqa: E402 # pylint: disable=wrong-import-position

CGROUPS = pathlib.Path('/sys/fs/cgroup')
LIMIT_BYTES = 32 << 20
BLOCK_LINES, WINDOWS_AHEAD, WARM_SECONDS = 20000, 3, 3
WELL_SECONDS, TURN_SECONDS, TICK_SECONDS, STILL_SECONDS = 10, 5, 10, 30
CLIENTS, WINDOW, AHEAD = 4, 1000, 64
MESSAGE = re.compile(r'"message":"([^"]*)"')
BEATS = 'input { beats { host => "127.0.0.1" port => %d %s } }\n'
FILE = '''input { file { path => "%s" mode => "read" codec => "json" sincedb_path => "/dev/null" file_completed_action => "log"
  file_completed_log_path => "%s/completed" } }
'''
DOCUMENTS = 'elasticsearch { hosts => ["127.0.0.1:%d"] index => "outage" manage_template => false timeout => "2 s" resurrect_delay => "1 s" }'
ALERTS = '''if [level] == "ERROR" { http { url => "http://127.0.0.1:%d/api/v1/alerts" http_method => "post" format => "json"
  on_full => "spool" hold_max => "200 ms" request_timeout => 2 } }'''


class Destination:
    """bench/sink on a port of its own, which can also be away, take connections and say nothing, or answer every bulk request with 503.
    With a folder it keeps what it takes: events are known by their message."""

    def __init__(self, program, folder=None):
        self.program, self.folder, self.port = program, folder, run.free_port()
        self.state, self.sink, self.silent, self.stores = 'away', None, None, 0

    def be(self, state):
        if state == self.state:
            return
        if self.sink:
            self.sink.__exit__()
        if self.silent:
            self.silent.close()
        self.sink = self.silent = None
        self.state = state
        if state == 'silent':
            self.silent = socket.create_server(('127.0.0.1', self.port), backlog=512)
        elif state == '503':
            self.sink = self._start('--fail-every', '1', '503')
        elif state == 'well':
            self.stores += 1
            self.sink = self._start(*([self.folder / f'store{self.stores}'] if self.folder else ()))

    def _start(self, *words):
        """The port may still have connections of those before."""
        limit = time.monotonic() + 20
        while True:
            try:
                return run.Sink(self.program, *words, port=self.port)
            except RuntimeError:
                if time.monotonic() > limit:
                    raise

    def count(self, what='documents'):
        return self.sink.counts()[what]

    def wait_for(self, what, count, child, seconds=900):
        limit = time.monotonic() + seconds
        while self.count(what) < count:
            if child.poll() is not None:
                raise RuntimeError(f'millrace ended with {child.returncode}')
            if time.monotonic() > limit:
                raise RuntimeError(f'{self.count(what)} of {count} {what} after {seconds} s')
            time.sleep(0.05)
        return time.monotonic()

    def arrived(self):
        """Everything it said that it took: each event with the number of its copies."""
        seen = collections.Counter()
        for number in range(1, self.stores + 1):
            with open(self.folder / f'store{number}.bulk', encoding='utf-8') as bulks:
                seen.update(match[1] for match in map(MESSAGE.search, bulks) if match)
        return seen


def stop(child):
    child.send_signal(signal.SIGTERM)
    return child.wait(60)


def resident_mib(pid, key='RssAnon'):
    return run.status_kib(pid, key) / 1024


# ---- alerts

class Feeder:
    """A Beats client that sends a block of lines again and again, until it is told to end."""

    def __init__(self, bench, port, block):
        self.block, self.blocks, self.over = block, 0, threading.Event()
        self.child = subprocess.Popen([bench.options.binary, 'send', '--to', f'127.0.0.1:{port}', '--compress', '0', '--window', '2048',
                                       '--pipelining', str(WINDOWS_AHEAD)], stdin=subprocess.PIPE, stdout=bench.log, stderr=bench.log)
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()

    def _feed(self):
        while not self.over.is_set():
            self.child.stdin.write(self.block)
            self.blocks += 1
        self.child.stdin.close()

    def end(self):
        """Once all is acknowledged; how many blocks there were."""
        self.over.set()
        self.thread.join()
        if self.child.wait() != 0:
            raise RuntimeError('the client failed')
        return self.blocks


def run_alerts(bench, down):
    """Documents a second while it lasted, seconds until all alerts were there, how many came, and how many there should be."""
    block, port = bench.lines('payment', BLOCK_LINES).read_bytes(), run.free_port()
    documents, alerts = Destination(bench.tools / 'sink'), Destination(bench.tools / 'sink')
    documents.be('well')
    alerts.be('silent' if down else 'well')
    text = BEATS % (port, 'codec => "json"') + f'output {{ {DOCUMENTS % documents.port} {ALERTS % alerts.port} }}'
    child = bench.start(bench.options.binary, ['-w', str(bench.options.workers), '-e', text])
    run.wait_for_port(port, child)
    feeder = Feeder(bench, port, block)
    documents.wait_for('documents', 1, child)
    time.sleep(WARM_SECONDS)
    before, began = documents.count(), time.monotonic()
    time.sleep(bench.options.seconds)
    rate = (documents.count() - before) / (time.monotonic() - began)
    back = time.monotonic()
    alerts.be('well')
    blocks = feeder.end()
    documents.wait_for('documents', blocks * BLOCK_LINES, child)
    expected = blocks * block.count(b'"level":"ERROR"')
    later = alerts.wait_for('alerts', expected, child) - back
    if stop(child) != 0:
        raise RuntimeError('millrace did not end well')
    found = {'rate': rate, 'later': later, 'documents': documents.count(), 'sent': blocks * BLOCK_LINES,
             'alerts': alerts.count('alerts'), 'expected': expected}
    documents.be('away')
    alerts.be('away')
    return found


def measure_alerts(bench):
    runs = {False: [], True: []}
    for number in range(bench.options.rounds):
        for down in (False, True) if number % 2 == 0 else (True, False):
            runs[down].append(run_alerts(bench, down))
            print('down' if down else 'up', json.dumps(runs[down][-1]), file=sys.stderr)
    for down, measured in runs.items():
        rates = [one['rate'] for one in measured]
        print(f"alerts {'down' if down else 'up  '} for {bench.options.seconds} s: {statistics.median(rates):>9,.0f} documents/s "
              f"({min(rates):,.0f} to {max(rates):,.0f}); {sum(one['documents'] for one in measured):,} documents of "
              f"{sum(one['sent'] for one in measured):,}, {sum(one['alerts'] for one in measured):,} alerts of "
              f"{sum(one['expected'] for one in measured):,}, all there after {statistics.median(one['later'] for one in measured):.1f} s")
    return all(one['alerts'] == one['expected'] and one['documents'] == one['sent'] for one in runs[False] + runs[True])


# ---- memory

class Cgroup:
    """One with a limit of memory; processes that start in it count."""

    def __init__(self):
        old = CGROUPS / 'memory'
        self.folder = (old if old.is_dir() else CGROUPS) / f'millrace-bench-{os.getpid()}'
        self.folder.mkdir()
        (self.folder / ('memory.limit_in_bytes' if old.is_dir() else 'memory.max')).write_text(str(LIMIT_BYTES))

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
    destination, group = Destination(bench.tools / 'sink'), Cgroup()
    destination.be('silent')
    text = FILE % (bench.lines('payment'), bench.folder) + f'output {{ {DOCUMENTS % destination.port} }}'
    words = [bench.options.binary, '-w', str(bench.options.workers), '-e', text, '--path.data', tempfile.mkdtemp(dir=bench.folder), *flags]
    child = subprocess.Popen(group.command(words), stdin=subprocess.DEVNULL, stdout=bench.log, stderr=bench.log)
    try:
        begun, peak = time.monotonic(), 0
        while time.monotonic() < begun + bench.options.seconds:
            if child.poll() is not None:
                raise RuntimeError(f'millrace ended with {child.returncode} in the outage')
            peak = max(peak, resident_mib(child.pid))
            time.sleep(0.1)
        back = time.monotonic()
        destination.be('well')
        done = destination.wait_for('documents', bench.events, child)
        peak = max(peak, resident_mib(child.pid))
        stop(child)
        return {'rss_anon_mib': peak, 'seconds': done - back, 'documents': destination.count()}
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        destination.be('away')
        group.close()


def measure_memory(bench):
    for name, flags in (('no queue', ()), ('queue, interval', ('--queue.type', 'persisted', '--queue.durability', 'interval'))):
        found = run_memory(bench, flags)
        print(f"memory 32 MiB, {bench.options.seconds} s without Elasticsearch, {name}: alive, RssAnon at most "
              f"{found['rss_anon_mib']:.1f} MiB; {found['documents']:,} of {bench.events:,} documents "
              f"{found['seconds']:.1f} s after it was back")
    return True


# ---- long

class Clients:
    def __init__(self, program, port, burst, folder):
        self.command = [program, '-to', f'127.0.0.1:{port}', '-n', str(burst), '-window', str(WINDOW), '-inflight', str(AHEAD),
                        '-timeout', '120s', '-wait', '24h']
        self.burst, self.folder, self.started, self.running = burst, folder, 0, []
        self.acknowledged = self.sent_again = 0

    def tick(self, come=True):
        """Takes the reports of those that are through; lets another one come."""
        for number, child in [each for each in self.running if each[1].poll() is not None]:
            report = json.loads((self.folder / f'client{number}').read_text())
            self.acknowledged += report['acked']
            self.sent_again += report['sent_again']
            self.running.remove((number, child))
        if come and len(self.running) < CLIENTS:
            with open(self.folder / f'client{self.started}', 'wb') as out:
                self.running.append((self.started, subprocess.Popen([*self.command, '-prefix', f'{self.started}-'], stdout=out)))
            self.started += 1

    def expected(self):
        return {f'{client}-{n}' for client in range(self.started) for n in range(self.burst)}


def bear(options, destination, clients, child):
    """The outage; resident memory by seconds since it began."""
    samples, next_tick = [], 0
    clients.tick()  # what comes while all is well
    time.sleep(WELL_SECONDS)
    began = time.monotonic()
    while (now := time.monotonic() - began) < options.seconds:
        destination.be(('away', '503')[int(now / TURN_SECONDS) % 2])
        if now >= next_tick:
            next_tick += TICK_SECONDS
            clients.tick()
            samples.append((round(now), resident_mib(child.pid, 'VmRSS')))
            if options.samples:
                with open(options.samples, 'a', encoding='utf-8') as kept:
                    kept.write(f'{samples[-1][0]} {samples[-1][1]:.2f} {resident_mib(child.pid):.2f}\n')
        time.sleep(0.2)
    return samples


def end(destination, clients, child, samples):
    """All is well again; waits for as long as something arrives, then stops millrace."""
    destination.be('well')
    began = moved = time.monotonic()
    before, sent = 0, clients.expected()
    while time.monotonic() - moved < STILL_SECONDS:
        clients.tick(come=False)
        if (now := destination.count()) != before:
            before, moved = now, time.monotonic()
        time.sleep(0.2)
    after = resident_mib(child.pid, 'VmRSS')
    status = stop(child)
    destination.be('away')
    arrived = destination.arrived()
    minute = next((mib for second, mib in samples if second >= 60), samples[-1][1])
    return {'first_minute_rss_mib': round(minute, 1), 'highest_rss_mib': round(max(mib for _, mib in samples), 1),
            'last_rss_mib': round(samples[-1][1], 1), 'rss_mib_afterwards': round(after, 1), 'samples': len(samples),
            'clients': clients.started, 'sent': len(sent), 'acknowledged': clients.acknowledged,
            'sent_again': clients.sent_again, 'arrived': len(sent & arrived.keys()), 'missing': len(sent - arrived.keys()),
            'copies': sum(arrived.values()) - len(arrived), 'seconds_until_all_arrived': round(moved - began, 1),
            'exit_status': status}


def measure_long(bench):
    options, port = bench.options, run.free_port()
    burst = options.burst or (60000 if options.queue == 'memory' else 3000)
    program = beats.BeatsCase().build_go_client()
    destination = Destination(bench.tools / 'sink', bench.folder)
    destination.be('well')
    text = BEATS % (port, '') + f'filter {{ mutate {{ add_field => {{ "seen" => "yes" }} }} }} output {{ {DOCUMENTS % destination.port} }}'
    child = bench.start(options.binary, ['-w', str(options.workers), '-e', text, '--queue.type', options.queue])
    run.wait_for_port(port, child)
    clients = Clients(program, port, burst, bench.folder)
    found = end(destination, clients, child, bear(options, destination, clients, child))
    print(json.dumps({'seconds': options.seconds, 'queue': options.queue, **found}, indent=2))
    return not found['missing'] and found['exit_status'] == 0


def main():
    parser = argparse.ArgumentParser(description='Measures outages.')
    parser.add_argument('what', choices=('alerts', 'memory', 'long'))
    parser.add_argument('events', nargs='?', type=int, default=1000000, help='of memory')
    parser.add_argument('--seconds', type=int, help='of the outage (60; of long 3600)')
    parser.add_argument('--rounds', type=int, default=3, help='pairs of alerts')
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--queue', choices=('memory', 'persisted'), default='memory', help='of long')
    parser.add_argument('--burst', type=int, help='events of each client of long (60000 in memory, 3000 with a queue)')
    parser.add_argument('--samples', type=pathlib.Path, metavar='FILE', help='long keeps the resident memory here')
    parser.add_argument('--binary', default=str(run.ROOT / 'build-release/millrace'))
    parser.add_argument('--tools', type=pathlib.Path, default=run.ROOT / 'build-release/bench', help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.seconds = options.seconds or (3600 if options.what == 'long' else 60)
    measure = {'alerts': measure_alerts, 'memory': measure_memory, 'long': measure_long}[options.what]
    with tempfile.TemporaryDirectory(prefix='millrace-bench-') as folder:
        return 0 if measure(run.Bench(options, pathlib.Path(folder))) else 1


if __name__ == '__main__':
    sys.exit(main())
