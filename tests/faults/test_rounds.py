# SPDX-License-Identifier: Apache-2.0
"""Rounds of random, reproducible faults: two pipelines read growing files into hostile servers, one of them into two, while
the program is killed, stopped, paused and started again, and connections are reset or closed by half on either side. Afterwards every line is at every output; how many came twice is
said. MILLRACE_FAULT_ROUNDS and MILLRACE_FAULT_SEED choose how many rounds and from which seed (`./dev faults`)."""
import os
import random
import signal
import threading
import time

import fault_proxy
import hostile_sink
import support

ROUNDS = int(os.environ.get('MILLRACE_FAULT_ROUNDS', 3))
FIRST_SEED = int(os.environ.get('MILLRACE_FAULT_SEED', 1))
LINES, WRITES = 2000, 40
ROUND_SECONDS, CALM_SECONDS = 4, 60
OUTPUT = '''  elasticsearch { hosts => ["127.0.0.1:@PORT@"] index => "i" manage_template => false timeout => "1 s"
    retry_initial_interval => "50 ms" retry_max_interval => "400 ms" resurrect_delay => "200 ms" bulk_max_bytes => 8192 }
'''
PIPELINE = '''input { file { path => "@FOLDER@/@NAME@.log" codec => json start_position => "beginning"
  sincedb_write_interval => "100 ms" stat_interval => "50 ms" } }
output {
@OUTPUTS@}
'''


class Round:
    """One seed's faults."""

    sink_type = hostile_sink.HostileSink
    kinds = ('kill', 'stop', 'pause', 'cut', 'cut', 'nothing')

    def __init__(self, case, seed):
        self.case, self.random = case, random.Random(seed)
        self.folder = case.folder / str(seed)
        self.folder.mkdir()
        share = self.random.choice((0.1, 0.3, 0.6, 0.9))
        self.sinks = {name: [self.sink_type(self.random.random(), share) for _ in range(count)]
                      for name, count in (('one', 1), ('two', 2))}
        for sinks in self.sinks.values():
            for sink in sinks:
                sink.proxy = fault_proxy.FaultProxy(sink.port)
                case.addCleanup(sink.proxy.close)
                case.addCleanup(sink.close)
        self.workers = self.random.choice((1, 2, 3))
        self._configure()

    def _configure(self):
        entries = ''
        for name, sinks in self.sinks.items():
            conf = self.folder / f'{name}.conf'
            conf.write_text(self.conf_of(name, sinks))
            entries += f'- pipeline.id: {name}\n  path.config: "{conf}"\n  pipeline.workers: {self.workers}\n'
        settings = self.folder / 'settings'
        settings.mkdir()
        (settings / 'pipelines.yml').write_text(entries)

    def conf_of(self, name, sinks):
        outputs = ''.join(support.fill(OUTPUT, port=sink.proxy.port) for sink in sinks)
        return support.fill(PIPELINE, folder=self.folder, name=name, outputs=outputs)

    def start(self):
        return self.case.start('--path.settings', self.folder / 'settings', '--path.data', self.folder / 'data',
                               '--shutdown.timeout', '2 s', '--pipeline.memory', '16mb')

    def write_files(self):
        """Appends the lines in parts, some of them torn in the middle of a line."""
        chance = random.Random(self.random.random())
        for part in range(WRITES):
            for name in self.sinks:
                text = ''.join(f'{{"n":{number},"text":"{"x" * chance.randrange(200)}"}}\n'
                               for number in range(part * LINES // WRITES, (part + 1) * LINES // WRITES))
                cut = chance.randrange(len(text))
                for piece in (text[:cut], text[cut:]):
                    with open(self.folder / f'{name}.log', 'a') as file:
                        file.write(piece)
            time.sleep(ROUND_SECONDS / WRITES * chance.random())

    def disturb(self, millrace):
        """One fault; returns the process that runs now."""
        return self.disturb_process(millrace, self.random.choice(self.kinds))

    def disturb_process(self, millrace, kind):
        if kind == 'kill':
            millrace.kill()
        elif kind == 'stop':
            millrace.stop()
        elif kind == 'cut':
            for sinks in self.sinks.values():
                for sink in sinks:
                    sink.proxy.cut(self.random.choice(fault_proxy.WAYS))
        elif kind == 'pause':
            millrace.signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(0.1, 1.5))
            millrace.signal(signal.SIGCONT)
        return millrace if millrace.is_running() else self.start()

    def may_be_missing(self, name):
        """Numbers of lines that a fault has destroyed."""
        return set()

    def missing(self):
        found = {}
        for name, sinks in self.sinks.items():
            wanted = set(range(LINES)) - self.may_be_missing(name)
            found.update({f'{name}[{index}]': len(wanted - sink.numbers()) for index, sink in enumerate(sinks)
                          if wanted - sink.numbers()})
        return found

    def check_books(self, millrace):
        """Once all is there."""

    def wait_for_all(self, millrace):
        """What the far ends say, and millrace's own counters, when it does not come: a hang has to be found at once."""
        try:
            millrace.wait_for(lambda: not self.missing(), 'every line at every output', CALM_SECONDS)
        except AssertionError as error:
            ends = [f'{name}: {len(sink.numbers())} lines, {len(sink.proxy.pairs)} connections, {sink.kinds}'
                    for name, sinks in self.sinks.items() for sink in sinks]
            if millrace.is_running():
                before = len(millrace.stderr)
                millrace.signal(signal.SIGUSR1)
                millrace.wait_for(lambda: '"pipelines"' in millrace.stderr[before:], 'its counters', 30)
                ends.append(millrace.stderr[before:])
            raise AssertionError('\n'.join([str(self.missing()), *ends, str(error)])) from None

    def run(self):
        writer = threading.Thread(target=self.write_files)
        writer.start()
        millrace = self.start()
        while writer.is_alive():
            time.sleep(self.random.uniform(0.2, 1.2))
            millrace = self.disturb(millrace)
        for sinks in self.sinks.values():
            for sink in sinks:
                sink.calm.set()
        self.wait_for_all(millrace)
        self.check_books(millrace)
        millrace.wait_for_log('pipeline started pipeline=two')
        self.case.assertEqual(0, millrace.stop())
        self.case.assertNotIn('permanently rejected', millrace.stderr)
        return sum(sink.twice() for sinks in self.sinks.values() for sink in sinks)


class Rounds(support.Case):
    def test_rounds(self):
        twice = 0
        for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
            with self.subTest(seed=seed):
                came_twice = Round(self, seed).run()
                twice += came_twice
                if ROUNDS > 10:
                    print(f'round {seed}: nothing missing, {came_twice} of {3 * LINES} came twice', flush=True)


if __name__ == '__main__':
    support.unittest.main()
