# SPDX-License-Identifier: Apache-2.0
"""on_full => spool: an output that is down stops nobody; what it misses is on disk and arrives by itself, in order, also after a
restart. And drop_oldest."""
import json
import pathlib
import re
import signal
import socket
import threading
import time
import unittest
import urllib.request

import lumberjack
import search_stub
import support

PIPELINE = '''input { @INPUT@ }
output {
  elasticsearch { id => "documents" hosts => ["@ADDRESS@"] index => "events" manage_template => false
    retry_initial_interval => 1 retry_max_interval => 1 }
  if [alert] { http { id => "alerts" url => "http://127.0.0.1:@SINK@/alerts" http_method => "post" format => "json"
    hold_max => "@HOLD@" request_timeout => @TIMEOUT@ @MORE@ } }
}'''
FILE = '''file { path => "@FOLDER@/in.log" mode => "tail" start_position => "beginning" stat_interval => "50 ms"
  sincedb_path => "@FOLDER@/sincedb" codec => json }'''


def unread_answers(port):
    """Bytes that were sent from this port and that nobody has read yet."""
    rows = [line.split() for line in pathlib.Path('/proc/net/tcp').read_text('ascii').splitlines()[1:]]
    return sum(int(row[4].split(':')[1], 16) for row in rows if int(row[2].split(':')[1], 16) == port)


class SpoolCase(support.Case):
    COUNT, EACH = 20000, 50

    def setUp(self):
        super().setUp()
        self.documents = search_stub.SearchStub()
        self.addCleanup(self.documents.close)
        self.sink, self.posted = support.free_port(), []
        self.spools = self.folder / 'data/spool/main'

    def sink_is_back(self, answer=None):
        def take(request):
            self.posted.append(request.json()['n'])
            return (200, {})
        server = support.Recorder(answer or take, self.sink)
        self.addCleanup(server.close)
        return server

    def serve(self, how='spool', source=FILE, more='', hold='200 ms', timeout=2, arguments=(), **options):
        text = support.fill(PIPELINE, INPUT=support.fill(source, FOLDER=self.folder), ADDRESS=self.documents.address,
                            SINK=self.sink, HOLD=hold, TIMEOUT=timeout, MORE=f'on_full => "{how}" {more}')
        self.api = support.free_port()
        millrace = self.start('-f', self.write('p.conf', text), '--api.http.port', self.api, '-b', '250', *arguments, **options)
        millrace.wait_for_port(self.api)
        return millrace

    def feed(self, first, last):
        with open(self.folder / 'in.log', 'a') as log:
            log.write(''.join(json.dumps({'n': n, **({'alert': True} if n % self.EACH == 0 else {})}) + '\n'
                              for n in range(first, last)))

    def alerts(self, first, last):
        return [n for n in range(first, last) if n % self.EACH == 0]

    def counts(self, plugin='alerts'):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.api}/_node/stats/pipelines/main', timeout=30) as answer:
            outputs = json.load(answer)['pipelines']['main']['plugins']['outputs']
        return next(output['events'] for output in outputs if output['id'] == plugin)

    def wait_documents(self, millrace, count):
        millrace.wait_for(lambda: len(self.documents.documents) >= count, f'{count} documents', 60)
        self.assertEqual(list(range(count)), sorted(source['n'] for _, _, source in self.documents.documents))


class Spool(SpoolCase):
    def test_documents_go_on_and_alerts_arrive_by_themselves(self):
        silent = socket.socket()
        self.addCleanup(silent.close)
        millrace = self.serve()
        self.feed(0, self.COUNT)
        self.wait_documents(millrace, self.COUNT)
        alerts = self.alerts(0, self.COUNT)
        millrace.wait_for(lambda: self.counts()['spooled'] >= len(alerts) - 300, 'alerts in the spool', 60)
        self.assertIn('go to the spool', millrace.stderr)
        self.assertEqual([], self.posted)
        self.sink_is_back()
        millrace.wait_for(lambda: set(self.posted) >= set(alerts), 'all alerts', 120)
        self.feed(self.COUNT, self.COUNT + 100)
        later = self.alerts(self.COUNT, self.COUNT + 100)
        millrace.wait_for(lambda: set(self.posted) >= set(later), 'those that came later', 60)
        counts = self.counts()
        self.assertEqual(counts['routed'] + counts['unspooled'],
                         counts['delivered'] + counts['spooled'] + counts['in_flight'] + counts['dropped'])
        self.assertEqual(0, millrace.stop())

    def test_across_a_restart_and_a_crash(self):
        millrace = self.serve()
        self.feed(0, self.COUNT)
        self.wait_documents(millrace, self.COUNT)
        millrace.wait_for(lambda: self.counts()['in_flight'] == 0 or self.counts()['spooled'] >= 300, 'the spool', 60)
        millrace.stop()
        millrace = self.serve()
        self.feed(self.COUNT, self.COUNT + 5000)
        self.wait_documents(millrace, self.COUNT + 5000)
        millrace.kill()
        self.sink_is_back()
        millrace = self.serve()
        millrace.wait_for(lambda: set(self.posted) >= set(self.alerts(0, self.COUNT + 5000)), 'all alerts', 120)
        self.assertEqual(0, millrace.stop())
        path = self.spools / 'http-alerts'
        self.assertEqual(0o700, path.stat().st_mode & 0o777)
        self.assertEqual(['lock'], [file.name for file in path.iterdir()])

    def test_in_order(self):
        """One lane and one request at a time: what was spooled comes before what came later. The first one's request is under way
        when the others go to the spool; where it takes as long to fail as they may wait, it follows them."""
        millrace = self.serve(more='pool_max => 1', arguments=('-w', '1'))
        self.feed(0, 5000)
        self.wait_documents(millrace, 5000)
        spooled = self.alerts(0, 5000)
        millrace.wait_for(lambda: self.counts()['spooled'] >= len(spooled), 'the spool', 60)
        self.sink_is_back()
        self.feed(5000, 6000)
        millrace.wait_for(lambda: set(self.posted) >= set(self.alerts(0, 6000)), 'all alerts', 120)
        first = list(dict.fromkeys(self.posted))
        self.assertEqual(set(spooled), set(first[:len(spooled)]))
        first.remove(0)
        self.assertEqual(sorted(first), first)

    def test_the_last_one_does_not_overtake(self):
        """A request is answered at the very moment at which the others behind it have waited too long. The program is stopped
        meanwhile, so that it sees both at once."""
        hold, answered = 3, threading.Event()

        def take(request):
            self.posted.append(request.json()['n'])
            answered.wait(60)
            return (200, {})

        millrace = self.serve(more='pool_max => 1', hold=f'{hold} s', timeout=600, arguments=('-w', '1'))
        self.sink_is_back(take)
        self.feed(0, 250)
        millrace.wait_for(lambda: self.posted, 'a request', 60)
        self.feed(250, 500)
        wanted = self.alerts(0, 500)
        millrace.wait_for(lambda: self.counts()['routed'] == len(wanted), 'what comes later', 60)
        millrace.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        answered.set()
        support.wait_until(lambda: unread_answers(self.sink) > 0 and time.monotonic() > stopped + hold, 'an answer')
        millrace.signal(signal.SIGCONT)
        millrace.wait_for(lambda: set(self.posted) == set(wanted), 'all alerts', 60)
        self.assertEqual(wanted, self.posted)
        self.assertEqual(0, millrace.stop())

    def test_a_beats_client_is_acknowledged_while_the_sink_is_down(self):
        port = support.free_port()
        millrace = self.serve(source=f'beats {{ host => "127.0.0.1" port => {port} }}')
        millrace.wait_for_port(port)
        with lumberjack.Client(port) as client:
            for window in range(30):
                client.send(lumberjack.batch([{'n': n, **({'alert': True} if n % 10 == 0 else {})}
                                              for n in range(window * 100, window * 100 + 100)]))
                while (acks := client.read_acks(1, 60)) and acks[0] != (2, 100):
                    self.assertNotIn(acks[0], (lumberjack.CLOSED, lumberjack.RESET))
                self.assertTrue(acks, 'no acknowledgement came')
        millrace.kill()
        self.sink_is_back()
        millrace = self.serve(source=f'beats {{ host => "127.0.0.1" port => {port} }}')
        millrace.wait_for(lambda: set(self.posted) >= set(range(0, 3000, 10)), 'all alerts', 60)

    def silent_sink(self):
        """Takes connections and never answers."""
        silent = socket.socket()
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(('127.0.0.1', self.sink))
        silent.listen(100)
        self.addCleanup(silent.close)
        return silent

    def test_what_is_in_flight_when_the_time_to_stop_is_over(self):
        """From an input that cannot send again, and with no time left for hold_max."""
        port = support.free_port()
        source = f'tcp {{ host => "127.0.0.1" port => {port} codec => json_lines }}'
        patient = {'source': source, 'hold': '1 h', 'timeout': 600}
        for lanes in '1', '2':
            with self.subTest(lanes=lanes):
                silent = self.silent_sink()
                millrace = self.serve(**patient, arguments=('--shutdown.timeout', '300 ms', '-w', lanes))
                millrace.wait_for_port(port)
                with socket.create_connection(('127.0.0.1', port)) as client:
                    client.sendall(b''.join(b'{"n":%d,"alert":true}\n' % n for n in range(3000)))
                millrace.wait_for(lambda: self.counts()['routed'] == 3000, 'all events', 60)
                self.assertEqual(0, millrace.stop())
                self.assertIn('goes to the spool', millrace.stderr)
                self.assertNotIn('were not delivered;', millrace.stderr)
                silent.close()
                server = self.sink_is_back()
                millrace = self.serve(**patient)
                millrace.wait_for(lambda: set(self.posted) == set(range(3000)), 'all alerts', 120)
                self.assertEqual(0, millrace.stop())
                server.close()
                self.posted.clear()

    def test_a_full_spool_holds_inputs_up(self):
        millrace = self.serve(more='spool_max_bytes => "500kb"', arguments=('--pipeline.memory', '8mb'))
        with open(self.folder / 'in.log', 'w') as log:
            log.write(''.join(json.dumps({'n': n, 'alert': True, 'text': 'x' * 2000}) + '\n' for n in range(5000)))
        millrace.wait_for_log('queue is full', 60)
        self.sink_is_back()
        millrace.wait_for(lambda: set(self.posted) >= set(range(5000)), 'all alerts', 180)

    def test_one_without_an_owner_is_named_and_kept(self):
        millrace = self.serve()
        self.feed(0, 5000)
        millrace.wait_for(lambda: self.counts()['spooled'] >= 90, 'the spool', 60)
        millrace.kill()
        text = 'input { stdin {} } output { null { id => "alerts" } }'
        other = self.run_to_end('-e', text)
        self.assertRegex(other.stderr, r'a spool has events for an output that is not there.*http-alerts events=\d+')
        self.sink_is_back()
        millrace = self.serve()
        millrace.wait_for(lambda: set(self.posted) >= set(self.alerts(0, 5000)), 'all alerts', 60)

    def test_what_is_refused_becomes_a_dead_letter(self):
        millrace = self.serve()
        self.feed(0, 2000)
        self.wait_documents(millrace, 2000)
        millrace.wait_for(lambda: self.counts()['spooled'] >= 30, 'the spool', 60)
        def refuse(request):
            n = request.json()['n']
            self.posted.append(n)
            return (400 if n == 100 else 200, {})
        self.sink_is_back(refuse)
        millrace.wait_for(lambda: set(self.posted) >= set(self.alerts(0, 2000)), 'all alerts', 60)
        millrace.wait_for(lambda: self.counts()['refused'] == 1, 'the refusal')
        self.assertEqual(0, millrace.stop())
        letters = self.run_to_end('dlq', 'show', '--path.data', self.folder / 'data').json_lines()
        self.assertEqual([100], [letter['event']['n'] for letter in letters])


class DropOldest(SpoolCase):
    def test_it_drops_and_counts(self):
        millrace = self.serve('drop_oldest')
        self.feed(0, self.COUNT)
        self.wait_documents(millrace, self.COUNT)
        millrace.wait_for(lambda: self.counts()['dropped'] >= 300, 'dropped alerts', 60)
        self.assertIn('longer than hold_max and are dropped', millrace.stderr)
        counts = self.counts()
        self.assertEqual(counts['routed'], counts['dropped'] + counts['in_flight'])
        self.sink_is_back()
        fed = self.COUNT

        def one_that_came_later():
            """What comes before the destination is tried again may wait too long as well, and is dropped."""
            nonlocal fed
            self.feed(fed, fed + self.EACH)
            fed += self.EACH
            return any(n >= self.COUNT for n in self.posted)
        millrace.wait_for(one_that_came_later, 'one that came later', 60)
        self.assertEqual(0, millrace.stop())

    def test_who_is_dead_is_waited_for_once(self):
        """Each of the client's windows has an alert for a sink that is not there: the first waits for hold_max, the others do not."""
        port = support.free_port()
        for how, counter in ('drop_oldest', 'dropped'), ('dead_letter', 'set_aside'):
            with self.subTest(on_full=how):
                millrace = self.serve(how, source=f'beats {{ host => "127.0.0.1" port => {port} }}', hold='1 s')
                millrace.wait_for_port(port)
                with lumberjack.Client(port) as client:
                    for window in range(20):
                        client.send(lumberjack.batch([{'n': n, 'alert': True} for n in range(window * 10, window * 10 + 10)]))
                        acked = False
                        while not acked:
                            acks = client.read_acks(1, 60)
                            self.assertTrue(acks, 'no acknowledgement came')
                            self.assertNotIn(acks[0][0], (lumberjack.CLOSED, lumberjack.RESET))
                            acked = acks[0] == (2, 10)
                counts = self.counts()
                self.assertEqual(200, counts[counter] + counts['in_flight'])
                taken = self.sink_is_back()
                with lumberjack.Client(port) as client:
                    def one_that_came_later():
                        client.send(lumberjack.batch([{'n': 1000, 'alert': True}]))
                        return 1000 in self.posted
                    millrace.wait_for(one_that_came_later, 'one that came later', 60)
                self.assertEqual(0, millrace.stop())
                taken.close()
                self.posted.clear()
        letters = self.run_to_end('dlq', 'show', '--path.data', self.folder / 'data').json_lines()
        self.assertGreater(sum('took nothing' in letter['reason'] for letter in letters), 150)


if __name__ == '__main__':
    unittest.main()
