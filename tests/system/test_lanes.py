# SPDX-License-Identifier: Apache-2.0
"""Many pipelines share the threads that their lanes are on: how many there are, and that none holds up another."""
import json
import os
import socket

import support

IDLE = 'input { heartbeat { interval => 3600 } } filter { mutate { add_tag => ["x"] } } output { null {} }'
BUSY = '''input { generator { lines => ["@LINE@"] } } filter { mutate { gsub => ["message", "[a-m]+", "x"] } }
output { null {} }'''
SICK = '''input { generator { lines => ["@LINE@"] } }
output { http { url => "http://127.0.0.1:@PORT@/" http_method => "post" format => "json_batch" } }'''
WELL = '''input { tcp { host => "127.0.0.1" port => @PORT@ codec => line } } filter { mutate { add_tag => ["seen"] } }
output { file { path => "@OUT@" codec => json_lines } }'''


class Lanes(support.Case):
    def settings(self, pipelines):
        """pipelines: (id, workers, text)."""
        items = [f"- pipeline.id: {name}\n  pipeline.workers: {workers}\n  path.config: \"{self.write(f'{name}.conf', text)}\"\n"
                 for name, workers, text in pipelines]
        self.write('settings/pipelines.yml', ''.join(items))
        return self.folder / 'settings'

    def threads_of(self, pipelines):
        millrace = self.start('--path.settings', self.settings(pipelines))
        for name, _, _ in pipelines:
            millrace.wait_for_log(f'pipeline started.*pipeline={name} ')
        threads = len(os.listdir(f'/proc/{millrace.pid}/task'))
        self.assertEqual(0, millrace.stop())
        return threads

    def test_threads_are_as_many_as_the_largest_has_lanes(self):
        one, two = self.threads_of([('p0', 1, IDLE)]), self.threads_of([('p0', 2, IDLE)])
        for count in (1, 5, 20):
            with self.subTest(pipelines=count):
                self.assertEqual(two + 1, self.threads_of([(f'p{i}', 3, IDLE) for i in range(count)]))
                self.assertEqual(one, self.threads_of([(f'p{i}', 1, IDLE) for i in range(count)]))
        self.assertEqual(two + 2, self.threads_of([('p0', 2, IDLE), ('p1', 4, IDLE), ('p2', 3, IDLE)]))

    def test_busy_and_blocked_ones_hold_up_no_other(self):
        silent = socket.create_server(('127.0.0.1', 0), backlog=64)  # takes connections and says nothing
        self.addCleanup(silent.close)
        line, port, out = 'the quick brown fox ' * 20, support.free_port(), self.folder / 'out'
        texts = [(f'busy{i}', 3, support.fill(BUSY, line=line)) for i in range(3)]
        texts.append(('sick', 3, support.fill(SICK, line=line, port=silent.getsockname()[1])))
        texts.append(('well', 3, support.fill(WELL, port=port, out=out)))
        counters = self.folder / 'counters'
        millrace = self.start('--path.settings', self.settings(texts), '--counters', counters, '--shutdown.timeout', '1s')
        millrace.wait_for_port(port)
        for first in range(0, 1000, 100):  # each part has come through before the next is sent
            with socket.create_connection(('127.0.0.1', port)) as client:
                client.sendall(b''.join(b'line %d\n' % n for n in range(first, first + 100)))
            millrace.wait_for(lambda: out.exists() and len(out.read_text().splitlines()) == first + 100,
                              f'{first + 100} lines', 60)
        self.assertEqual({f'line {n}' for n in range(1000)},
                         {json.loads(text)['message'] for text in out.read_text().splitlines()})
        millrace.stop()
        counted = json.loads(counters.read_text())['pipelines']
        for i in range(3):  # none was held up by the others either
            self.assertGreater(counted[f'busy{i}']['events']['out'], 0)


if __name__ == '__main__':
    support.unittest.main()
