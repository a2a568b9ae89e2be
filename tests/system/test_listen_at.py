# SPDX-License-Identifier: Apache-2.0
"""--listen-at: the port of a pipeline file led elsewhere, as --connect-to does for outputs."""
import socket
import unittest

import lumberjack
import support

PIPELINE = 'input { beats { port => @PORT@ } } output { stdout { codec => json_lines } }'


class ListenAt(support.Case):
    def serve_at(self, port, place):
        """The port that the log names."""
        self.millrace = self.start('-e', support.fill(PIPELINE, port=port), '--listen-at', f'{port}:{place}')
        return int(self.millrace.wait_for_log(r'waiting for Beats host=\S+ port=(\d+)').group(1))

    def send_one(self, port):
        client = lumberjack.Client(port)
        self.addCleanup(client.close)
        client.send(lumberjack.batch(lumberjack.messages('hello')))
        self.assertEqual([(2, 1)], client.read_acks(1))
        self.assertEqual(0, self.millrace.stop())
        self.assertEqual(['hello'], [event['message'] for event in self.millrace.json_lines()])

    def test_a_taken_port_is_led_to_any_free_one(self):
        with socket.socket() as holder:
            holder.bind(('0.0.0.0', 0))
            holder.listen()
            taken = holder.getsockname()[1]
            port = self.serve_at(taken, '127.0.0.1:0')
            self.assertNotIn(port, (0, taken))
            self.send_one(port)

    def test_a_named_port(self):
        free = support.free_port()
        self.assertEqual(free, self.serve_at(5044, f'127.0.0.1:{free}'))
        self.send_one(free)

    def test_other_ports_stay(self):
        port = support.free_port()
        self.millrace = self.start('-e', support.fill(PIPELINE, port=port), '--listen-at', '1:127.0.0.1:0')
        self.millrace.wait_for_port(port)
        self.send_one(port)

    def test_a_form_that_is_none(self):
        millrace = self.run_to_end('-e', 'input { stdin {} }', '--listen-at', '5044:6044', status=2)
        self.assertIn("'listen-at' is PORT:ADDRESS:PORT, found '5044:6044'", millrace.stderr)


if __name__ == '__main__':
    unittest.main()
