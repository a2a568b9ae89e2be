# SPDX-License-Identifier: Apache-2.0
"""The monitoring API over TLS: a keystore or PEM files, only for who trusts the authority, with the password and with the page's taps."""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import unittest

import certificates
import support

CROWD = 900
HALF_A_HELLO = bytes.fromhex('16030100a4010000a00303') + bytes(20)
ENDLESS = 'input { stdin { id => "in" } } output { null { id => "away" } }'


class ApiTls(support.Case):
    def serve(self, *arguments, expected=r'127\.0\.0\.1'):
        self.millrace = self.start('-e', ENDLESS, '--api.http.port', '9600-9700', '--api.ssl.enabled', *arguments, stdin=True)
        self.port = int(self.millrace.wait_for_log(rf'API listens address="?{expected}:(\d+)"? tls=on').group(1))

    def serve_pair(self, *arguments):
        self.authority = certificates.Authority(self.folder)
        self.pair = self.authority.issue('server')
        self.trusting = ('--cacert', self.authority.certificate)
        self.serve('--api.ssl.certificate', self.pair.certificate, '--api.ssl.key', self.pair.key, *arguments)

    def curl(self, path, *arguments):
        support.need_command('curl', 'it asks over TLS')
        return subprocess.run(['curl', '-sS', '--max-time', str(int(60 * support.PATIENCE)), *map(str, arguments),
                               f'https://localhost:{self.port}{path}'], capture_output=True)

    def s_client(self, *arguments):
        return subprocess.run(['openssl', 's_client', '-quiet', '-connect', f'127.0.0.1:{self.port}', '-servername', 'localhost',
                               '-CAfile', self.authority.certificate, '-verify_return_error', *arguments], capture_output=True,
                              input=b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
                              timeout=60 * support.PATIENCE)

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=60 * support.PATIENCE)

    def test_pem_files(self):
        self.serve_pair()
        self.assertIn('version', json.loads(self.curl('/', *self.trusting).stdout))
        self.assertTrue(self.curl('/', *self.trusting, '-H', 'Accept: text/html').stdout.startswith(b'<!doctype html>'))
        self.assertGreater(len(self.curl('/metrics', *self.trusting).stdout), 1000)
        page = self.run_to_end('tap', '--page').stdout.strip()
        self.assertTrue(page.startswith(f'https://127.0.0.1:{self.port}/#tap='), page)
        self.assertIn(b'session', self.curl('/_millrace/tap', *self.trusting, '-H', f'X-Millrace-Tap: {page.partition("=")[2]}').stdout)
        twice = self.curl('/healthz', *self.trusting, f'https://localhost:{self.port}/readyz', '-v')
        self.assertEqual(b'ready\nok\n', twice.stdout)
        self.assertIn(b'Re-using existing connection', twice.stderr)
        self.assertNotEqual(0, self.curl('/').returncode, 'nobody vouches for it')
        for version in ('-tls1_2', '-tls1_3'):
            said = self.s_client(version).stdout
            self.assertTrue(said.startswith(b'HTTP/1.1 200 OK\r\n') and said.endswith(b'ok\n'), said)

    def test_the_end_waits_for_nobody(self):
        self.serve_pair()
        context = self.authority.client_context()
        with self.connect() as silent, context.wrap_socket(self.connect(), server_hostname='localhost') as idle:
            self.assertTrue(silent and idle.version())
            self.millrace.child.stdin.close()
            self.assertEqual(0, self.millrace.wait(), 'those that ask for nothing hold up nothing')
            self.assertEqual(b'', idle.recv(1), 'it ends in order')

    def test_who_speaks_no_tls_is_told_nothing(self):
        self.serve_pair()
        for content in (b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', bytes(range(256)) * 300, b'\x16\x03\x01\xff\xff' + b'\1' * 70000):
            with self.connect() as plain:
                try:
                    plain.sendall(content)
                    self.assertLess(len(b''.join(iter(lambda: plain.recv(1000), b''))), 10, 'an alert at most')
                except ConnectionError:
                    pass
        self.millrace.wait_for_log(r'could not agree on TLS client=127\.0\.0\.1 reason="http request"')
        self.assertEqual(b'ok\n', self.curl('/healthz', *self.trusting).stdout)

    def test_crowds_hold_nothing_up(self):
        """Silent ones, half a hello, and those that have shaken hands and say nothing more: more of each than the API takes."""
        self.serve_pair()
        context, open_ones = self.authority.client_context(), []
        for n in range(CROWD):
            client = self.connect()
            open_ones.append(client)
            if n % 3 == 1:
                client.sendall(HALF_A_HELLO)
            elif n % 3 == 2 and n < 300:
                open_ones[-1] = context.wrap_socket(client, server_hostname='localhost')
        self.assertEqual(b'ok\n', self.curl('/healthz', *self.trusting).stdout)
        descriptors = len(os.listdir(f'/proc/{self.millrace.pid}/fd'))
        self.assertLess(descriptors, 800, 'how many are kept is limited')
        for client in open_ones:
            client.close()
        self.assertEqual(b'ok\n', self.curl('/healthz', *self.trusting).stdout)
        self.assertEqual(0, self.millrace.stop())

    def test_a_renewed_certificate(self):
        self.serve_pair()
        before = ssl.get_server_certificate(('127.0.0.1', self.port))
        self.pair.certificate.write_text('no certificate')
        self.assertEqual(before, ssl.get_server_certificate(('127.0.0.1', self.port)), 'the old one stays')
        self.millrace.wait_for_log('cannot be used: the old one stays')
        self.authority.issue('server')
        support.wait_until(lambda: before != ssl.get_server_certificate(('127.0.0.1', self.port)), 'the new one')
        self.millrace.wait_for_log('shows the certificate that changed')
        self.assertEqual(b'ok\n', self.curl('/healthz', *self.trusting).stdout)

    def test_versions(self):
        self.serve_pair('--api.ssl.supported_protocols', 'TLSv1.3')
        self.assertEqual(b'ok\n', self.curl('/healthz', *self.trusting).stdout)
        self.assertEqual(b'', self.s_client('-tls1_2').stdout)
        self.assertNotEqual(0, self.curl('/healthz', *self.trusting, '--tls-max', '1.2').returncode)
        said = self.run_to_end('-e', ENDLESS, '--api.ssl.supported_protocols', 'TLSv1.4', status=1).stderr
        self.assertIn("'api.ssl.supported_protocols': 'TLSv1.4' is none of TLSv1.1, TLSv1.2 and TLSv1.3", said)

    def test_a_keystore_with_the_password_of_a_user(self):
        authority = certificates.Authority(self.folder)
        pair, store = authority.issue('server'), self.folder / 'store.p12'
        certificates.openssl(self.folder, 'pkcs12', '-export', '-in', pair.certificate, '-inkey', pair.key, '-out', store, '-passout', 'pass:opensesame')
        self.serve('--api.ssl.keystore.path', store, '--api.ssl.keystore.password', 'opensesame', '--api.auth.type', 'basic',
                   '--api.auth.basic.username', 'joe', '--api.auth.basic.password', 'secret', expected=r'0\.0\.0\.0')
        trusting = ('--cacert', authority.certificate)
        self.assertIn(b'are needed', self.curl('/', *trusting).stdout)
        self.assertIn('version', json.loads(self.curl('/', *trusting, '-u', 'joe:secret').stdout))
        self.assertNotIn('opensesame', pathlib.Path(f'/proc/{self.millrace.pid}/cmdline').read_text())
        self.assertEqual(0, self.millrace.stop())

    def test_what_is_missing_is_told(self):
        said = self.run_to_end('-e', ENDLESS, '--api.ssl.enabled', status=1).stderr
        self.assertIn("'api.ssl.keystore.path', or 'api.ssl.certificate' and 'api.ssl.key', must be set", said)
        both = self.run_to_end('-e', ENDLESS, '--api.ssl.enabled', '--api.ssl.keystore.path', 'a', '--api.ssl.key', 'b', status=1).stderr
        self.assertIn('are both set: keep one of them', both)
        unused = self.run_to_end('-e', ENDLESS, '--api.ssl.keystore.path', 'a', stdin=b'').stderr
        self.assertIn("'api.ssl.keystore.path' has no effect: 'api.ssl.enabled' is not true", unused)
        gone = self.run_to_end('-e', ENDLESS, '--api.ssl.enabled', '--api.ssl.keystore.path', self.folder / 'nowhere.p12', stdin=b'one\n').stderr
        self.assertIn('there is no monitoring API', gone)
        self.assertIn('nowhere.p12', gone)


if __name__ == '__main__':
    unittest.main()
