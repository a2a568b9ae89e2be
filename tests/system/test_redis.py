# SPDX-License-Identifier: Apache-2.0
"""The redis input and output, with a real redis-server."""
import json
import socket
import subprocess

import support

OFF = 'ecs_compatibility => disabled'


class Server:
    """A redis-server of its own folder on a free port and a Unix socket."""

    def __init__(self, case, *options, port=None):
        self.case, self.options = case, options
        self.port = port or support.free_port()
        self.path = case.folder / f'redis-{self.port}.sock'
        self.start()
        case.addCleanup(self.stop)

    def start(self):
        program = support.need_command('redis-server', 'it is the server of these tests')
        self.child = subprocess.Popen(
            [program, '--port', str(self.port), '--bind', '127.0.0.1', '--unixsocket', str(self.path), '--save', '', '--appendonly', 'no',
             '--dir', str(self.case.folder), '--daemonize', 'no', *map(str, self.options)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        support.wait_until(lambda: support.is_listening(self.port), 'redis-server', 20)

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait(30)

    def command(self, *words, password=None):
        """The answer as text, a list of texts, an integer, or None."""
        with socket.create_connection(('127.0.0.1', self.port), timeout=20 * support.PATIENCE) as connection:
            stream = connection.makefile('rwb')
            for command in ([('AUTH', password)] if password else []) + [words]:
                encoded = [word if isinstance(word, bytes) else str(word).encode() for word in command]
                stream.write(b'*%d\r\n' % len(encoded) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in encoded))
                stream.flush()
                answer = self.read(stream)
            return answer

    def read(self, stream):
        line = stream.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b'-':
            raise AssertionError(rest.decode())
        if kind == b':':
            return int(rest)
        if kind == b'$':
            return stream.read(int(rest) + 2)[:-2].decode() if int(rest) >= 0 else None
        if kind == b'*':
            return [self.read(stream) for _ in range(int(rest))]
        return rest.decode()


class RedisCase(support.Case):
    def read(self, options, port=None):
        self.counters_path = self.folder / 'counters'
        where = f'port => {port}' if port else ''
        self.millrace = self.start('-w', '1', '-e', f'input {{ redis {{ {OFF} {where} {options} }} }} '
                                   'filter { mutate { copy => { "@metadata" => "meta" } } } output { stdout { codec => json_lines } }',
                                   '--counters', self.counters_path)
        return self.millrace

    def events(self, count):
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= count, f'{count} events', 20)
        lines = self.millrace.stdout.splitlines()
        self.assertEqual(count, len(lines))
        return [json.loads(line) for line in lines]

    def write_events(self, options, events, arguments=()):
        self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} filter {{ mutate {{ remove_field => ["host", "@version", '
                        f'"@timestamp", "event"] }} }} output {{ redis {{ {options} }} }}', '--counters', self.folder / 'counted', *arguments,
                        stdin=''.join(json.dumps(event) + '\n' for event in events).encode())
        return json.loads((self.folder / 'counted').read_text())['pipelines']['main']['plugins']['outputs'][0]['events']


class Input(RedisCase):
    def test_list(self):
        server, count = Server(self), 1000
        server.command('RPUSH', 'events', *[json.dumps({'n': n}) for n in range(count)])
        for batch in (125, 1, 5000):
            with self.subTest(batch=batch):
                server.command('DEL', 'events')
                server.command('RPUSH', 'events', *[json.dumps({'n': n}) for n in range(count)])
                self.read(f'key => "events" data_type => list batch_count => {batch}', server.port)
                self.assertEqual(list(range(count)), [event['n'] for event in self.events(count)])
                self.assertEqual(0, server.command('LLEN', 'events'))
                server.command('RPUSH', 'events', '{"n":"later"}', 'broken')
                later, broken = self.events(count + 2)[-2:]
                self.assertEqual(('later', ['_jsonparsefailure'], 'broken'), (later['n'], broken['tags'], broken['message']))
                self.assertNotIn('host', later)
                self.assertEqual({}, later['meta'])
                self.assertEqual(0, self.millrace.stop())

    def test_what_a_sigkill_costs(self):
        """Elements that were taken and not written yet are gone, as in Logstash; none comes twice, and what is left is read later."""
        server, count = Server(self), 50000
        for begin in range(0, count, 1000):
            server.command('RPUSH', 'events', *[json.dumps({'n': n}) for n in range(begin, begin + 1000)])
        options = 'key => "events" data_type => list batch_count => 50'
        self.read(options, server.port)
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') > 500, 'some events')
        self.millrace.kill()
        whole = self.millrace.stdout.rpartition('\n')[0].splitlines()
        self.assertEqual(list(range(len(whole))), [json.loads(line)['n'] for line in whole])
        left = server.command('LLEN', 'events')
        self.assertLessEqual(len(whole), count - left)
        self.read(options, server.port)
        self.assertEqual(list(range(count - left, count)), [event['n'] for event in self.events(left)])

    def test_channel(self):
        server = Server(self)
        self.read('key => "news" data_type => channel codec => plain', server.port)
        self.publish(server, 'news', 'one')
        event = self.events(1)[0]
        self.assertEqual(('one', 'news'), (event['message'], event['meta']['redis_channel']))
        server.command('PUBLISH', 'other', 'two')
        self.assertEqual(0, self.millrace.stop())

    def test_pattern(self):
        server = Server(self)
        self.read('key => "news.*" data_type => pattern_channel codec => plain', server.port)
        self.publish(server, 'news.a', 'one')
        for n in range(500):
            server.command('PUBLISH', f'news.{n}', n) if n % 100 == 0 else None
        events = self.events(6)
        self.assertEqual(['news.a', *[f'news.{n}' for n in range(0, 500, 100)]], [event['meta']['redis_channel'] for event in events])

    def publish(self, server, channel, text):
        """Until somebody hears it."""
        self.millrace.wait_for(lambda: server.command('PUBLISH', channel, text) == 1, 'the subscription')

    def test_password_and_database(self):
        server = Server(self, '--requirepass', 'secret')
        server.command('EVAL', "redis.call('select', 3); redis.call('rpush', 'events', '{\"n\":1}')", 0, password='secret')
        self.read('key => "events" data_type => list password => "secret" db => 3', server.port)
        self.assertEqual(1, self.events(1)[0]['n'])
        self.assertNotIn('secret', self.millrace.stderr)

    def test_wrong_password(self):
        server = Server(self, '--requirepass', 'secret')
        self.read('key => "events" data_type => list password => "wrong"', server.port).wait_for_log('no connection to Redis.*WRONGPASS')

    def test_unix_socket(self):
        server = Server(self)
        server.command('RPUSH', 'events', '{"n":1}')
        self.read(f'key => "events" data_type => list path => "{server.path}"')
        self.assertEqual(1, self.events(1)[0]['n'])

    def test_a_server_that_comes_later_and_goes(self):
        port = support.free_port()
        self.read('key => "events" data_type => list', port).wait_for_log('no connection to Redis, trying again')
        server = Server(self, port=port)
        server.command('RPUSH', 'events', '{"n":1}')
        self.assertEqual(1, self.events(1)[0]['n'])
        server.stop()
        server.start()
        server.command('RPUSH', 'events', '{"n":2}')
        self.assertEqual([1, 2], [event['n'] for event in self.events(2)])

    def test_renamed_commands(self):
        server = Server(self, '--rename-command', 'EVALSHA', 'run_it', '--rename-command', 'SCRIPT', 'load_it')
        server.command('RPUSH', 'events', '{"n":1}')
        self.read('key => "events" data_type => list command_map => { "evalsha" => "run_it" "script" => "load_it" }', server.port)
        self.assertEqual(1, self.events(1)[0]['n'])

    def test_what_was_taken_is_delivered_at_a_stop(self):
        server, count = Server(self), 20000
        for start in range(0, count, 2000):
            server.command('RPUSH', 'events', *[json.dumps({'n': n}) for n in range(start, start + 2000)])
        self.read('key => "events" data_type => list', server.port)
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') > 500, 'some events')
        self.assertEqual(0, self.millrace.stop())
        self.assertEqual(count, self.millrace.stdout.count('\n') + server.command('LLEN', 'events'))


class Output(RedisCase):
    def test_list(self):
        server, count = Server(self), 5000
        counted = self.write_events(f'key => "l-%{{k}}" data_type => list port => {server.port}',
                                    [{'k': n % 2, 'n': n} for n in range(count)])
        for k in (0, 1):
            self.assertEqual(list(range(k, count, 2)), [json.loads(text)['n'] for text in server.command('LRANGE', f'l-{k}', 0, -1)])
        self.assertEqual(count, counted['delivered'])

    def test_batch(self):
        server, count = Server(self), 1000
        self.write_events(f'key => "events" data_type => list batch => true port => {server.port} codec => plain {{ format => "%{{n}}" }}',
                          [{'n': n} for n in range(count)])
        self.assertEqual([str(n) for n in range(count)], server.command('LRANGE', 'events', 0, -1))
        calls = int(server.command('INFO', 'commandstats').split('cmdstat_rpush:calls=')[1].split(',')[0])
        self.assertLess(calls, count / 10)

    def test_channel_to_our_own_input(self):
        server = Server(self)
        self.read('key => "news" data_type => channel', server.port)
        self.millrace.wait_for(lambda: server.command('PUBSUB', 'NUMSUB', 'news')[1] == 1, 'the subscription')
        self.write_events(f'key => "news" data_type => channel port => {server.port}', [{'n': n} for n in range(1000)])
        self.assertEqual(list(range(1000)), [event['n'] for event in self.events(1000)])

    def test_a_key_of_another_kind(self):
        server = Server(self)
        server.command('SET', 'text', 'x')
        counted = self.write_events(f'key => "%{{k}}" data_type => list port => {server.port}',
                                    [{'k': 'text'}, {'k': 'good'}, {'k': 'text'}])
        self.assertEqual((1, 2), (counted['delivered'], counted['refused']))

    def test_the_next_host(self):
        server = Server(self)
        self.write_events(f'host => ["127.0.0.1:{support.free_port()}", "127.0.0.1:{server.port}"] shuffle_hosts => false key => "events" '
                          'data_type => list reconnect_interval => 0.1', [{'n': 1}])
        self.assertEqual(1, server.command('LLEN', 'events'))

    def test_a_server_that_is_killed_meanwhile(self):
        port, count = support.free_port(), 30000
        server = Server(self, '--appendonly', 'yes', '--appendfsync', 'always', port=port)
        lines = b''.join(b'{"n":%d}\n' % n for n in range(count))
        millrace = self.start('-w', '1', '-e', 'input { stdin { codec => json_lines } } output { redis { key => "events" data_type => list '
                              f'port => {port} reconnect_interval => 0.1 }} }}', stdin=lines)
        millrace.wait_for(lambda: server.command('LLEN', 'events') > 1000, 'some elements')
        server.child.kill()
        server.child.wait()
        server.start()
        self.assertEqual(0, millrace.wait(60))
        found = {json.loads(text)['n'] for text in server.command('LRANGE', 'events', 0, -1)}
        self.assertEqual(set(range(count)), found)

    def test_congestion(self):
        server = Server(self)
        server.command('RPUSH', 'events', *range(10))
        millrace = self.start('-e', f'input {{ generator {{ count => 1 }} }} output {{ redis {{ key => "events" data_type => list port => {server.port} '
                              'congestion_threshold => 5 congestion_interval => 0.05 } }')
        millrace.wait_for_log('longer than congestion_threshold')
        self.assertEqual(10, server.command('LLEN', 'events'))
        server.command('DEL', 'events')
        self.assertEqual(0, millrace.wait())
        self.assertEqual(1, server.command('LLEN', 'events'))

    def test_options(self):
        for options, said in (('data_type => channel batch => true', 'batch is for lists'), ('data_type => set', 'set')):
            millrace = self.run_to_end('-t', '-e', f'input {{ stdin {{ }} }} output {{ redis {{ key => "k" {options} }} }}', status=1)
            self.assertIn(said, millrace.stderr)


class Tls(RedisCase):
    def test_both_ways(self):
        openssl, port = support.need_command('openssl', 'it makes a certificate'), support.free_port()
        key, certificate = self.folder / 'key.pem', self.folder / 'certificate.pem'
        subprocess.run([openssl, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], check=True, capture_output=True)
        server = Server(self, '--tls-port', port, '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate,
                        '--tls-auth-clients', 'no')
        support.wait_until(lambda: support.is_listening(port), 'the TLS port')
        self.write_events(f'host => "localhost:{port}" key => "events" data_type => list ssl_enabled => true '
                          f'ssl_certificate_authorities => "{certificate}"', [{'n': 1}])
        self.assertEqual(1, server.command('LLEN', 'events'))
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-e', f'input {{ redis {{ host => "localhost" port => {port} ssl => true key => "events" data_type => list }} }} '
                                   'output { stdout { codec => json_lines } }', env={'SSL_CERT_FILE': str(certificate)})
        self.assertEqual(1, self.events(1)[0]['n'])


class Hostile(RedisCase):
    """Servers that answer what they should not."""

    def test_answers(self):
        for answer in (b'x', b':1\r\n' * 5, b'*-5\r\n', b'$99999999999999999999\r\n', b'+PONG\r\n+OK\r\n+x\r\n', b'-ERR no\r\n', b'\0' * 100,
                       b'+PONG\r\n*3\r\n:1\r\n'):
            with self.subTest(answer):
                server = socket.create_server(('127.0.0.1', 0))
                self.addCleanup(server.close)
                server.settimeout(20 * support.PATIENCE)
                millrace = self.read('key => "k" data_type => list timeout => 0.5', server.getsockname()[1])
                client, _ = server.accept()
                client.sendall(answer)
                millrace.wait_for_log('no connection to Redis, trying again')
                client.close()
                self.assertEqual(0, millrace.stop())


if __name__ == '__main__':
    support.unittest.main()
