# SPDX-License-Identifier: Apache-2.0
"""The tcp input and output, as server and as client, plain and over TLS. Clients and servers are nc, openssl, logger, Python."""
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import certificates
import support

SANITIZED = bool(os.environ.get('MILLRACE_SANITIZED'))


class Server:
    """Takes connections one after the other, and does with each what `talk` does."""

    def __init__(self, talk, context=None, port=0):
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        self.talk, self.context, self.connections = talk, context, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                self.connections += 1
                with client:
                    if self.context:
                        client = self.context.wrap_socket(client, server_side=True)
                    self.talk(client, self.connections)
                    client.close()
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class TcpCase(support.Case):
    ecs = 'disabled'

    def serve(self, options='', filters='', arguments=(), host='127.0.0.1'):
        self.port = support.free_port()
        self.path = self.folder / 'events.jsonl'
        self.counters_path = self.folder / 'counters.json'
        self.millrace = self.start(
            '-e', f'input {{ tcp {{ id => "tcp" host => "{host}" port => {self.port} {options} }} }} {filters} '
            f'output {{ file {{ path => "{self.path}" codec => json_lines }} }}', '--counters', self.counters_path,
            '--pipeline.ecs_compatibility', self.ecs, *arguments)
        self.millrace.wait_for_log('waiting for TCP clients')

    def connect(self, context=None, host='127.0.0.1'):
        client = socket.create_connection((host, self.port), 10)
        if context:
            client = context.wrap_socket(client, server_hostname='localhost')
        self.addCleanup(client.close)
        return client

    def send(self, content, **more):
        """Sends and hangs up; returns the client's port."""
        client = self.connect(**more)
        client.sendall(content)
        port = client.getsockname()[1]
        client.close()
        return port

    def events(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text('utf-8').split('\n')[:-1]]

    def messages(self):
        return [event.get('message') for event in self.events()]

    def wait_for_events(self, count):
        self.millrace.wait_for(lambda: len(self.events()) >= count, f'{count} events', timeout=30)
        return self.events()

    def counters(self):
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)
        inputs = json.loads(self.counters_path.read_text())['pipelines']['main']['plugins']['inputs']
        return next(plugin['events'] for plugin in inputs if plugin['id'] == 'tcp')

    def server(self, talk, **more):
        server = Server(talk, **more)
        self.addCleanup(server.close)
        return server


KEEP = 'filter { mutate { copy => { "[@metadata]" => "kept" } } }'


class Lines(TcpCase):
    def test_lines_and_who_sent_them(self):
        self.serve('dns_reverse_lookup_enabled => false', KEEP)
        port = self.send(b'one\ntwo\nwithout an end')
        events = self.wait_for_events(3)
        self.assertEqual(['one', 'two', 'without an end'], [event['message'] for event in events])
        for event in events:
            self.assertEqual(('127.0.0.1', port, {'ip_address': '127.0.0.1'}), (event['host'], event['port'], event['kept']))

    def test_names_of_addresses(self):
        self.serve()
        self.send(b'named\n')
        self.assertEqual(socket.gethostbyaddr('127.0.0.1')[0], self.wait_for_events(1)[0]['host'])

    def test_plain_and_json_are_streams(self):
        self.serve('codec => json')
        client = self.connect()
        for piece in (b'{"a":', b'1}\n{"a"', b':2}\n'):
            client.sendall(piece)
        self.assertEqual([1, 2], [event['a'] for event in self.wait_for_events(2)])

    def test_each_connection_has_a_codec_of_its_own(self):
        self.serve()
        first, second = self.connect(), self.connect()
        first.sendall(b'first ')
        second.sendall(b'second ')
        first.sendall(b'one\n')
        second.sendall(b'two\n')
        self.assertEqual(['first one', 'second two'], sorted(event['message'] for event in self.wait_for_events(2)))

    def test_what_fills_a_read_exactly_does_not_wait(self):
        self.serve()
        line = b'x' * 63 + b'\n'
        for size in (65536, 131072, 65536 * 5):
            client, before = self.connect(), len(self.events())
            client.sendall(line * (size // len(line)))
            self.wait_for_events(before + size // len(line))

    def test_multiline_is_flushed(self):
        self.serve('codec => multiline { pattern => "^ " what => "previous" auto_flush_interval => 1 }')
        self.connect().sendall(b'one\n more\n')
        self.assertEqual('one\n more', self.wait_for_events(1)[0]['message'])

    def test_what_the_event_brings_stays(self):
        self.serve('codec => json')
        self.send(b'{"host":"mine","port":false}\n')
        event = self.wait_for_events(1)[0]
        self.assertEqual('mine', event['host'])
        self.assertIsInstance(event['port'], int)

    def test_ipv6(self):
        self.serve('dns_reverse_lookup_enabled => false', host='[::1]')
        self.send(b'six\n', host='::1')
        self.assertEqual('::1', self.wait_for_events(1)[0]['host'])

    def test_netcat_and_logger(self):
        self.serve()
        support.need_command('nc', 'it is a client; install netcat-openbsd')
        support.need_command('logger', 'it is a client; install bsdutils')
        subprocess.run(['nc', '-N', '127.0.0.1', str(self.port)], input=b'from nc\n', check=True, timeout=30)
        subprocess.run(['logger', '-n', '127.0.0.1', '-P', str(self.port), '-T', '--rfc3164', 'from logger'], check=True,
                       timeout=30)
        self.wait_for_events(2)
        self.assertIn('from nc', self.messages())
        self.assertTrue(any(text.endswith('from logger') for text in self.messages()), self.messages())

    def test_a_hundred_thousand_lines_on_twenty_connections(self):
        self.serve(arguments=('-w', '2'))
        def send(n):
            self.send(b''.join(b'%d %d\n' % (n, line) for line in range(5000)))
        threads = [threading.Thread(target=send, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.wait_for_events(100_000)
        self.assertEqual({f'{n} {line}' for n in range(20) for line in range(5000)}, set(self.messages()))


class Killed(TcpCase):
    def test_what_a_sigkill_costs(self):
        """Nobody is told what became of a line: what was under way is gone. What is there is a beginning of what was sent, once each,
        and whoever connects anew is served."""
        lines = [f'{number} {"x" * 100}' for number in range(200000)]
        self.serve(arguments=('-w', '1'))
        client = self.connect()
        def send():
            try:
                client.sendall(''.join(line + '\n' for line in lines).encode())
            except OSError:
                pass
        sender = threading.Thread(target=send)
        sender.start()
        self.millrace.wait_for(lambda: self.path.exists() and self.path.read_bytes().count(b'\n') > 1000, 'some of them in the file')
        self.millrace.kill()
        sender.join()
        whole = self.path.read_text().rpartition('\n')[0].splitlines()
        self.assertEqual(lines[:len(whole)], [json.loads(line)['message'] for line in whole])
        self.serve()
        self.send(b'after\n')
        self.millrace.wait_for(lambda: self.path.read_text().rstrip('\n').endswith('}') and '"after"' in self.path.read_text(), 'the line after it')
        self.assertEqual(1, self.path.read_text().count('"after"'))


class Ecs(TcpCase):
    ecs = 'v8'

    def test_names_of_fields(self):
        self.serve('proxy_protocol => true', KEEP)
        self.send(b'PROXY TCP4 192.0.2.7 198.51.100.2 56324 443\r\nhello\n')
        event = self.wait_for_events(1)[0]
        self.assertEqual({'source': {'name': '192.0.2.7', 'ip': '192.0.2.7', 'port': '56324'},
                          'proxy': {'ip': '198.51.100.2', 'port': '443'}}, event['kept']['input']['tcp'])
        self.assertEqual('hello', event['event']['original'])
        self.assertNotIn('host', event)


class Proxies(TcpCase):
    def test_a_header_in_pieces(self):
        self.serve('proxy_protocol => true', KEEP)
        client = self.connect()
        for piece in (b'PRO', b'XY TCP4 192.0.2.7 198.51.100.2 56324', b' 443\r', b'\nhel', b'lo\n'):
            client.sendall(piece)
        event = self.wait_for_events(1)[0]
        self.assertEqual(('hello', '192.0.2.7', '56324', '198.51.100.2', '443', {'ip_address': '192.0.2.7'}),
                         tuple(event[name] for name in ('message', 'host', 'port', 'proxy_host', 'proxy_port', 'kept')))

    def test_no_header(self):
        self.serve('proxy_protocol => true dns_reverse_lookup_enabled => false')
        for wrong in (b'hello\n', b'PROXY TCP4 1.2.3.4\r\n', b'PROXY TCP4 ' + b'9' * 1000):
            with self.connect() as client:
                client.sendall(wrong)
                try:
                    self.assertEqual(b'', client.recv(1))
                except ConnectionError:
                    pass
        self.send(b'PROXY UNKNOWN\r\nunknown\n')
        self.assertEqual('127.0.0.1', self.wait_for_events(1)[0]['host'])
        self.assertEqual(3, self.counters()['proxy_header_errors'])


class Encrypted(TcpCase):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.folder)
        self.pair = self.authority.issue('server')
        self.own = f'ssl_enabled => true ssl_certificate => "{self.pair.certificate}" ssl_key => "{self.pair.key}"'

    def test_a_client_with_a_certificate(self):
        self.serve(f'{self.own} ssl_client_authentication => required ssl_certificate_authorities => '
                   f'["{self.authority.certificate}"]')
        client = self.authority.issue('client')
        self.send(b'secret\n', context=self.authority.client_context(client))
        event = self.wait_for_events(1)[0]
        self.assertEqual(('secret', 'CN=client,O=Tests'), (event['message'], event['sslsubject']))
        with self.assertRaises((OSError, ssl.SSLError)):
            with self.connect(self.authority.client_context()) as nobody:
                nobody.sendall(b'never\n')
                self.assertEqual(b'', nobody.recv(1))
                raise ConnectionError
        self.assertEqual(['secret'], self.messages())

    def test_left_at_its_default_a_certificate_is_asked_for(self):
        self.serve(self.own)
        with self.assertRaises((OSError, ssl.SSLError)):
            with self.connect(self.authority.client_context()) as nobody:
                nobody.recv(1)
        self.millrace.wait_for_log('did not return a certificate')

    def test_openssl_sends_a_file(self):
        self.serve(f'{self.own} ssl_client_authentication => none')
        lines = b''.join(b'line %d\n' % n for n in range(20000))
        subprocess.run(['openssl', 's_client', '-quiet', '-no_ign_eof', '-connect', f'127.0.0.1:{self.port}'], input=lines,
                       capture_output=True, timeout=60)
        self.wait_for_events(20000)
        self.assertEqual(sorted(f'line {n}' for n in range(20000)), sorted(self.messages()))

    def test_what_cannot_be(self):
        for options, said in (
                ('ssl_enabled => true', 'ssl_certificate'),
                (f'{self.own} ssl_verification_mode => full', 'ssl_client_authentication'),
                (f'{self.own} ssl_client_authentication => required', 'ssl_certificate_authorities'),
                ('mode => client host => "x" ssl_enabled => true ssl_client_authentication => none', 'ssl_verification_mode')):
            with self.subTest(options):
                millrace = self.run_to_end('-t', '-e', f'input {{ tcp {{ port => 1 {options} }} }}', status=1)
                self.assertIn(said, millrace.stderr + millrace.stdout)


class Client(TcpCase):
    def read_from(self, server, options=''):
        self.path = self.folder / 'events.jsonl'
        self.millrace = self.start(
            '-e', f'input {{ tcp {{ mode => client host => "localhost" port => {server.port} {options} }} }} '
            f'output {{ file {{ path => "{self.path}" codec => json_lines }} }}', '--pipeline.ecs_compatibility', 'disabled')

    def test_it_connects_again(self):
        server = self.server(lambda client, number: client.sendall(b'connection %d\nunfinished' % number))
        self.read_from(server)
        wanted = {'connection 1', 'connection 2', 'connection 3', 'unfinished'}
        self.millrace.wait_for(lambda: wanted <= set(self.messages()), 'three connections')
        self.assertEqual((server.port, '127.0.0.1'), (self.events()[0]['port'], self.events()[0]['host']))
        self.assertEqual(0, self.millrace.stop())

    def test_a_server_that_comes_later(self):
        port = support.free_port()
        self.read_from(type('Nobody', (), {'port': port}))
        self.millrace.wait_for_log('cannot be reached')
        self.server(lambda client, number: client.sendall(b'here\n'), port=port)
        self.wait_for_events(1)

    def test_tls(self):
        authority = certificates.Authority(self.folder)
        context = authority.server_context(authority.issue('server', alternative='DNS:elsewhere'), mutual=True)
        server = self.server(lambda client, number: client.sendall(b'secret\n'), context=context)
        own = authority.issue('client')
        self.read_from(server, f'ssl_enabled => true ssl_certificate_authorities => ["{authority.certificate}"] '
                       f'ssl_certificate => "{own.certificate}" ssl_key => "{own.key}"')
        event = self.wait_for_events(1)[0]
        self.assertEqual(('secret', 'CN=server,O=Tests'), (event['message'], event['sslsubject']))

    def test_a_server_that_is_not_trusted(self):
        authority = certificates.Authority(self.folder)
        server = self.server(lambda client, number: client.sendall(b'secret\n'),
                             context=authority.server_context(authority.issue('server')))
        self.read_from(server, 'ssl_enabled => true')
        self.millrace.wait_for_log('certificate verify failed')
        self.assertEqual([], self.events())


class Troubles(TcpCase):
    def test_limits_of_clients(self):
        self.serve('max_connections => 3')
        held = [self.connect() for _ in range(3)]
        for client in held:
            client.sendall(b'held\n')
        self.wait_for_events(3)
        with self.connect() as more:
            self.assertEqual(b'', more.recv(1))
        self.millrace.wait_for_log('max_connections is reached')
        held.pop().close()
        self.millrace.wait_for(lambda: self.try_one(), 'a place')
        self.assertGreaterEqual(self.counters()['connections_refused'], 1)

    def try_one(self):
        try:
            self.send(b'room again\n')
        except OSError:
            return False
        return 'room again' in self.messages()

    def test_idle_clients_are_closed_when_that_is_wanted(self):
        self.serve('idle_timeout => 0.2')
        with self.connect() as client:
            client.sendall(b'half')
            self.assertEqual(b'', client.recv(1))
        self.assertEqual('half', self.wait_for_events(1)[0]['message'])
        self.assertEqual(1, self.counters()['idle_timeouts'])

    def test_half_lines_do_not_take_all_memory(self):
        self.serve(arguments=('--pipeline.memory', '64 MiB'))
        clients = []
        for n in range(20):
            clients.append(self.connect())
            try:
                clients[-1].sendall(b'%d' % n + b'x' * 6_000_000)
            except ConnectionError:
                pass
        self.millrace.wait_for_log('half-received messages hold too much memory')
        self.send(b'still served\n')
        self.millrace.wait_for(lambda: 'still served' in self.messages(), 'the line of another client')
        for client in clients:
            client.close()
        if not SANITIZED:
            self.assertLess(self.millrace.resident_kib(), 200_000)
        self.assertGreater(self.counters()['connections_shed'], 0)

    def test_resets_and_garbage(self):
        self.serve()
        for n in range(200):
            client = self.connect()
            client.sendall(os.urandom(3000) if n % 2 else b'reset')
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            client.close()
        self.send(b'served\n')
        self.millrace.wait_for(lambda: 'served' in self.messages(), 'the clean client')
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)

    def test_stopping_keeps_what_has_come(self):
        self.serve()
        client = self.connect()
        client.sendall(b'one\nhalf')
        self.wait_for_events(1)
        self.assertEqual(0, self.millrace.stop())
        self.assertEqual(['one', 'half'], self.messages())

    def test_a_port_that_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as holder:
            millrace = self.run_to_end('-e', f'input {{ tcp {{ host => "127.0.0.1" port => {holder.getsockname()[1]} }} }}',
                                       status=1)
            self.assertIn('in use', millrace.stderr)


class Output(TcpCase):
    """Numbered lines from a file go out."""

    def begin(self, options, count=3, codec='line { format => "%{message}" }', arguments=()):
        lines = self.write('in.log', ''.join(f'{n}\n' for n in range(count)))
        self.counters_path = self.folder / 'counters.json'
        self.millrace = self.start(
            '-e', f'input {{ file {{ path => "{lines}" mode => read file_completed_action => log exit_after_read => true '
            f'file_completed_log_path => "{self.folder}/done" }} }} output {{ tcp {{ id => "out" codec => {codec} '
            f'{options} }} }}', '--counters', self.counters_path, *arguments)

    def collector(self, context=None, port=0, drop_first=False):
        received = []

        def talk(client, number):
            if drop_first and number == 1:
                client.recv(10)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                return
            while piece := client.recv(65536):
                received.append(piece)
        return self.server(talk, context=context, port=port), received

    def test_to_a_server(self):
        server, received = self.collector()
        self.begin(f'host => "127.0.0.1" port => {server.port}', 20000)
        self.assertEqual(0, self.millrace.wait())
        expected = ''.join(f'{n}\n' for n in range(20000)).encode()
        support.wait_until(lambda: len(b''.join(received)) >= len(expected), 'all lines')
        self.assertEqual(sorted(expected.splitlines()), sorted(b''.join(received).splitlines()))

    def test_json_has_nothing_between_events(self):
        server, received = self.collector()
        self.begin(f'host => "127.0.0.1" port => {server.port}', 2, codec='json')
        self.assertEqual(0, self.millrace.wait())
        support.wait_until(lambda: b'}{' in b''.join(received), 'two events')

    def test_a_server_that_comes_later_and_one_that_breaks_off(self):
        port = support.free_port()
        self.begin(f'host => "localhost" port => {port} reconnect_interval => "100 ms"', 50)
        self.millrace.wait_for_log('cannot be sent to, trying again')
        server, received = self.collector(port=port)
        self.assertEqual(0, self.millrace.wait())
        support.wait_until(lambda: len(set(b''.join(received).split())) == 50, 'all lines')

    def test_tls_and_the_name_of_the_server(self):
        authority = certificates.Authority(self.folder)
        own = authority.issue('client')
        options = (f'ssl_enabled => true ssl_certificate_authorities => ["{authority.certificate}"] '
                   f'ssl_certificate => "{own.certificate}" ssl_key => "{own.key}" reconnect_interval => "100 ms"')
        wrong, _ = self.collector(authority.server_context(authority.issue('wrong', alternative='DNS:elsewhere'), True))
        self.begin(f'host => "localhost" port => {wrong.port} {options}', arguments=('--shutdown.timeout', '1 s'))
        self.millrace.wait_for_log('ostname mismatch')
        self.millrace.signal(signal.SIGTERM)
        self.millrace.wait()
        server, received = self.collector(authority.server_context(authority.issue('server'), True))
        self.begin(f'host => "localhost" port => {server.port} {options}', arguments=('--path.data', self.folder / 'second'))
        self.assertEqual(0, self.millrace.wait())
        support.wait_until(lambda: b''.join(received).split() == [b'0', b'1', b'2'], 'all lines')

    def serve_output(self, options=''):
        self.port = support.free_port()
        self.millrace = self.start('-e', 'input { stdin { } } output { tcp { mode => server host => "127.0.0.1" '
                                   f'port => {self.port} codec => line {{ format => "%{{message}}" }} {options} }} }}',
                                   stdin=True)
        self.millrace.wait_for_log('waiting for TCP clients to send to')

    def say(self, text):
        self.millrace.child.stdin.write(text)
        self.millrace.child.stdin.flush()

    def read_line(self, client):
        line = b''
        while not line.endswith(b'\n'):
            piece = client.recv(1)
            self.assertNotEqual(b'', piece)
            line += piece
        return line

    def greet(self, client):
        """Until the output knows the client, events pass it by."""
        client.settimeout(0.2)
        for _ in range(int(100 * support.PATIENCE)):
            self.say(b'greeting\n')
            try:
                if client.recv(4096):
                    break
            except TimeoutError:
                pass
        client.settimeout(20)

    def test_as_server(self):
        self.serve_output()
        clients = [self.connect() for _ in range(3)]
        for client in clients:
            self.greet(client)
        self.say(b'last\n')
        for client in clients:
            while self.read_line(client) != b'last\n':
                pass
        clients.pop().close()
        self.say(b'more\n')
        for client in clients:
            self.assertEqual(b'more\n', self.read_line(client))
        self.millrace.child.stdin.close()
        self.assertEqual(0, self.millrace.wait())

    def test_as_server_over_tls(self):
        authority = certificates.Authority(self.folder)
        pair = authority.issue('server')
        self.serve_output(f'ssl_enabled => true ssl_certificate => "{pair.certificate}" ssl_key => "{pair.key}"')
        with self.connect(authority.client_context()) as client:
            self.greet(client)
            self.say(b'secret\n')
            while self.read_line(client) != b'secret\n':
                pass

    def test_a_client_that_does_not_read(self):
        self.serve_output('max_client_bytes => "64 KiB"')
        slow, good = self.connect(), self.connect()
        self.greet(slow)
        self.greet(good)
        good.setblocking(False)
        total = 0
        for n in range(4000):
            self.say(b'%d ' % n + b'x' * 4000 + b'\n')
            try:
                total += len(good.recv(1 << 20))
            except BlockingIOError:
                pass
        self.millrace.wait_for_log('a client that reads too slowly is disconnected', timeout=30)


if __name__ == '__main__':
    unittest.main()
