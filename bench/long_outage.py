#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How millrace bears an outage: `python3 bench/long_outage.py [MINUTES]`, 60 minutes unless given.

Beats clients on go-lumber (tests/clients/lumber), which this project did not write, send events and send again whatever was not
acknowledged; every ten seconds another one comes, up to four at a time, with windows sent ahead so that more is offered
than memory holds. After ten seconds in which all is well, the destination, bench/sink, is away: by turns of five seconds it
refuses connections and answers every bulk request with 503. Afterwards it is there again, and the run is over when nothing
has arrived for half a minute: then everything sent must have. Resident memory is noted
every ten seconds (--samples FILE keeps it). Reported: what it was a minute after the outage began, its highest and its last
value in the outage, and the counts; the exit status is 1 when anything is missing. With --queue persisted a disk queue
takes events in meanwhile, so many in ten seconds as --burst says, for each of the clients that come one after the other."""
import argparse
import collections
import datetime
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import run

sys.path.insert(0, str(run.ROOT / 'tests/system'))
import beats  # noqa: E402 # pylint: disable=wrong-import-position

WELL_SECONDS, TURN_SECONDS, TICK_SECONDS, STILL_SECONDS = 10, 5, 10, 30
CLIENTS, WINDOW, AHEAD = 4, 1000, 64
MESSAGE = re.compile(r'"message":"([^"]*)"')
PIPELINE = '''input {{ beats {{ host => "127.0.0.1" port => {beats} }} }}
filter {{ mutate {{ add_field => {{ "seen" => "yes" }} }} }}
output {{ elasticsearch {{ hosts => ["127.0.0.1:{sink}"] index => "outage" manage_template => false }} }}
'''


class Destination:
    """bench/sink, which can be away, or answer every bulk request with 503. Events are known by their message."""

    def __init__(self, program, folder):
        self.program, self.folder, self.port = program, folder, run.free_port()
        self.state, self.child, self.stores = 'away', None, 0

    def be(self, state):
        if state == self.state:
            return
        if self.child:
            self.child.kill()
            self.child.wait()
            self.child = None
        self.state = state
        if state == 'away':
            return
        self.stores += state == 'well'
        how = [self.folder / f'store{self.stores}'] if state == 'well' else ['--fail-every', '1', '503']
        self.child = subprocess.Popen([self.program, str(self.port), *how])
        run.wait_for_port(self.port, self.child)

    def documents(self):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/counts') as answer:
            return json.load(answer)['documents']

    def arrived(self):
        """Everything it said that it took: each event with the number of its copies."""
        seen = collections.Counter()
        for number in range(1, self.stores + 1):
            with open(self.folder / f'store{number}.bulk', encoding='utf-8') as bulks:
                seen.update(match[1] for match in map(MESSAGE.search, bulks) if match)
        return seen


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
            out = open(self.folder / f'client{self.started}', 'wb')
            self.running.append((self.started, subprocess.Popen([*self.command, '-prefix', f'{self.started}-'], stdout=out)))
            out.close()
            self.started += 1

    def expected(self):
        return {f'{client}-{n}' for client in range(self.started) for n in range(self.burst)}


def resident_mib(pid, key='VmRSS'):
    return run.status_kib(pid, key) / 1024


def bear(options, destination, clients, child):
    """The outage; resident memory by seconds since it began."""
    samples, next_tick = [], 0
    clients.tick()  # what comes while all is well
    time.sleep(WELL_SECONDS)
    began = time.monotonic()
    while (now := time.monotonic() - began) < options.minutes * 60:
        destination.be(('away', '503')[int(now / TURN_SECONDS) % 2])
        if now >= next_tick:
            next_tick += TICK_SECONDS
            clients.tick()
            samples.append((round(now), resident_mib(child.pid)))
            if options.samples:
                with open(options.samples, 'a', encoding='utf-8') as kept:
                    kept.write(f'{samples[-1][0]} {samples[-1][1]:.2f} {resident_mib(child.pid, "RssAnon"):.2f}\n')
        time.sleep(0.2)
    return samples


def end(destination, clients, child, samples):
    """All is well again; waits for as long as something arrives, then stops millrace."""
    destination.be('well')
    began = moved = time.monotonic()
    before, sent = 0, clients.expected()
    while time.monotonic() - moved < STILL_SECONDS:
        clients.tick(come=False)
        if (now := destination.documents()) != before:
            before, moved = now, time.monotonic()
        time.sleep(0.2)
    after = resident_mib(child.pid)
    child.send_signal(signal.SIGTERM)
    status = child.wait(60)
    destination.be('away')
    arrived = destination.arrived()
    minute = next((mib for second, mib in samples if second >= 60), samples[-1][1])
    return {'first_minute_rss_mib': round(minute, 1), 'highest_rss_mib': round(max(mib for _, mib in samples), 1),
            'last_rss_mib': round(samples[-1][1], 1), 'rss_mib_afterwards': round(after, 1), 'samples': len(samples),
            'clients': clients.started, 'sent': len(sent), 'acknowledged': clients.acknowledged,
            'sent_again': clients.sent_again, 'arrived': len(sent & arrived.keys()), 'missing': len(sent - arrived.keys()),
            'copies': sum(arrived.values()) - len(arrived), 'seconds_until_all_arrived': round(moved - began, 1),
            'exit_status': status}


def main():
    parser = argparse.ArgumentParser(description='Runs millrace through an outage of its destination.')
    parser.add_argument('minutes', nargs='?', type=float, default=60)
    parser.add_argument('--queue', choices=('memory', 'persisted'), default='memory')
    parser.add_argument('--burst', type=int, help='events of each client (60000 in memory, 3000 with a queue)')
    parser.add_argument('--binary', type=pathlib.Path, default=run.ROOT / 'build-release/millrace')
    parser.add_argument('--sink', type=pathlib.Path, default=run.ROOT / 'build-release/bench/sink', help=argparse.SUPPRESS)
    parser.add_argument('--samples', type=pathlib.Path, metavar='FILE', help='keep the resident memory here')
    options = parser.parse_args()
    burst = options.burst or (60000 if options.queue == 'memory' else 3000)
    program = beats.BeatsCase().build_go_client()
    with tempfile.TemporaryDirectory() as name:
        folder, port = pathlib.Path(name), run.free_port()
        destination = Destination(options.sink, folder)
        destination.be('well')
        text = PIPELINE.format(beats=port, sink=destination.port)
        with open(folder / 'log', 'wb') as log:
            child = subprocess.Popen([options.binary, '-w', '2', '-e', text, '--queue.type', options.queue, '--path.data',
                                      folder / 'data'], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        run.wait_for_port(port, child)
        clients = Clients(program, port, burst, folder)
        samples = bear(options, destination, clients, child)
        found = end(destination, clients, child, samples)
    print(json.dumps({'date': datetime.date.today().isoformat(), 'minutes': options.minutes, 'queue': options.queue, **found},
                     indent=2))
    return 1 if found['missing'] or found['exit_status'] else 0


if __name__ == '__main__':
    sys.exit(main())
