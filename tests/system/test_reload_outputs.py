# SPDX-License-Identifier: Apache-2.0
"""Outputs that change while their pipeline runs: what was under way goes to the new one, or to its spool, each event once; the client
keeps its connection, and nobody waits for the destination that is being taken away."""
import json
import re
import signal
import threading
import urllib.request

import lumberjack
import search_stub
import support
import test_isolation

WINDOW = 20
QUICK = 'retry_initial_interval => "10 ms" retry_max_interval => "50 ms"'
FAIL_SLOWLY = 'timeout => 60'  # a request in a black hole would end by itself only then


class Sink:
    """Takes events, one or a list in a request, and counts how often each came."""

    def __init__(self, port=0, status=200):
        self.counts, self.lock, self.status = {}, threading.Lock(), status
        self.server = support.Recorder(self._answer, port)
        self.port, self.close = self.server.port, self.server.close

    def _answer(self, request):
        body = request.json()
        with self.lock:
            for event in body if isinstance(body, list) else [body]:
                self.counts[event['n']] = self.counts.get(event['n'], 0) + (self.status < 300)
        return self.status, {}

    @property
    def numbers(self):
        with self.lock:
            return {n for n, count in self.counts.items() if count > 0}

    @property
    def tried(self):
        with self.lock:
            return set(self.counts)


class Case(support.Case):
    WORKERS = 2

    def setUp(self):
        super().setUp()
        self.port, self.api = support.free_port(), support.free_port()
        self.sent = 0

    def sink(self, **options):
        sink = Sink(**options)
        self.addCleanup(sink.close)
        return sink

    def stub(self):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        return stub

    def hole(self, kind):
        hole = kind()
        self.addCleanup(hole.close)
        return hole

    def text(self, output, version=0):
        return (f'input {{ beats {{ host => "127.0.0.1" port => {self.port} }} }} '
                f'filter {{ mutate {{ add_field => {{ "v" => "{version}" }} }} }} output {{ {output} }}')

    def serve(self, text, *arguments):
        self.config = self.write('p.conf', text)
        millrace = self.start('-f', self.config, '-w', self.WORKERS, '--api.http.port', self.api, *arguments)
        millrace.wait_for_port(self.port)
        millrace.wait_for_port(self.api)
        return millrace

    def write_config(self, text):
        """At once: millrace never sees half of it."""
        whole = self.write('p.conf.new', text)
        whole.replace(self.config)

    def reload(self, millrace, text, pattern='a pipeline runs as it was changed'):
        self.write_config(text)
        before = len(re.findall(pattern, millrace.stderr))
        millrace.signal(signal.SIGHUP)
        millrace.wait_for(lambda: len(re.findall(pattern, millrace.stderr)) > before, f'/{pattern}/ after SIGHUP', 30)

    def send(self, client, count=WINDOW, **fields):
        """A window of numbered events; acknowledged or not."""
        client.send(lumberjack.batch([{'n': n, **fields} for n in range(self.sent, self.sent + count)]))
        self.sent += count

    def wait_acknowledged(self, client, count=WINDOW):
        while (acks := client.read_acks(1, 60 * support.PATIENCE)) and acks[0] != (2, count):
            self.assertNotIn(acks[0], (lumberjack.CLOSED, lumberjack.RESET))
        self.assertTrue(acks, 'no acknowledgement came')

    def outputs(self):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.api}/_node/stats/pipelines/main', timeout=30) as answer:
            return json.load(answer)['pipelines']['main']['plugins']['outputs']

    def counts(self, plugin):
        return next(output['events'] for output in self.outputs() if output['id'] == plugin)

    def wait_events(self, millrace, sink, numbers):
        millrace.wait_for(lambda: sink.numbers >= set(numbers), 'all events', 60)

    def check_once(self, millrace, sink, numbers):
        self.wait_events(millrace, sink, numbers)
        self.assertEqual({n: 1 for n in numbers}, {n: count for n, count in sink.counts.items() if count})

    def wait_books(self, millrace, plugin, count):
        def balance():
            counts = self.counts(plugin)
            return (counts['in'], counts['delivered'], counts['in_flight']) == (count, count, 0)
        millrace.wait_for(balance, f'{count} events in and out', 30)

    def stop_in_place(self, millrace):
        """The engine has been the same one all the time."""
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('pipeline started'), millrace.stderr)


HTTP = 'http { @ID@ url => "http://127.0.0.1:@PORT@/" http_method => "post" format => "json" request_timeout => 60 @MORE@ }'
DEAD = (test_isolation.Refusing, test_isolation.Silent, test_isolation.Failing)


def http(port, more='', id='id => "alerts"'):
    return support.fill(HTTP, ID=id, PORT=port, MORE=more)


class HandsOn(Case):
    def test_what_is_under_way_goes_to_the_changed_output(self):
        """Nothing of it waits for the destination that is gone, and the window is acknowledged on its connection."""
        for kind in DEAD:
            for named in ('id => "alerts"', ''):
                with self.subTest(f'{kind.__name__} {named}'):
                    self.sent = 0
                    hole, sink = self.hole(kind), self.sink()
                    millrace = self.serve(self.text(http(hole.port, id=named)))
                    with lumberjack.Client(self.port, 60) as client:
                        self.send(client)
                        millrace.wait_for(lambda: self.outputs()[0]['events']['in'] == WINDOW, 'the events', 30)
                        self.reload(millrace, self.text(http(sink.port, id=named), 1))
                        self.wait_acknowledged(client)
                        self.send(client)
                        self.wait_acknowledged(client)
                    self.check_once(millrace, sink, range(2 * WINDOW))
                    self.stop_in_place(millrace)

    def test_of_a_bulk_output_over_lanes(self):
        """Documents that were encoded before keep their version; those of a request that was refused come once."""
        stub, other = self.stub(), self.stub()
        stub.failing = 503

        def text(server, version):
            return self.text(f'elasticsearch {{ id => "documents" hosts => ["{server.address}"] index => "i" data_stream => false {QUICK} }}',
                             version)
        millrace = self.serve(text(stub, 0))
        with lumberjack.Client(self.port, 60) as client, lumberjack.Client(self.port, 60) as second:
            for _ in range(3):
                self.send(client)
                self.send(second)
            millrace.wait_for(lambda: self.outputs()[0]['events']['in'] == 6 * WINDOW and stub.bulks > 0, 'the events', 30)
            self.reload(millrace, text(other, 1))
            for _ in range(3):
                self.wait_acknowledged(client)
                self.wait_acknowledged(second)
        self.assertEqual(sorted((n, '0') for n in range(6 * WINDOW)), sorted((s['n'], s['v']) for _, _, s in other.documents))
        self.wait_books(millrace, 'documents', 6 * WINDOW)
        self.stop_in_place(millrace)

    def test_in_order(self):
        """One lane: what was under way comes first, as it came."""
        hole, sink, order = self.hole(test_isolation.Failing), None, []
        taken = self.recorder(lambda request: (order.append(request.json()['n']), (200, {}))[1])
        self.WORKERS = 1
        millrace = self.serve(self.text(http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            for _ in range(3):
                self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['in'] == 3 * WINDOW, 'the events', 30)
            self.reload(millrace, self.text(http(taken.port), 1))
            self.send(client)
            for _ in range(4):
                self.wait_acknowledged(client)
        self.assertEqual(list(range(4 * WINDOW)), order)
        self.stop_in_place(millrace)

    def test_only_the_id_changes(self):
        hole, sink = self.hole(test_isolation.Failing), None
        millrace = self.serve(self.text(http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['in'] == WINDOW, 'the events', 30)
            self.reload(millrace, self.text(http(hole.port, id='id => "other"'), 1))
            millrace.wait_for(lambda: self.counts('other')['in'] == WINDOW, 'the events at the other name', 30)
            hole.close()
            sink = self.sink(port=hole.port)
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(WINDOW))
        self.stop_in_place(millrace)

    def test_an_output_that_encodes_otherwise_encodes_what_is_under_way_anew(self):
        """From what is kept for dead letters: with fields and @metadata as the filters left them."""
        texts = []
        taken = self.recorder(lambda request: (texts.append(request.body.decode()), (200, {}))[1])

        def text(port, version, output):
            return self.text(http(port).replace('format => "json"', output), version).replace(
                'filter {', 'filter { mutate { add_field => { "[@metadata][m]" => "M%{n}" } remove_field => ["@version", "@timestamp", "event"] }')
        for kind in DEAD:
            for before in ('format => "json"', 'format => "message" message => "broken"', 'format => "json_batch"'):
                with self.subTest(f'{kind.__name__} {before}'):
                    self.sent, hole = 0, self.hole(kind)
                    texts.clear()
                    millrace = self.serve(text(hole.port, 0, before))
                    with lumberjack.Client(self.port, 60) as client:
                        self.send(client)
                        millrace.wait_for(lambda: self.counts('alerts')['in'] == WINDOW, 'the events', 30)
                        self.reload(millrace, text(taken.port, 1, 'format => "message" message => "%{n} %{v} %{[@metadata][m]} %{@version} %{@timestamp}"'))
                        self.wait_acknowledged(client)
                    self.assertEqual(sorted(f'{n} 0 M{n} %{{@version}} %{{@timestamp}}' for n in range(WINDOW)), sorted(texts))
                    self.wait_books(millrace, 'alerts', WINDOW)
                    self.stop_in_place(millrace)

    def test_without_dead_letters_an_output_that_encodes_otherwise_gets_its_events_again(self):
        """What the old one made would be wrong for the new one: the origin sends it again, to a program that makes it right."""
        hole, sink = self.hole(test_isolation.Failing), self.sink()
        millrace = self.serve(self.text(http(hole.port)), '--no-dead_letter_queue.enable')
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['in'] == WINDOW, 'the events', 30)
            self.reload(millrace, self.text(http(sink.port).replace('"json"', '"json_batch"'), 1))
            self.assertEqual(lumberjack.CLOSED, client.read_acks(1, 60 * support.PATIENCE)[-1])
        self.sent = 0
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(WINDOW))
        self.stop_in_place(millrace)

    def test_two_without_names_do_not_take_from_each_other(self):
        """Which of them is which nobody can tell: what the one that is gone had is given up, not posted to the other's server."""
        hole, sink, other = self.hole(test_isolation.Failing), self.sink(), self.sink()
        millrace = self.serve(self.text(http(hole.port, id='') + f'if [x] {{ {http(other.port, id="")} }}'))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.outputs()[0]['events']['in'] == WINDOW, 'the events', 30)
            self.reload(millrace, self.text(f'if [x] {{ {http(other.port, "keepalive => false", id="")} }} {http(sink.port, id="")}', 1))
            self.assertEqual(lumberjack.CLOSED, client.read_acks(1, 60 * support.PATIENCE)[-1])
        self.assertEqual({}, other.counts)
        self.assertEqual(0, millrace.stop())

    def test_the_condition_around_it_changes(self):
        hole, sink = self.hole(test_isolation.Failing), None
        output = http(hole.port)
        millrace = self.serve(self.text(f'if [n] >= 0 {{ {output} }}'))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['in'] == WINDOW, 'the events', 30)
            self.reload(millrace, self.text(f'if [n] >= {WINDOW + 5} {{ {output} }}', 1))
            self.send(client)
            hole.close()
            sink = self.sink(port=hole.port)
            for _ in range(2):
                self.wait_acknowledged(client)
        self.check_once(millrace, sink, [*range(WINDOW), *range(WINDOW + 5, 2 * WINDOW)])
        self.stop_in_place(millrace)

    def test_ten_in_a_row_over_an_outage(self):
        """Each version takes over from the one before while requests hang or fail; windows come between. With a disk queue too."""
        for kind in DEAD:
            for queue in ((), ('--queue.type', 'persisted')):
                with self.subTest(f'{kind.__name__} {queue}'):
                    self.sent = 0
                    hole, sink = self.hole(kind), self.sink()
                    millrace = self.serve(self.text(http(hole.port)), *queue, '--path.data', self.folder / f'data-{kind.__name__}-{len(queue)}')
                    with lumberjack.Client(self.port, 60) as client:
                        for version in range(1, 11):
                            self.send(client)
                            port = hole.port if version < 10 else sink.port
                            self.reload(millrace, self.text(http(port, f'pool_max => {version + 5}'), version))
                        for _ in range(10):
                            self.wait_acknowledged(client)
                    self.check_once(millrace, sink, range(10 * WINDOW))
                    self.stop_in_place(millrace)


SPOOL = 'on_full => "spool" hold_max => "200 ms" @MORE@'


class Spooled(Case):
    def http(self, port, more='', id='id => "alerts"'):
        return http(port, support.fill(SPOOL, MORE=more), id)

    def spool_left(self):
        folder = self.folder / 'data/spool/main/http-alerts'
        return sorted(file.name for file in folder.iterdir())

    def fill_spool(self, millrace, client, windows=3):
        """Answers when they are acknowledged: what is not under way is in the spool."""
        for _ in range(windows):
            self.send(client)
        millrace.wait_for(lambda: self.counts('alerts')['spooled'] > 0, 'a spool', 30)

    def test_the_spool_goes_to_the_changed_output(self):
        for kind in DEAD:
            with self.subTest(kind.__name__):
                self.sent = 0
                hole, sink = self.hole(kind), self.sink()
                millrace = self.serve(self.text(self.http(hole.port)))
                with lumberjack.Client(self.port, 60) as client:
                    self.fill_spool(millrace, client)
                    self.reload(millrace, self.text(self.http(sink.port, 'spool_max_bytes => "2mb"'), 1))
                    for _ in range(3):
                        self.wait_acknowledged(client)
                    self.send(client)
                    self.wait_acknowledged(client)
                self.check_once(millrace, sink, range(4 * WINDOW))
                self.stop_in_place(millrace)
                self.assertEqual(['lock'], self.spool_left())

    def test_ten_in_a_row_over_an_outage(self):
        for kind in DEAD:
            with self.subTest(kind.__name__):
                self.sent = 0
                hole, sink = self.hole(kind), self.sink()
                millrace = self.serve(self.text(self.http(hole.port)))
                with lumberjack.Client(self.port, 60) as client:
                    for version in range(1, 11):
                        self.send(client)
                        port = hole.port if version < 10 else sink.port
                        self.reload(millrace, self.text(self.http(port, f'pool_max => {version + 5}'), version))
                    for _ in range(10):
                        self.wait_acknowledged(client)
                self.check_once(millrace, sink, range(10 * WINDOW))
                self.stop_in_place(millrace)
                self.assertEqual(['lock'], self.spool_left())

    def test_one_that_encodes_otherwise_sends_what_the_spool_has_as_it_is(self):
        """The message of the old one: what was under way goes to the spool at once, and from there."""
        texts = []
        hole = self.hole(test_isolation.Silent)
        taken = self.recorder(lambda request: (texts.append(request.body.decode()), (200, {}))[1])

        def text(port, message, version):
            return self.text(self.http(port, f'message => "{message} %{{n}}"').replace('"json"', '"message"'), version)
        millrace = self.serve(text(hole.port, 'old', 0))
        with lumberjack.Client(self.port, 60) as client:
            self.fill_spool(millrace, client)
            self.reload(millrace, text(taken.port, 'new', 1))
            for _ in range(3):
                self.wait_acknowledged(client)
            self.send(client)
            self.wait_acknowledged(client)
        millrace.wait_for(lambda: len(texts) >= 4 * WINDOW, 'all events', 60)
        self.stop_in_place(millrace)
        self.assertEqual(sorted([f'old {n}' for n in range(3 * WINDOW)] + [f'new {n}' for n in range(3 * WINDOW, 4 * WINDOW)]), sorted(texts))
        self.assertEqual(['lock'], self.spool_left())

    def test_a_removed_one_leaves_its_spool_and_says_so(self):
        """It is back, with the name that it had, and so are its events; also when it was away for a moment only."""
        for waits in (True, False):
            with self.subTest(waits=waits):
                self.sent = 0
                stub, hole = self.stub(), self.hole(test_isolation.Silent)
                documents = f'elasticsearch {{ hosts => ["{stub.address}"] index => "i" data_stream => false }}'
                millrace = self.serve(self.text(documents + self.http(hole.port)), '--path.data', self.folder / f'data-{waits}')
                with lumberjack.Client(self.port, 60) as client:
                    self.fill_spool(millrace, client)
                    self.reload(millrace, self.text(documents, 1))
                    self.send(client)
                    if waits:
                        for _ in range(4):
                            self.wait_acknowledged(client)
                        said = millrace.wait_for_log(r'has left events in its spool.*http-alerts events=(\d+)', 60)
                        self.assertEqual(3 * WINDOW, int(said[1]))
                    hole.close()
                    sink = self.sink(port=hole.port)
                    self.reload(millrace, self.text(documents + self.http(hole.port), 2))
                    self.send(client)
                    for _ in range(1 if waits else 5):
                        self.wait_acknowledged(client)
                wanted = [*range(3 * WINDOW), *range(4 * WINDOW, 5 * WINDOW)]
                self.check_once(millrace, sink, wanted)
                self.assertEqual(list(range(5 * WINDOW)), sorted(source['n'] for _, _, source in stub.documents))
                self.stop_in_place(millrace)
                self.assertEqual(waits, 'has left events in its spool' in millrace.stderr)

    def test_one_gets_a_spool_and_loses_it(self):
        hole, sink = self.hole(test_isolation.Failing), None
        millrace = self.serve(self.text(http(hole.port)))
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.counts('alerts')['in'] == WINDOW, 'the events', 30)
            self.reload(millrace, self.text(self.http(hole.port), 1))
            self.send(client)
            for _ in range(2):
                self.wait_acknowledged(client)
            hole.close()
            sink = self.sink(port=hole.port)
            self.wait_events(millrace, sink, range(2 * WINDOW))
            self.reload(millrace, self.text(http(hole.port), 2))
            self.send(client)
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(3 * WINDOW))
        self.stop_in_place(millrace)
        self.assertNotIn('has left events', millrace.stderr)


class Links(Case):
    """Outputs to other pipelines."""

    def yml(self, **pipelines):
        self.write('settings/pipelines.yml', ''.join(
            f'- pipeline.id: {name}\n  config.string: {json.dumps(text)}\n' for name, text in pipelines.items()))
        return '--path.settings', self.folder / 'settings'

    def start_yml(self, **pipelines):
        millrace = self.start(*self.yml(**pipelines), '-w', self.WORKERS, '--api.http.port', self.api)
        millrace.wait_for_port(self.port)
        millrace.wait_for_port(self.api)
        return millrace

    def reload_yml(self, millrace, **pipelines):
        before = millrace.stderr.count('a pipeline runs as it was changed')
        self.yml(**pipelines)
        millrace.signal(signal.SIGHUP)
        millrace.wait_for(lambda: millrace.stderr.count('a pipeline runs as it was changed') > before, 'the reload', 30)

    def receiver(self, address, port):
        return f'input {{ pipeline {{ address => "{address}" }} }} output {{ {http(port)} }}'

    def test_a_link_changes_and_what_waits_at_it_goes_on(self):
        """Nobody takes events at the first address; the second one has all of them, on the same connection."""
        sink = self.sink()
        receiver = self.receiver('x', sink.port)
        millrace = self.start_yml(main=self.text('pipeline { send_to => ["nobody"] }'), receiver=receiver)
        with lumberjack.Client(self.port, 60) as client:
            for _ in range(3):
                self.send(client)
            millrace.wait_for(lambda: self.outputs()[0]['events']['in'] == 3 * WINDOW, 'the events', 30)
            self.reload_yml(millrace, main=self.text('pipeline { send_to => ["x"] }', 1), receiver=receiver)
            for _ in range(3):
                self.wait_acknowledged(client)
            self.send(client)
            self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(4 * WINDOW))
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('pipeline started pipeline=main'))

    def test_an_address_that_has_had_them_gets_them_once(self):
        """Of two addresses only the second is new; it is what they waited for."""
        first, second = self.sink(), self.sink()
        receivers = {'one': self.receiver('x', first.port), 'two': self.receiver('y', second.port)}
        millrace = self.start_yml(main=self.text('pipeline { id => "out" send_to => ["x", "nobody"] }'), **receivers)
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_events(millrace, first, range(WINDOW))
            self.reload_yml(millrace, main=self.text('pipeline { id => "out" send_to => ["y", "x"] }', 1), **receivers)
            self.wait_acknowledged(client)
        self.check_once(millrace, first, range(WINDOW))
        self.check_once(millrace, second, range(WINDOW))
        self.assertEqual(0, millrace.stop())

    def test_a_filter_changes_while_events_wait_at_a_link(self):
        """They have been through the filters: the reload does not wait for the other pipeline."""
        sink = self.sink()
        main = 'pipeline { send_to => ["x"] }'
        millrace = self.start_yml(main=self.text(main), other='input { pipeline { address => "unused" } } output { null { } }')
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            millrace.wait_for(lambda: self.outputs()[0]['events']['in'] == WINDOW, 'the events', 30)
            for version in range(1, 4):
                self.reload_yml(millrace, main=self.text(main, version), other='input { pipeline { address => "unused" } } output { null { } }')
            self.send(client)
            self.reload_yml(millrace, main=self.text(main, 4), other=self.receiver('x', sink.port))
            for _ in range(2):
                self.wait_acknowledged(client)
        self.check_once(millrace, sink, range(2 * WINDOW))
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('pipeline started pipeline=main'))

    def test_a_link_is_added_and_removed(self):
        """What waits at one that is removed is given up in the end, and sent again: to where the file says then."""
        stub, sink = self.stub(), self.sink()
        documents = f'elasticsearch {{ hosts => ["{stub.address}"] index => "i" data_stream => false }}'
        receiver = self.receiver('x', sink.port)
        millrace = self.start_yml(main=self.text(documents), receiver=receiver)
        with lumberjack.Client(self.port, 60) as client:
            self.send(client)
            self.wait_acknowledged(client)
            self.reload_yml(millrace, main=self.text(documents + 'pipeline { send_to => ["x"] }', 1), receiver=receiver)
            self.send(client)
            self.wait_acknowledged(client)
            self.check_once(millrace, sink, range(WINDOW, 2 * WINDOW))
            self.reload_yml(millrace, main=self.text(documents, 2), receiver=receiver)
            self.send(client)
            self.wait_acknowledged(client)
            self.reload_yml(millrace, main=self.text(documents + 'pipeline { send_to => ["nobody"] }', 3), receiver=receiver)
            self.send(client)
            millrace.wait_for(lambda: len(stub.documents) == 4 * WINDOW, 'documents', 30)
            self.reload_yml(millrace, main=self.text(documents, 4), receiver=receiver)
            self.assertEqual(lumberjack.CLOSED, client.read_acks(1, 60 * support.PATIENCE)[-1])
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count('pipeline started pipeline=main'))
        self.check_once(millrace, sink, range(WINDOW, 2 * WINDOW))
