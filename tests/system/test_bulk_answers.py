# SPDX-License-Identifier: Apache-2.0
"""The elasticsearch output against a server that answers as servers rarely do: every document is accounted for."""
import gzip
import json
import signal
import socket
import struct
import threading

import search_stub
import support

FAST = 'retry_initial_interval => "10 ms" retry_max_interval => "50 ms" resurrect_delay => "50 ms" '


def ids_of(request):
    """The ids of a bulk request's items, in order."""
    return [next(iter(json.loads(line).values()))['_id'] for line in request.body.splitlines()[::2]]


def reply(items, errors=None, **more):
    """A bulk reply from (status, error type) pairs."""
    entries = [{'index': {'status': status, **({'error': {'type': kind, 'reason': 'because'}} if kind else {})}}
               for status, kind in items]
    return {'errors': any(kind for _, kind in items) if errors is None else errors, 'items': entries, **more}


def all_well(request):
    return 200, reply([(201, None)] * len(ids_of(request)))


class Bulk(support.Case):
    def start_pipeline(self, ports, *arguments, count=10, options='', stdin=None):
        hosts = ', '.join(f'"127.0.0.1:{port}"' for port in ports)
        pipeline = ('input { stdin { codec => json_lines } } output { elasticsearch { '
                    f'hosts => [{hosts}] index => "i" document_id => "%{{n}}" {FAST} {options} }} }}')
        documents = ''.join(json.dumps({'n': n}) + '\n' for n in range(count)).encode()
        return self.start('-w', '1', '--counters', 'counters.json', '-e', pipeline, *arguments,
                          stdin=documents if stdin is None else stdin)

    def counters(self):
        counters = json.loads((self.folder / 'counters.json').read_text())
        return counters['pipelines']['main']['plugins']['outputs'][0]['events']

    def serve(self, *answers):
        """A server whose bulk requests get these answers in turn, the last one for ever; each is a function of the
        request. The bulk requests are collected in self.bulks."""
        self.bulks = []

        def answer(request):
            if '_bulk' not in request.path:
                return 200, search_stub.INFO
            self.bulks.append(request)
            return answers[min(len(self.bulks), len(answers)) - 1](request)
        return self.recorder(answer)

    def delivered(self, *answers, options='', delivered=10, refused=0, conflicts=0):
        """Runs ten documents against the answers and checks the counters; returns the ids of each bulk request."""
        server = self.serve(*answers)
        millrace = self.start_pipeline([server.port], options=options)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        counters = self.counters()
        self.assertEqual({'delivered': delivered, 'refused': refused, 'conflicts': conflicts, 'routed': 10},
                         {key: counters[key] for key in ('delivered', 'refused', 'conflicts', 'routed')})
        self.log = millrace.stderr
        return [ids_of(request) for request in self.bulks]


class Items(Bulk):
    def test_only_the_items_that_failed_are_sent_again(self):
        def some(request):
            return 200, reply([(429, 'rejected') if n % 2 else (201, None) for n in range(len(ids_of(request)))])
        first, second, *_ = self.delivered(some, all_well)
        self.assertEqual([str(n) for n in range(10)], first)
        self.assertEqual(['1', '3', '5', '7', '9'], second)
        self.assertIn('429 rejected: because', self.log)

    def test_every_status_has_its_effect(self):
        statuses = [(200, None), (201, None), (409, 'conflict'), (400, 'bad'), (404, 'gone'), (403, 'blocked'),
                    (413, 'large'), (429, 'busy'), (500, 'broken'), (503, 'away')]
        bulks = self.delivered(lambda request: (200, reply(statuses)), all_well, delivered=7, refused=2, conflicts=1)
        self.assertEqual(['5', '6', '7', '8', '9'], bulks[1])
        self.assertIn('400 bad: because', self.log)

    def test_error_types_can_be_dropped_and_statuses_refused(self):
        def some(request):
            return 200, reply([(500, 'unwanted')] * 2 + [(422, 'odd')] * 3 + [(201, None)] * 5)
        self.delivered(some, options='drop_error_types => ["unwanted"] dlq_custom_codes => [422]', delivered=5, refused=5)

    def test_answers_without_items(self):
        self.delivered(lambda request: (200, {'errors': False}))
        self.assertNotIn('sent again', self.log)

    def test_too_few_items(self):
        bulks = self.delivered(lambda request: (200, reply([(201, None)] * 4)), all_well)
        self.assertEqual([str(n) for n in range(10)], bulks[1])
        self.assertIn('does not name every document', self.log)

    def test_too_many_items(self):
        bulks = self.delivered(lambda request: (200, reply([(201, None)] * 12)), all_well)
        self.assertEqual([[str(n) for n in range(10)]] * 2, bulks)
        self.assertIn('names more documents than were sent', self.log)

    def test_answers_that_are_no_bulk_reply(self):
        for body in ('', '<html>', '[]', '{}', '{"errors":true}', 'null'):
            with self.subTest(body=body):
                self.assertGreater(len(self.delivered(lambda request: (200, body), all_well)), 1)


class Rules(Bulk):
    """The user's table: what becomes of which answer, counted."""

    def counts(self, answers, options, expected):
        server = self.serve(*answers)
        millrace = self.start_pipeline([server.port], '--path.data', 'data', options=options)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        counters = self.counters()
        self.assertEqual(expected, {key: counters[key] for key in expected}, millrace.stderr)
        self.log = millrace.stderr
        return [ids_of(request) for request in self.bulks]

    def letters(self):
        """The reasons of the dead letters, in order."""
        shown = self.start('dlq', 'show', '--path.data', 'data')
        shown.wait()
        return [letter['reason'] for letter in shown.json_lines()]

    def test_of_documents(self):
        statuses = [(400, 'mapper_parsing_exception'), (400, 'other'), (403, 'blocked'), (422, 'odd'), (500, 'broken'),
                    (503, 'away'), (404, 'gone'), (429, 'busy'), (201, None), (409, 'conflict')]
        bulks = self.counts([lambda request: (200, reply(statuses)), all_well],
                            'retry => { "400 mapper_parsing_exception" => "drop" "403" => "dead_letter" "5xx" => "drop" '
                            '"503" => "retry" "404" => "retry" "409" => "dead_letter" "422" => "hold" }',
                            {'routed': 10, 'dropped': 2, 'refused': 3, 'conflicts': 0, 'delivered': 5})
        self.assertEqual(['3', '5', '6', '7'], sorted(n for ids in bulks[1:] for n in ids))
        self.assertEqual(['400 other: because', '403 blocked: because', '409 conflict: because'], sorted(self.letters()))

    def test_of_requests(self):
        for status, action, expected in ((503, 'dead_letter', {'refused': 10}), (403, 'drop', {'dropped': 10}),
                                         (400, 'retry', {'delivered': 10}), (500, 'hold', {'delivered': 10})):
            with self.subTest(status=status, action=action):
                self.counts([lambda request: (status, {'error': {'type': 'kind', 'reason': 'why'}, 'status': status}),
                             all_well], f'retry => {{ "{status}" => "{action}" }}', {'routed': 10, **expected})

    def test_tries_are_counted_for_each_document(self):
        def odd(request):
            return 200, reply([(429, 'busy') if int(n) % 2 else (201, None) for n in ids_of(request)])
        bulks = self.counts([odd], 'retry_max_attempts => 3', {'routed': 10, 'delivered': 5, 'refused': 5})
        self.assertEqual({'1': 3, '3': 3, '5': 3, '7': 3, '9': 3},
                         {n: sum(ids.count(n) for ids in bulks) for n in '13579'})
        self.assertEqual(['429 busy: because'] * 5, self.letters())

    def test_an_outage_uses_up_no_tries(self):
        outage = [lambda request: (503, 'from a proxy')] * 6
        bulks = self.counts(outage + [all_well], 'retry_max_attempts => 2', {'routed': 10, 'delivered': 10, 'refused': 0})
        self.assertGreater(len(bulks), 6)

    def test_age(self):
        self.counts([lambda request: (200, reply([(500, 'broken')] * len(ids_of(request))))], 'retry_max_age => "300 ms"',
                    {'routed': 10, 'delivered': 0, 'refused': 10})
        self.assertGreater(len(self.bulks), 1)
        self.assertEqual(['500 broken: because'] * 10, self.letters())

    def test_held_documents_do_not_age(self):
        busy = [lambda request: (200, reply([(500, 'broken')] * len(ids_of(request))))] * 5
        self.counts(busy + [all_well], 'retry_max_attempts => 2 retry => { "500" => "hold" }',
                    {'routed': 10, 'delivered': 10, 'refused': 0})

    def test_mistakes_are_told_with_their_place(self):
        millrace = self.start_pipeline([1], options='retry => { "500" => "later" }')
        self.assertEqual(1, millrace.wait())
        self.assertIn("retry: 'later' is not one of retry, dead_letter, drop, hold", millrace.stderr)


class Requests(Bulk):
    def test_statuses_of_a_whole_request_are_tried_again(self):
        for status in (401, 403, 404, 429, 500, 502, 503, 504, 302, 400):
            with self.subTest(status=status):
                bulks = self.delivered(lambda request: (status, 'from a proxy'), all_well)
                self.assertEqual({str(n) for n in range(10)}, {n for ids in bulks[1:] for n in ids})

    def test_retry_after_is_obeyed(self):
        times = []

        def busy(request):
            times.append(support.time.monotonic())
            return 429, '', {'retry-after': '1'}

        def taken(request):
            times.append(support.time.monotonic())
            return all_well(request)
        self.delivered(busy, taken)
        self.assertGreaterEqual(times[1] - times[0], 0.9)

    def test_a_request_that_is_too_large_is_cut(self):
        def small(request):
            return (413, '') if len(request.body) > 400 else all_well(request)
        bulks = self.delivered(small)
        taken = [ids for request, ids in zip(self.bulks, bulks) if len(request.body) <= 400]
        self.assertEqual([str(n) for n in range(10)], [n for ids in taken for n in ids])

    def test_a_document_that_is_too_large_is_refused(self):
        def picky(request):
            return (413, '') if '7' in ids_of(request) else all_well(request)
        self.delivered(picky, delivered=9, refused=1)
        self.assertIn('larger than the server takes', self.log)

    def test_a_document_that_breaks_the_request_is_refused(self):
        def strict(request):
            if '3' in ids_of(request):
                return 400, {'error': {'type': 'parse_exception', 'reason': 'what is that'}, 'status': 400}
            return all_well(request)
        self.delivered(strict, delivered=9, refused=1)
        self.assertIn('400 parse_exception: what is that', self.log)

    def test_a_request_that_is_wrong_itself_is_held(self):
        """No document is to blame when none gets through: they wait until somebody mends the configuration."""
        mended = threading.Event()

        def unknown_parameter(request):
            if mended.is_set():
                return all_well(request)
            return 400, {'error': {'type': 'illegal_argument_exception',
                                   'reason': 'request [/_bulk] contains unrecognized parameter: [foo]'}, 'status': 400}
        server = self.serve(unknown_parameter)
        millrace = self.start_pipeline([server.port], options='parameters => { "foo" => "bar" }')
        millrace.wait_for(lambda: any(len(ids_of(request)) == 1 for request in self.bulks), 'a lone document')
        millrace.wait_for(lambda: len(self.bulks) > 12, 'more attempts')
        self.assertTrue(millrace.is_running())
        mended.set()
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual((10, 0), (self.counters()['delivered'], self.counters()['refused']))
        self.assertIn('unrecognized parameter', millrace.stderr)

    def test_several_documents_that_break_requests_are_refused_alone(self):
        def strict(request):
            if {'0', '1', '7'} & set(ids_of(request)):
                return 400, {'error': {'type': 'parse_exception', 'reason': 'what is that'}, 'status': 400}
            return all_well(request)
        self.delivered(strict, delivered=7, refused=3)

    def test_items_that_fail_for_ever_hold_up_nothing(self):
        """One document in a hundred is refused with 429 and 500 each time; the others pass, also from a second on."""
        bad = {str(n) for n in range(0, 5000, 100)}

        def some(request):
            return 200, reply([((429, 500)[int(n) % 200 == 0], 'busy') if n in bad else (201, None)
                               for n in ids_of(request)])
        server = self.serve(some)
        millrace = self.start_pipeline([server.port], '--pipeline.ordered', 'false', count=5000,
                                       options='bulk_max_bytes => 4096')

        def passed():
            return [n for request in list(self.bulks) for n in ids_of(request) if n not in bad]
        millrace.wait_for(lambda: len(passed()) >= 4950, 'the healthy documents')
        self.assertEqual(4950, len(set(passed())))
        self.assertEqual(4950, len(passed()), 'a healthy document was sent again for the sake of others')

    def test_a_share_of_requests_that_fail(self):
        """Every third request is refused: everything arrives, in requests that stay large."""
        def third(request):
            return (503, '') if len(self.bulks) % 3 == 0 else all_well(request)
        server = self.serve(third)
        millrace = self.start_pipeline([server.port], '--pipeline.ordered', 'false', count=3000,
                                       options='bulk_max_bytes => 4096')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(3000, self.counters()['delivered'])
        sizes = [len(ids_of(request)) for request in self.bulks]
        self.assertGreater(sorted(sizes)[len(sizes) // 2], 20)  # 24 of them are 4096 bytes

    def test_an_answer_in_a_coding_that_was_not_asked_for(self):
        def packed(request):
            body = gzip.compress(json.dumps(reply([(201, None)] * len(ids_of(request)))).encode())
            return 200, body, {'content-encoding': 'gzip'}
        self.assertEqual(1, len(self.delivered(packed)))

    def test_the_innermost_cause_is_named_and_values_are_not(self):
        error = {'type': 'mapper_parsing_exception', 'reason': "failed to parse. Preview of field's value: 'sesame-poppy'",
                 'caused_by': {'type': 'illegal_argument_exception', 'reason': 'For input string: "sesame-poppy"'}}

        def some(request):
            return 200, {'errors': True, 'items': [{'index': {'status': 400, 'error': error}}] * 10}
        self.delivered(some, delivered=0, refused=10)
        self.assertIn('caused by illegal_argument_exception', self.log)
        for part in ('sesame', 'poppy'):  # digits would be found in a port
            self.assertNotIn(part, self.log)

    def test_an_id_that_is_not_there_is_refused(self):
        server = self.serve(all_well)
        millrace = self.start_pipeline([server.port], stdin=b'{"n":1}\n{"m":2}\n')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual((1, 1), (self.counters()['delivered'], self.counters()['refused']))
        self.assertIn('a field of document_id is missing', millrace.stderr)

    def test_conflicts_are_said(self):
        self.delivered(lambda request: (200, reply([(409, 'conflict')] * 10)), delivered=0, conflicts=10)
        self.assertIn('something else under the id', self.log)

    def test_the_request(self):
        self.delivered(all_well, options='custom_headers => { "X-Tenant" => "a" } user => "u" password => "p" '
                                         'parameters => { "refresh" => "true" }')
        request = self.bulks[0]
        self.assertEqual('/_bulk?refresh=true&filter_path=errors,items.*.error,items.*.status', request.path)
        self.assertEqual('application/json', request.headers['content-type'])
        self.assertEqual('a', request.headers['x-tenant'])
        self.assertEqual('Basic dTpw', request.headers['authorization'])
        self.assertIsNone(request.headers['expect'])
        self.assertTrue(request.body.endswith(b'}\n'))

    def test_api_keys(self):
        self.delivered(all_well, options='api_key => "id:key"')
        self.assertEqual('ApiKey aWQ6a2V5', self.bulks[0].headers['authorization'])


class RawServer:
    """Answers each request of each connection by a function of its number: bytes to write, or None to hang up."""

    def __init__(self, answer, port=0):
        self.answer, self.count, self.connections = answer, 0, []
        self.listener = socket.create_server(('127.0.0.1', port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile('rb') as source:
            while line := source.readline():
                length = 0
                while (header := source.readline().strip()):
                    if header.lower().startswith(b'content-length:'):
                        length = int(header.split(b':')[1])
                body = source.read(length)
                answer = self._answer(line, body)
                if answer is None:
                    return
                connection.sendall(answer.removesuffix(b'RESET'))
                if answer.endswith(b'RESET'):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                if answer.endswith((b'CUT', b'RESET')):
                    return

    def _answer(self, line, body):
        if b'_bulk' not in line:
            return http(json.dumps(search_stub.INFO))
        self.count += 1
        return self.answer(self.count, body)

    def close(self):
        """Nobody listens any more, and open connections end."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def http(body, status='200 OK'):
    return f'HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n{body}'.encode()


def good(body):
    return http(json.dumps(reply([(201, None)] * (len(body.splitlines()) // 2))))


class Connections(Bulk):
    def run_against(self, answer):
        server = RawServer(answer)
        self.addCleanup(server.close)
        millrace = self.start_pipeline([server.port], options='timeout => "300 ms"')
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(10, self.counters()['delivered'])
        return server

    def test_a_connection_that_is_closed(self):
        self.run_against(lambda n, body: None if n < 3 else good(body))

    def test_an_answer_that_is_cut_off(self):
        cut = b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"errors":false,"items":[CUT'
        self.assertGreater(self.run_against(lambda n, body: cut if n < 3 else good(body)).count, 2)

    def test_an_answer_with_a_reset_behind_it_counts(self):
        """The answer is there, and the error too, before anything is read."""
        stopped = []

        def answer(number, body):
            millrace = stopped[0]
            millrace.signal(signal.SIGSTOP)
            threading.Timer(0.2, lambda: millrace.signal(signal.SIGCONT)).start()
            return good(body) + b'RESET'
        server = RawServer(answer)
        self.addCleanup(server.close)
        millrace = self.start_pipeline([server.port], stdin=True)
        stopped.append(millrace)
        for number in range(5):
            millrace.child.stdin.write(b'{"n":%d}\n' % number)
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: server.count > number, 'the next document')
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual((5, 0), (self.counters()['delivered'], self.counters()['retried']))

    def test_an_answer_that_is_not_http(self):
        self.run_against(lambda n, body: b'what?\r\n\r\nCUT' if n < 3 else good(body))

    def test_a_server_that_does_not_answer(self):
        self.assertGreater(self.run_against(lambda n, body: b'' if n < 2 else good(body)).count, 1)


class Servers(Bulk):
    def test_a_server_that_is_not_there_yet(self):
        port = support.free_port()
        millrace = self.start_pipeline([port])
        millrace.wait_for_log('no server has answered yet')
        stub = search_stub.SearchStub(port=port)
        self.addCleanup(stub.close)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(10, len(stub.documents))

    def test_the_living_take_what_the_dead_cannot(self):
        dead, stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(stub.close)
        millrace = self.start_pipeline([dead, stub.port], count=5000)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(5000, len(stub.documents))
        self.assertEqual(0, self.counters()['retried'])

    def test_they_take_turns(self):
        stubs = [search_stub.SearchStub(), search_stub.SearchStub()]
        for stub in stubs:
            self.addCleanup(stub.close)
        millrace = self.start_pipeline([stub.port for stub in stubs], count=10000)
        self.assertEqual(0, millrace.wait(), millrace.stderr)
        self.assertEqual(10000, sum(len(stub.documents) for stub in stubs))
        self.assertTrue(all(stub.documents for stub in stubs))

    def test_a_dead_server_is_asked_until_it_lives(self):
        first = RawServer(lambda n, body: good(body))
        millrace = self.start_pipeline([first.port], stdin=True)
        millrace.child.stdin.write(b'{"n":1}\n')
        millrace.child.stdin.flush()
        millrace.wait_for(lambda: first.count == 1, 'the first document')
        first.close()
        millrace.child.stdin.write(b'{"n":2}\n')
        millrace.child.stdin.flush()
        millrace.wait_for_log('a server cannot be reached')
        second = RawServer(lambda n, body: good(body), first.port)
        self.addCleanup(second.close)
        millrace.wait_for_log('a server answers again')
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())
        self.assertEqual((2, 1), (self.counters()['delivered'], second.count))

    def test_of_two_dead_servers_the_one_that_comes_back_is_used(self):
        nobody, port = support.free_port(), support.free_port()
        first = RawServer(lambda n, body: good(body), port)
        millrace = self.start_pipeline([nobody, port], stdin=True)
        for server in (first, None):
            millrace.child.stdin.write(b'{"n":1}\n')
            millrace.child.stdin.flush()
            if server:
                millrace.wait_for(lambda: server.count, 'the first document')
                server.close()
        millrace.wait_for_log(f'cannot be reached host=http://127.0.0.1:{port}')
        second = RawServer(lambda n, body: good(body), port)
        self.addCleanup(second.close)
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())
        self.assertEqual(2, self.counters()['delivered'])

    def test_set_up_is_done_once(self):
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        millrace = self.start_pipeline([stub.port])
        self.assertEqual(0, millrace.wait())
        paths = [(request.method, request.path) for request in stub.server.taken() if '_bulk' not in request.path]
        self.assertEqual([('GET', '/'), ('HEAD', '/_index_template/ecs-logstash'), ('PUT', '/_index_template/ecs-logstash')],
                         paths)

    def test_a_server_that_knows_bulk_requests_only(self):
        server = self.recorder(lambda request: all_well(request) if '_bulk' in request.path else (501, ''))
        millrace = self.start_pipeline([server.port])
        self.assertEqual(0, millrace.wait())
        self.assertEqual(10, self.counters()['delivered'])
        self.assertIn('PUT', [request.method for request in server.taken()])

    def test_stopping_gives_up_after_its_time(self):
        millrace = self.start_pipeline([support.free_port()], '--shutdown.timeout', '100 ms', stdin=True)
        millrace.child.stdin.write(b'{"n":1}\n')
        millrace.child.stdin.flush()
        millrace.wait_for_log('no server has answered yet')
        millrace.stop()
        self.assertIn('1 event was not delivered; sources that can will send it again', millrace.stderr)


class Configuration(support.Case):
    def test_what_cannot_be(self):
        for options, message in (
                ('hosts => ["ftp://x"]', 'scheme'),
                ('hosts => ["x:99999"]', 'HOST'),
                ('hosts => ["http://x"] ssl_enabled => true', 'ssl_enabled'),
                ('data_stream => true index => "i"', 'index'),
                ('index => "i" data_stream_dataset => "d"', 'data_stream_dataset'),
                ('data_stream_type => "a b"', 'data_stream_type'),
                ('user => "u" password => "p" api_key => "a:b"', 'only one'),
                ('action => "destroy"', 'destroy'),
                ('scripted_upsert => true doc_as_upsert => true', 'exclude'),
                ('ssl_keystore_path => "/x.jks"', 'keytool'),
                ('retry_initial_interval => 9 retry_max_interval => 3', 'retry_max_interval'),
                ('index_name => "x"', 'index')):
            with self.subTest(options=options):
                millrace = self.start('-t', '-e', f'output {{ elasticsearch {{ {options} }} }}')
                self.assertEqual(1, millrace.wait(), millrace.stderr + millrace.stdout)
                self.assertIn(message, millrace.stderr + millrace.stdout)

    def test_old_names_are_taken(self):
        options = ('document_type => "_doc" ssl => true ssl_certificate_verification => false http_compression => true '
                   'ilm_enabled => false sniffing => false workers => 4 flush_size => 500 hosts => ["x"] index => "i"')
        millrace = self.start('-t', '-e', f'output {{ elasticsearch {{ {options} }} }}')
        self.assertEqual(0, millrace.wait(), millrace.stderr)


if __name__ == '__main__':
    support.unittest.main()
