# SPDX-License-Identifier: Apache-2.0
"""The unix input, as a server and as a client."""
import json
import os
import socket
import stat
import subprocess
import threading

import support

OFF, ON = 'ecs_compatibility => disabled', 'ecs_compatibility => v8'


class UnixCase(support.Case):
    def setUp(self):
        super().setUp()
        self.path = self.folder / 'socket'

    def serve(self, options='', wait=r'waiting for clients', status=None):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-w', '1', '-e', f'input {{ unix {{ path => "{self.path}" {options} }} }} '
                                   'output { stdout { codec => json_lines } }', '--counters', self.counters_path)
        if status is not None:
            self.assertEqual(status, self.millrace.wait())
        elif wait:
            self.millrace.wait_for_log(wait)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20 * support.PATIENCE)
        client.connect(str(self.path))
        self.addCleanup(client.close)
        return client

    def events(self, count):
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= count, f'{count} events')
        lines = self.millrace.stdout.splitlines()
        self.assertEqual(count, len(lines))
        return [json.loads(line) for line in lines]

    def counted(self):
        self.assertEqual(0, self.millrace.stop())
        return json.loads(self.counters_path.read_text())['pipelines']['main']['plugins']['inputs'][0]['events']


class Server(UnixCase):
    def test_lines_of_clients(self):
        self.serve(OFF)
        one, two = self.connect(), self.connect()
        one.sendall(b'first half ')
        two.sendall(b'other\n')
        self.assertEqual('other', self.events(1)[0]['message'])
        one.sendall(b'second half\n')
        event = self.events(2)[1]
        self.assertEqual('first half second half', event['message'])
        self.assertEqual((os.uname().nodename, str(self.path)), (event['host'], event['path']))

    def test_ecs(self):
        self.serve(ON)
        self.connect().sendall(b'x\n')
        event = self.events(1)[0]
        self.assertEqual(({'name': os.uname().nodename}, {'path': str(self.path)}), (event['host'], event['file']))

    def test_a_last_line_without_its_end(self):
        self.serve(OFF)
        client = self.connect()
        client.sendall(b'one\nlast')
        client.close()
        self.assertEqual(['one', 'last'], [event['message'] for event in self.events(2)])

    def test_netcat(self):
        self.serve(OFF)
        nc = support.need_command('nc', 'netcat-openbsd speaks to Unix sockets')
        subprocess.run([nc, '-U', '-N', str(self.path)], input=b'by netcat\n', check=True, timeout=60)
        self.assertEqual('by netcat', self.events(1)[0]['message'])

    def test_many_bytes(self):
        self.serve(OFF)
        count = 100000
        self.connect().sendall(b''.join(b'line %d\n' % n for n in range(count)))
        self.assertEqual([f'line {n}' for n in range(count)], [event['message'] for event in self.events(count)])

    def test_a_path_that_is_there(self):
        self.path.write_text('mine')
        self.serve(status=1, wait=None)
        self.assertIn(f"'{self.path}' is there already: remove it, or set force_unlink", self.millrace.stderr)
        self.assertEqual('mine', self.path.read_text())
        self.serve('force_unlink => true')
        self.assertTrue(stat.S_ISSOCK(self.path.stat().st_mode))

    def test_the_path_is_removed_at_the_end(self):
        self.serve()
        self.assertTrue(self.path.exists())
        self.assertEqual(0, self.millrace.stop())
        self.assertFalse(self.path.exists())

    def test_a_path_that_cannot_be(self):
        self.path = self.folder / ('x' * 200)
        self.serve(status=1, wait=None)
        self.assertIn('the path of a socket has 1 to 107 bytes', self.millrace.stderr)

    def test_a_client_that_says_nothing(self):
        self.serve('data_timeout => 0.2')
        client = self.connect()
        self.assertEqual(b'', client.recv(1))
        self.assertEqual(1, self.counted()['connections_timed_out'])

    def test_too_many_clients(self):
        self.serve('max_connections => 2')
        clients = [self.connect() for _ in range(2)]
        for client in clients:
            client.sendall(b'x\n')
        self.events(2)
        self.assertEqual(b'', self.connect().recv(1))
        self.millrace.wait_for_log('max_connections is reached')
        clients[0].close()
        self.connect_until_served()
        counted = self.counted()
        self.assertGreaterEqual(counted['connections_refused'], 1)

    def connect_until_served(self):
        def served():
            client = self.connect()
            try:
                client.sendall(b'again\n')
            except BrokenPipeError:
                return False
            return 'again' in self.millrace.stdout
        self.millrace.wait_for(served, 'a free place')


class Client(UnixCase):
    def listen(self):
        server = socket.socket(socket.AF_UNIX)
        server.settimeout(20 * support.PATIENCE)
        server.bind(str(self.path))
        server.listen()
        self.addCleanup(server.close)
        return server

    def test_it_connects_and_again_when_the_server_is_gone(self):
        server = self.listen()
        self.serve(OFF + ' mode => client socket_not_present_retry_interval_seconds => 0.1', wait=None)
        for n in range(3):
            peer, _ = server.accept()
            peer.sendall(b'line %d\n' % n)
            peer.close()
        self.assertEqual(['line 0', 'line 1', 'line 2'], [event['message'] for event in self.events(3)])

    def test_no_socket_yet(self):
        self.serve('mode => client socket_not_present_retry_interval_seconds => 0.1', wait='cannot connect, trying again')
        peer, _ = self.listen().accept()
        peer.sendall(b'late\n')
        self.assertEqual('late', self.events(1)[0]['message'])
        peer.close()


class Hostile(UnixCase):
    def test_a_clean_client_is_served_beside_others(self):
        self.serve('codec => json_lines')
        idle = [self.connect() for _ in range(100)]
        for n, client in enumerate(idle):
            client.sendall(b'{"half":"' + b'x' * n)
        flood = threading.Thread(target=self.flood, daemon=True)
        flood.start()
        self.connect().sendall(b'{"clean":true}\n')
        self.millrace.wait_for(lambda: '"clean":true' in self.millrace.stdout, 'the clean event')
        flood.join(60)

    def flood(self):
        client = self.connect()
        for _ in range(200):
            client.sendall(os.urandom(4096))
        client.close()


if __name__ == '__main__':
    support.unittest.main()
