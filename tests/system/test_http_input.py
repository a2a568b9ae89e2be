# SPDX-License-Identifier: Apache-2.0
"""The http input: what becomes of requests, who may send them, and when they are answered. Clients are curl and Python."""
import base64
import gzip
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import unittest

import certificates
import search_stub
import support
from beats import Gate

SANITIZED = bool(os.environ.get('MILLRACE_SANITIZED'))


class HttpCase(support.Case):
    ecs = 'disabled'

    def serve(self, options='', filters='', output=None, arguments=(), host='127.0.0.1'):
        self.port = support.free_port()
        self.path = self.folder / 'events.jsonl'
        self.counters_path = self.folder / 'counters.json'
        output = output or f'file {{ path => "{self.path}" codec => json_lines }}'
        self.millrace = self.start(
            '-e', f'input {{ http {{ id => "http" host => "{host}" port => {self.port} {options} }} }} {filters} '
            f'output {{ {output} }}', '--counters', self.counters_path, '--pipeline.ecs_compatibility', self.ecs, *arguments)
        self.millrace.wait_for_log('waiting for HTTP requests')

    def search_output(self, stub):
        return f'elasticsearch {{ hosts => ["{stub.address}"] index => "events" manage_template => false ' \
               f'retry_initial_interval => 1 retry_max_interval => 1 }}'

    def post(self, body, headers=None, path='/', method='POST', context=None, timeout=30):
        """(status, body, headers) of one request on a connection of its own."""
        if context:
            connection = http.client.HTTPSConnection('localhost', self.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

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
        return next(plugin['events'] for plugin in inputs if plugin['id'] == 'http')


JSON = {'Content-Type': 'application/json'}
KEEP = 'filter { mutate { copy => { "[@metadata]" => "kept" } } }'


class Bodies(HttpCase):
    def test_text_is_one_event(self):
        self.serve()
        status, body, headers = self.post('hello\nworld', {'User-Agent': 'tests'}, '/a/b?c=d&e=%zz')
        self.assertEqual((200, b'ok', 'text/plain'), (status, body, headers['Content-Type']))
        event = self.events()[0]
        self.assertEqual(('hello\nworld', '127.0.0.1'), (event['message'], event['host']))
        self.assertEqual({'http_accept': None, 'http_host': f'127.0.0.1:{self.port}', 'http_user_agent': 'tests',
                          'request_method': 'POST', 'request_path': '/a/b?c=d&e=%zz', 'http_version': 'HTTP/1.1',
                          'content_length': '11', 'accept_encoding': 'identity'}, event['headers'])

    def test_the_content_type_chooses_the_codec(self):
        self.serve('additional_codecs => { "application/x-ndjson" => "json_lines" "application/json" => "json" }')
        for type, body, fields in (('application/json; charset=utf-8', '{"a":1}', [('a', 1)]),
                                   ('application/x-ndjson', '{"b":1}\n{"b":2}', [('b', 1), ('b', 2)]),
                                   ('text/plain', '{"c":1}', [('message', '{"c":1}')]),
                                   ('Application/JSON', '{"d":1}', [('message', '{"d":1}')]),
                                   ('application/json', '[{"e":1},{"e":2}]', [('e', 1), ('e', 2)])):
            before = len(self.events())
            self.assertEqual(200, self.post(body, {'Content-Type': type})[0])
            found = self.events()[before:]
            self.assertEqual(fields, [(name, event[name]) for event, (name, _) in zip(found, fields)])
            self.assertEqual(len(fields), len(found))

    def test_json_by_default_and_broken_json(self):
        self.serve()
        self.post('{"n":1}', JSON)
        self.assertEqual(200, self.post('{"n":', JSON)[0])
        events = self.wait_for_events(2)
        self.assertEqual(1, events[0]['n'])
        self.assertEqual(['_jsonparsefailure'], events[1]['tags'])

    def test_empty_bodies_and_other_methods(self):
        self.serve()
        for method in ('GET', 'PUT', 'DELETE', 'OPTIONS', 'PURGE'):
            self.assertEqual(200, self.post(None, method=method)[0])
        self.assertEqual(200, self.post('', JSON)[0])
        events = self.events()
        self.assertEqual([''] * 5, [event['message'] for event in events])
        self.assertEqual('PURGE', events[4]['headers']['request_method'])

    def test_compressed_bodies(self):
        self.serve('max_content_length => 100000')
        self.assertEqual(200, self.post(gzip.compress(b'packed'), {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(400, self.post(b'not packed', {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(400, self.post(gzip.compress(b'cut' * 100)[:-9], {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(413, self.post(gzip.compress(bytes(200000)), {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(413, self.post(b'x' * 100001)[0])
        self.assertEqual(['packed'], self.messages())

    def test_charsets(self):
        self.serve()
        self.post('caf\xe9'.encode('latin-1'), {'Content-Type': 'text/plain; charset="ISO-8859-1"'})
        self.post('日本'.encode(), {'Content-Type': 'text/plain'})
        self.assertEqual(['café', '日本'], self.messages())

    def test_chunks_and_many_requests_on_one_connection(self):
        self.serve()
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        for n in range(300):
            if n % 3:
                connection.request('POST', '/', f'{n}')
            else:
                connection.request('POST', '/', iter([f'{n}'.encode(), b' in', b' chunks']), encode_chunked=True)
            answer = connection.getresponse()
            self.assertEqual((200, b'ok'), (answer.status, answer.read()))
        connection.close()
        self.assertEqual({f'{n}' + (' in chunks' if n % 3 == 0 else '') for n in range(300)}, set(self.messages()))

    def test_curl(self):
        self.serve(host='[::1]')
        support.need_command('curl', 'it is a client')
        body = self.write('body', b'x' * 300_000)
        done = subprocess.run(['curl', '-s', '-g', '-d', f'@{body}', '-H', 'Expect: 100-continue', f'http://[::1]:{self.port}/'],
                              capture_output=True, timeout=30)
        self.assertEqual(b'ok', done.stdout)
        event = self.wait_for_events(1)[0]
        self.assertEqual((300_000, '::1'), (len(event['message']), event['host']))
        self.assertEqual('application/x-www-form-urlencoded', event['headers']['content_type'])

    def test_answers_and_fields_as_wanted(self):
        self.serve('response_code => 202 response_headers => { "X-Taken" => "yes" "Content-Type" => "text/html" } '
                   'remote_host_target_field => "[client][ip]" request_headers_target_field => "[asked]"')
        status, body, headers = self.post('x')
        self.assertEqual((202, b'ok', 'yes', 'text/plain'), (status, body, headers['X-Taken'], headers['Content-Type']))
        event = self.events()[0]
        self.assertEqual({'ip': '127.0.0.1'}, event['client'])
        self.assertIn('http_host', event['asked'])
        self.assertNotIn('headers', event)

    def test_no_content(self):
        self.serve('response_code => 204')
        status, body, headers = self.post('x')
        self.assertEqual((204, b'', None), (status, body, headers.get('Content-Type')))

    def test_what_cannot_be(self):
        for options, said in (('response_code => 203', '203'), ('user => "u"', 'needs password'),
                              ('password => "p"', 'needs user'), ('response_headers => { "a b:" => "x" }', 'header'),
                              ('ssl_enabled => true', 'ssl_certificate'), ('ack => maybe', 'delivered')):
            millrace = self.run_to_end('-t', '-e', f'input {{ http {{ {options} }} }}', status=1)
            self.assertIn(said, millrace.stderr + millrace.stdout)
        millrace = self.run_to_end('-e', f'input {{ http {{ host => "127.0.0.1" port => {support.free_port()} '
                                   'additional_codecs => { "a/b" => "nonsense" } } }', status=1)
        self.assertIn('nonsense', millrace.stderr)


class Ecs(HttpCase):
    ecs = 'v8'

    def test_names_of_fields(self):
        self.serve(filters=KEEP)
        self.post('hello', {'Content-Type': 'text/plain; charset=utf-8', 'User-Agent': 'tests', 'Host': 'logs.example:8443'},
                  '/in?x=1')
        event = self.events()[0]
        self.assertEqual({'ip': '127.0.0.1'}, event['host'])
        self.assertEqual({'domain': 'logs.example', 'port': 8443, 'path': '/in?x=1'}, event['url'])
        self.assertEqual({'method': 'POST', 'version': 'HTTP/1.1', 'request': {
            'mime_type': 'text/plain; charset=utf-8', 'body': {'bytes': '5'}}}, event['http'])
        self.assertEqual({'original': 'tests'}, event['user_agent'])
        self.assertEqual('logs.example:8443', event['kept']['input']['http']['request']['headers']['http_host'])
        self.assertEqual({'original': 'hello'}, event['event'])
        self.assertNotIn('headers', event)


class Passwords(HttpCase):
    def test_basic_authentication(self):
        self.serve('user => "kim" password => "a:b c"')
        right = 'Basic ' + base64.b64encode(b'kim:a:b c').decode()
        status, body, headers = self.post('x')
        self.assertEqual((401, b'', 'Basic realm="Logstash HTTP Input"'), (status, body, headers['WWW-Authenticate']))
        for wrong in (right[:-1], right + 'x', right.lower(), 'Basic ' + base64.b64encode(b'kim:').decode(), ''):
            status, body, headers = self.post('x', {'Authorization': wrong})
            self.assertEqual((401, None), (status, headers.get('WWW-Authenticate')))
        self.assertEqual(200, self.post('taken', {'Authorization': right})[0])
        event = self.events()[0]
        self.assertEqual('taken', event['message'])
        self.assertNotIn('authorization', event['headers'])
        self.assertNotIn('a:b c', self.millrace.stderr)
        self.assertEqual(6, self.counters()['requests_unauthorized'])


class Delivery(HttpCase):
    def setUp(self):
        super().setUp()
        self.gate, self.seen = Gate('held'), set()
        self.stub = search_stub.SearchStub(self.status_of)
        self.addCleanup(self.stub.close)

    def status_of(self, source):
        self.seen.add(source['message'])
        return self.gate.status_of(source)

    def in_background(self, body, answers):
        def send():
            try:
                answers.append((body, self.post(body, timeout=120)[0]))
            except (OSError, http.client.HTTPException):
                answers.append((body, None))
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        return thread

    def test_the_answer_comes_when_the_event_is_delivered(self):
        self.serve(output=self.search_output(self.stub))
        answers = []
        held = self.in_background('held', answers)
        self.millrace.wait_for(lambda: self.seen, 'the first request')
        self.assertEqual(200, self.post('others pass')[0])
        self.assertEqual([], answers)
        self.gate.open()
        held.join(60)
        self.assertEqual([('held', 200)], answers)

    def test_received_is_answered_at_once(self):
        self.serve('ack => received', output=self.search_output(self.stub))
        self.assertEqual(200, self.post('held')[0])
        self.gate.open()
        self.millrace.wait_for(lambda: len(self.stub.documents) == 1, 'the document')

    def test_too_many_under_way(self):
        self.serve('threads => 1 max_pending_requests => 2', output=self.search_output(self.stub))
        answers = []
        threads = [self.in_background(f'held {n}', answers) for n in range(3)]
        self.millrace.wait_for(lambda: len(self.seen) == 3, 'three requests under way')
        self.assertEqual(429, self.post('one more')[0])
        self.gate.open()
        for thread in threads:
            thread.join(60)
        self.assertEqual([200] * 3, [status for _, status in answers])
        self.assertGreater(self.counters()['requests_too_many'], 0)

    def test_stopping_answers_what_is_under_way(self):
        self.serve(output=self.search_output(self.stub))
        answers = []
        thread = self.in_background('held', answers)
        self.millrace.wait_for(lambda: self.seen, 'the first request')
        self.millrace.signal(15)
        self.millrace.wait_for_log('stopping')
        self.gate.open()
        self.assertEqual(0, self.millrace.wait())
        thread.join(60)
        self.assertEqual([('held', 200)], answers)

    def test_what_is_not_delivered_is_said(self):
        self.serve(output=self.search_output(self.stub), arguments=('--shutdown.timeout', '500 ms'))
        answers = []
        thread = self.in_background('held', answers)
        self.millrace.wait_for(lambda: self.seen, 'the first request')
        self.millrace.stop()
        thread.join(60)
        self.assertIn(answers[0][1], (503, None))

    def test_what_was_answered_is_there_after_a_crash(self):
        self.serve(output=self.search_output(self.stub))
        answers, stop = [], threading.Event()

        def send(name):
            for n in range(100_000):
                if stop.is_set():
                    return
                body = f'{name} {n}'
                try:
                    if self.post(body)[0] == 200:
                        answers.append(body)
                except (OSError, http.client.HTTPException):
                    return
        threads = [threading.Thread(target=send, args=(name,)) for name in 'abcd']
        for thread in threads:
            thread.start()
        self.millrace.wait_for(lambda: len(answers) > 200, 'some answers', timeout=60)
        self.millrace.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        stored = {source['message'] for _, _, source in self.stub.documents}
        self.assertEqual(set(), set(answers) - stored)


class Encrypted(HttpCase):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.folder)
        self.pair = self.authority.issue('server')
        self.own = f'ssl_enabled => true ssl_certificate => "{self.pair.certificate}" ssl_key => "{self.pair.key}"'

    def test_bodies_large_and_small(self):
        self.serve(self.own)
        context = self.authority.client_context()
        for body in ('small', 'x' * 3_000_000):
            self.assertEqual(200, self.post(body, context=context)[0])
        self.assertEqual([5, 3_000_000], [len(text) for text in self.messages()])

    def test_mutual_and_curl(self):
        self.serve(f'{self.own} ssl_client_authentication => required '
                   f'ssl_certificate_authorities => ["{self.authority.certificate}"]')
        client = self.authority.issue('client')
        command = ['curl', '-s', '--cacert', self.authority.certificate, '-d', 'secret', f'https://localhost:{self.port}/']
        support.need_command('curl', 'it is a client')
        self.assertNotEqual(0, subprocess.run(command, capture_output=True, timeout=30).returncode)
        done = subprocess.run([*command, '--cert', client.certificate, '--key', client.key], capture_output=True, timeout=30)
        self.assertEqual((0, b'ok'), (done.returncode, done.stdout))
        self.assertEqual(['secret'], self.messages())

    def test_stores(self):
        store, trust = self.folder / 'server.p12', self.folder / 'trust.p12'
        certificates.openssl(self.folder, 'pkcs12', '-export', '-in', self.pair.certificate, '-inkey', self.pair.key,
                             '-out', store, '-passout', 'pass:store word')
        certificates.openssl(self.folder, 'pkcs12', '-export', '-nokeys', '-in', self.authority.certificate, '-out', trust,
                             '-passout', 'pass:trust word')
        options = (f'ssl_enabled => true ssl_keystore_path => "{store}" ssl_keystore_password => "store word" '
                   f'ssl_truststore_path => "{trust}" ssl_client_authentication => required ssl_truststore_password => ')
        self.serve(options + '"trust word"')
        client = self.authority.client_context(self.authority.issue('client'))
        self.assertEqual(200, self.post('secret', context=client)[0])
        with self.assertRaises((OSError, ssl.SSLError, http.client.HTTPException)):
            self.post('never', context=self.authority.client_context())
        millrace = self.run_to_end('-t', '-e', f'input {{ http {{ {options} "wrong" }} }}', status=1)
        self.assertIn("trust.p12': the password is not the store's", millrace.stderr + millrace.stdout)

    def test_clients_that_break_off(self):
        self.serve(self.own)
        context = self.authority.client_context()
        for n in range(60):
            raw = socket.create_connection(('127.0.0.1', self.port), 10)
            client = context.wrap_socket(raw, server_hostname='localhost')
            client.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n' + bytes(n * 1000))
            if n % 2:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            client.close()
        self.assertEqual(200, self.post('served', context=context)[0])
        self.millrace.wait_for(lambda: len(os.listdir(f'/proc/{self.millrace.pid}/fd')) < 60, 'descriptors to come back')
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)


class Troubles(HttpCase):
    def test_what_is_no_http(self):
        self.serve()
        for sent in (b'half a line',) * 20 + (b'\x16\x03\x01\x02\x00', os.urandom(5000), b'GET\r\n\r\n', b'POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n',
                     b'GET / HTTP/1.1\r\n' + b'a: b\r\n' * 20000):
            with socket.create_connection(('127.0.0.1', self.port), 10) as client:
                try:
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(4096):
                        pass
                except OSError as error:
                    self.assertNotIsInstance(error, TimeoutError, sent[:20])
        self.assertEqual(200, self.post('served')[0])
        self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)

    def test_bodies_do_not_take_all_memory(self):
        self.serve(arguments=('--pipeline.memory', '64 MiB'))
        clients = []
        for _ in range(20):
            client = socket.create_connection(('127.0.0.1', self.port), 30)
            self.addCleanup(client.close)
            clients.append(client)
            client.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6000001\r\n\r\n' + b'x' * 6_000_000)
        if not SANITIZED:
            self.assertLess(self.millrace.resident_kib(), 200_000)
        for client in clients:
            client.sendall(b'x')
        answers = [client.recv(100)[9:12] for client in clients]
        self.assertIn(b'429', answers)
        self.assertEqual(set(answers) | {b'200', b'429'}, {b'200', b'429'})
        self.millrace.wait_for(lambda: self.post('served')[0] == 200, 'room')

    def test_connections_are_limited(self):
        self.serve('max_connections => 5')
        held = [socket.create_connection(('127.0.0.1', self.port), 10) for _ in range(5)]
        self.millrace.wait_for(lambda: self.is_refused(), 'the limit')
        for client in held:
            client.close()
        self.millrace.wait_for(lambda: not self.is_refused(), 'room')

    def is_refused(self):
        try:
            return self.post('x')[0] != 200
        except (OSError, http.client.HTTPException):
            return True


if __name__ == '__main__':
    unittest.main()
