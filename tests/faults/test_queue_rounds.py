# SPDX-License-Identifier: Apache-2.0
"""Rounds as in test_rounds, over a disk queue and with ids (`deduplicate`): nothing is lost and nothing comes twice, while besides
the queue's files are torn, its disk is full, the clock jumps and the pipelines change. What a torn file held is looked at before and
after, by `millrace queue export`: only that may be missing, and millrace counts the same. Afterwards its books balance."""
import json
import os
import pathlib
import signal
import shutil
import subprocess
import time
import urllib.request

import hostile_sink
import support
import test_rounds

ROUNDS = int(os.environ.get('MILLRACE_FAULT_ROUNDS', 3))
FIRST_SEED = int(os.environ.get('MILLRACE_FAULT_SEED', 1))
TAIL_BYTES = 3000  # of a file, in which it is torn
FAKETIME = next(iter(pathlib.Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1')), None)
OUTPUT = '''  elasticsearch { id => "to@PORT@" hosts => ["127.0.0.1:@PORT@"] index => "i" manage_template => false data_stream => false
    deduplicate => true timeout => "1 s" retry_initial_interval => "50 ms" retry_max_interval => "400 ms"
    resurrect_delay => "200 ms" bulk_max_bytes => @BULK_BYTES@ }
'''
PIPELINE = test_rounds.PIPELINE.replace('output {', 'filter { mutate { add_field => { "version" => "@VERSION@" } } }\noutput {')


class KeepsIds(hostile_sink.HostileSink):
    """Keeps documents by their ids: who makes one that is there hears 409."""

    def __init__(self, seed, share):
        self.ids = {}
        super().__init__(seed, share)

    def numbers(self):
        with self.lock:
            return set(self.ids.values())

    def twice(self):
        with self.lock:
            return len(self.ids) - len(set(self.ids.values()))

    def read_documents(self, body):
        lines = [json.loads(text) for text in body.splitlines()]
        return [(action['create']['_id'], document['n']) for action, document in zip(lines[::2], lines[1::2])]

    def _take(self, documents):
        with self.lock:
            return [self._take_one(name, number) for name, number in documents]

    def _take_one(self, name, number):
        if name in self.ids:
            return 409
        self.ids[name] = number
        return 201

    def _well(self, connection, documents, body, chance):
        connection.sendall(hostile_sink.whole(200, hostile_sink.reply(self._take(documents))))
        return True

    def _some(self, connection, documents, chance, status):
        failed = {document for document in documents if chance.random() < 0.2}
        taken = iter(self._take([document for document in documents if document not in failed]))
        connection.sendall(hostile_sink.whole(200, hostile_sink.reply(
            status if document in failed else next(taken) for document in documents)))
        return True


class QueueRound(test_rounds.Round):
    sink_type = KeepsIds
    kinds = ('kill', 'kill', 'torn', 'torn', 'stop', 'pause', 'reload', 'reload', 'clock', 'full', 'cut', 'cut', 'nothing')

    def __init__(self, case, seed):
        self.versions, self.lost, self.torn, self.ballast = 0, {'one': set(), 'two': set()}, 0, None
        self.disk = case.folder / f'queue-{seed}'
        self.disk.mkdir()
        self.is_small = small_disk(self.disk)
        if self.is_small:
            case.addCleanup(self.unmount)
        self.clock = case.folder / f'clock-{seed}'
        self.clock.write_text('+0')
        super().__init__(case, seed)
        self.durability = self.random.choice(('ack', 'ack', 'interval', 'none'))

    def unmount(self):
        if self.is_small:
            subprocess.run(['umount', '-l', str(self.disk)], check=False)
        self.is_small = False

    def conf_of(self, name, sinks):
        outputs = ''.join(support.fill(OUTPUT, port=sink.proxy.port, bulk_bytes=8192 + self.versions % 2 * 8192) for sink in sinks)
        return support.fill(PIPELINE, folder=self.folder, name=name, outputs=outputs, version=self.versions)

    def start(self):
        self.api = support.free_port()
        env = {}
        if FAKETIME and not support.SANITIZED:
            env = {'LD_PRELOAD': str(FAKETIME), 'FAKETIME_TIMESTAMP_FILE': str(self.clock), 'FAKETIME_CACHE_DURATION': '1',
                   'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'NO_FAKE_STAT': '1'}
        return self.case.start('--path.settings', self.folder / 'settings', '--path.data', self.folder / 'data',
                               '--shutdown.timeout', '2 s', '--pipeline.memory', '16mb', '--queue.type', 'persisted',
                               '--path.queue', self.disk, '--queue.durability', self.durability, '--queue.max_bytes', '1mb',
                               '--queue.page_capacity', '64kb', '--api.http.port', self.api, env=env)

    # ---- faults

    def reload(self, millrace):
        self.versions += 1
        for name, sinks in self.sinks.items():
            (self.folder / f'{name}.conf').write_text(self.conf_of(name, sinks))
        millrace.signal(signal.SIGHUP)

    def clock_jumps(self, millrace):
        self.clock.write_text(self.random.choice(('+0', '+3600', '-86400', '+31536000')))

    def full(self, millrace):
        """The disk is full for a while; the queue's own files stay."""
        if not self.is_small:
            return
        ballast = self.disk / 'ballast'
        try:
            with open(ballast, 'wb', buffering=0) as file:
                while file.write(bytes(65536)):
                    pass
        except OSError:
            pass
        time.sleep(self.random.uniform(0.1, 1))
        ballast.unlink()

    def in_queue(self, name):
        """The numbers of what is in a pipeline's queue, one for each event."""
        if not (self.disk / name).exists():
            return []
        told = subprocess.run([support.BINARY, 'queue', 'export', '--path.queue', self.disk, '--pipeline.id', name],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        return [json.loads(line)['event']['n'] for line in told.stdout.splitlines()]

    def tear(self, path):
        size = path.stat().st_size
        at = self.random.randrange(max(0, size - TAIL_BYTES), size)
        how = self.random.choice(('cut', 'flip', 'zero', 'noise'))
        with open(path, 'r+b') as file:
            if how == 'cut':
                file.truncate(at)
                return
            file.seek(at)
            rest = file.read()
            file.seek(at)
            file.write({'flip': bytes([rest[0] ^ 1 << self.random.randrange(8)]), 'zero': bytes(len(rest)),
                        'noise': rest + self.random.randbytes(200)}[how])

    def torn_files(self, millrace):
        """SIGKILL, then the end of a segment is torn."""
        millrace.kill()
        left = {}
        for name in self.sinks:
            files = sorted((self.disk / name).glob('segment-*.log'))
            before = self.in_queue(name)
            if files:
                self.tear(self.random.choice(files[-2:]))
            left[name] = self.in_queue(name)
            self.lost[name] |= set(before) - set(left[name])
            self.torn += 1
        millrace = self.start()
        for name, events in left.items():
            millrace.wait_for(lambda: self.counted(name) == len(events), f'{len(events)} events left in queue {name}, '
                              f'counted at the opening', 30)
        return millrace

    def counted(self, name):
        """How many events the queue had when it was opened: what is in it, less what came, and what is done."""
        queue = self.stats(name)
        return queue and queue['queue']['events_count'] + queue['queue']['acknowledged_events'] - queue['queue']['written_events']

    def disturb(self, millrace):
        kind = self.random.choice(self.kinds)
        acts = {'reload': self.reload, 'clock': self.clock_jumps, 'full': self.full}
        if kind == 'torn':
            return self.torn_files(millrace)
        if kind in acts:
            acts[kind](millrace)
            return millrace
        return self.disturb_process(millrace, kind)

    # ---- afterwards

    def stats(self, name):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.api}/_node/stats/pipelines/{name}', timeout=10) as answer:
                return json.load(answer)['pipelines'][name]
        except (OSError, KeyError):
            return None

    def may_be_missing(self, name):
        return self.lost[name]

    def check_books(self, millrace):
        for name in self.sinks:
            millrace.wait_for(lambda: self.is_settled(name), f'the books of pipeline {name} to balance: {self.stats(name)}', 30)

    def is_settled(self, name):
        """All of the queue is done, and what each output was given is somewhere."""
        stats = self.stats(name)
        if not stats or stats['queue']['events_count'] != 0:
            return False
        outputs = [output['events'] for output in stats['plugins']['outputs']]
        return all(one['in_flight'] == 0 and one['routed'] + one['unspooled'] ==
                   one['delivered'] + one['conflicts'] + one['refused'] + one['dropped'] + one['spooled'] for one in outputs)

    def run(self):
        twice = super().run()
        self.case.assertEqual(0, twice, 'a line has more than one id')
        self.unmount()
        return twice


def small_disk(path):
    """Whether a small disk could be mounted there."""
    mount = ['mount', '-t', 'tmpfs', '-o', 'size=3m', 'none', str(path)]
    return os.geteuid() == 0 and shutil.which('mount') and subprocess.run(mount, stderr=subprocess.DEVNULL).returncode == 0


class ClockJumps(support.Case):
    def test_years_ahead_and_back(self):
        support.need_file(FAKETIME or '/usr/lib/faketime', "the clock cannot be moved: install 'faketime'")
        if support.SANITIZED:
            raise support.unittest.SkipTest('a sanitizer and faketime both want to be loaded first')
        one = QueueRound(self, 1)
        one.kinds = ('clock',)
        one.run()


class QueueRounds(support.Case):
    def test_rounds(self):
        for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
            with self.subTest(seed=seed):
                one = QueueRound(self, seed)
                one.run()
                if ROUNDS > 10:
                    lost = sum(len(numbers) for numbers in one.lost.values())
                    print(f'round {seed} ({one.durability}): nothing missing but {lost} that were torn, nothing twice', flush=True)


if __name__ == '__main__':
    support.unittest.main()
