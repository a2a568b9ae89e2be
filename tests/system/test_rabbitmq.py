# SPDX-License-Identifier: Apache-2.0
"""The rabbitmq input and output, with a real broker and amqp-tools."""
import json
import pathlib
import socket
import subprocess
import tempfile

import support
from rabbitmq_broker import Broker

OFF = 'ecs_compatibility => disabled'


def make_certificate(folder):
    """The paths of a key and a certificate for localhost; None without openssl."""
    key, certificate = folder / 'key.pem', folder / 'certificate.pem'
    openssl = support.need_command('openssl', 'it makes a certificate')
    subprocess.run([openssl, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2',
                    '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], check=True, capture_output=True)
    return key, certificate


class Shared:
    """One broker for the module: it takes long to start."""


def setUpModule():
    Shared.folder = tempfile.TemporaryDirectory(prefix='millrace-certificates-')
    support.unittest.addModuleCleanup(Shared.folder.cleanup)
    Shared.key, Shared.certificate = make_certificate(pathlib.Path(Shared.folder.name))
    Shared.broker = Broker(Shared.certificate, Shared.key)
    support.unittest.addModuleCleanup(Shared.broker.stop)


class RabbitCase(support.Case):
    def setUp(self):
        super().setUp()
        self.broker, self.certificate = Shared.broker, Shared.certificate
        self.queue = self.id().rsplit('.', 1)[1]

    def declare(self):
        self.broker.tool('declare-queue', '-d', '-q', self.queue)

    def publish(self, *texts, options=()):
        for text in texts:
            self.broker.tool('publish', '-r', self.queue, *options, '-b', text)

    def read(self, options='', arguments=('-w', '1'), host=None, port=None):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start(*arguments, '-e', f'input {{ rabbitmq {{ {OFF} host => "{host or "127.0.0.1"}" port => {port or self.broker.port} '
                                   f'queue => "{self.queue}" durable => true connect_retry_interval => 0.2 {options} }} }} '
                                   'filter { mutate { copy => { "@metadata" => "meta" } } } output { stdout { codec => json_lines } }',
                                   '--counters', self.counters_path)

    def events(self, count):
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= count, f'{count} events', 30)
        lines = self.millrace.stdout.splitlines()
        self.assertEqual(count, len(lines))
        return [json.loads(line) for line in lines]

    def count(self):
        """What the queue still holds, taken out of it."""
        found = 0
        while True:
            try:
                self.broker.tool('get', '-q', self.queue)
            except AssertionError:
                return found
            found += 1

    def write_events(self, options, lines, status=0, timeout=60):
        counters = self.folder / 'counted'
        self.run_to_end('-w', '1', '-e', f'input {{ stdin {{ codec => json_lines }} }} filter {{ mutate {{ remove_field => ["host", "@version", '
                        f'"@timestamp", "event"] }} }} output {{ rabbitmq {{ host => "127.0.0.1" port => {self.broker.port} '
                        f'connect_retry_interval => 0.2 {options} }} }}', '--counters', counters, stdin=lines, status=status, timeout=timeout)
        return json.loads(counters.read_text())['pipelines']['main']['plugins']['outputs'][0]['events']


class Input(RabbitCase):
    def test_messages(self):
        self.declare()
        self.publish('{"n":1}', 'broken')
        self.read()
        one, two = self.events(2)
        self.assertEqual((1, {}), (one['n'], one['meta']))
        self.assertEqual((['_jsonparsefailure'], 'broken'), (two['tags'], two['message']))
        self.publish('{"n":2}')
        self.assertEqual(2, self.events(3)[2]['n'])
        self.assertEqual(0, self.millrace.stop())
        self.assertEqual(0, self.count())

    def test_metadata(self):
        self.declare()
        self.publish('{"n":1}', options=('-C', 'text/json', '-p', '-H', 'color: red'))
        self.read('metadata_enabled => extended')
        meta = self.events(1)[0]['meta']
        self.assertEqual({'color': 'red'}, meta['rabbitmq_headers'])
        self.assertEqual('{"n":1}', meta['rabbitmq_payload'])
        properties = meta['rabbitmq_properties']
        self.assertEqual(('text/json', 2, '', self.queue, False),
                         tuple(properties[name] for name in ('content-type', 'delivery-mode', 'exchange', 'routing-key', 'redeliver')))
        self.assertTrue(properties['consumer-tag'])
        self.assertNotIn('reply-to', properties)

    def test_an_exchange_feeds_the_queue(self):
        self.read(f'exchange => "{self.queue}-x" exchange_type => "topic" key => "a.*" codec => plain')
        self.millrace.wait_for_log('consuming from RabbitMQ')
        for key in ('a.b', 'b.b', 'a.c'):
            self.broker.tool('publish', '-e', f'{self.queue}-x', '-r', key, '-b', key)
        self.assertEqual(['a.b', 'a.c'], [event['message'] for event in self.events(2)])

    def test_large_and_empty_messages(self):
        self.declare()
        large = 'x' * 300000
        program = support.need_command('amqp-publish', 'amqp-tools speaks to the broker')
        subprocess.run([program, f'--url=amqp://127.0.0.1:{self.broker.port}', '-r', self.queue], input=large.encode(), check=True, timeout=60)
        subprocess.run([program, f'--url=amqp://127.0.0.1:{self.broker.port}', '-r', self.queue], input=b'', check=True, timeout=60)
        self.read('codec => plain')
        self.assertEqual([large, ''], [event['message'] for event in self.events(2)])

    def test_a_message_that_is_too_long(self):
        self.declare()
        program = support.need_command('amqp-publish', 'amqp-tools speaks to the broker')
        subprocess.run([program, f'--url=amqp://127.0.0.1:{self.broker.port}', '-r', self.queue], input=b'x' * 3000, check=True, timeout=60)
        self.publish('after')
        self.read('codec => plain max_message_bytes => 1024')
        self.assertEqual(['after'], [event['message'] for event in self.events(1)])
        self.millrace.wait_for_log('longer than max_message_bytes')
        self.assertEqual(0, self.millrace.stop())
        self.assertEqual(0, self.count())

    def test_what_is_not_delivered_stays_in_the_queue(self):
        """An output that delivers nothing: nothing is acknowledged, and after SIGKILL all is there."""
        self.declare()
        self.publish(*[f'{{"n":{n}}}' for n in range(5)])
        self.millrace = self.start('-e', f'input {{ rabbitmq {{ host => "127.0.0.1" port => {self.broker.port} queue => "{self.queue}" durable => true }} }} '
                                   'filter { mutate { add_tag => ["seen"] } } output { stdout { codec => json_lines } http { '
                                   f'url => "http://127.0.0.1:{support.free_port()}" http_method => post }} }}')
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') == 5, 'five events', 30)
        self.millrace.kill()
        self.read()
        self.assertEqual([0, 1, 2, 3, 4], [event['n'] for event in self.events(5)])

    def test_killed_in_the_middle(self):
        """What was acknowledged is in the file; what was not is still in the queue. Twice may happen, missing may not."""
        count, out = 3000, self.folder / 'out'
        self.write_events(f'exchange => "{self.queue}-x" exchange_type => fanout', b'')
        self.read(f'exchange => "{self.queue}-x" exchange_type => fanout')
        self.millrace.wait_for_log('consuming from RabbitMQ')
        self.millrace.stop()
        self.write_events(f'exchange => "{self.queue}-x" exchange_type => fanout', b''.join(b'{"n":%d}\n' % n for n in range(count)))
        pipeline = (f'input {{ rabbitmq {{ host => "127.0.0.1" port => {self.broker.port} queue => "{self.queue}" durable => true }} }} '
                    f'output {{ file {{ path => "{out}" codec => line {{ format => "%{{n}}" }} }} }}')
        first = self.start('-w', '1', '-e', pipeline)
        first.wait_for(lambda: out.exists() and out.read_text().count('\n') > 300, 'some lines', 30)
        first.kill()
        second = self.start('-w', '1', '-e', pipeline)
        second.wait_for(lambda: {int(line) for line in out.read_text().split('\n')[:-1]} == set(range(count)), 'every event', 30)
        self.assertEqual(0, second.stop())
        self.assertEqual(0, self.count())

    def test_wrong_password_and_wrong_queue(self):
        self.read('password => "wrong"')
        self.millrace.wait_for_log('no connection to RabbitMQ, trying again.*ACCESS_REFUSED', 30)
        self.assertEqual(0, self.millrace.stop())
        self.read('passive => true')
        self.millrace.wait_for_log('no connection to RabbitMQ, trying again.*NOT_FOUND', 30)

    def test_arguments(self):
        self.read('arguments => { "x-max-length" => 2 "x-queue-mode" => "default" } codec => plain prefetch_count => 0')
        self.millrace.wait_for_log('consuming from RabbitMQ')
        self.millrace.stop()
        self.read('arguments => { "x-max-length" => 3 "x-queue-mode" => "default" }')
        self.millrace.wait_for_log("trying again.*PRECONDITION_FAILED", 30)

    def test_tls(self):
        self.declare()
        self.publish('{"n":1}', '{"n":2}')
        self.read(f'ssl => true ssl_certificate_authorities => "{self.certificate}" heartbeat => 1', host='localhost', port=self.broker.tls_port)
        self.events(2)
        self.assertEqual(0, self.millrace.stop())
        self.read(f'ssl => true ssl_certificate_authorities => "{self.certificate}"', host='127.0.0.1', port=self.broker.tls_port)
        self.millrace.wait_for_log('no connection to RabbitMQ, trying again.*certificate', 30)

    def test_hostile_brokers(self):
        for answer in (b'AMQP\0\0\x09\x01', b'x' * 100, b'\x01\0\0\xff\xff\xff\xff' + b'x' * 100, b'\x01\0\0\0\0\0\x04\0\0\0\0\xce',
                       b'\x02\0\x01\0\0\0\x0e\0\x3c\0\0' + b'\0' * 10 + b'\xce', b'\x03\0\x01\0\0\0\x01x\xce', b'\x08\0\0\0\0\0\0x'):
            with self.subTest(answer):
                server = socket.create_server(('127.0.0.1', 0))
                self.addCleanup(server.close)
                server.settimeout(20 * support.PATIENCE)
                self.read('connection_timeout => 500', port=server.getsockname()[1])
                client, _ = server.accept()
                client.sendall(answer)
                self.millrace.wait_for_log('no connection to RabbitMQ, trying again')
                client.close()
                self.assertEqual(0, self.millrace.stop())


class Output(RabbitCase):
    def bound(self, exchange_type='direct', key='logstash'):
        """A queue that the exchange of this test feeds: our own input makes it."""
        self.read(f'exchange => "{self.queue}-x" exchange_type => {exchange_type} key => "{key}" metadata_enabled => basic')
        self.millrace.wait_for_log('consuming from RabbitMQ', 30)
        return f'exchange => "{self.queue}-x" exchange_type => {exchange_type}'

    def test_messages(self):
        options, count = self.bound(), 3000
        counted = self.write_events(options, b''.join(b'{"n":%d}\n' % n for n in range(count)))
        self.assertEqual(count, counted['delivered'])
        self.assertEqual(list(range(count)), [event['n'] for event in self.events(count)])

    def test_properties(self):
        options = self.bound('topic', '#')
        self.write_events(f'{options} key => "k.%{{n}}" message_properties => {{ "content_type" => "text/%{{n}}" "priority" => "3" '
                          '"app_id" => "me" "headers" => { "a" => "%{n}" "b" => 5 } } persistent => false', b'{"n":7}\n')
        meta = self.events(1)[0]['meta']
        properties = meta['rabbitmq_properties']
        self.assertEqual(('text/7', 3, 'me', 1, 'k.7'),
                         tuple(properties[name] for name in ('content-type', 'priority', 'app-id', 'delivery-mode', 'routing-key')))
        self.assertEqual({'a': '7', 'b': 5}, meta['rabbitmq_headers'])

    def test_what_no_frame_holds_is_refused(self):
        options = self.bound('fanout')
        counted = self.write_events(f'{options} key => "%{{k}}"', b'{"k":"%s"}\n{"k":"good"}\n' % (b'x' * 256))
        self.assertEqual((1, 1), (counted['delivered'], counted['refused']))
        self.assertEqual('good', self.events(1)[0]['k'])

    def test_large_messages(self):
        options, text = self.bound(), 'y' * 400000
        self.write_events(options, json.dumps({'m': text}).encode() + b'\n' + b'{"m":"small"}\n')
        self.assertEqual([text, 'small'], [event['m'] for event in self.events(2)])

    def test_options(self):
        for options, said in (('exchange => "x" exchange_type => headers', 'headers'),
                              ('exchange => "x" exchange_type => topic message_properties => { "colour" => "red" }', "'colour' is none"),
                              ('exchange => "x" exchange_type => topic ssl_version => "SSLv3"', "'SSLv3' is unknown")):
            millrace = self.run_to_end('-t', '-e', f'input {{ stdin {{ }} }} output {{ rabbitmq {{ host => "h" {options} }} }}', status=1)
            self.assertIn(said, millrace.stderr)


class ZCrash(RabbitCase):
    """Last, because the others need the broker: it is killed while messages are published: each that was confirmed is there, and in the end all are."""

    def test_a_broker_that_is_killed(self):
        count = 20000
        self.read(f'exchange => "{self.queue}-x" exchange_type => fanout')
        self.millrace.wait_for_log('consuming from RabbitMQ', 30)
        self.assertEqual(0, self.millrace.stop())
        writer = self.start('-w', '1', '-e', 'input { stdin { codec => json_lines } } output { rabbitmq { host => "127.0.0.1" '
                            f'port => {self.broker.port} connect_retry_interval => 0.2 exchange => "{self.queue}-x" exchange_type => fanout durable => true }} '
                            f'file {{ path => "{self.folder}/mark" codec => line {{ format => "%{{n}}" }} }} }}',
                            stdin=b''.join(b'{"n":%d}\n' % n for n in range(count)))
        mark = self.folder / 'mark'
        writer.wait_for(lambda: mark.exists() and mark.read_text().count('\n') > 1000, 'some events', 30)
        self.broker.kill()
        self.broker.start()
        self.assertEqual(0, writer.wait(120))
        self.read(f'exchange => "{self.queue}-x" exchange_type => fanout')
        seen = lambda: {json.loads(line)['n'] for line in self.millrace.stdout.split('\n')[:-1]}
        self.millrace.wait_for(lambda: seen() == set(range(count)), 'every event', 60)


if __name__ == '__main__':
    support.unittest.main()
