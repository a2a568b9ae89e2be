# SPDX-License-Identifier: Apache-2.0
"""The outputs syslog and gelf: recorded cases of Logstash's plugins, connections, chunks, a real rsyslog."""
import json
import pathlib
import random
import socket
import ssl
import subprocess
import threading
import zlib

import support
from datagrams import Receiver, free_udp_port

HERE = pathlib.Path(__file__).parent / 'recorded'
# An input sets host where there is none; the recorded events were made without one.
LIFT = ('filter { mutate { remove_field => ["host", "message"] } ruby { code => '
        '"event.get(\'given\').each { |k, v| event.set(k, k == \'@timestamp\' ? LogStash::Timestamp.new(v) : v) }; '
        'event.remove(\'given\')" } }')


class TcpReceiver:
    """Takes all connections and keeps what they say."""

    def __init__(self, case, context=None):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.context, self.received, self.connections = context, [], []
        case.addCleanup(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
                client = self.context.wrap_socket(client, server_side=True) if self.context else client
            except OSError:
                if self.server.fileno() < 0:
                    return
                continue
            self.connections.append(client)
            threading.Thread(target=self.read, args=(client,), daemon=True).start()

    def read(self, client):
        try:
            while data := client.recv(65536):
                self.received.append(data)
        except OSError:
            pass

    def all(self):
        return b''.join(self.received)

    def close(self):
        self.server.close()
        for client in self.connections:
            client.close()


class OutputCase(support.Case):
    def run_with(self, output, events):
        """Runs it to its end; returns the output's counters."""
        counters = self.folder / 'counters'
        lines = ''.join(json.dumps(event) + '\n' for event in events)
        self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} output {{ {output} }}',
                        '--pipeline.ecs_compatibility', 'disabled', '--counters', counters, stdin=lines.encode())
        return json.loads(counters.read_text())['pipelines']['main']['plugins']['outputs'][0]['events']

    def replay(self, name):
        """Each recorded case, and a receiver that its datagrams come to next."""
        groups = {}
        for case in json.loads((HERE / f'{name}.json').read_text()):
            groups.setdefault(case['config'], []).append(case)
        for config, cases in groups.items():
            receiver = Receiver(self)
            lines = ''.join(json.dumps({'given': case['event']}) + '\n' for case in cases)
            self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} {LIFT} '
                            f'output {{ {config.replace("%PORT%", str(receiver.port))} }}',
                            '--pipeline.ecs_compatibility', 'disabled', stdin=lines.encode())
            for case in cases:
                yield case, receiver


class Syslog(OutputCase):
    def test_recorded_cases(self):
        for case, receiver in self.replay('syslog_output'):
            self.assertEqual(case['expect_wire'], [receiver.take(1)[0].decode()], case['name'])

    EVENT = {'message': 'x', 'host': 'h', '@timestamp': '2024-02-05T12:34:56.789Z'}

    def test_tcp(self):
        receiver = TcpReceiver(self)
        counted = self.run_with(f'syslog {{ host => "127.0.0.1" port => {receiver.port} protocol => tcp }}',
                                [{**self.EVENT, 'message': f'm{n}'} for n in range(3000)])
        support.wait_until(lambda: receiver.all().count(b'\n') == 3000, 'all lines')
        self.assertEqual(b''.join(b'<13>Feb 05 12:34:56 h LOGSTASH[-]: m%d\n' % n for n in range(3000)), receiver.all())
        self.assertEqual(3000, counted['delivered'])

    def test_tcp_that_is_not_there_yet(self):
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        millrace = self.start('-e', 'input { stdin { codec => json_lines } } output { syslog { host => "127.0.0.1" '
                              f'port => {port} protocol => tcp reconnect_interval => 0.1 }} }}', stdin=b'{"message":"late"}\n')
        millrace.wait_for_log('cannot send, trying again')
        server = socket.create_server(('127.0.0.1', port))
        self.addCleanup(server.close)
        server.settimeout(30 * support.PATIENCE)
        client, _ = server.accept()
        self.addCleanup(client.close)
        self.assertIn(b'late', client.recv(4096))
        self.assertEqual(0, millrace.wait())

    def certificate(self):
        openssl = support.need_command('openssl', 'it makes a certificate')
        key, certificate = self.folder / 'key.pem', self.folder / 'certificate.pem'
        subprocess.run([openssl, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2',
                        '-subj', '/CN=other', '-addext', 'subjectAltName=DNS:other'], check=True, capture_output=True)
        return key, certificate

    def test_tls(self):
        key, certificate = self.certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        receiver = TcpReceiver(self, context)
        # The chain is checked, not the name, as in Logstash.
        self.run_with(f'syslog {{ host => "127.0.0.1" port => {receiver.port} protocol => "ssl-tcp" ssl_verify => true '
                      f'ssl_certificate_authorities => "{certificate}" rfc => rfc5424 }}', [self.EVENT])
        support.wait_until(lambda: receiver.all() == b'<13>1 2024-02-05T12:34:56.789+00:00 h LOGSTASH - - - x\n', 'the line')

    def test_tls_that_is_not_trusted(self):
        key, certificate = self.certificate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        receiver = TcpReceiver(self, context)
        millrace = self.start('-e', f'input {{ generator {{ count => 1 }} }} output {{ syslog {{ host => "127.0.0.1" '
                              f'port => {receiver.port} protocol => "ssl-tcp" ssl_verify => true reconnect_interval => 0.1 }} }}')
        millrace.wait_for_log('cannot send, trying again.*certificate')
        self.assertEqual(b'', receiver.all())

    def test_options(self):
        for options, said in (('structured_data => "[x]"', 'needs rfc => rfc5424'), ('ssl_crl_path => "/x"', 'ssl_crl_path'),
                              ('protocol => "ssl-tcp" ssl_supported_protocols => ["SSLv3"]', "'SSLv3'")):
            millrace = self.run_to_end('-t', '-e', f'input {{ stdin {{ }} }} output {{ syslog {{ host => "h" port => 1 {options} }} }}',
                                       status=1)
            self.assertIn(said, millrace.stderr)

    def test_rsyslog(self):
        rsyslogd = support.need_command('rsyslogd', 'rsyslog receives')
        out, port = self.folder / 'out', support.free_port()
        conf = self.write('rsyslog.conf', f'''
global(workDirectory="{self.folder}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="fields" type="string" string="%pri-text% %hostname% %programname% %msg%\\n")
action(type="omfile" file="{out}" template="fields")
''')
        child = subprocess.Popen([rsyslogd, '-n', '-f', conf, '-i', self.folder / 'pid'], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (child.terminate(), child.wait()))
        support.wait_until(lambda: support.is_listening(port), 'rsyslog', 60)
        for rfc in ('rfc3164', 'rfc5424'):
            self.run_with(f'syslog {{ host => "127.0.0.1" port => {port} protocol => tcp rfc => {rfc} facility => mail severity => error '
                          'appname => app }', [{**self.EVENT, 'message': f'{rfc} {n}'} for n in range(100)])
        support.wait_until(lambda: out.exists() and out.read_text().count('\n') == 200, '200 lines', 20)
        lines = sorted(' '.join(line.split()) for line in out.read_text().splitlines())
        self.assertEqual(sorted(f'mail.err h app {rfc} {n}' for rfc in ('rfc3164', 'rfc5424') for n in range(100)), lines)


class Gelf(OutputCase):
    def test_recorded_cases(self):
        for case, receiver in self.replay('gelf_output'):
            self.assertEqual(case['expect_json'], json.loads(zlib.decompress(receiver.take(1)[0])), case['name'])

    def test_chunks(self):
        receiver, choose = Receiver(self), random.Random(9)
        text = ''.join(chr(choose.randint(35, 90)) for _ in range(10000))
        counted = self.run_with(f'gelf {{ host => "127.0.0.1" port => {receiver.port} chunksize => 500 }}',
                                [{'message': text, 'host': 'h'}])
        first = receiver.take(1)[0]
        parts = [first, *receiver.take(first[11] - 1)]
        self.assertEqual({(b'\x1e\x0f', first[2:10], len(parts))}, {(part[:2], part[2:10], part[11]) for part in parts})
        self.assertEqual(list(range(len(parts))), [part[10] for part in parts])
        self.assertEqual(text, json.loads(zlib.decompress(b''.join(part[12:] for part in parts)))['full_message'])
        self.assertEqual(1, counted['delivered'])

    def test_what_cannot_be_sent(self):
        receiver = Receiver(self)
        choose = random.Random(3)
        noise = ''.join(chr(choose.randint(33, 0x2000)) for _ in range(30000))
        counted = self.run_with(f'gelf {{ host => "127.0.0.1" port => {receiver.port} chunksize => 100 }}',
                                [{'message': noise, 'host': 'h'}, {'message': '', 'host': 'h'}, {'message': 'good', 'host': 'h'}])
        self.assertEqual('good', json.loads(zlib.decompress(b''.join(
            part[12:] if part[:2] == b'\x1e\x0f' else part for part in self.message_of(receiver))))['full_message'])
        self.assertEqual((1, 2), (counted['delivered'], counted['refused']))

    def message_of(self, receiver):
        first = receiver.take(1)[0]
        return [first, *(receiver.take(first[11] - 1) if first[:2] == b'\x1e\x0f' else [])]

    def test_tcp_to_our_own_input(self):
        millrace = self.start('-w', '1', '-e', 'input { gelf { port => 1 use_udp => false use_tcp => true } } output { stdout { codec => json_lines } }',
                              '--listen-at', '1:127.0.0.1:0')
        port = int(millrace.wait_for_log(r'waiting for GELF over TCP .*port=(\d+)').group(1))
        self.run_with(f'gelf {{ host => "127.0.0.1" port => {port} protocol => TCP }}',
                      [{'message': f'm{n}', 'host': 'h', 'n': n} for n in range(2000)])
        millrace.wait_for(lambda: millrace.stdout.count('\n') == 2000, '2000 events')
        self.assertEqual([(f'm{n}', n) for n in range(2000)], [(event['message'], event['n']) for event in millrace.json_lines()])


if __name__ == '__main__':
    support.unittest.main()
