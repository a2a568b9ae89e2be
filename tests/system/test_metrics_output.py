# SPDX-License-Identifier: Apache-2.0
"""The output metrics: what events become on /metrics, and the shipped pipeline that derives the payment metrics."""
import datetime
import json

import search_stub
import support
from test_monitoring import Api, parse_prometheus

PIPELINE = support.ROOT / 'deploy/pipelines/payment-metrics.conf'
PORT = 5044  # written in the pipeline
OWN = ('millrace_', 'process_')


class MetricsCase(Api):
    def families(self):
        found = parse_prometheus(self.ask('/metrics'))
        return {name: family for name, family in found.items() if not name.startswith(OWN)}

    def series(self, name):
        """{(value of each label, by the label's name): number}"""
        return {tuple(value for _, value in sorted(labels.items())): number for labels, number in self.families()[name][1]}

    def wait_for_events(self, count, output):
        """All of them are counted: the output has so many behind it."""
        def settled():
            outputs = self.json('/_node/stats/pipelines/main')['pipelines']['main']['plugins']['outputs']
            events = next(plugin['events'] for plugin in outputs if plugin['id'] == output)
            return events['delivered'] + events['refused'] + events['dropped'] == count
        self.millrace.wait_for(settled, f'{count} events at {output}')

    def feed(self, lines):
        self.millrace.child.stdin.write(b''.join(json.dumps(line).encode() + b'\n' for line in lines))
        self.millrace.child.stdin.flush()


class Kinds(MetricsCase):
    def listen_with(self, output, *arguments):
        self.listen(*arguments, text='input { stdin { codec => json_lines } } output { metrics { id => "m" %s } }' % output)

    def test_counter(self):
        self.listen_with('counter => "seen_total" help => "Seen" value => "%{n}" scale => 2 labels => { "who" => "a-%{who}" "fix" => "x" }')
        self.feed([{'who': 'ann', 'n': 1}, {'who': 'ann', 'n': '2.5'}, {'who': 'bob', 'n': 3}, {'who': 'none'},
                   {'who': 'bad', 'n': 'x'}, {'who': 'back', 'n': -1}])
        self.wait_for_events(6, 'm')
        self.assertEqual({('x', 'a-ann'): 7, ('x', 'a-bob'): 6}, self.series('seen_total'))
        self.assertEqual('counter', self.families()['seen_total'][0])
        counted = self.json('/_node/stats/pipelines/main')['pipelines']['main']['plugins']['outputs'][0]['events']
        self.assertEqual((3, 2, 1), (counted['delivered'], counted['refused'], counted['dropped']))

    def test_any_text_is_a_label(self):
        texts = ['say "hi"', 'back\\slash', 'two\nlines', '한국', '}', 'a=\\"b\\",', '\u0000', 'tab\t', '']
        self.listen_with('counter => "seen_total" labels => { "text" => "%{text}" }')
        self.feed([{'text': text} for text in texts])
        self.wait_for_events(len(texts), 'm')
        wanted = {(text.replace('\0', '\ufffd'),) if text else (): 1 for text in texts}
        self.assertEqual(wanted, self.series('seen_total'))

    def test_counted_once_over_all_lanes_within_the_caps(self):
        text = ('input { generator { count => 20000 id => "gen" } stdin { } } filter { ruby { code => "event.set(\'k\', event.get(\'[event][sequence]\').to_i % 37)" } }'
                ' output { metrics { id => "m" counter => "seen_total" max_label_values => 10 overflow => "rest" labels => { "k" => "%{k}" } } }')
        self.listen('-w', '4', '--pipeline.ordered', 'false', text=text)
        self.wait_for_events(20000, 'm')
        seen = self.series('seen_total')
        self.assertEqual((11, 20000), (len(seen), sum(seen.values())))
        self.assertIn(('rest',), seen)
        self.assertTrue(all(number in (540, 541) for key, number in seen.items() if key != ('rest',)), seen)

    def test_nothing_to_count_yet(self):
        self.listen_with('counter => "a_total" labels => { "fix" => "x" }')
        self.assertEqual({('x',): 0}, self.series('a_total'))

    def test_what_cannot_be(self):
        for options, reason in (('', 'one of counter, gauge, histogram and unique names the metric; 0 of them'),
                                ('counter => "a" gauge => "b" value => "1"', '2 of them are given'),
                                ('gauge => "a"', 'a gauge needs value'),
                                ('counter => "a-b"', "'a-b' cannot be the name of a metric"),
                                ('counter => "process_x_total"', "the program's own"),
                                ('counter => "a" labels => { "b-c" => "x" }', "'b-c' cannot be a label"),
                                ('counter => "a" labels => { "b" => ["x"] }', "label 'b' wants a text"),
                                ('counter => "a" buckets => [1]', 'buckets is for histogram only'),
                                ('histogram => "a" value => "1" buckets => [1, 1]', "larger than the one before it; '1' is not"),
                                ('counter => "a" timezone => "UTC"', 'timezone is for unique only'),
                                ('unique => "a" value => "x" timezone => "Mars/City"', 'Mars/City'),
                                ('counter => "a" } metrics { gauge => "a" value => "1"', "metric 'a' is defined elsewhere")):
            with self.subTest(options):
                millrace = self.run_to_end('-t', '-e', 'input { stdin {} } output { metrics { %s } }' % options, status=1)
                self.assertIn(reason, millrace.stderr)


class PaymentMetrics(MetricsCase):
    """deploy/pipelines/payment-metrics.conf between a client and a stub of Elasticsearch."""

    def setUp(self):
        super().setUp()
        self.hold_port(PORT)
        self.search = search_stub.SearchStub()
        self.addCleanup(self.search.close)
        led = [word for host in ('elasticsearch:9200', 'alertmanager:9093')
               for word in ('--connect-to', f'{host}:{self.search.address}')]
        self.millrace = self.start('-f', PIPELINE, *led, '--path.templates', support.ROOT / 'deploy/templates')
        self.millrace.wait_for_port(PORT)
        self.base = 'http://' + self.millrace.wait_for_log(r'API listens .*address="?([^"\s]+:\d+)').group(1)

    def send(self, entries):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        head = {'timestamp': now, 'level': 'INFO', 'service': 'payment-service', 'transactionId': 'T', 'userId': 'user000001'}
        text = ''.join(json.dumps({**head, **entry}) + '\n' for entry in entries)
        client = support.subprocess.run([str(support.BINARY), 'send', '--to', f'127.0.0.1:{PORT}', '--field', 'service=payment',
                                         str(self.write('lines', text))], stdin=support.subprocess.DEVNULL,
                                        capture_output=True, timeout=60 * support.PATIENCE)
        self.assertEqual(0, client.returncode, client.stderr)

    def test_every_metric_of_the_class(self):
        paid = {'event': 'PAYMENT_COMPLETED', 'context': {'method': 'CARD', 'merchant_category': 'FOOD', 'duration_ms': 250}}
        other = {'event': 'PAYMENT_SUCCESS', 'context': {'payment_method': 'POINT', 'duration_ms': 2000}, 'userId': 'user000002'}
        failed = {'event': 'PAYMENT_FAILED', 'level': 'ERROR', 'userId': 'user000003', 'context': {'method': 'CARD', 'error_code': 'CARD_EXPIRED'}}
        breaker = {'event': 'CIRCUIT_BREAKER', 'context': {'name': 'bank', 'state': 'CLOSED'}}
        request = {'event': 'HTTP_REQUEST', 'service': 'user-service', 'context': {'method': 'GET', 'status': 503, 'duration_ms': 30}}
        opened = {**breaker, 'context': {'name': 'bank', 'state': 'OPEN'}}
        self.send([paid, paid, other, failed, breaker, request, opened, {'event': {'original': 'an object'}}])
        families = self.families()
        self.assertEqual({'payment_success_total': 'counter', 'payment_failure_total': 'counter', 'payment_processing_duration': 'histogram',
                          'active_users': 'gauge', 'circuit_breaker_state': 'gauge', 'http_requests_total': 'counter',
                          'http_request_duration_seconds': 'histogram'}, {name: kind for name, (kind, _) in families.items()})
        self.assertEqual({('FOOD', 'CARD', 'payment'): 2, ('POINT', 'payment'): 1}, self.series('payment_success_total'))
        self.assertEqual({('CARD_EXPIRED', 'CARD', 'payment'): 1}, self.series('payment_failure_total'))
        durations = self.series('payment_processing_duration')
        self.assertEqual((2.5, 3, 2), (durations['_sum', 'payment'], durations['_count', 'payment'], durations['0.25', '_bucket', 'payment']))
        self.assertEqual({(): 3}, self.series('active_users'))
        self.assertEqual({('bank',): 3}, self.series('circuit_breaker_state'))
        self.assertEqual({('GET', 'user-service', '503'): 1}, self.series('http_requests_total'))
        self.assertEqual(0.03, self.series('http_request_duration_seconds')['_sum', 'user-service'])
        users = {source['userId'] for _, _, source in self.search.documents}
        self.assertEqual({'use***001', 'use***002', 'use***003'}, users)  # told apart before they are masked
