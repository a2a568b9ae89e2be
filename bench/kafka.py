#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures millrace between topics of a real Kafka broker: `python3 bench/kafka.py [N]`. Events per CPU-second, with the
threads of librdkafka, and memory, of one, two and four copies in a group.

Payment lines of about 420 bytes (bench/lines.py) lie in a topic of 12 partitions, in batches compressed by lz4. A run reads
them all in a group of its own; it is over when the group has committed every partition to its end. CPU is user and system
time of the millrace processes, memory the largest resident set of one. A tenth of the events in a run before warms nothing
up: starting and joining the group is part of every figure. For two and four copies also how long it takes from the start of
the last copy until it has partitions."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / 'tests/system'))
import kafka_broker  # noqa: E402 # pylint: disable=wrong-import-position
import run  # noqa: E402 # pylint: disable=wrong-import-position
import support  # noqa: E402 # pylint: disable=wrong-import-position

PARTITIONS = 12
INPUT = '''input { kafka { bootstrap_servers => "@BROKER@" topics => ["lines"] group_id => "@GROUP@" codec => json
  auto_offset_reset => "earliest" auto_commit_interval_ms => 200 heartbeat_interval_ms => 500 session_timeout_ms => 6000 } }
'''
BULK = '''output { elasticsearch { hosts => ["127.0.0.1:@SINK@"] index => "payment-%{+YYYY.MM.dd}" manage_template => false } }
'''
TIER = '''filter { tier { source => "[context][duration_ms]" target => "performance_tier" above => { "SLOW" => 1000 "MEDIUM" => 500 }
  otherwise => "FAST" } }
output { kafka { bootstrap_servers => "@BROKER@" topic_id => "copies" codec => json compression_type => "lz4" linger_ms => 20
  batch_size => 262144 } }
'''


def payment_filter():
    """The filter section of the payment pipeline, without its condition on a field that Filebeat adds."""
    text = (BENCH / 'pipelines/file_ruby.conf').read_text()
    return text[text.index('filter {'):text.index('output {')]


class Copy:
    """One process; its CPU time and memory when it has ended."""

    def __init__(self, pipeline, folder, number):
        self.log = open(folder / f'log{number}', 'wb')
        self.path = folder / f'log{number}'
        self.began = time.monotonic()
        self.child = subprocess.Popen([support.BINARY, '-e', pipeline, '--path.data', folder / f'data{number}'],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        self.joined = None

    def look(self):
        if not self.joined and 'partitions are ours' in self.path.read_text():
            self.joined = time.monotonic() - self.began

    def end(self):
        self.child.terminate()
        _, status, usage = os.wait4(self.child.pid, 0)
        self.child.returncode = status
        self.log.close()
        if status != 0:
            raise SystemExit(f'a copy ended with {status}:\n{self.path.read_text()}')
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(broker, pipeline, copies, events):
    """CPU-seconds, MiB of the largest copy, seconds, seconds until the last copy had partitions."""
    group = f'bench-{time.monotonic_ns()}'
    pipeline = support.fill(pipeline, group=group, broker=broker.address)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        running = [Copy(pipeline, pathlib.Path(folder), number) for number in range(copies)]
        while sum(broker.committed(group).values()) < events:
            for copy in running:
                copy.look()
            time.sleep(0.05)
        seconds = time.monotonic() - began
        used = [copy.end() for copy in running]
    joined = running[-1].joined
    return sum(cpu for cpu, _ in used), max(memory for _, memory in used), seconds, joined


def fill_topic(broker, events, folder):
    lines = folder / 'lines'
    subprocess.run([sys.executable, BENCH / 'lines.py', 'payment', str(events), lines], check=True)
    broker.create('lines', PARTITIONS)
    broker.create('copies', PARTITIONS)
    subprocess.run(['kcat', '-b', broker.address, '-q', '-P', '-t', 'lines', '-z', 'lz4', '-X', 'batch.size=262144',
                    '-X', 'linger.ms=50', '-X', 'sticky.partitioning.linger.ms=20', '-l', lines], check=True)
    return lines.stat().st_size / events


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('events', nargs='?', type=int, default=1000000)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--sink', default=BENCH.parent / 'build-release/bench/sink')
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-bench-'))
    broker = kafka_broker.broker()
    size = fill_topic(broker, options.events, folder)
    print(f'{options.events} lines of {size:.0f} bytes, {PARTITIONS} partitions, {options.rounds} rounds, '
          f'{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}')
    with run.Sink(options.sink) as sink:
        bulk = support.fill(INPUT + payment_filter() + BULK, sink=sink.port)
        cases = [(name, pipeline, copies) for copies in (1, 2, 4)
                 for name, pipeline in (('payment filter to bulk', bulk), ('tier to Kafka', INPUT + TIER))]
        found = {(name, copies): [] for name, _, copies in cases}
        for _ in range(options.rounds):
            for name, pipeline, copies in cases:
                found[name, copies].append(measure(broker, pipeline, copies, options.events))
    print('| case | copies | events per CPU-second (lowest, highest) | peak RSS of a copy, MiB | events per second | '
          'last copy has partitions after |\n| --- | --: | --: | --: | --: | --: |')
    for (name, copies), results in found.items():
        rates = [options.events / cpu for cpu, _, _, _ in results]
        joined = [late for _, _, _, late in results if late]
        print(f'| {name} | {copies} | {statistics.median(rates):,.0f} ({min(rates):,.0f}, {max(rates):,.0f}) | '
              f'{max(memory for _, memory, _, _ in results):.0f} | '
              f'{statistics.median(options.events / seconds for _, _, seconds, _ in results):,.0f} | '
              f'{statistics.median(joined) if joined else 0:.1f} s |')


if __name__ == '__main__':
    main()
