# SPDX-License-Identifier: Apache-2.0
"""The monitoring API: what it answers, whom it answers, and that its books balance on every scrape."""
import base64
import json
import re
import socket
import urllib.error
import urllib.request

import beats
import search_stub
import support

ENDLESS = 'input { stdin { codec => line } } output { null { id => "away" } }'
NAME = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SETTLED = ('delivered', 'conflicts', 'refused', 'dropped', 'set_aside')


def parse_labels(text):
    labels = {}
    while text:
        match = LABEL.match(text)
        assert match and match.group(1) not in labels, text
        labels[match.group(1)] = re.sub(r'\\(.)', lambda m: '\n' if m.group(1) == 'n' else m.group(1), match.group(2))
        text = text[match.end():]
    return labels


def parse_prometheus(text):
    """The text format 0.0.4, strictly: {family: (type, [(labels, value)])}; whatever does not belong there fails."""
    assert text.endswith('\n')
    families, name, help_of = {}, None, None
    for line in text[:-1].split('\n'):
        if line.startswith('# HELP '):
            help_of, words = line[7:].split(' ', 1)
            assert words and help_of not in families, line
        elif line.startswith('# TYPE '):
            name, kind = line[7:].split(' ')
            assert name == help_of and NAME.fullmatch(name) and kind in ('counter', 'gauge', 'histogram'), line
            assert (kind == 'counter') == name.endswith('_total'), line
            families[name] = (kind, [])
        else:
            match = re.fullmatch(r'([^ {]+)(?:\{(.*)\})? (-?\d+(?:\.\d+)?)', line)
            assert match, line
            labels = parse_labels(match.group(2) or '')
            if families[name][0] == 'histogram':
                part = match.group(1).removeprefix(name)
                assert part in ('_bucket', '_sum', '_count') and (part == '_bucket') == ('le' in labels), line
                labels['part'] = part
            else:
                assert match.group(1) == name, line
            assert labels not in [other for other, _ in families[name][1]], line
            families[name][1].append((labels, float(match.group(3))))
    assert all(samples for _, samples in families.values())
    return families


class Api(support.Case):
    def listen(self, *arguments, text=ENDLESS, port='9600-9700', stdin=True):
        self.millrace = self.start('-e', text, '--api.http.port', port, *arguments, stdin=stdin)
        self.base = 'http://' + self.millrace.wait_for_log(r'API listens .*address="?([^"\s]+:\d+)').group(1)

    def ask(self, path, status=200, **headers):
        request = urllib.request.Request(self.base + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                got, body = answer.status, answer.read().decode()
                self.kind = answer.headers['content-type']
        except urllib.error.HTTPError as error:
            got, body, self.kind = error.code, error.read().decode(), error.headers['content-type']
        self.assertEqual(status, got, body)
        return body

    def json(self, path, status=200, **headers):
        answer = json.loads(self.ask(path, status, **headers))
        self.assertEqual('application/json', self.kind)
        return answer


class Answers(Api):
    def kept_and_read_anew(self, pipeline):
        settings = self.json(f'/_node/pipelines/{pipeline}')['pipelines'][pipeline]
        return [settings[name] for name in ('dead_letter_queue_enabled', 'config_reload_automatic')]

    def test_whether_dead_letters_are_kept_and_pipelines_read_anew(self):
        self.listen('--dead_letter_queue.enable', 'false')
        self.assertEqual([False, False], self.kept_and_read_anew('main'))

    def test_the_node_and_its_parts(self):
        self.listen('--node.name', 'n1', '-w', '1', '--pipeline.id', 'pay')
        root = self.json('/')
        self.assertEqual(('n1', 'green', 1), (root['name'], root['status'], root['pipeline']['workers']))
        self.assertEqual(self.base, 'http://' + root['http_address'])
        self.assertEqual({'pipelines', 'os'}, set(self.json('/_node')) - set(root))
        self.assertEqual(1, self.json('/_node/pipelines/pay')['pipelines']['pay']['workers'])
        self.assertEqual([True, False], self.kept_and_read_anew('pay'))
        plugins = self.json('/_node/plugins')
        self.assertEqual(plugins['total'], len(plugins['plugins']))
        self.assertIn('logstash-filter-grok', [plugin['name'] for plugin in plugins['plugins']])
        self.assertEqual('green', self.json('/_health_report')['indicators']['pipelines']['indicators']['pay']['status'])

    def test_stats_whole_and_in_parts(self):
        self.listen('--pipeline.id', 'pay')
        whole, root = self.json('/_node/stats'), self.json('/')
        parts = set(whole) - set(root)
        self.assertEqual({'jvm', 'process', 'events', 'flow', 'pipelines', 'reloads'}, parts)
        for part in parts:
            self.assertEqual({part}, set(self.json(f'/_node/stats/{part}')) - set(root))
        pay = self.json('/_node/stats/pipelines/pay')['pipelines']
        self.assertEqual(['pay'], list(pay))
        self.assertEqual(['away'], [plugin['id'] for plugin in pay['pay']['plugins']['outputs']])
        self.assertGreater(whole['process']['open_file_descriptors'], 3)
        self.assertGreater(whole['process']['mem']['resident_in_bytes'], 1 << 20)

    def test_flow_and_hot_threads(self):
        self.listen('--pipeline.id', 'pay', '-w', '1')
        flow = self.json('/_node/stats/pipelines/pay')['pipelines']['pay']['flow']
        self.assertEqual({'input_throughput', 'filter_throughput', 'output_throughput', 'queue_backpressure', 'worker_concurrency',
                          'worker_utilization'}, set(flow))
        self.assertEqual({'current', 'lifetime'}, set(flow['input_throughput']))
        self.assertNotIn('worker_utilization', self.json('/_node/stats/flow')['flow'])
        hot = self.json('/_node/hot_threads?threads=1')['hot_threads']
        self.assertEqual((1, 1), (hot['busiest_threads'], len(hot['threads'])))
        self.assertGreater(hot['threads'][0]['thread_id'], 0)
        self.assertIn('::: hot threads at', self.ask('/_node/hot_threads?human=true'))
        self.json('/_node/hot_threads?threads=x', 404)

    def test_time_at_work_and_until_the_acknowledgement(self):
        self.listen('-w', '1', '--pipeline.id', 'pay', text='input { stdin { codec => line } } filter { mutate { id => "m" add_field => { "a" => "b" } } } output { null { id => "away" } }')
        self.millrace.child.stdin.write(b'x\n' * 500)
        self.millrace.child.stdin.flush()

        def acknowledged():
            return self.json('/_node/stats/pipelines/pay')['pipelines']['pay']['acknowledge']['events'] == 500
        self.millrace.wait_for(acknowledged, 'all acknowledged')
        families = parse_prometheus(self.ask('/metrics'))
        latency = {labels.get('le', labels['part']): value for labels, value in families['millrace_pipeline_acknowledge_seconds'][1]}
        self.assertEqual((500, 500), (latency['+Inf'], latency['_count']))
        kind, samples = families['millrace_plugin_duration_seconds_total']
        self.assertEqual(('counter', {'m', 'away'}), (kind, {labels['plugin_id'] for labels, _ in samples}))
        self.assertEqual(0, families['millrace_pipeline_oldest_unacknowledged_seconds'][1][0][1])
        self.assertIn('duration_in_millis', self.json('/_node/stats/events')['events'])

    def test_what_is_not_there(self):
        self.listen()
        for path in ('/nothing', '/_node/nothing', '/_node/stats/nothing', '/_node/stats/pipelines/other',
                     '/_node/pipelines/other', '/_node/stats/jvm/x', '/_node/stats/pipelines/main/x', '/metrics/x'):
            self.assertEqual({'path': path, 'status': 404, 'error': {'message': 'Not Found'}}, self.json(path, 404))

    def test_probes(self):
        self.listen()
        self.assertEqual(('ok\n', 'ready\n'), (self.ask('/healthz'), self.ask('/readyz')))

    def test_not_ready_when_a_pipeline_has_ended(self):
        self.write('settings/pipelines.yml', '[{pipeline.id: a, config.string: "input { generator { count => 1 } } output { null {} }"},'
                   ' {pipeline.id: b, config.string: "input { heartbeat {} } output { null {} }"}]')
        millrace = self.start('--path.settings', self.folder / 'settings')
        self.base = 'http://' + millrace.wait_for_log(r'API listens .*address="?([^"\s]+:\d+)').group(1)

        def ended():
            try:
                return self.ask('/readyz', 503)
            except AssertionError:
                return None
        self.assertIn('not all pipelines run', support.wait_until(ended, 'the first pipeline to end'))
        self.assertEqual({'a', 'b'}, set(self.json('/_node/stats/pipelines')['pipelines']))
        self.assertEqual(2000, self.json('/')['pipeline']['batch_size'])

    def test_the_same_counters_as_the_signal(self):
        counters = self.folder / 'counters.json'
        self.listen('--counters', counters)
        stats = self.json('/_node/stats/pipelines/main')['pipelines']['main']
        self.millrace.stop()
        written = json.loads(counters.read_text())['pipelines']['main']
        self.assertEqual(set(written), set(stats) - {'queue', 'flow', 'reloads', 'ephemeral_id'})
        self.assertEqual(written['plugins'], stats['plugins'])

    def test_labels_are_escaped(self):
        self.listen(text='input { stdin {} } output { null { id => \'a "b" \\ c\' } }')
        families = parse_prometheus(self.ask('/metrics'))
        self.assertEqual('text/plain; version=0.0.4; charset=utf-8', self.kind)
        labels = families['millrace_output_events_in_flight'][1][0][0]
        self.assertEqual({'pipeline': 'main', 'plugin_id': 'a "b" \\ c', 'plugin': 'null', 'type': 'output'}, labels)


class Retries(Api):
    """What goes again is counted by the status of the answer: of a whole request, and of one event in it."""

    def assert_retried(self, text, expected):
        self.listen(text=text)
        self.millrace.child.stdin.write(b'line\n')
        self.millrace.child.stdin.flush()

        def events():
            return self.json('/_node/stats/pipelines/main')['pipelines']['main']['plugins']['outputs'][0]['events']
        self.millrace.wait_for(lambda: events()['delivered'] == 1, 'the event to be delivered', timeout=60)
        self.assertEqual(expected, events()['retried_by_status'])
        _, samples = parse_prometheus(self.ask('/metrics'))['millrace_plugin_retried_by_status_total']
        self.assertEqual(expected, {labels['status']: int(value) for labels, value in samples})
        self.assertEqual({'main'}, {labels['pipeline'] for labels, _ in samples})

    def test_whole_requests(self):
        statuses = iter((429, 503, 418, 429, 419))
        server = support.Recorder(lambda request: (next(statuses, 200), {}))
        self.addCleanup(server.close)
        self.assert_retried(f'''input {{ stdin {{ codec => line }} }} output {{ http {{ url => "http://127.0.0.1:{server.port}/" http_method => "post"
            format => "json" retryable_codes => [429, 503, 418, 419] }} }}''',
                            {'429': 2, '503': 1, 'other': 2})

    def test_events_of_a_request(self):
        statuses = iter((429, 503, 429))
        stub = search_stub.SearchStub(lambda source: next(statuses, 201))
        self.addCleanup(stub.close)
        self.assert_retried(f'''input {{ stdin {{ codec => line }} }} output {{ elasticsearch {{ hosts => ["{stub.address}"] index => "i"
            retry_initial_interval => 1 }} }}''', {'429': 2, '503': 1})


class WhoMayAsk(Api):
    def test_pages_of_other_sites_may_not(self):
        self.listen()
        self.ask('/', 403, Origin='http://evil.example')
        self.ask('/', 403, Host='evil.example')

    def test_a_password(self):
        self.listen('--api.auth.type', 'basic', '--api.auth.basic.username', 'u', '--api.auth.basic.password', 'p:w')

        def login(words):
            return {'Authorization': 'Basic ' + base64.b64encode(words.encode()).decode()}
        self.ask('/', 200, **login('u:p:w'))
        for wrong in ('u:p:', 'u:p:ww', 'u:', '', ':', 'U:p:w', 'u:p:wu:p:w'):
            self.ask('/metrics', 401, **login(wrong))
        self.ask('/healthz', 401)
        self.ask('/', 401, Authorization='Basic *')
        self.ask('/', 401, Authorization='Bearer dTpwOnc=')

    def test_beyond_this_machine_only_with_a_password(self):
        millrace = self.run_to_end('-e', 'output { stdout { codec => line } }', '--api.http.host', '0.0.0.0', stdin=b'x\n')
        self.assertIn("there will be no API until 'api.auth.type' is basic", millrace.stderr)
        self.assertNotIn('API listens', millrace.stderr)
        self.assertIn('x', millrace.stdout)
        millrace = self.run_to_end('-t', '-e', '', '--api.auth.type', 'basic', status=1)
        self.assertIn("'api.auth.basic.password' must be set", millrace.stderr)
        millrace = self.run_to_end('-t', '-e', '', '--api.http.host', '0.0.0.0', '--no-api.enabled')
        self.assertNotIn('API', millrace.stderr)
        self.listen('--api.http.host', '0.0.0.0', '--api.auth.type', 'basic', '--api.auth.basic.username', 'u',
                    '--api.auth.basic.password', 'p')
        self.ask('/', 401)


class Ports(Api):
    def test_a_taken_port_stops_nothing(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            millrace = self.run_to_end('-e', 'output { stdout { codec => line } }', '--api.http.port', port, stdin=b'x\n')
        self.assertIn('there is no monitoring API', millrace.stderr)
        self.assertIn('Address already in use', millrace.stderr)
        self.assertIn('x', millrace.stdout)

    def test_the_next_free_port_of_a_range(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            self.listen(port=f'{port}-{min(port + 50, 65535)}')
            self.assertNotEqual(port, int(self.base.rsplit(':', 1)[1]))
            self.ask('/')

    def test_none_when_it_is_off(self):
        millrace = self.run_to_end('-e', 'output { null {} }', '--no-api.enabled', stdin=b'x\n')
        self.assertNotIn('API', millrace.stderr)

    def test_it_ends_with_an_open_connection(self):
        self.listen()
        with socket.create_connection(self.base[7:].split(':'), timeout=10) as idle:
            idle.sendall(b'GET / HT')
            self.assertEqual(0, self.millrace.stop())


PIPELINE = """
input { generator { id => "g" lines => ["a,b,c", "x", "drop me"] count => 0 } }
filter {
  if [message] =~ "drop" { drop {} }
  else { split { field => "message" terminator => "," } clone { clones => ["twin"] } }
  if [message] == "b" { drop {} }
}
output {
  http { id => "web" url => "http://@ADDRESS@/" http_method => "post" format => "json_batch" }
  null { id => "away" }
}
"""


class Books(Api):
    """Both sides of each book come from one scrape, in which every counter is read at a moment of its own."""

    def check_events(self, events):
        gone = events['filtered'] + events['cancelled'] + events['in_filters']
        self.assertEqual(events['in'] + events['created'], gone)
        self.assertLess(events['in_filters'], 1 << 32)

    def check_output(self, events):
        self.assertEqual(events['routed'], sum(events[name] for name in SETTLED) + events['in_flight'])
        self.assertLess(events['in_flight'], 1 << 32)
        self.assertLessEqual(0, events['in_flight'])

    def check_pipeline(self, pipeline):
        self.check_events(pipeline['events'])
        for output in pipeline['plugins']['outputs']:
            self.check_output(output['events'])

    def check_text(self, families):
        def one(name, **labels):
            return [value for found, value in families[name][1] if labels.items() <= found.items()][0]
        prefix = 'millrace_pipeline_events_'
        events = {name: one(f'{prefix}{name}_total') for name in ('in', 'created', 'filtered', 'cancelled')}
        self.check_events({**events, 'in_filters': one(f'{prefix}in_filters')})
        for plugin_id in ('web', 'away'):
            events = {name: one(f'millrace_plugin_{name}_total', plugin_id=plugin_id) for name in ('routed', *SETTLED)}
            self.check_output({**events, 'in_flight': one('millrace_output_events_in_flight', plugin_id=plugin_id)})

    def scrape(self, answer, workers, times, text_each=1):
        server = self.recorder(answer)
        self.listen('-w', workers, '--shutdown.timeout', '1', text=support.fill(PIPELINE, address=server.address))
        last = 0
        for number in range(times):
            pipeline = self.json('/_node/stats/pipelines/main')['pipelines']['main']
            self.check_pipeline(pipeline)
            self.assertLessEqual(last, pipeline['events']['in'])
            last = pipeline['events']['in']
            if number % text_each == 0:
                self.check_text(parse_prometheus(self.ask('/metrics')))
        self.assertGreater(last, 0)
        return pipeline

    def test_they_balance_under_load_on_several_lanes(self):
        pipeline = self.scrape(None, 3, 150)
        self.assertGreater(pipeline['events']['created'], 0)
        self.assertGreater(pipeline['events']['cancelled'], 0)

    def test_they_balance_while_the_destination_fails(self):
        turns = iter(range(1 << 30))
        pipeline = self.scrape(lambda request: ((200, 503, 400)[next(turns) % 3], {}), 2, 100)
        self.assertGreater(pipeline['events']['in'], 0)

    def test_they_balance_on_a_thousand_scrapes_with_outages(self):
        """By turns the destination takes events, is overloaded, and breaks off."""
        turns = iter(range(1 << 30))

        def answer(request):
            stretch = next(turns) // 20 % 3
            if stretch == 2:
                raise ConnectionAbortedError
            return (503 if stretch else 200), {}
        pipeline = self.scrape(answer, 2, 200 if support.SANITIZED else 1000, 20)
        web = next(output['events'] for output in pipeline['plugins']['outputs'] if output['id'] == 'web')
        self.assertGreater(web['retried'], 0)

    def test_nothing_is_in_flight_at_rest(self):
        self.listen(text='input { stdin {} } filter { clone { clones => ["twin"] } } output { null { id => "away" } }')
        self.millrace.child.stdin.write(b'line\n' * 1000)
        self.millrace.child.stdin.flush()

        def arrived():
            pipeline = self.json('/_node/stats/pipelines/main')['pipelines']['main']
            self.check_pipeline(pipeline)
            return pipeline['events']['out'] == 2000 and pipeline['events']['unacknowledged'] == 0 and pipeline
        pipeline = support.wait_until(arrived, '2000 events')
        events, output = pipeline['events'], pipeline['plugins']['outputs'][0]['events']
        self.assertEqual((1000, 1000, 2000, 0), tuple(events[n] for n in ('in', 'created', 'filtered', 'in_filters')))
        self.assertEqual((2000, 0), (output['delivered'], output['in_flight']))
        if not support.SANITIZED:
            self.assertLess(self.millrace.resident_kib(), 18 * 1024)
