# SPDX-License-Identifier: Apache-2.0
"""The beats input and the delivery contract: nothing is acknowledged before it is safe, nothing acknowledged is lost."""
import hashlib
import json
import re
import subprocess
import threading
import time
import unittest

import lumberjack
import support
from beats import BeatsCase, Gate
from lumberjack import CLOSED, batch, data, messages, numbered, window

KEEPALIVE = (2, 0)


class Busy(BeatsCase):
    """The destination does not take what was sent, for now."""

    def setUp(self):
        super().setUp()
        self.gate = Gate('held')
        self.stub = self.search_stub(self.gate.status_of)

    def serve_held(self, options=''):
        self.serve_search(self.stub, f'keepalive_interval => "100 ms" {options}')
        return self.client()

    def read_keepalives(self, client, count):
        """Keep-alives and nothing else, none of them late."""
        for _ in range(count):
            started = time.monotonic()
            self.assertEqual(KEEPALIVE, client.read_ack(timeout=5))
            self.assertLess(time.monotonic() - started, 1 * support.PATIENCE)

    def test_three_windows_are_kept_alive_until_the_last_is_delivered(self):
        client = self.serve_held()
        client.send(batch(numbered('held ', 3)), batch(numbered('held ', 4)), batch(numbered('held ', 5)))
        self.read_keepalives(client, 10)
        self.gate.open()
        self.assertEqual([(2, 3), (2, 4), (2, 5)], client.read_acks(3))
        self.assertIsNone(client.read_ack(timeout=0.4), 'nothing is under way any more')

    def test_the_second_window_is_kept_alive_after_the_first_is_acknowledged(self):
        client = self.serve_held()
        client.send(batch(numbered('fast ', 3)), batch(numbered('held ', 4)))
        self.assertEqual([(2, 3)], client.read_acks(1))
        self.read_keepalives(client, 5)
        self.gate.open()
        self.assertEqual([(2, 4)], client.read_acks(1))

    def test_half_a_window_behind_a_whole_one_changes_nothing(self):
        client = self.serve_held()
        client.send(batch(numbered('held ', 3)), window(2), data(1, {'message': 'half'}))
        self.read_keepalives(client, 3)
        self.gate.open()
        self.assertEqual([(2, 3)], client.read_acks(1))
        self.assertIsNone(client.read_ack(timeout=0.4))
        client.send(data(2, {'message': 'the other half'}))
        self.assertEqual([(2, 2)], client.read_acks(1))

    def test_version_1_knows_no_keepalives(self):
        client = self.serve_held()
        client.send(batch([{'line': 'held 1'}], version=1))
        self.assertIsNone(client.read_ack(timeout=0.5))
        self.gate.open()
        self.assertEqual([(1, 1)], client.read_acks(1))

    def test_a_busy_connection_is_not_inactive(self):
        client = self.serve_held('client_inactivity_timeout => "300 ms"')
        client.send(batch([{'line': 'held 1'}], version=1))
        self.assertIsNone(client.read_ack(timeout=1))
        self.gate.open()
        self.assertEqual([(1, 1), CLOSED], client.read_to_end())

    def test_after_the_clients_end_its_windows_are_still_acknowledged(self):
        client = self.serve_held()
        client.send(batch(numbered('held ', 2)), batch(numbered('held ', 3)), window(5), data(1, {'message': 'half'})).end()
        self.read_keepalives(client, 3)
        self.gate.open()
        self.assertEqual([(2, 2), (2, 3), CLOSED], [ack for ack in client.read_to_end() if ack != KEEPALIVE])

    def test_a_broken_frame_does_not_take_the_windows_before_it_along(self):
        client = self.serve_held()
        client.send(batch(numbered('held ', 2)), b'nonsense')
        self.read_keepalives(client, 2)
        self.gate.open()
        self.assertEqual([(2, 2), CLOSED], [ack for ack in client.read_to_end() if ack != KEEPALIVE])

    def test_others_are_served_meanwhile(self):
        clients = [self.serve_held().send(batch(numbered('held ', 3)))]
        clients += [self.client().send(batch(numbered('held ', 3))) for _ in range(30)]
        for client in clients:
            self.assertEqual(KEEPALIVE, client.read_ack())
        self.gate.open()
        for client in clients:
            self.assertEqual([(2, 3)], client.read_acks(1))


class Outage(BeatsCase):
    def test_many_clients_wait_in_bounded_memory(self):
        """None of them is turned away, and all are served afterwards."""
        gate = Gate('held')
        self.serve_search(self.search_stub(gate.status_of), 'keepalive_interval => "300 ms"')
        content = batch(messages(*['held ' + 'x' * 4000] * 40))
        clients = [self.client(timeout=60).send(content) for _ in range(400)]
        self.assertEqual(KEEPALIVE, clients[0].read_ack())
        time.sleep(1)
        # 64 MiB of budget, the program itself, and what the allocator keeps: 105 to 120 MiB were seen, and 187 to 205 without a budget
        self.assert_memory(self.millrace.resident_kib(), 144 * 1024)
        gate.open()
        for client in clients:
            self.assertEqual([(2, 40)], client.read_acks(1, timeout=60))
        self.assertEqual(0, self.counters()['connections_shed'])


class Stopping(BeatsCase):
    def setUp(self):
        super().setUp()
        self.gate = Gate('held')
        self.stub = self.search_stub(self.gate.status_of)
        self.serve_search(self.stub, 'keepalive_interval => "100 ms"')

    def stop_millrace(self):
        self.millrace.signal(15)
        self.millrace.wait_for_log('stopping')

    def test_complete_windows_are_delivered_and_acknowledged(self):
        busy, half, idle = (self.client() for _ in range(3))
        busy.send(batch(numbered('held ', 3)))
        half.send(window(2), data(1, {'message': 'half'}))
        self.assertEqual(KEEPALIVE, busy.read_ack())
        self.stop_millrace()
        self.assertEqual([CLOSED], half.read_to_end())
        self.assertEqual([CLOSED], idle.read_to_end())
        self.assertEqual(KEEPALIVE, busy.read_ack())
        with self.assertRaises(ConnectionRefusedError):
            lumberjack.Client(self.port)
        self.gate.open()
        self.assertEqual([(2, 3), CLOSED], [ack for ack in busy.read_to_end() if ack != KEEPALIVE])
        self.assertEqual(0, self.millrace.wait(), self.millrace.stderr)

    def test_clients_that_go_on_sending_get_an_orderly_end(self):
        client = self.client()
        client.send(batch(numbered('held ', 3)), window(1000000))
        self.assertEqual(KEEPALIVE, client.read_ack())
        self.stop_millrace()
        try:
            for i in range(1, 2000):
                client.send(data(i, {'message': 'x' * 100}))
        except ConnectionError:
            pass
        self.gate.open()
        self.assertEqual((2, 3), next(ack for ack in client.read_to_end() if ack != KEEPALIVE))
        self.assertEqual(0, self.millrace.wait(), self.millrace.stderr)


class RealClients(BeatsCase):
    """go-lumber is the library inside Filebeat 7.17."""

    def setUp(self):
        super().setUp()
        self.go_client = self.build_go_client()

    def test_each_way_to_send(self):
        self.serve()
        expected = []
        for inflight in (0, 2):
            for compress in (0, 3):
                with self.subTest(inflight=inflight, compress=compress):
                    prefix = f'{inflight} {compress} '
                    report = self.run_go_client('-n', 10000, '-prefix', prefix, '-window', 700, '-inflight', inflight,
                                                '-compress', compress)
                    self.assertEqual((10000, 0, 1), (report['acked'], report['sent_again'], report['connections']))
                    self.assertEqual(sorted(report['batches']), report['batches'])
                    expected += [f'{prefix}{i}' for i in range(10000)]
        self.assertEqual(digest(expected), digest(self.messages()), 'each event once')

    def test_lines_arrive_as_they_are(self):
        lines = self.run_to_end('generate', '-n', '5000', data=False).stdout
        path = self.write('lines.log', lines)
        self.serve()
        self.run_go_client('-file', path, '-service', 'payment', '-compress', 3, '-inflight', 1)
        self.assertEqual(digest(lines.splitlines()), digest(self.messages()))
        self.assertEqual({'service': 'payment'}, self.events()[0]['fields'])

    def test_a_busy_server_keeps_the_connection(self):
        """The client waits one second for an answer; the destination needs longer than two."""
        gate = Gate('held')
        stub = self.search_stub(gate.status_of)
        self.serve_search(stub, 'keepalive_interval => "300 ms"')
        threading.Timer(2.5, gate.open).start()
        report = self.run_go_client('-n', 3000, '-prefix', 'held ', '-window', 1000, '-inflight', 1, '-timeout', '1s')
        self.assertEqual((3000, 0, 1), (report['acked'], report['sent_again'], report['connections']))
        self.assertEqual(3000, len(stub.documents), 'each event once')

    def test_killed_and_started_again(self):
        self.serve()
        client = subprocess.Popen([self.go_client, '-to', f'127.0.0.1:{self.port}', '-n', '60000', '-window', '500',
                                   '-inflight', '2', '-compress', '3'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.kill)
        for count in (1000, 20000):
            self.millrace.wait_for(lambda: self.path.exists() and self.path.read_bytes().count(b'\n') > count, 'a part')
            self.millrace.kill()
            self.serve(port=self.port)
        out, _ = client.communicate(timeout=60 * support.PATIENCE)
        self.assertEqual(60000, json.loads(out)['acked'])
        self.assertEqual({f'event {i}' for i in range(60000)}, set(self.whole_messages()))

    def whole_messages(self):
        """A crash may cut the last line of the file, and the next start goes on right behind it."""
        text = self.path.read_text('utf-8')
        return re.findall(r'"message":"(event \d+)"', text)

    def test_filebeat(self):
        support.need_command('filebeat', 'the real Filebeat is not tried; go-lumber, its library, is')
        self.serve()
        lines = [f'line {i}' for i in range(10000)]
        log = self.write('app.log', '\n'.join(lines) + '\n')
        settings = {'filebeat.inputs': [{'type': 'filestream', 'id': 'app', 'paths': [str(log)]}],
                    'output.logstash': {'hosts': [f'127.0.0.1:{self.port}']}, 'path.data': str(self.folder / 'filebeat')}
        config = self.write('filebeat.yml', json.dumps(settings))
        filebeat = subprocess.Popen(['filebeat', '-e', '-c', str(config), '--strict.perms=false'], stderr=subprocess.DEVNULL)
        self.addCleanup(filebeat.kill)
        self.wait_for_events(len(lines))
        self.assertEqual(digest(lines), digest(self.messages()))


class OwnClient(BeatsCase):
    """`millrace send`, against millrace and against servers that misbehave."""

    def setUp(self):
        super().setUp()
        self.lines = self.run_to_end('generate', '-n', '3000', '--seed', '5', data=False).stdout
        self.file = self.write('lines.log', self.lines)

    def send(self, port, *arguments, status=0):
        return self.run_to_end('send', '--to', f'127.0.0.1:{port}', *arguments, self.file, data=False, status=status,
                               timeout=60).stderr

    def misbehaving(self, answer):
        server = lumberjack.Server(answer)
        self.addCleanup(server.close)
        return server

    def assert_all_arrived(self, events):
        self.assertEqual(set(self.lines.splitlines()), {event['message'] for event in events})

    def test_each_way_to_send(self):
        self.serve()
        for arguments in ([], ['--compress', '0'], ['--window', '50', '--pipelining', '0'],
                          ['--connections', '4', '--window', '100', '--compress', '9']):
            with self.subTest(arguments):
                before = len(self.events())
                said = self.send(self.port, '--field', 'service=payment', '--field', 'a b="c"', *arguments)
                self.assertIn('3000 events read, 3000 acknowledged', said)
                events = self.events()[before:]
                self.assertEqual(digest(self.lines.splitlines()), digest([event['message'] for event in events]))
                self.assertEqual({'service': 'payment', 'a b': '"c"'}, events[0]['fields'])

    def test_a_rate(self):
        self.serve()
        started = time.monotonic()
        self.send(self.port, '--rate', '6000')
        self.assertGreater(time.monotonic() - started, 0.45)
        self.assertEqual(3000, len(self.events()))

    def test_lines_that_come_one_by_one(self):
        self.serve()
        sender = self.start('send', '--to', f'127.0.0.1:{self.port}', stdin=True, data=False)
        for i in range(3):
            sender.child.stdin.write(b'line %d\n' % i)
            sender.child.stdin.flush()
            self.wait_for_events(i + 1)
        sender.child.stdin.write('no line break, \xff'.encode('latin-1'))
        sender.child.stdin.close()
        self.assertEqual(0, sender.wait())
        self.assertEqual(['line 0', 'line 1', 'line 2', 'no line break, \ufffd'], self.messages())

    def test_a_server_that_hangs_up(self):
        calls = iter(range(1 << 20))
        server = self.misbehaving(lambda connection, number, count: CLOSED if next(calls) % 3 == 2 else count)
        said = self.send(server.port, '--window', '200')
        self.assert_all_arrived(server.events())
        self.assertIn('3000 acknowledged', said)
        self.assertIn('closed the connection', said)

    def test_a_server_that_falls_silent(self):
        server = self.misbehaving(lambda connection, number, count: None if connection == 1 else count)
        said = self.send(server.port, '--timeout', '1', '--window', '1000')
        self.assert_all_arrived(server.events())
        self.assertIn('no answer in time', said)

    def test_a_server_that_answers_wrongly(self):
        for answer in (b'1A\0\0\0\1', b'2X\0\0\0\1', b'2A\0\0\xff\xff'):
            with self.subTest(answer=answer):
                server = self.misbehaving(lambda connection, number, count: answer if connection == 1 else count)
                said = self.send(server.port, '--window', '1000')
                self.assert_all_arrived(server.events())
                self.assertIn('again in', said)

    def test_partial_acks_and_keepalives_are_no_acks(self):
        def answer(connection, number, count):
            return b'2A\0\0\0\0' + b'2A\0\0\0\5' + b'2A' + count.to_bytes(4, 'big')
        server = self.misbehaving(answer)
        said = self.send(server.port, '--window', '100')
        self.assertEqual(3000, len(server.events()))
        self.assertIn('(0 of them again)', said)
        self.assertIn('30 keep-alives', said)

    def test_a_server_that_starts_late(self):
        port = support.free_port()
        sender = self.start('send', '--to', f'127.0.0.1:{port}', self.file, data=False)
        sender.wait_for_log('connection refused')
        self.serve(port=port)
        self.assertEqual(0, sender.wait(60))
        self.assert_all_arrived(self.events())

    def test_wrong_usage(self):
        for arguments, said in ((['send'], '--to HOST:PORT is missing'), (['send', '--to', 'nowhere'], 'HOST:PORT'),
                                (['send', '--to', 'a:1', '--compress', '10'], 'from 0 to 9'),
                                (['send', '--to', 'a:1', '--field', 'x'], 'KEY=VALUE'),
                                (['generate', '--seed', 'x'], 'expected a number'), (['generate', 'x'], "unexpected argument 'x'"),
                                (['generate', '--start', 'noon'], 'ISO 8601')):
            with self.subTest(arguments):
                millrace = self.start(*arguments, data=False)
                self.assertNotEqual(0, millrace.wait())
                self.assertIn(said, millrace.stderr)


def digest(lines):
    return hashlib.md5('\n'.join(sorted(lines)).encode()).hexdigest()


if __name__ == '__main__':
    unittest.main()
