# SPDX-License-Identifier: Apache-2.0
"""Isolation (test_isolation.py) of outputs that want a receiver of their own kind afterwards: alertmanager, rabbitmq, udp."""
import json
import signal
import socket
import threading

import rabbitmq_broker
import search_stub
import support
from datagrams import free_udp_port
from test_isolation import ALERTS, COUNT, SPOOL, Deaf, Failing, IsolationCase, Refusing, Silent


class AlertmanagerStub:
    """Takes alerts; the number of each is its label n. `twice`: what was counted more than once in one alert."""

    def __init__(self, port):
        self.counts = {}
        self.server = support.Recorder(self._answer, port)
        self.close = self.server.close

    def _answer(self, request):
        for alert in request.json():
            self.counts[int(alert['labels']['n'])] = int(alert['annotations']['count'])
        return 200, {}

    @property
    def numbers(self):
        return set(self.counts)


class Alertmanager(IsolationCase):
    def test_it(self):
        """Each event is an alert of its own, told once it can be, and counted once."""
        output = ('alertmanager { id => "alerts" hosts => ["http://127.0.0.1:@PORT@"] labels => { "alertname" => "A" "n" => "%{n}" } '
                  'max_per_second => 10000 max_alerts => 10000 request_timeout => 1 connect_timeout => 1 @MORE@ }')
        for kind in (Silent, Deaf, Refusing, Failing):
            with self.subTest(kind.__name__):
                millrace = self.alerts_in_a_hole(hole := kind(), output)
                sink = AlertmanagerStub(hole.port)
                self.alerts_arrive(millrace, sink)
                self.assertEqual({1}, set(sink.counts.values()))


class Rabbitmq(IsolationCase):
    def test_it(self):
        """Three runs while the broker is away and a hole is in its place; what they leave in the spool is in its queue when it is back."""
        broker = rabbitmq_broker.Broker()
        self.addCleanup(broker.stop)
        broker_is = f'host => "127.0.0.1" port => {broker.port} exchange => "x" exchange_type => direct durable => true connect_retry_interval => 0.2'
        reader = self.start('-w', '1', '-e', f'input {{ rabbitmq {{ {broker_is} queue => "q" key => "k" ecs_compatibility => disabled }} }} '
                            'output { stdout { codec => json_lines } }', '--no-api.enabled', '--path.data', self.folder / 'reader')
        reader.wait_for_log('consuming from RabbitMQ', 30)
        broker.kill()
        support.wait_until(lambda: not support.is_listening(broker.port), 'the broker to be gone', 30)
        for kind in (Silent, Deaf, Refusing):
            millrace = self.alerts_in_a_hole(kind(broker.port), f'rabbitmq {{ id => "alerts" {broker_is} key => "k" @MORE@ }}')
            if kind is not Refusing:
                self.assertEqual(0, millrace.stop())
        broker.start()

        def is_there():
            return len(self.numbers(reader)) >= 3 * len(ALERTS)
        millrace.wait_for(is_there, 'all alerts', 60)
        self.assertEqual(sorted(3 * list(ALERTS)), sorted(self.numbers(reader)))
        self.check_books(millrace, 'alerts')
        self.assertEqual(0, millrace.stop())

    @staticmethod
    def numbers(reader):
        return [json.loads(line)['n'] for line in reader.stdout.split('\n')[:-1]]


class Datagrams:
    """Takes datagrams and notes the numbers in them."""

    def __init__(self, port=0):
        self.socket, self.numbers = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(('127.0.0.1', port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        with self.socket:
            while text := self.socket.recv(65536):
                self.numbers.add(json.loads(text)['n'])

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'', ('127.0.0.1', self.port))  # the thread ends


class Udp(IsolationCase):
    """Nobody says of a datagram whether it arrived: one that the system has taken is delivered, and so a receiver that is away holds
    nothing up and gets nothing later. What waits is what cannot be sent, because the name of the receiver has no address."""

    OUTPUT = 'udp { id => "alerts" host => "@HOST@" port => @PORT@ @MORE@ }'

    def test_a_receiver_that_is_away(self):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        millrace = self.serve(stub.port, free_udp_port(), alerts_more=SPOOL, output=self.OUTPUT.replace('@HOST@', '127.0.0.1'))
        self.send_all()
        self.assertEqual(set(range(COUNT)), {source['n'] for _, _, source in stub.documents})
        millrace.wait_for(lambda: self.counts('alerts')['delivered'] == len(ALERTS), 'the system to take all datagrams', 30)
        self.assertEqual(0, self.counts('alerts')['spooled'])
        self.assertEqual(0, millrace.stop())

    def test_a_receiver_without_an_address(self):
        """Documents go on; the alerts are in the spool until the name, here another one of a changed file, has an address."""
        stub, sink = search_stub.SearchStub(), Datagrams()
        self.addCleanup(stub.close)
        self.addCleanup(sink.close)
        millrace = self.serve(stub.port, sink.port, alerts_more=SPOOL, output=self.OUTPUT.replace('@HOST@', 'nobody.invalid'))
        self.send_all()
        self.assertEqual(set(range(COUNT)), {source['n'] for _, _, source in stub.documents})
        self.assertGreater(self.counts('alerts')['spooled'], 0)
        self.assertEqual((0, set()), (self.counts('alerts')['delivered'], sink.numbers))
        config = self.folder / 'p.conf'
        config.write_text(config.read_text().replace('nobody.invalid', '127.0.0.1'))
        millrace.signal(signal.SIGHUP)
        millrace.wait_for_log('a pipeline runs as it was changed', 30)
        millrace.wait_for(lambda: sink.numbers == ALERTS, 'all alerts', 60)
        self.assertEqual(0, millrace.stop())
