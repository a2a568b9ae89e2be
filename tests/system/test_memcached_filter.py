# SPDX-License-Identifier: Apache-2.0
"""The memcached filter against a real memcached, with values as Logstash's filter writes them."""
import hashlib
import json
import shutil
import socket
import subprocess
import unittest
import zlib

import support

# Marshal.dump of these values by Ruby
MARSHALLED = [
    ('text ü', b'\x04\bI"\ftext \xc3\xbc\x06:\x06ET'), (5, b'\x04\bi\n'), (-129, b'\x04\bi\xff\x7f'), (300, b'\x04\bi\x02,\x01'),
    (1 << 40, b'\x04\bl+\b\x00\x00\x00\x00\x00\x01'), (-(1 << 70), b'\x04\bl-\n\x00\x00\x00\x00\x00\x00\x00\x00@\x00'), (1.5, b'\x04\bf\b1.5'),
    (True, b'\x04\bT'), (['a', 'a'], b'\x04\b[\aI"\x06a\x06:\x06ETI"\x06a\x06;\x00T'), (['b', 'b'], b'\x04\b[\aI"\x06b\x06:\x06ET@\x06'),
    ({'k': [1, None], 's': 'y'}, b'\x04\b{\aI"\x06k\x06:\x06ET[\ai\x060:\x06s:\x06y')]


class Memcached:
    def __init__(self, case, *arguments):
        if not shutil.which('memcached'):
            case.skipTest('memcached is not installed')
        user = ('-u', 'nobody') if support.os.geteuid() == 0 else ()
        self.port = support.free_port()
        self.process = subprocess.Popen(['memcached', '-l', '127.0.0.1', '-p', str(self.port), '-U', '0', *user, *arguments],
                                        stderr=subprocess.DEVNULL)
        case.addCleanup(self.end)
        support.wait_until(lambda: support.is_listening(self.port), 'memcached')

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def end(self):
        self.process.kill()
        self.process.wait()

    def talk(self, request, ends):
        with socket.create_connection(('127.0.0.1', self.port), timeout=30 * support.PATIENCE) as connection:
            connection.sendall(request)
            answer = b''
            while not answer.endswith(ends):
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        return answer

    def put(self, key, value, flags=0):
        assert self.talk(b'set %s %d 0 %d\r\n%s\r\n' % (key.encode(), flags, len(value), value), b'\r\n') == b'STORED\r\n'

    def get(self, key):
        head, _, rest = self.talk(b'get %s\r\n' % key.encode(), b'END\r\n').partition(b'\r\n')
        if head == b'END':
            return None
        _, _, flags, length = head.split()
        return int(flags), rest[:int(length)]


class MemcachedFilter(support.Case):
    def run_events(self, options, *events, arguments=()):
        text = ('input { stdin { codec => json_lines } } filter { memcached { id => "cache" add_tag => "ok" ' + options + ' } } '
                'output { stdout { codec => json_lines } }')
        lines = ''.join(json.dumps(event) + '\n' for event in events).encode()
        self.millrace = self.run_to_end('--pipeline.ecs_compatibility', 'disabled', '-w', '1', *arguments, '-e', text, stdin=lines)
        out = self.millrace.json_lines()
        for event in out:
            for field in ('@timestamp', '@version', 'event', 'host'):
                event.pop(field, None)
        return out

    def test_what_logstash_stored_is_read(self):
        cache = Memcached(self)
        for number, (_, value) in enumerate(MARSHALLED):
            cache.put(f'ns:k{number}', value, 1)
        cache.put('ns:plain', 'é'.encode())
        cache.put('ns:packed', zlib.compress(b'\x04\bI"\x02\x10\x27' + b'x' * 10000 + b'\x06:\x06ET'), 3)
        cache.put('ns:broken', b'\x04\b[\x07i\x06', 1)
        events = self.run_events('hosts => "%s" namespace => "ns" get => { "%%{k}" => "[v][w]" }' % cache.address,
                                 *({'k': f'k{number}'} for number in range(len(MARSHALLED))), *({'k': k} for k in ('plain', 'packed', 'broken', 'none')))
        for event, (value, _) in zip(events, MARSHALLED):
            self.assertEqual((value, ['ok']), (event['v']['w'], event['tags']))
        self.assertEqual(['é', 'x' * 10000], [event['v']['w'] for event in events[-4:-2]])
        self.assertEqual([{'k': 'broken', 'tags': ['_memcached_failure']}, {'k': 'none'}], events[-2:])

    def test_what_is_stored_is_as_logstash_stores_it(self):
        cache = Memcached(self)
        values = [value for value, _ in MARSHALLED if value not in (['b', 'b'], {'k': [1, None], 's': 'y'}, -(1 << 70))]
        self.run_events('hosts => "%s" set => { "v" => "n:%%{n}" }' % cache.address, *({'n': n, 'v': value} for n, value in enumerate(values)))
        expected = [(1, written) for value, written in MARSHALLED if value in values]
        self.assertEqual(expected, [cache.get(f'n:{n}') for n in range(len(values))])

    def test_set_comes_before_get_and_null_is_not_set(self):
        cache = Memcached(self)
        options = 'hosts => "%s" set => { "[v]" => "key" "null" => "other" } get => { "key" => "[copy]" "other" => "o" }' % cache.address
        self.assertEqual([{'v': {'a': [1, 2.5]}, 'null': None, 'copy': {'a': [1, 2.5]}, 'tags': ['ok']}],
                         self.run_events(options, {'v': {'a': [1, 2.5]}, 'null': None}))
        self.assertIsNone(cache.get('other'))

    def test_ttl(self):
        cache = Memcached(self)
        self.run_events('hosts => "%s" ttl => 1000 set => { "v" => "k" }' % cache.address, {'v': 1})
        left = int(cache.talk(b'mg k t\r\n', b'\r\n').split()[1][1:])
        self.assertGreater(left, 900 - 30 * support.PATIENCE)
        self.assertLessEqual(left, 1000)

    def test_odd_keys(self):
        cache = Memcached(self)
        keys = ['two words', 'new\nline', 'ü', 'x' * 250, 'y' * 251, 'z z' * 100, 'q' * 5000]
        events = self.run_events('hosts => "%s" set => { "v" => "%%{k}" } get => { "%%{k}" => "w" }' % cache.address,
                                 *({'k': key, 'v': n} for n, key in enumerate(keys)))
        self.assertEqual([(n, ['ok']) for n in range(len(keys))], [(event.get('w'), event['tags']) for event in events])
        self.assertEqual((1, b'\x04\bi\x09'), cache.get('y' * 212 + ':md5:' + hashlib.md5(b'y' * 251).hexdigest()))

    def test_keys_are_spread_over_servers(self):
        caches = [Memcached(self) for _ in range(3)]
        hosts = ', '.join(f'"{cache.address}"' for cache in caches)
        events = self.run_events('hosts => [%s] set => { "n" => "key-%%{n}" } get => { "key-%%{n}" => "m" }' % hosts, *({'n': n} for n in range(300)))
        self.assertEqual(list(range(300)), [event['m'] for event in events])
        counts = [int(next(line for line in cache.talk(b'stats\r\n', b'END\r\n').split(b'\r\n') if b'STAT curr_items' in line).split()[2]) for cache in caches]
        self.assertEqual(300, sum(counts))
        self.assertTrue(all(count > 30 for count in counts), counts)

    def test_nobody_is_there(self):
        event, = self.run_events('hosts => "127.0.0.1:%d" get => { "k" => "v" }' % support.free_port(), {'a': 1})
        self.assertEqual({'a': 1, 'tags': ['_memcached_failure']}, event)
        self.assertIn('could not be set or looked up', self.millrace.stderr)

    def test_a_server_that_says_nothing_or_nonsense(self):
        with socket.create_server(('127.0.0.1', 0)) as silent:
            event, = self.run_events('hosts => "127.0.0.1:%d" get => { "k" => "v" }' % silent.getsockname()[1], {'a': 1})
        self.assertEqual(['_memcached_failure'], event['tags'])
        server = self.recorder(lambda _: (200, 'no cache'))
        event, = self.run_events('hosts => "%s" get => { "k" => "v" }' % server.address, {'a': 1})
        self.assertEqual(['_memcached_failure'], event['tags'])

    def test_too_large_for_the_server(self):
        cache = Memcached(self, '-I', '1m')
        events = self.run_events('hosts => "%s" set => { "v" => "%%{k}" }' % cache.address, {'k': 'a', 'v': 'x' * 2000000}, {'k': 'b', 'v': 1})
        self.assertEqual([['_memcached_failure'], ['ok']], [event['tags'] for event in events])

    def test_options(self):
        for options, said in (('ttl => -1', 'ttl'), ('hosts => []', 'hosts'), ('get => { "a" => "[b" }', 'field reference')):
            text = 'input { stdin { } } filter { memcached { ' + options + ' } } output { stdout { } }'
            self.assertIn(said, self.run_to_end('-t', '-e', text, status=1).stderr)


if __name__ == '__main__':
    unittest.main()
