# SPDX-License-Identifier: Apache-2.0
"""Rounds of random, reproducible faults in a cluster: several copies in one Kafka consumer group read a topic into a hostile
server while copies are killed, stopped, paused and added and the broker is started again.

While it runs no partition may ever be committed past an event that is not safe: stored by the server, or refused by it for
good. Afterwards every record is safe and every partition is committed to its end. How many came twice is said.
MILLRACE_FAULT_ROUNDS and MILLRACE_FAULT_SEED choose how many rounds and from which seed (`./dev faults cluster`)."""
import json
import os
import random
import signal
import threading
import time

import hostile_sink
import kafka_broker
import support

ROUNDS = int(os.environ.get('MILLRACE_FAULT_ROUNDS', 2))
FIRST_SEED = int(os.environ.get('MILLRACE_FAULT_SEED', 1))
RECORDS, WRITES = 2000, 20
ROUND_SECONDS, CALM_SECONDS = 8, 120
COPIES_MOST = 4
PIPELINE = '''input { kafka { bootstrap_servers => "@BROKER@" topics => ["@TOPIC@"] group_id => "@TOPIC@" codec => json
  auto_offset_reset => "earliest" auto_commit_interval_ms => 100 session_timeout_ms => 2000 heartbeat_interval_ms => 400
  decorate_events => "basic" max_partition_fetch_bytes => 4096 max_uncommitted => @UNCOMMITTED@ } }
filter { mutate { add_field => { "p" => "%{[@metadata][kafka][partition]}" "o" => "%{[@metadata][kafka][offset]}" } } }
output { elasticsearch { hosts => ["127.0.0.1:@PORT@"] index => "i" manage_template => false timeout => "1 s"
  retry_initial_interval => "50 ms" retry_max_interval => "400 ms" resurrect_delay => "200 ms" bulk_max_bytes => 8192 } }
'''


class ClusterSink(hostile_sink.HostileSink):
    """Documents are (partition, offset, number). Some are refused for good, which is as safe as being stored."""

    faults = hostile_sink.FAULTS + ('some_refused', 'some_refused')

    def __init__(self, seed, share):
        self.refused, self.safe_to = set(), {}
        super().__init__(seed, share)

    @staticmethod
    def key(document):
        return int(document['p']), int(document['o']), document['n']

    def _some_refused(self, connection, documents, body, chance):
        refused = {document for document in documents if chance.random() < 0.1}
        with self.lock:
            self.refused |= refused
        self._take(document for document in documents if document not in refused)
        connection.sendall(hostile_sink.whole(200, hostile_sink.reply(
            400 if document in refused else 201 for document in documents)))
        return True

    def safe(self):
        with self.lock:
            return set(self.taken) | self.refused

    def safe_offsets(self):
        return {(partition, offset) for partition, offset, _ in self.safe()}


class Round:
    """One seed's faults."""

    def __init__(self, case, broker, seed):
        self.case, self.broker, self.random = case, broker, random.Random(seed)
        self.folder = case.folder / str(seed)
        self.folder.mkdir()
        self.topic = f'cluster-{os.getpid()}-{seed}'
        self.partitions = self.random.choice((1, 4, 12))
        self.sink = ClusterSink(self.random.random(), self.random.choice((0.1, 0.3, 0.6)))
        case.addCleanup(self.sink.close)
        broker.create(self.topic, self.partitions)
        self.pipeline = support.fill(PIPELINE, broker=broker.address, topic=self.topic, port=self.sink.port,
                                     uncommitted=self.random.choice((0, 20, 1000)))
        self.copies, self.started, self.done = [], 0, threading.Event()
        self.passed, self.looks, self.failures = [], 0, []
        self.broker_is_used = threading.Lock()  # kcat gives up without one

    # ---- the copies

    def add(self):
        self.started += 1
        self.copies.append(self.case.start('--path.data', self.folder / f'data{self.started}', '-e', self.pipeline,
                                           '--shutdown.timeout', '2 s', '--pipeline.memory', '16mb',
                                           '--pipeline.workers', str(self.random.choice((1, 2)))))

    def take(self):
        return self.copies.pop(self.random.randrange(len(self.copies)))

    def disturb(self):
        for copy in self.copies:
            if not copy.is_running():
                raise AssertionError(f'a copy ended by itself with {copy.child.returncode}:\n{copy.stderr[-4000:]}')
        getattr(self, f'_{self.random.choice(("kill", "kill", "stop", "pause", "pause", "add", "nothing", "restart_broker"))}')()

    def _kill(self):
        self.take().kill()
        self.add()

    def _stop(self):
        copy = self.take()
        copy.wait_for_log('pipeline started')
        copy.stop()
        if not self.copies or self.random.random() < 0.5:
            self.add()

    def _pause(self):
        """Shorter than the session, or so long that the group goes on without it."""
        copy = self.random.choice(self.copies)
        copy.signal(signal.SIGSTOP)
        time.sleep(self.random.choice((0.2, 1, 3)))
        copy.signal(signal.SIGCONT)

    def _add(self):
        if len(self.copies) < COPIES_MOST:
            self.add()

    def _nothing(self):
        pass

    def _restart_broker(self):
        if self.random.random() < 0.4:
            with self.broker_is_used:
                self.broker.stop()
                time.sleep(self.random.uniform(0, 1))
                self.broker.start()

    # ---- beside them

    def write_records(self):
        chance = random.Random(self.random.random())
        each = RECORDS // WRITES
        for part in range(WRITES):
            records = [json.dumps({'n': number, 'text': 'x' * chance.randrange(200)})
                       for number in range(part * each, (part + 1) * each)]
            with self.broker_is_used:
                self.broker.produce(self.topic, records)
            time.sleep(ROUND_SECONDS / WRITES * chance.random())

    def watch_offsets(self):
        """What is committed was looked at before what is safe."""
        while not self.done.is_set():
            committed = self.broker.committed(self.topic)
            safe = self.sink.safe_offsets()
            self.looks += 1
            for (_, partition), end in committed.items():
                missing = [offset for offset in range(end) if (partition, offset) not in safe]
                if missing:
                    self.passed.append(f'partition {partition} is committed to {end}, {missing[:5]} are not safe')
            self.done.wait(0.1)

    def guarded(self, run):
        def body():
            try:
                run()
            except Exception as failure:  # pylint: disable=broad-except # for the main thread to say
                self.failures.append(failure)
        thread = threading.Thread(target=body)
        thread.start()
        return thread

    # ---- the round

    def is_over(self):
        committed = {partition: end for (_, partition), end in self.broker.committed(self.topic).items()}
        ends = {partition: end for partition, end in self.broker.ends(self.topic).items() if end > 0}
        return committed == ends

    def run(self):
        for _ in range(self.random.choice((1, 2, 3))):
            self.add()
        writer, watcher = self.guarded(self.write_records), self.guarded(self.watch_offsets)
        try:
            while writer.is_alive():
                time.sleep(self.random.uniform(0.2, 1.5))
                self.disturb()
            self.sink.calm.set()
            support.wait_until(self.is_over, 'offsets at the ends', CALM_SECONDS)
        finally:
            self.done.set()
            writer.join()
            watcher.join()
        self.check()

    def check(self):
        self.case.assertEqual([], self.failures)
        self.case.assertEqual([], self.passed)
        self.case.assertGreater(self.looks, 1)
        self.case.assertEqual(set(range(RECORDS)), {number for _, _, number in self.sink.safe()})
        for copy in self.copies:
            copy.wait_for_log('pipeline started')
            self.case.assertEqual(0, copy.stop(), copy.stderr)

    def said(self):
        return (f'{self.partitions} partitions, {self.started} copies, offsets looked at {self.looks} times, '
                f'{len(self.sink.refused)} refused, {self.sink.twice()} of {RECORDS} came twice')


class Cluster(support.Case):
    def test_rounds(self):
        broker = kafka_broker.broker()
        for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
            with self.subTest(seed=seed):
                one = Round(self, broker, seed)
                try:
                    one.run()
                finally:
                    for copy in one.copies:
                        copy.kill()
                if ROUNDS > 5:
                    print(f'round {seed}: nothing missing; {one.said()}', flush=True)


if __name__ == '__main__':
    support.unittest.main()
