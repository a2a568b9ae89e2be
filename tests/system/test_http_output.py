# SPDX-License-Identifier: Apache-2.0
"""The http output: what is sent, what an answer means, and how the alert block of the payment pipeline arrives."""
import gzip
import json
import os
import re
import ssl
import subprocess
import unittest.mock

import certificates
import support

SEED_MAPPING = '''mapping => { "alerts" => [{
    "labels" => { "alertname" => "SystemError" "service" => "%{service}" "severity" => "critical" }
    "annotations" => { "summary" => "System error detected" "description" => "%{message}" }
}] }'''


class Http(support.Case):
    def run_events(self, server, events, options='', status=0, path='/', url=None, workers=1):
        url = url or f'http://{server.address}{path}'
        method = '' if 'http_method' in options else 'http_method => "post"'
        pipeline = ('input { stdin { codec => json_lines } } output { http { '
                    f'url => "{url}" {method} {options} }} }}')
        self.millrace = self.run_to_end(
            '-w', str(workers), '--pipeline.ecs_compatibility', 'disabled', '--counters', 'counters.json', '-e', pipeline,
            stdin=''.join(json.dumps(event) + '\n' for event in events).encode(), status=status)
        counters = json.loads((self.folder / 'counters.json').read_text())
        return counters['pipelines']['main']['plugins']['outputs'][0]['events']


class Bodies(Http):
    def test_the_alert_of_the_payment_pipeline(self):
        server = self.recorder()
        self.run_events(server, [{'service': 'payment', 'message': '시스템 "오류"\n2'}],
                        'format => "json" ' + SEED_MAPPING, path='/api/v1/alerts')
        (request,) = server.taken()
        self.assertEqual(('POST', '/api/v1/alerts'), (request.method, request.path))
        self.assertEqual('application/json', request.headers['content-type'])
        self.assertEqual({'alerts': [{
            'labels': {'alertname': 'SystemError', 'service': 'payment', 'severity': 'critical'},
            'annotations': {'summary': 'System error detected', 'description': '시스템 "오류"\n2'}}]}, request.json())

    def test_one_request_for_each_event(self):
        server = self.recorder()
        counters = self.run_events(server, [{'n': n} for n in range(500)], workers=2)
        self.assertEqual(500, counters['delivered'])
        self.assertEqual(list(range(500)), sorted(request.json()['n'] for request in server.taken()))

    def test_batches(self):
        server = self.recorder()
        counters = self.run_events(server, [{'n': n, 'x': 'y'} for n in range(3000)],
                                   'format => "json_batch" mapping => { "n" => "%{n}" }')
        self.assertEqual(3000, counters['delivered'])
        sent = [event for request in server.taken() for event in request.json()]
        self.assertEqual([{'n': str(n)} for n in range(3000)], sorted(sent, key=lambda event: int(event['n'])))
        self.assertLess(len(server.taken()), 100)

    def test_an_answer_that_is_longer_than_is_read_counts(self):
        server = self.recorder(lambda request: (200, b'x' * 2000000))
        self.assertEqual(1, self.run_events(server, [{'a': 1}])['delivered'])
        self.assertEqual(1, len(server.taken()))

    def test_forms(self):
        server = self.recorder()
        self.run_events(server, [{'a': 'b c&d'}], 'format => "form" mapping => { "a" => "%{a}" "e" => "f" }')
        (request,) = server.taken()
        self.assertEqual(b'a=b+c%26d&e=f', request.body)
        self.assertEqual('application/x-www-form-urlencoded', request.headers['content-type'])

    def test_messages(self):
        server = self.recorder()
        self.run_events(server, [{'a': 'b'}], 'format => "message" message => "<%{a}>" content_type => "text/x"')
        (request,) = server.taken()
        self.assertEqual((b'<b>', 'text/x'), (request.body, request.headers['content-type']))

    def test_compression(self):
        server = self.recorder()
        self.run_events(server, [{'a': 'b' * 100}], 'http_compression => true')
        (request,) = server.taken()
        self.assertEqual('gzip', request.headers['content-encoding'])
        self.assertEqual('b' * 100, json.loads(gzip.decompress(request.body))['a'])


class Requests(Http):
    def test_url_and_headers_have_fields(self):
        server = self.recorder()
        self.run_events(server, [{'a': 'x/y z', 'b': 'line\r\nbreak'}],
                        'headers => { "X-B" => "%{b}" "X-C" => "c" } http_method => "put"',
                        url=f'http://{server.address}/%{{a}}?q=%{{a}}')
        (request,) = server.taken()
        self.assertEqual(('PUT', '/x/y%20z?q=x/y%20z'), (request.method, request.path))
        self.assertEqual(('line  break', 'c', 'application/json'),
                         (request.headers['x-b'], request.headers['x-c'], request.headers['content-type']))

    def test_user_and_password_go_at_once(self):
        server = self.recorder()
        self.run_events(server, [{}], 'user => "u" password => "p"')
        self.assertEqual('Basic dTpw', server.taken()[0].headers['authorization'])

    def test_connections_are_kept(self):
        ports = set()
        server = self.recorder()
        handler = server.server.RequestHandlerClass
        setup = handler.setup
        handler.setup = lambda request: (ports.add(request.client_address[1]), setup(request))[1]
        self.run_events(server, [{'n': n} for n in range(200)])
        self.assertEqual(200, len(server.taken()))
        self.assertLessEqual(len(ports), 25)

    def test_redirects(self):
        server = self.recorder(lambda request: (307, '', {'location': '/there'}) if request.path == '/' else (200, ''))
        self.assertEqual(1, self.run_events(server, [{}])['delivered'])
        self.assertEqual(['/', '/there'], [request.path for request in server.taken()])
        self.assertEqual(1, self.run_events(server, [{}], 'follow_redirects => false')['refused'])


class Answers(Http):
    def once(self, status, *more):
        """A server that answers so at first, and then 200."""
        server = self.recorder(lambda request: (status, 'why', *more) if len(server.taken()) == 1 else (200, ''))
        return server

    def test_what_may_be_tried_again_is(self):
        for status in (429, 500, 502, 503, 504):
            with self.subTest(status=status):
                server = self.once(status)
                self.assertEqual(1, self.run_events(server, [{'n': 1}])['delivered'])
                self.assertEqual(2, len(server.taken()))

    def test_what_may_not_is_refused(self):
        for status in (400, 401, 404, 501):
            with self.subTest(status=status):
                server = self.once(status)
                self.assertEqual(1, self.run_events(server, [{'n': 1}])['refused'])
                self.assertEqual(1, len(server.taken()))
                self.assertIn(f'status {status}: why', self.millrace.stderr)

    def test_the_lists_of_statuses(self):
        self.assertEqual(1, self.run_events(self.once(404), [{}], 'ignorable_codes => [404]')['delivered'])
        self.assertEqual(1, self.run_events(self.once(503), [{}], 'retryable_codes => [404]')['refused'])
        self.assertEqual(1, self.run_events(self.once(404), [{}], 'retryable_codes => [404]')['delivered'])
        self.assertEqual(1, self.run_events(self.once(503), [{}], 'retry_failed => false')['refused'])

    def test_a_server_that_is_not_there_yet(self):
        port = support.free_port()
        millrace = self.start('-e', f'input {{ stdin {{ codec => json_lines }} }} output {{ http {{ http_method => "post" '
                                    f'url => "http://127.0.0.1:{port}/" }} }}', stdin=b'{"n":1}\n{"n":2}\n')
        millrace.wait_for_log('will be sent again')
        server = support.Recorder(port=port)
        self.addCleanup(server.close)
        self.assertEqual(0, millrace.wait())
        self.assertEqual([1, 2], sorted(request.json()['n'] for request in server.taken()))

    def test_alertmanager_is_explained_once(self):
        refuse = self.recorder(lambda request: (400, {'status': 'error', 'error': 'cannot unmarshal object'}))
        counters = self.run_events(refuse, [{'n': n} for n in range(20)], SEED_MAPPING, path='/api/v1/alerts')
        self.assertEqual(20, counters['refused'])
        self.assertEqual(1, len(re.findall('bare JSON list', self.millrace.stderr)))
        self.assertIn('json_batch', self.millrace.stderr)


class Tls(Http):
    """A certificate for localhost by an authority of the test."""

    def setUp(self):
        super().setUp()
        support.need_command('openssl', 'it makes the certificates')
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                     '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
                     '-keyout', 'key.pem', '-out', 'cert.pem')
        self.server = self.recorder()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.folder / 'cert.pem', self.folder / 'key.pem')
        listener = self.server.server
        listener.socket = self.context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)

    def openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True)

    def post(self, options, host='localhost'):
        """The counters, with retry_failed off so that what cannot be sent is refused."""
        return self.run_events(self.server, [{'n': 1}], f'retry_failed => false {options}',
                               url=f'https://{host}:{self.server.port}/')

    def test_an_unknown_authority_is_not_trusted(self):
        self.assertEqual(1, self.post('')['refused'])
        self.assertEqual([], self.server.taken())
        self.assertRegex(self.millrace.stderr, 'certificate')

    def test_a_named_authority_is(self):
        self.assertEqual(1, self.post(f'ssl_certificate_authorities => "{self.folder}/cert.pem"')['delivered'])

    def test_settings_of_openssl_hold(self):
        # OpenSSL begins with the first connection (io/openssl_start.c), and then as openssl.cnf says
        authority = f'ssl_certificate_authorities => "{self.folder}/cert.pem"'
        settings = self.write('openssl.cnf', 'openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = strict\n'
                                             '[strict]\nMinProtocol = TLSv1.3\n')
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(1, self.post(authority)['delivered'])
        with unittest.mock.patch.dict(os.environ, OPENSSL_CONF=str(settings)):
            self.assertEqual(1, self.post(authority)['refused'])

    def test_the_name_must_be_right(self):
        authority = f'ssl_certificate_authorities => "{self.folder}/cert.pem"'
        self.assertEqual(1, self.post(authority, '127.0.0.1')['refused'])

    def test_verification_can_be_left_out(self):
        self.assertEqual(1, self.post('ssl_verification_mode => "none"', '127.0.0.1')['delivered'])

    def test_a_client_certificate(self):
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(self.folder / 'cert.pem')
        authority = f'ssl_certificate_authorities => "{self.folder}/cert.pem"'
        own = f'ssl_certificate => "{self.folder}/cert.pem" ssl_key => "{self.folder}/key.pem"'
        self.assertEqual(1, self.post(f'{authority} {own}')['delivered'])
        self.assertEqual(1, self.post(authority)['refused'])


    def signed(self, name, authority, *more):
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', f'/CN={name}',
                     '-CA', f'{authority}.crt', '-CAkey', f'{authority}.key', '-keyout', f'{name}.key', '-out', f'{name}.crt', *more)

    def test_key_stores(self):
        """The client's certificate is of an intermediate authority that only its store has; the server trusts the root."""
        certificates.Authority(self.folder, 'root')
        self.signed('middle', 'root', '-addext', 'basicConstraints=critical,CA:TRUE')
        self.signed('client', 'middle', '-addext', 'basicConstraints=critical,CA:FALSE')
        self.openssl('pkcs12', '-export', '-in', 'client.crt', '-inkey', 'client.key', '-certfile', 'middle.crt', '-out', 'client.p12', '-passout', 'pass:a b')
        self.openssl('pkcs12', '-export', '-nokeys', '-in', 'cert.pem', '-out', 'trust.p12', '-passout', 'pass:t')
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(self.folder / 'root.crt')
        trust = f'ssl_truststore_path => "{self.folder}/trust.p12" ssl_truststore_password => "t"'
        self.assertEqual(1, self.post(f'{trust} ssl_keystore_path => "{self.folder}/client.p12" ssl_keystore_password => "a b"')['delivered'])
        old = f'truststore => "{self.folder}/trust.p12" truststore_password => "t" truststore_type => "PKCS12"'
        self.assertEqual(1, self.post(f'{old} keystore => "{self.folder}/client.p12" keystore_password => "a b" keystore_type => "pkcs12"')['delivered'])
        self.assertEqual(1, self.post(trust)['refused'])

    def test_a_store_that_cannot_be_used(self):
        self.write('keys.jks', '\xfe\xed\xfe\xed')
        self.openssl('pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem', '-out', 'own.p12', '-passout', 'pass:right')
        url = f'url => "https://localhost:{self.server.port}/" http_method => "post"'
        for options, message in (
                ('ssl_keystore_path => "@/keys.jks"', 'keytool -importkeystore'),
                ('ssl_keystore_path => "@/cert.pem"', 'is no PKCS#12 store'),
                ('keystore => "@/own.p12" keystore_type => "JKS"', 'keytool -importkeystore'),
                ('ssl_keystore_path => "@/own.p12" ssl_keystore_password => "wrong"', "own.p12': the password is not the store's"),
                ('ssl_keystore_path => "@/gone.p12"', 'No such file'),
                ('ssl_keystore_path => "@/own.p12" ssl_certificate => "@/cert.pem" ssl_key => "@/key.pem"', 'exclude each other')):
            with self.subTest(options=options):
                for plugin in (f'http {{ {url} @ }}', f'elasticsearch {{ hosts => "https://localhost:{self.server.port}" @ }}'):
                    text = plugin.replace('@', options.replace('@', str(self.folder)))
                    self.assertIn(message, self.run_to_end('-e', f'input {{ stdin {{ }} }} output {{ {text} }}', status=1).stderr)


class Configuration(support.Case):
    def test_what_cannot_be(self):
        for options, message in (
                ('http_method => "post"', 'url'),
                ('url => "http://x"', 'http_method'),
                ('url => "x" http_method => "post"', 'http://'),
                ('url => "http://x" http_method => "send"', 'send'),
                ('url => "http://x" http_method => "post" format => "message"', 'message'),
                ('url => "http://x" http_method => "post" headers => { "a b" => "c" }', 'a b'),
                ('url => "http://x" http_method => "post" retryable_codes => ["many"]', 'many'),
                ('url => "http://x" http_method => "post" user => "u"', 'password')):
            with self.subTest(options=options):
                millrace = self.start('-t', '-e', f'output {{ http {{ {options} }} }}')
                self.assertEqual(1, millrace.wait(), millrace.stderr + millrace.stdout)
                self.assertIn(message, millrace.stderr + millrace.stdout)


if __name__ == '__main__':
    support.unittest.main()
