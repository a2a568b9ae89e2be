# SPDX-License-Identifier: Apache-2.0
"""millrace report: the same numbers from the store, from OpenSearch and from Elasticsearch 7.17, and its three forms."""
import html.parser
import json
import re
import statistics
import subprocess

import document_store
import opensearch
import support

TEMPLATE = json.loads((support.ROOT / 'deploy/templates/kakaopay-logs.json').read_text())
TODAY, BEFORE, WEEK = '2026-03-10', '2026-03-09', '2026-03-03'
SLOW, FAST = 900, 100


def document(day, hour, event, service='payment-service', level='INFO', user='use***001', **context):
    line = {'timestamp': f'{day}T{hour:02}:30:00.000Z', 'level': level, 'service': service, 'event': event, 'userId': user,
            'context': context}
    return f'kakaopay-logs-{day.replace("-", ".")}', {**line, 'message': json.dumps(line), '@timestamp': line['timestamp']}


def day_of(day, paid, failed, duration):
    """So many payments, a part of them failed; every fourth failure has no code."""
    for i in range(paid):
        yield document(day, i % 24, 'PAYMENT_COMPLETED', user=f'use***{i % 7:03}', duration_ms=duration + i)
    for i in range(failed):
        code = {} if i % 4 == 0 else {'error_code': ('CARD_EXPIRED', 'LIMIT_EXCEEDED')[i % 2]}
        yield document(day, 9, 'PAYMENT_FAILED', level='ERROR', duration_ms=5, **code)
    yield document(day, 10, 'PAYMENT_REQUESTED')
    yield document(day, 10, {'original': 'PAYMENT_COMPLETED'}, service='other')  # an object, as other services have it
    yield document(day, 11, 'LOGIN', service='user-service', level='ERROR')


def documents():
    yield from day_of(TODAY, 60, 3, SLOW)
    yield from day_of(BEFORE, 40, 0, FAST)
    yield document(TODAY, 0, 'PAYMENT_SUCCESS', duration_ms=SLOW)
    yield document('2026-03-11', 0, 'PAYMENT_COMPLETED')


WANTED = {'total_payments': 64, 'successful_payments': 61, 'failed_payments': 3, 'success_rate': 61 / 64 * 100,
          'avg_response_time': statistics.fmean([SLOW + i for i in range(60)] + [SLOW]), 'active_users': 7}


def fill(server):
    """server.request(method, path, body)"""
    server.request('PUT', '/_index_template/kakaopay-logs', {key: value for key, value in TEMPLATE.items()})
    lines = []
    for index, source in documents():
        lines += [json.dumps({'index': {'_index': index}}), json.dumps(source)]
    answer = server.request('POST', '/_bulk?refresh=true', ('\n'.join(lines) + '\n').encode())
    assert not answer['errors'], answer


class ReportCase(support.Case):
    def report(self, *arguments, status=0):
        done = subprocess.run([str(support.BINARY), 'report', *map(str, arguments)], capture_output=True, timeout=120 * support.PATIENCE)
        self.assertEqual(status, done.returncode, done.stderr)
        return done.stdout.decode() if status == 0 else done.stderr.decode()

    def numbers(self, *arguments):
        return json.loads(self.report('--date', TODAY, *arguments))

    def check(self, report):
        metrics = dict(report['metrics'])
        # Interpolated in another way by each server; between the values beside it.
        p95 = metrics.pop('p95_response_time')
        self.assertTrue(SLOW + 55 <= p95 <= SLOW + 58, p95)
        self.assertEqual(WANTED['avg_response_time'], metrics.pop('avg_response_time'))
        self.assertAlmostEqual(WANTED['success_rate'], metrics.pop('success_rate'))
        self.assertEqual({key: value for key, value in WANTED.items() if key in metrics}, metrics)
        self.assertEqual(TODAY, report['date'])
        incidents = report['incidents']
        self.assertEqual(4, incidents['total_errors'])
        self.assertEqual({'LIMIT_EXCEEDED': 1, 'CARD_EXPIRED': 1}, {item['key']: item['doc_count'] for item in incidents['error_by_type']})
        self.assertEqual([('payment-service', 3), ('user-service', 1)], [(item['key'], item['doc_count']) for item in incidents['error_by_service']])
        before = report['trends']['day_before']
        self.assertEqual((BEFORE, 40, 60.0), (before['date'], before['metrics']['total_payments'], before['change_percent']['total_payments']))
        week = report['trends']['week_before']
        self.assertEqual((WEEK, None, None), (week['date'], week['metrics']['total_payments'], week['change_percent']['total_payments']))
        self.assertEqual(['payment-failure-analysis', 'performance-optimization'], [item['action'] for item in report['recommendations']])
        self.assertEqual((4, 0), (report['hours'][0]['successful_payments'], report['hours'][0]['failed_payments']))
        self.assertEqual((3, 3), (report['hours'][9]['failed_payments'], report['hours'][9]['errors']))


# Both spellings of a field, as the guide's queries and its dashboards have them.
SPELLINGS = ('level', 'level.keyword', 'service', 'service.keyword', 'context.error_code', 'context.error_code.keyword',
             'userId', 'userId.keyword', 'requestId.keyword', 'performance_tier.keyword', 'error_category.keyword', 'context.note',
             'context.note.keyword')


class Servers:
    def check_server(self, server, url):
        fill(server)
        self.check(self.numbers('--es', url))
        server.request('POST', '/kakaopay-logs-2026.03.10/_doc?refresh=true', {'context': {'note': 'x'}, 'service': 's', 'level': 'L', 'userId': 'u', 'requestId': 'r',
                       'performance_tier': 'FAST', 'error_category': 'c', '@timestamp': '2026-03-12T00:00:00Z', 'message': 'say'})
        server.request('POST', '/kakaopay-logs-2026.03.10/_doc?refresh=true', {'context': {'error_code': 'E'}})
        for field in SPELLINGS:
            found = server.request('POST', '/kakaopay-logs-2026.03.10/_search', {'size': 0, 'aggs': {'a': {'terms': {'field': field}}}})
            self.assertTrue(found['aggregations']['a']['buckets'], field)
        by_event = {'query': {'match_phrase': {'message': 'event PAYMENT_FAILED'}}}
        self.assertEqual(3, server.request('POST', '/kakaopay-logs-2026.03.10/_count', by_event)['count'])


class Store:
    """A document store in the words of opensearch.Node."""

    def __init__(self, case):
        self.path = case.folder / 'store'
        self.store = document_store.Store(case, self.path)
        self.url, self.stop = f'http://{self.store.address}', self.store.process.stop

    def request(self, method, path, body=None):
        status, answer = self.store.call(method, path, body, {'content-type': 'application/json'})
        assert status < 300, answer
        return answer


class FromStore(ReportCase, Servers):
    def setUp(self):
        super().setUp()
        self.store = Store(self)

    def test_running_and_at_rest(self):
        fill(self.store)
        running = self.numbers('--es', self.store.url)
        self.check(running)
        self.store.stop()
        self.assertEqual(running, self.numbers('--store', self.store.path))

    def test_both_spellings(self):
        self.check_server(self.store, self.store.url)

    def test_a_day_without_anything(self):
        report = json.loads(self.report('--date', '2020-01-01', '--es', self.store.url))
        self.assertEqual((False, None, []), (report['summary']['has_data'], report['metrics']['total_payments'], report['recommendations']))
        self.assertIn('이 날짜의 데이터가 없습니다', self.report('--date', '2020-01-01', '--es', self.store.url, '--format', 'html'))

    def test_words_of_both_languages(self):
        fill(self.store)
        korean = self.report('--date', TODAY, '--es', self.store.url, '--format', 'md')
        for words in ('# 결제 일일 운영 리포트 · 2026-03-10', '| 결제 | 64 | +60.0 % | – |', '결제 성공률이 99% 미만입니다', '| CARD\\_EXPIRED | 1 |'.replace('\\', '')):
            self.assertIn(words, korean)
        english = self.report('--date', TODAY, '--es', self.store.url, '--format', 'md', '--lang', 'en')
        for words in ('# Daily payment report', '| Success rate | 95.31 % | -4.7 points |', 'above 500 ms'):
            self.assertIn(words, english)

    def test_html_is_one_well_formed_file(self):
        fill(self.store)
        evil = '<script>alert("x")</script>'
        self.store.request('POST', '/_bulk?refresh=true', ('\n'.join(json.dumps(line) for line in (
            {'index': {'_index': 'kakaopay-logs-2026.03.10'}}, document(TODAY, 5, 'X', service=evil, level='ERROR')[1])) + '\n').encode())
        path = self.folder / 'report.html'
        self.report('--date', TODAY, '--es', self.store.url, '-o', path, '--lang', 'en')
        text = path.read_text()
        self.assertNotIn('<script', text)
        self.assertIn('&lt;script&gt;', text)
        self.assertNotRegex(text, r'(src|href|url\()')  # nothing beside it
        open_tags = []

        class Parser(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                if tag not in ('meta', 'line', 'rect'):
                    open_tags.append(tag)

            def handle_endtag(self, tag):
                if tag not in ('line', 'rect'):
                    assert open_tags.pop() == tag, tag
        Parser().feed(text)
        self.assertEqual([], open_tags)
        self.assertEqual(24, len(re.findall(r'<g><title>', text)))

    def test_prometheus_comes_first(self):
        fill(self.store)

        def answer(request):
            assert request.path.startswith('/api/v1/query?time=1773187200&query='), request.path
            numbers = {'success': '980.2', 'failure': '19.9', 'bucket': '0.75', '_sum': '0.25', 'active': '321'}
            name = next(name for name in numbers if name in request.path)
            return 200, {'status': 'success', 'data': {'resultType': 'vector', 'result': [{'metric': {}, 'value': [0, numbers[name]]}]}}
        recorder = self.recorder(lambda request: answer(request) if '1773187200' in request.path else
                                 (200, {'status': 'success', 'data': {'resultType': 'vector', 'result': []}}))
        report = self.numbers('--es', self.store.url, '--prometheus', f'http://{recorder.address}/')
        self.assertEqual({'total_payments': 1000, 'successful_payments': 980, 'failed_payments': 20, 'success_rate': 98.0, 'avg_response_time': 250,
                          'p95_response_time': 750, 'active_users': 321}, report['metrics'])
        self.assertEqual('prometheus', report['summary']['source'])
        self.assertEqual(40, report['trends']['day_before']['metrics']['total_payments'])  # which Prometheus does not have
        self.assertEqual(['payment-failure-analysis'], [item['action'] for item in report['recommendations']])

    def test_what_goes_wrong_is_said(self):
        gone = support.free_port()
        self.assertIn('cannot search kakaopay-logs-2026.03.10', self.report('--date', TODAY, '--es', f'http://127.0.0.1:{gone}', status=1))
        self.assertIn('expected a date', self.report('--date', 'today', status=2))
        self.assertIn('one of them says where', self.report('--es', 'http://a', '--store', 'b', status=2))
        self.assertIn('No such file', self.report('--store', self.folder / 'nothing', status=1))


class FromServers(ReportCase, Servers):
    def test_opensearch(self):
        node = opensearch.node()
        self.check_server(node, node.url)

    def test_elasticsearch_7(self):
        node = opensearch.node(folder=opensearch.ELASTICSEARCH)
        self.assertEqual('7.17.29', node.get('/')['version']['number'])
        self.check_server(node, node.url)
