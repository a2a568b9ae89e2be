# SPDX-License-Identifier: Apache-2.0
"""A destination that does not answer: inputs wait, and what is under way stays what it is."""
import json
import signal
import socket
import time
import unittest

import support

LINES = ''.join(f'{"x" * 400} {n}\n' for n in range(60000))  # more than the budget holds
PIPELINE = '''input { @INPUT@ }
output { http { url => "http://127.0.0.1:@PORT@/" http_method => "post" format => "json_batch" } }'''


class Outage(support.Case):
    def setUp(self):
        super().setUp()
        self.silent = socket.create_server(('127.0.0.1', 0), backlog=64)  # takes connections and says nothing
        self.addCleanup(self.silent.close)
        self.counters_path = self.folder / 'counters'

    def counters(self, millrace):
        self.counters_path.unlink(missing_ok=True)
        millrace.signal(signal.SIGUSR1)

        def read():
            try:
                return json.loads(self.counters_path.read_text())['pipelines']['main']
            except (OSError, ValueError):
                return None
        return support.wait_until(read, 'the counters')

    def hold(self, source, **options):
        """Runs until nothing more is taken in; from then on nothing changes any more."""
        text = support.fill(PIPELINE, input=source, port=self.silent.getsockname()[1])
        millrace = self.start('-w', '2', '--pipeline.memory', '16 MiB', '--counters', self.counters_path, '-e', text,
                              **options)
        millrace.wait_for_log('pipeline started')

        def look():
            counters = self.counters(millrace)
            del counters['events']['oldest_unacknowledged_in_millis']  # it grows older
            return {name: counters[name] for name in ('events', 'batches_in_flight', 'memory')}

        def stands():
            before = look()
            time.sleep(1)
            after = look()
            return after if before == after and after['events']['in'] > 0 else None
        held = support.wait_until(stands, 'a second in which nothing changes', 60)
        self.assertLess(held['memory']['used_bytes'], 16 << 20)
        millrace.kill()

    def test_a_file_that_is_followed(self):
        lines = self.write('lines', LINES)
        self.hold(f'file {{ path => "{lines}" mode => "tail" start_position => "beginning" '
                  f'sincedb_path => "{self.folder}/sincedb" }}')

    def test_standard_input_that_is_a_file(self):
        lines = self.write('lines', LINES)
        self.hold('stdin {}', prefix=('sh', '-c', 'exec "$@" <"$0"', lines))

    def test_a_pipe(self):
        self.hold('stdin {}', stdin=LINES.encode())

    def test_a_generator(self):
        self.hold('generator {}')

    def test_heartbeats(self):
        self.hold(f'heartbeat {{ interval => 0.001 message => "{"x" * 100000}" }}')


if __name__ == '__main__':
    unittest.main()
