# SPDX-License-Identifier: Apache-2.0
"""A destination that is a black hole (it takes connections and says nothing, or lets SYNs go unanswered), or that refuses, holds up nobody
else: what is for it goes to its spool and arrives when it is back, one request first. Over one Beats connection with three windows under
way, for each output that waits for somebody."""
import collections
import json
import re
import socket
import threading
import time
import unittest
import urllib.request

import lumberjack
import lying_kafka
import search_stub
import support
import test_email
import test_redis

WINDOWS, WINDOW, EACH, UNDER_WAY = 24, 100, 10, 3
COUNT = WINDOWS * WINDOW
ALERTS = set(range(0, COUNT, EACH))
SPOOL = 'on_full => "spool" hold_max => "200 ms"'
PIPELINE = '''input { beats { host => "127.0.0.1" port => @BEATS@ } }
output {
  elasticsearch { id => "documents" hosts => ["127.0.0.1:@DOCUMENTS@"] index => "events" manage_template => false data_stream => false
    timeout => "1 s" retry_initial_interval => "100 ms" retry_max_interval => "500 ms" resurrect_delay => "200 ms" @DOCUMENTS_MORE@ }
  if [alert] { @ALERTS@ }
}'''
HTTP = '''http { id => "alerts" url => "http://127.0.0.1:@PORT@/" http_method => "post" format => "json" request_timeout => 1 @MORE@ }'''


class Silent:
    """Takes connections, and that is all."""

    def __init__(self, port=0):
        self.listener = socket.create_server(('127.0.0.1', port), backlog=512)
        self.port = self.listener.getsockname()[1]

    def close(self):
        self.listener.close()


class Deaf(Silent):
    """Its queue of connections is full: the kernel drops each SYN that comes."""

    def __init__(self, port=0):
        self.listener = socket.create_server(('127.0.0.1', port), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.callers = []
        while len(self.callers) < 2 or not self._is_deaf():
            self._call()

    def _call(self):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(('127.0.0.1', self.port))
        self.callers.append(caller)

    def _is_deaf(self):
        with socket.socket() as probe:
            probe.settimeout(0.3)
            try:
                probe.connect(('127.0.0.1', self.port))
            except TimeoutError:
                return True
            return False

    def close(self):
        for caller in self.callers:
            caller.close()
        super().close()


class Refusing:
    """Nobody listens there."""

    def __init__(self, port=0):
        self.port = port or support.free_port()

    def close(self):
        """Nothing is open."""


class Failing:
    """Answers 500."""

    def __init__(self):
        self.times = []
        self.server = support.Recorder(self._answer)
        self.port, self.close = self.server.port, self.server.close

    def _answer(self, request):
        self.times.append(time.monotonic())
        return 500, {}, {'Connection': 'close'}


class Lines:
    """Takes lines over TCP, each with a number in it."""

    def __init__(self, port):
        self.listener, self.text, self.lock = socket.create_server(('127.0.0.1', port)), b'', threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client):
        with client:
            while bytes_read := client.recv(1 << 16):
                with self.lock:
                    self.text += bytes_read

    @property
    def numbers(self):
        return {int(number) for number in re.findall(rb'<n=(\d+)>', self.text)}

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Alerts:
    """A sink for alerts; most_at_first: how many requests were there before the first one was answered."""

    def __init__(self, port=0):
        self.numbers, self.most_at_first, self.lock = set(), 0, threading.Lock()
        self.first, self.others = None, threading.Event()
        self.server = support.Recorder(self._answer, port)
        self.port, self.close = self.server.port, self.server.close

    def _answer(self, request):
        number = request.json()['n']
        with self.lock:
            is_first = self.first is None
            self.first = number if is_first else self.first
        if not is_first:
            self.others.set()
        elif self.others.wait(0.5):
            self.most_at_first += 1
        self.numbers.add(number)
        return 200, {}


class IsolationCase(support.Case):
    def serve(self, documents, alerts, documents_more='', alerts_more='', output=HTTP):
        self.beats, self.api = support.free_port(), support.free_port()
        output = support.fill(output, PORT=alerts, MORE=alerts_more)
        text = support.fill(PIPELINE, BEATS=self.beats, DOCUMENTS=documents, ALERTS=output, DOCUMENTS_MORE=documents_more)
        millrace = self.start('-f', self.write('p.conf', text), '--api.http.port', self.api, '-b', '250')
        millrace.wait_for_port(self.beats)
        millrace.wait_for_port(self.api)
        return millrace

    def counts(self, plugin):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.api}/_node/stats/pipelines/main', timeout=30) as answer:
            outputs = json.load(answer)['pipelines']['main']['plugins']['outputs']
        return collections.defaultdict(int, next(output['events'] for output in outputs if output['id'] == plugin))

    def send_all(self):
        """As Filebeat does: so many windows under way, and the next one when the oldest is acknowledged."""
        def window(number):
            return lumberjack.batch([{'n': n, 'message': f'<n={n}>', **({'alert': True} if n in ALERTS else {})}
                                     for n in range(number * WINDOW, (number + 1) * WINDOW)])
        with lumberjack.Client(self.beats) as client:
            for number in range(min(UNDER_WAY, WINDOWS)):
                client.send(window(number))
            for number in range(UNDER_WAY, WINDOWS + UNDER_WAY):
                self.wait_acknowledged(client)
                if number < WINDOWS:
                    client.send(window(number))

    def wait_acknowledged(self, client):
        while (acks := client.read_acks(1, 60 * support.PATIENCE)) and acks[0] != (2, WINDOW):
            self.assertNotIn(acks[0], (lumberjack.CLOSED, lumberjack.RESET))
        self.assertTrue(acks, 'no acknowledgement came')

    def alerts_in_a_hole(self, hole, output=HTTP):
        """Documents go on; answers the process."""
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        self.addCleanup(hole.close)
        millrace = self.serve(stub.port, hole.port, alerts_more=SPOOL, output=output)
        self.send_all()
        self.assertEqual(set(range(COUNT)), {source['n'] for _, _, source in stub.documents})
        self.assertGreater(self.counts('alerts')['spooled'], 0)
        self.assertEqual(0, self.counts('alerts')['delivered'])
        hole.close()
        return millrace

    def alerts_arrive(self, millrace, sink):
        self.addCleanup(sink.close)
        millrace.wait_for(lambda: sink.numbers == ALERTS, 'all alerts', 60)
        self.check_books(millrace, 'alerts')
        self.assertEqual(0, millrace.stop())

    def http_alerts_in_a_hole(self, hole):
        millrace = self.alerts_in_a_hole(hole)
        sink = Alerts(hole.port)
        self.alerts_arrive(millrace, sink)
        if isinstance(hole, Failing):
            return  # one that fails for an event may do so because of it: it is not down
        self.assertEqual(0, sink.most_at_first, 'others came before the first was answered')

    def check_books(self, millrace, plugin):
        def balance():
            counts = self.counts(plugin)
            return counts['in_flight'] == 0 and counts['routed'] + counts['unspooled'] == counts['delivered'] + counts['spooled']
        millrace.wait_for(balance, 'the books to balance', 30)

    def documents_in_a_hole(self, hole):
        sink = Alerts()
        self.addCleanup(sink.close)
        self.addCleanup(hole.close)
        millrace = self.serve(hole.port, sink.port, documents_more=SPOOL)
        self.send_all()
        millrace.wait_for(lambda: sink.numbers == ALERTS, 'all alerts while the documents wait', 30)
        self.assertEqual(0, self.counts('documents')['delivered'])
        hole.close()
        stub = search_stub.SearchStub(port=hole.port)
        self.addCleanup(stub.close)
        millrace.wait_for(lambda: {source['n'] for _, _, source in stub.documents} == set(range(COUNT)), 'all documents', 60)
        self.check_books(millrace, 'documents')
        self.assertEqual(0, millrace.stop())

    def wait_delivered(self, millrace, numbers, wanted=frozenset(ALERTS)):
        millrace.wait_for(lambda: numbers() == wanted, 'all alerts', 60)
        self.check_books(millrace, 'alerts')
        self.assertEqual(0, millrace.stop())


class Isolation(IsolationCase):
    def test_alerts_to_one_that_says_nothing(self):
        self.http_alerts_in_a_hole(Silent())

    def test_alerts_to_one_that_drops_syns(self):
        self.http_alerts_in_a_hole(Deaf())

    def test_alerts_to_one_that_refuses(self):
        self.http_alerts_in_a_hole(Refusing())

    def test_alerts_to_one_that_fails(self):
        self.http_alerts_in_a_hole(Failing())

    def test_what_comes_while_the_spool_has_something_waits_for_nothing(self):
        """Neither for the rest of a hold_max of an hour nor for the request that asks whether the destination is back."""
        hole = Silent()
        self.assertEqual(0, self.alerts_in_a_hole(hole).stop())
        stub, hole = search_stub.SearchStub(), Silent()
        self.addCleanup(stub.close)
        self.addCleanup(hole.close)
        millrace = self.serve(stub.port, hole.port, alerts_more='on_full => "spool" hold_max => "1 hour"',
                              output=HTTP.replace('request_timeout => 1', 'request_timeout => 3600'))
        self.send_all()
        self.assertEqual(set(range(COUNT)), {source['n'] for _, _, source in stub.documents})
        hole.close()
        self.alerts_arrive(millrace, Alerts(hole.port))

    def test_an_alert_that_fails_rests(self):
        """It goes through the spool again and again, with pauses between."""
        stub, sink = search_stub.SearchStub(), Failing()
        self.addCleanup(stub.close)
        self.addCleanup(sink.close)
        millrace = self.serve(stub.port, sink.port, alerts_more=SPOOL)
        with lumberjack.Client(self.beats) as client:
            client.send(lumberjack.batch([{'n': 0, 'alert': True}]))
            self.assertEqual([(2, 1)], client.read_acks(1, 60 * support.PATIENCE)[-1:])
        millrace.wait_for(lambda: len(sink.times) >= 8, 'eight requests', 60)
        self.assertGreater(sink.times[7] - sink.times[0], 0.7)

    def test_documents_to_one_that_says_nothing(self):
        self.documents_in_a_hole(Silent())

    def test_documents_to_one_that_drops_syns(self):
        self.documents_in_a_hole(Deaf())

    # ---- other outputs: what they hold because they have no connection is set aside ----------------

    def over_tcp(self, output):
        for kind in (Deaf, Refusing):
            with self.subTest(kind.__name__):
                millrace = self.alerts_in_a_hole(hole := kind(), output)
                self.alerts_arrive(millrace, Lines(hole.port))

    def test_tcp(self):
        self.over_tcp('tcp { id => "alerts" host => "127.0.0.1" port => @PORT@ reconnect_interval => 1 '
                      'codec => line { format => "<n=%{n}>" } @MORE@ }')

    def test_syslog(self):
        self.over_tcp('syslog { id => "alerts" host => "127.0.0.1" port => @PORT@ protocol => "tcp" message => "<n=%{n}>" @MORE@ }')

    def test_gelf(self):
        self.over_tcp('gelf { id => "alerts" host => "127.0.0.1" port => @PORT@ protocol => "TCP" @MORE@ }')

    def test_email(self):
        """The first twenty only: each takes a conversation."""
        few = set(sorted(ALERTS)[:20])
        output = f'if [n] <= {max(few)} {{ @ONE@ }}'.replace('@ONE@', 'email { id => "alerts" address => "127.0.0.1" port => @PORT@ to => "a@example.com" subject => "s" body => "<n=%{n}>" '
                  '@MORE@ }')
        for kind in (Silent, Refusing):
            with self.subTest(kind.__name__):
                millrace = self.alerts_in_a_hole(hole := kind(), output)
                server = test_email.SmtpServer(self, port=hole.port)
                self.wait_delivered(millrace, lambda: {int(re.search(rb'<n=(\d+)>', mail[2]).group(1)) for mail in server.mails}, few)

    def test_redis(self):
        support.need_command('redis-server', 'it is the server of this test')
        output = ('redis { id => "alerts" host => ["127.0.0.1"] port => @PORT@ data_type => list key => "k" timeout => 1 '
                  'reconnect_interval => 1 @MORE@ }')
        for kind in (Silent, Deaf, Refusing):
            with self.subTest(kind.__name__):
                millrace = self.alerts_in_a_hole(hole := kind(), output)
                server = test_redis.Server(self, port=hole.port)
                self.wait_delivered(millrace, lambda: {json.loads(text)['n'] for text in server.command('LRANGE', 'k', 0, -1)})
                server.stop()

    def test_redis_whose_list_is_too_long(self):
        server = test_redis.Server(self)
        server.command('RPUSH', 'k', *['x'] * 50)
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        output = ('redis { id => "alerts" host => ["127.0.0.1"] port => @PORT@ data_type => list key => "k" congestion_threshold => 40 '
                  'congestion_interval => 1 @MORE@ }')
        millrace = self.serve(stub.port, server.port, alerts_more=SPOOL, output=output)
        self.send_all()
        self.assertEqual(0, self.counts('alerts')['delivered'])
        taken = set()

        def take():
            taken.update(json.loads(text)['n'] for text in server.command('LPOP', 'k', 1000) or [] if text != 'x')
            return taken
        self.wait_delivered(millrace, take)

    def test_kafka(self):
        output = ('kafka { id => "alerts" bootstrap_servers => "127.0.0.1:@PORT@" topic_id => "t" reconnect_backoff_ms => 10 '
                  'reconnect_backoff_max_ms => 100 @MORE@ }')
        for kind in (Silent, Deaf, Refusing):
            with self.subTest(kind.__name__):
                millrace = self.alerts_in_a_hole(hole := kind(), output)
                broker = lying_kafka.LyingBroker(None, port=hole.port)
                self.addCleanup(broker.close)
                millrace.wait_for(lambda: self.counts('alerts')['delivered'] >= len(ALERTS), 'all alerts', 60)
                self.check_books(millrace, 'alerts')
                self.assertEqual(0, millrace.stop())


if __name__ == '__main__':
    unittest.main()
