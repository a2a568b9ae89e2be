# SPDX-License-Identifier: Apache-2.0
"""A destination that is a black hole (it takes connections and says nothing, or lets SYNs go unanswered) holds up nobody else: what is
for it goes to its spool and arrives when it is back, one request first. Over one Beats connection with three windows under way."""
import collections
import json
import socket
import threading
import unittest
import urllib.request

import lumberjack
import search_stub
import support

WINDOWS, WINDOW, EACH, UNDER_WAY = 24, 100, 10, 3
COUNT = WINDOWS * WINDOW
ALERTS = set(range(0, COUNT, EACH))
SPOOL = 'on_full => "spool" hold_max => "200 ms"'
PIPELINE = '''input { beats { host => "127.0.0.1" port => @BEATS@ } }
output {
  elasticsearch { id => "documents" hosts => ["127.0.0.1:@DOCUMENTS@"] index => "events" manage_template => false data_stream => false
    timeout => "1 s" retry_initial_interval => "100 ms" retry_max_interval => "500 ms" resurrect_delay => "200 ms" @DOCUMENTS_MORE@ }
  if [alert] { http { id => "alerts" url => "http://127.0.0.1:@ALERTS@/" http_method => "post" format => "json" request_timeout => 1
    @ALERTS_MORE@ } }
}'''


class Silent:
    """Takes connections, and that is all."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=512)
        self.port = self.listener.getsockname()[1]

    def close(self):
        self.listener.close()


class Deaf(Silent):
    """Its queue of connections is full: the kernel drops each SYN that comes."""

    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=0)
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


class Isolation(support.Case):
    def serve(self, documents, alerts, documents_more='', alerts_more=''):
        self.beats, self.api = support.free_port(), support.free_port()
        text = support.fill(PIPELINE, BEATS=self.beats, DOCUMENTS=documents, ALERTS=alerts, DOCUMENTS_MORE=documents_more,
                            ALERTS_MORE=alerts_more)
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
            return lumberjack.batch([{'n': n, **({'alert': True} if n in ALERTS else {})}
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

    def alerts_in_a_hole(self, hole):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        self.addCleanup(hole.close)
        millrace = self.serve(stub.port, hole.port, alerts_more=SPOOL)
        self.send_all()
        self.assertEqual(set(range(COUNT)), {source['n'] for _, _, source in stub.documents})
        self.assertGreater(self.counts('alerts')['spooled'], 0)
        self.assertEqual(0, self.counts('alerts')['delivered'])
        hole.close()
        sink = Alerts(hole.port)
        self.addCleanup(sink.close)
        millrace.wait_for(lambda: sink.numbers == ALERTS, 'all alerts', 60)
        self.assertEqual(0, sink.most_at_first, 'others came before the first was answered')
        self.check_books(millrace, 'alerts')
        self.assertEqual(0, millrace.stop())

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

    def test_alerts_to_one_that_says_nothing(self):
        self.alerts_in_a_hole(Silent())

    def test_alerts_to_one_that_drops_syns(self):
        self.alerts_in_a_hole(Deaf())

    def test_documents_to_one_that_says_nothing(self):
        self.documents_in_a_hole(Silent())

    def test_documents_to_one_that_drops_syns(self):
        self.documents_in_a_hole(Deaf())


if __name__ == '__main__':
    unittest.main()
