# SPDX-License-Identifier: Apache-2.0
"""The beats input over TLS: every form of key, both versions, who may connect and who may not, certificates renewed on disk,
handshakes that do not come to an end. Clients are openssl, Python's ssl and go-lumber."""
import shutil
import socket
import ssl
import subprocess
import unittest

import certificates
import lumberjack
import support
from beats import BeatsCase
from lumberjack import batch, messages

KEEP_METADATA = 'filter { mutate { copy => { "[@metadata]" => "kept" } } }'


class TlsCase(BeatsCase):
    def setUp(self):
        super().setUp()
        self.authority = certificates.Authority(self.folder)

    def serve_tls(self, options='', pair=None, **more):
        self.pair = pair or self.authority.issue('server')
        return self.serve(f'ssl_enabled => true ssl_certificate => "{self.pair.certificate}" ssl_key => "{self.pair.key}" '
                          f'{options}', **more)

    def serve_mutual(self, how='required', **more):
        return self.serve_tls(f'ssl_client_authentication => {how} '
                              f'ssl_certificate_authorities => ["{self.authority.certificate}"] enrich => all', **more)

    def send_one(self, text, context=None):
        with lumberjack.Client(self.port, tls=context or self.authority.client_context()) as client:
            client.send(batch(messages(text)))
            self.assertEqual([(2, 1)], client.read_acks(1))
            return client.socket.version()

    def assert_turned_away(self, context, said=None):
        with self.assertRaises((ssl.SSLError, ConnectionError, AssertionError)):
            self.send_one('never', context)
        if said:
            self.millrace.wait_for_log(said)


class Keys(TlsCase):
    def check_forms(self, kind):
        authority, certificate, forms = certificates.key_forms(self.folder, kind)
        for form, (key, passphrase) in forms.items():
            with self.subTest(form):
                secret = f'ssl_key_passphrase => "{passphrase}"' if passphrase else ''
                millrace = self.serve(f'ssl_enabled => true ssl_certificate => "{certificate}" ssl_key => "{key}" {secret}')
                self.send_one(form, authority.client_context())
                self.assertEqual(0, millrace.stop())
                self.assertNotIn('open sesame', millrace.stderr)
        self.assertEqual(list(forms), self.messages())

    def test_every_form_of_rsa_key(self):
        self.check_forms(certificates.RSA)

    def test_every_form_of_ec_key(self):
        self.check_forms(certificates.EC)

    def test_what_cannot_be_is_said_with_t(self):
        pair, other = self.authority.issue('server'), self.authority.issue('other')
        encrypted = certificates.key_forms(self.folder, certificates.EC, 'encrypted')[2]['PKCS#8, encrypted'][0]
        certificate = f'ssl_certificate => "{pair.certificate}"'
        mine = shutil.copy(self.folder / 'encrypted.crt', self.folder / 'mine.crt')
        for options, said in (
                ('', 'ssl_enabled needs ssl_certificate'),
                (certificate, 'ssl_certificate needs ssl_key'),
                (f'ssl_key => "{pair.key}"', 'ssl_key needs ssl_certificate'),
                (f'{certificate} ssl_key => "/none.key"', "'/none.key': No such file"),
                (f'ssl_certificate => "{pair.key}" ssl_key => "{pair.key}"', 'ssl_certificate'),
                (f'{certificate} ssl_key => "{pair.certificate}"', 'no private key'),
                (f'{certificate} ssl_key => "{other.key}"', 'not the key of the certificate'),
                (f'ssl_certificate => "{mine}" ssl_key => "{encrypted}"', 'give ssl_key_passphrase'),
                (f'ssl_certificate => "{mine}" ssl_key => "{encrypted}" ssl_key_passphrase => "no"', 'passphrase is not'),
                (f'{certificate} ssl_key => "{pair.key}" ssl_client_authentication => required', 'authorities'),
                (f'{certificate} ssl_key => "{pair.key}" ssl_client_authentication => "maybe"', "'maybe'"),
                (f'{certificate} ssl_key => "{pair.key}" ssl_certificate_authorities => ["{pair.key}"] '
                 'ssl_client_authentication => optional', 'no certificate in PEM form'),
                (f'{certificate} ssl_key => "{pair.key}" ssl_supported_protocols => ["SSLv3"]', "'SSLv3'"),
                (f'{certificate} ssl_key => "{pair.key}" ssl_cipher_suites => ["TLS_NONE"]', "'TLS_NONE'")):
            with self.subTest(options):
                millrace = self.run_to_end('-t', '-e', f'input {{ beats {{ port => 1 ssl_enabled => true {options} }} }}',
                                           status=1)
                self.assertIn(said, millrace.stderr + millrace.stdout)


class Versions(TlsCase):
    def test_both_versions_are_spoken(self):
        self.serve_tls()
        for version, name in ((ssl.TLSVersion.TLSv1_2, 'TLSv1.2'), (ssl.TLSVersion.TLSv1_3, 'TLSv1.3')):
            self.assertEqual(name, self.send_one(name, self.authority.client_context(version=version)))
        self.assertEqual(['TLSv1.2', 'TLSv1.3'], self.messages())

    def test_only_those_that_are_listed(self):
        self.serve_tls('ssl_supported_protocols => ["TLSv1.3"]')
        self.assert_turned_away(self.authority.client_context(version=ssl.TLSVersion.TLSv1_2), 'unsupported protocol')
        self.send_one('new')

    def test_old_names(self):
        self.serve(f'ssl => true ssl_certificate => "{self.authority.issue("server").certificate}" tls_max_version => 1.2 '
                   f'ssl_key => "{self.folder / "server.key"}" ssl_verify_mode => "peer" '
                   f'ssl_certificate_authorities => ["{self.authority.certificate}"] '
                   'cipher_suites => ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] ssl_peer_metadata => true')
        self.assertEqual('TLSv1.2', self.send_one('old'))
        for said in ('ssl_enabled', 'ssl_supported_protocols', 'ssl_cipher_suites', 'ssl_client_authentication'):
            self.assertIn(f'write {said}', self.millrace.stderr)

    def test_suites_by_both_names(self):
        for suites, version, expected in (
                ('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', ssl.TLSVersion.TLSv1_2, 'ECDHE-ECDSA-AES256-GCM-SHA384'),
                ('ECDHE-ECDSA-CHACHA20-POLY1305', ssl.TLSVersion.TLSv1_2, 'ECDHE-ECDSA-CHACHA20-POLY1305'),
                ('TLS_AES_128_GCM_SHA256', ssl.TLSVersion.TLSv1_3, 'TLS_AES_128_GCM_SHA256')):
            with self.subTest(suites):
                self.serve_tls(f'ssl_cipher_suites => ["{suites}"]')
                context = self.authority.client_context(version=version)
                with lumberjack.Client(self.port, tls=context) as client:
                    self.assertEqual(expected, client.socket.cipher()[0])
                other = {ssl.TLSVersion.TLSv1_2: ssl.TLSVersion.TLSv1_3}.get(version, ssl.TLSVersion.TLSv1_2)
                self.assert_turned_away(self.authority.client_context(version=other))
                self.millrace.stop()


class Clients(TlsCase):
    def test_a_required_certificate(self):
        self.serve_mutual(filters=KEEP_METADATA, arguments=('--pipeline.ecs_compatibility', 'disabled'))
        client = self.authority.issue('client', subject='/O=Shop/CN=client')
        self.send_one('verified', self.authority.client_context(client))
        peer = self.wait_for_events(1)[0]['kept']['tls_peer']
        self.assertEqual({'status': 'verified', 'protocol': 'TLSv1.3', 'subject': 'CN=client,O=Shop',
                          'cipher_suite': 'TLS_AES_256_GCM_SHA384'}, peer)
        self.assert_turned_away(self.authority.client_context(), 'did not return a certificate')

    def test_ecs_names_of_the_peer(self):
        self.serve_mutual(filters=KEEP_METADATA, arguments=('--pipeline.ecs_compatibility', 'v8'))
        self.send_one('verified', self.authority.client_context(self.authority.issue('client')))
        kept = self.wait_for_events(1)[0]['kept']
        self.assertEqual({'status': 'verified'}, kept['tls_peer'])
        self.assertEqual({'version_protocol': 'TLSv1.3', 'client': {'subject': 'CN=client,O=Tests'},
                          'cipher': 'TLS_AES_256_GCM_SHA384'}, kept['input']['beats']['tls'])

    def test_an_optional_certificate(self):
        self.serve_mutual('optional', filters=KEEP_METADATA)
        self.send_one('nobody')
        self.send_one('somebody', self.authority.client_context(self.authority.issue('client')))
        self.assertEqual(['unverified', 'verified'],
                         [event['kept']['tls_peer']['status'] for event in self.wait_for_events(2)])

    def test_certificates_that_are_not_good(self):
        self.serve_mutual()
        stranger = certificates.Authority(self.folder, 'stranger').issue('unknown')
        self.assert_turned_away(self.authority.client_context(stranger), 'unable to get local issuer certificate')
        expired = self.authority.issue('expired', days=-1)
        self.assert_turned_away(self.authority.client_context(expired), 'certificate has expired')
        self.send_one('good', self.authority.client_context(self.authority.issue('client')))
        self.assertEqual(2, self.counters()['tls_handshake_failures'])

    def test_openssl_is_a_client(self):
        self.serve_mutual()
        client = self.authority.issue('client')
        done = subprocess.run(['openssl', 's_client', '-quiet', '-connect', f'127.0.0.1:{self.port}', '-servername', 'localhost',
                               '-verify_return_error', '-CAfile', self.authority.certificate, '-cert', client.certificate,
                               '-key', client.key], input=b'GET / HTTP/1.0\r\n\r\n', capture_output=True, timeout=30)
        self.assertEqual(b'', done.stdout)
        self.millrace.wait_for_log('an HTTP client, it seems')

    def test_go_lumber_over_mutual_tls(self):
        self.go_client = self.build_go_client()
        self.serve_mutual()
        client = self.authority.issue('client')
        report = self.run_go_client('-n', 5000, '-window', 500, '-inflight', 3, '-ca', self.authority.certificate,
                                    '-cert', client.certificate, '-key', client.key)
        self.assertEqual((5000, 5000, 0), (report['events'], report['acked'], report['sent_again']))
        self.assertEqual(sorted(f'event {n}' for n in range(5000)), sorted(self.messages()))

    def test_go_lumber_looks_at_the_servers_certificate(self):
        self.go_client = self.build_go_client()
        wrong = self.authority.issue('wrong', alternative='DNS:elsewhere')
        stranger = certificates.Authority(self.folder, 'stranger')
        for pair, authority, said in ((wrong, self.authority, 'elsewhere'), (self.authority.issue('old', days=-1),
                                      self.authority, 'expired'), (stranger.issue('other'), self.authority, 'unknown authority')):
            with self.subTest(said):
                self.serve_tls(pair=pair)
                report = self.run_go_client('-n', 1, '-once', '-wait', '5s', '-ca', authority.certificate, status=1)
                self.assertEqual(0, report['acked'])
                self.assertIn(said, ' '.join(report['errors']))
                self.millrace.stop()


class Renewal(TlsCase):
    def serial(self, context):
        with lumberjack.Client(self.port, tls=context) as client:
            return client.socket.getpeercert()['serialNumber']

    def test_a_renewed_certificate_is_taken_and_nobody_is_dropped(self):
        self.serve_tls()
        context = self.authority.client_context()
        before = self.serial(context)
        with lumberjack.Client(self.port, tls=context) as stays:
            self.authority.issue('server')
            self.assertNotEqual(before, self.serial(context))
            self.millrace.wait_for_log('new connections use the certificates')
            stays.send(batch(messages('still here')))
            self.assertEqual([(2, 1)], stays.read_acks(1))

    def test_a_half_renewed_one_is_not(self):
        self.serve_tls()
        context = self.authority.client_context()
        before = self.serial(context)
        key = self.pair.key.read_bytes()
        self.authority.issue('server')
        new = self.pair.key.read_bytes()
        self.pair.key.write_bytes(key)
        self.assertEqual(before, self.serial(context))
        self.millrace.wait_for_log('the old ones stay.*not the key of the certificate')
        self.pair.key.write_bytes(new)
        self.assertNotEqual(before, self.serial(context))


class Troubles(TlsCase):
    def test_a_handshake_that_stands_still(self):
        self.serve_tls('ssl_handshake_timeout => 200')
        for sent in (b'', b'\x16\x03\x01\x02\x00\x01'):
            with socket.create_connection(('127.0.0.1', self.port), 10) as client:
                client.sendall(sent)
                while client.recv(100):
                    pass
        self.send_one('served')
        self.assertEqual(2, self.counters()['tls_handshake_timeouts'])

    def test_bytes_that_are_no_tls(self):
        self.serve_tls()
        for sent in (b'GET / HTTP/1.1\r\n\r\n', batch(messages('plain')), bytes(5000), b'\x16\x03\x01\xff\xff' + bytes(70000)):
            with socket.create_connection(('127.0.0.1', self.port), 10) as client:
                try:
                    client.sendall(sent)
                    while client.recv(100):
                        pass
                except ConnectionError:
                    pass
        self.send_one('served')
        self.assertEqual(4, self.counters()['tls_handshake_failures'])

    def test_stopping_in_the_middle_of_a_handshake(self):
        self.serve_tls()
        with socket.create_connection(('127.0.0.1', self.port), 10) as client:
            client.sendall(b'\x16\x03\x01')
            self.send_one('served')
            self.assertEqual(0, self.millrace.stop(), self.millrace.stderr)

    def test_large_windows_and_many_small_ones(self):
        self.serve_tls()
        with lumberjack.Client(self.port, tls=self.authority.client_context()) as client:
            big = ['x' * 200_000 + str(n) for n in range(40)]
            client.send(batch([{'message': text} for text in big]))
            self.assertEqual([(2, 40)], client.read_acks(1))
            for n in range(200):
                client.send(batch(messages(f'small {n}')))
            self.assertEqual([(2, 1)] * 200, client.read_acks(200))
        self.assertEqual(240, len(self.messages()))

    def test_idle_connections_are_small(self):
        self.serve_tls('client_inactivity_timeout => 0')
        context, clients = self.authority.client_context(), []
        self.send_one('warm')
        before = self.millrace.resident_kib()
        for n in range(200):
            clients.append(lumberjack.Client(self.port, tls=context))
            self.addCleanup(clients[-1].close)
            clients[-1].send(batch(messages(f'idle {n}')))
            self.assertEqual([(2, 1)], clients[-1].read_acks(1))
        self.assert_memory((self.millrace.resident_kib() - before) / 200, 40)


if __name__ == '__main__':
    unittest.main()
