# SPDX-License-Identifier: Apache-2.0
"""The document store against a real OpenSearch node: the same templates, documents and requests, the same answers.

Answers are compared without what may differ (times, shards, identifiers of nodes and indices, scores by relevance);
of an error its status, type and the beginning of its reason. What the store says 501 to is no difference, but there
may be no more of it than MISSING."""
import datetime
import json
import random
import re
import unittest
import urllib.error
import urllib.request

import opensearch
import support

TEMPLATE = json.loads((support.ROOT / 'deploy' / 'templates' / 'kakaopay-logs.json').read_text())
FREE = {'took', '_shards', '_seq_no', '_primary_term', 'max_score', '_score', '_ignored', 'index_uuid', 'node', 'forced_refresh', 'print_format'}
ODD = [
    {'k': 'a', 't': 'The quick Brown fox', 'n': 1, 'f': 1.5, 'b': True, 'd': '2024-01-01', 'ip': '10.0.0.1'},
    {'k': ['a', 'b'], 't': 'quick quick', 'n': [2, 5], 'f': 2.5, 'b': False, 'd': '2024-01-02T10:00:00Z', 'ip': '10.0.1.1'},
    {'k': 'c', 't': 'lazy dog', 'n': 3, 'd': '2024-02-01', 'ip': '::1'}, {'x': 'dyn', 'empty': [], 'nothing': None},
    {'p': {'a': 1, 'b': {'c': 2, 'd': 3}}, 'p.x': 5, 'k': 'z', 'n': -4, 'd': '2024-05-15T23:30:00Z'},
    {'n': 'x'}, {'n': 1.9}, {'b': 'maybe'}, {'d': 'x'}, {'ip': '1.2.3'}, {'k': {'a': 1}}, {'p': 5}, {'n': {'g': 1}}, {'': 1},
    {'a..b': 1}, {'_id': 'x'}, {'n': 12345678901234567890}, {'date': '2024/01/01', 'text': '한글 텍스트', 'list': [None, 'q']}]
ODD_MAPPING = {'properties': {'k': {'type': 'keyword'}, 't': {'type': 'text'}, 'n': {'type': 'long'}, 'f': {'type': 'float'},
                              'b': {'type': 'boolean'}, 'd': {'type': 'date'}, 'ip': {'type': 'ip'}}}


UNKNOWN = ('/odd/_search?foo=1', '/odd/_search?sise=1&foo=1&foo=2', '/odd/_count?size=1', '/nope/_search?foo', '/odd/_doc/0?foo=1', '/odd/_source/0?foo=1',
           '/odd/_mapping?foo=1', '/odd/_settings?foo=1', '/odd?foo=1', '/_template?foo=1', '/_index_template?foo=1', '/_cluster/health?foo=1', '/_cat/indices?foo=1',
           '/_cat/health?foo=1', '/odd/_refresh?foo=1', '/odd/_flush?foo=1', '/?foo=1')
KNOWN = ('/odd/_count?pretty&human&error_trace=false&format=json&filter_path=count', '/odd/_count?preference=_local&ignore_unavailable=true&expand_wildcards=open',
         '/odd/_mapping?local=true&cluster_manager_timeout=1s', '/odd/_doc/0?realtime=true&refresh=false&preference=x', '/odd/_doc/0?_source=k,n',
         '/odd/_doc/0?_source=false', '/odd/_doc/4?_source_excludes=p.b', '/odd/_source/4?_source_includes=p.b.*,k', '/odd/_source/0?_source=false',
         '/odd/_search?request_cache=false&search_type=query_then_fetch&batched_reduce_size=5&size=0&timeout=1s')


def payments(count):
    """Log events as the payment pipeline leaves them."""
    pick = random.Random(5)
    for number in range(count):
        at = datetime.datetime(2024, 1, 1) + datetime.timedelta(milliseconds=pick.randrange(3 * 86400 * 1000))
        stamp = at.isoformat(timespec='milliseconds') + 'Z'
        context = {'duration_ms': int(pick.lognormvariate(5, 1)), 'operation': pick.choice(['approve', 'cancel']),
                   'is_slow': pick.random() < .2, 'sourceIp': f'10.{pick.randrange(3)}.{pick.randrange(4)}.{pick.randrange(256)}'}
        event = {'@timestamp': stamp, 'timestamp': stamp, 'level': pick.choice(['INFO', 'WARN', 'ERROR']),
                 'service': pick.choice(['payment', 'auth', 'settlement']), 'transactionId': f'TX{number:06}',
                 'userId': f'u{pick.randrange(300)}', 'performance_tier': pick.choice(['fast', 'normal', 'slow', 'critical']),
                 'message': pick.choice(['결제 승인 완료', 'Payment approved', 'Timeout while calling bank API']), 'context': context}
        if event['level'] == 'ERROR':
            context['error_code'] = f'E{pick.randrange(14):02}'
        yield str(number), event


def queries():
    yield from ({'term': {'k': 'a'}}, {'term': {'n': 1.5}}, {'term': {'d': '2024-01-02'}}, {'term': {'ip': '10.0.0.0/16'}},
                {'term': {'b': 'true'}}, {'term': {'nope': 1}}, {'terms': {'k': ['a', 'z']}}, {'ids': {'values': ['1', '4']}},
                {'range': {'n': {'gt': 1.5, 'lt': '4'}}}, {'range': {'d': {'gte': '2024-01-01', 'lt': '2024-01-02'}}},
                {'range': {'d': {'gt': '2024-01'}}}, {'range': {'d': {'gte': '2024-01-01||+1d', 'lte': '2024-01-01||+1M/M'}}},
                {'range': {'d': {'gte': '02/01/2024', 'format': 'dd/MM/yyyy', 'time_zone': 'Asia/Seoul'}}},
                {'range': {'ip': {'gte': '10.0.0.0', 'lt': '10.0.1.0'}}}, {'range': {'k': {'gte': 'b'}}}, {'exists': {'field': 'p'}},
                {'exists': {'field': 'nothing'}}, {'prefix': {'t': 'qu'}}, {'wildcard': {'k': '?'}}, {'match': {'t': 'lazy'}},
                {'match': {'t': {'query': 'QUICK fox', 'operator': 'and'}}}, {'match_phrase': {'t': 'quick brown'}},
                {'match_phrase': {'t': 'quick fox'}}, {'match_none': {}}, {'match_all': {}}, {'bool': {}},
                {'bool': {'must': [{'range': {'n': {'gte': 1}}}], 'should': [{'range': {'n': {'gte': 3}}}]}},
                {'bool': {'filter': {'exists': {'field': 'k'}}, 'must_not': [{'term': {'k': 'a'}}]}},
                {'bool': {'should': [{'exists': {'field': f}} for f in 'knf'], 'minimum_should_match': 2}},
                {'constant_score': {'filter': {'term': {'k': 'a'}}, 'boost': 2.5}}, {'regexp': {'k': 'a'}},
                {'foo': {}}, {}, {'term': {'n': 'x'}}, {'term': {'k': ['a']}}, {'term': {}}, {'range': {'n': {'foo': 1}}},
                {'range': {'d': {'gte': 'x'}}}, {'prefix': {'n': '1'}}, {'bool': {'foo': 1}}, {'terms': {'k': 'a'}}, {'exists': {}})
    for text in ('k:a', 'k:a AND n:1', 'k:(a OR c)', 'NOT k:a', '+k:a -n:1', 'n:[2 TO 3]', 'n:{2 TO 5}', 'n:>2', 't:"quick brown"',
                 't:qu*', 'k:*', '*', '_exists_:f', 'n:x', '(k:a OR k:c) AND NOT n:3', 'k:a AND', 'k:"', 'd:[2024-01-01 TO 2024-01-31]',
                 'quick', 'nope:x', '10.0.0.1', 'n:1 AND (t:lazy OR t:quick)'):
        yield {'query_string': {'query': text}}


def aggregations():
    yield from ({'terms': {'field': f}} for f in ('k', 'n', 'f', 'b', 'd', 'ip', 't', 'nope', 'x.keyword'))
    yield from ({kind: {'field': field}} for kind in ('avg', 'sum', 'min', 'max', 'stats', 'value_count', 'cardinality')
                for field in ('n', 'd', 'k', 'nope'))
    yield from ({'terms': {'field': 'k', 'size': 2}}, {'terms': {'field': 'k', 'missing': 'NA'}}, {'terms': {'field': 'k', 'order': {'_key': 'desc'}}},
                {'terms': {'field': 'k', 'exclude': ['a']}}, {'terms': {'field': 'k', 'size': 0}}, {'terms': {}}, {'terms': {'field': 'k', 'foo': 1}},
                {'percentiles': {'field': 'n'}}, {'percentiles': {'field': 'n', 'percents': [50, 99.9], 'keyed': False}}, {'percentiles': {'field': 'nope'}},
                {'date_histogram': {'field': 'd', 'fixed_interval': '1d', 'min_doc_count': 1}}, {'date_histogram': {'field': 'd', 'calendar_interval': 'month'}},
                {'date_histogram': {'field': 'd', 'calendar_interval': '1M', 'time_zone': 'Asia/Seoul', 'format': 'yyyy-MM'}},
                {'date_histogram': {'field': 'd', 'calendar_interval': 'quarter', 'keyed': True}}, {'date_histogram': {'field': 'd', 'fixed_interval': '30d', 'offset': '1d'}},
                {'date_histogram': {'field': 'd', 'calendar_interval': 'month', 'extended_bounds': {'min': '2023-11-01', 'max': '2024-07-01'}}},
                {'date_histogram': {'field': 'd'}}, {'date_histogram': {'field': 'd', 'fixed_interval': '1M'}}, {'histogram': {'field': 'n', 'interval': 2}},
                {'histogram': {'field': 'n', 'interval': 5, 'extended_bounds': {'min': -10, 'max': 10}}}, {'histogram': {'field': 'n', 'interval': 0}},
                {'range': {'field': 'n', 'ranges': [{'to': 2}, {'from': 2, 'to': 4}, {'from': 4}]}}, {'filter': {'term': {'k': 'a'}}},
                {'filters': {'other_bucket': True, 'filters': {'x': {'term': {'k': 'a'}}, 'y': {'match_all': {}}}}}, {'missing': {'field': 'k'}},
                {'terms': {'field': 'k', 'order': {'m': 'desc'}}, 'aggs': {'m': {'avg': {'field': 'n'}}}}, {'foo': {}}, {}, {'top_hits': {}},
                {'terms': {'field': 'k'}, 'meta': {'a': 1}, 'aggs': {'s': {'terms': {'field': 'b'}}, 'c': {'cardinality': {'field': 'ip'}}}})


def bodies():
    yield from ({'query': query, 'sort': [{'n': {'order': 'asc', 'unmapped_type': 'long'}}, '_id']} for query in queries())
    yield from ({'size': 0, 'aggs': {'x': aggregation}} for aggregation in aggregations())
    yield from ({'sort': sort, '_source': False} for sort in (
        ['n'], [{'n': 'desc'}], [{'n': {'order': 'desc', 'missing': '_first'}}], [{'n': {'mode': 'avg'}}], [{'k': 'desc'}], ['ip'], ['b'], ['f'],
        [{'d': 'desc'}, {'k': 'asc'}], ['t'], ['nope'], [{'n': 'foo'}]))
    yield from ({'size': 10001}, {'size': -1}, {'foo': 1}, {'from': 2, 'size': 1, 'sort': ['n']}, {'track_total_hits': 2, 'size': 0}, {'sort': ['n'], 'search_after': [2]},
                {'sort': ['n'], 'search_after': [1, 2]}, {'_source': {'includes': ['p*'], 'excludes': ['p.b.c']}, 'query': {'term': {'k': 'z'}}},
                {'_source': ['*.c'], 'query': {'ids': {'values': ['4']}}}, {'fields': ['k', {'field': 'd', 'format': 'yyyy'}], '_source': False, 'sort': ['n']})


def payment_bodies(keyword):
    error, tier = f'context.error_code{keyword}', f'performance_tier{keyword}'
    day = {'bool': {'must': [{'term': {f'level{keyword}': 'ERROR'}}, {'range': {'timestamp': {'gte': '2024-01-01', 'lt': '2024-01-02'}}}]}}
    # The daily report asks for the .keyword of fields whatever the mapping is.
    yield {'query': day, 'size': 0, 'aggs': {'error_types': {'terms': {'field': 'context.error_code.keyword'}}, 'services': {'terms': {'field': 'service.keyword'}}}}
    yield {'query': day, 'aggs': {'e': {'terms': {'field': error}}}, 'sort': ['@timestamp'], 'size': 20}
    yield {'size': 0, 'aggs': {'t': {'terms': {'field': tier}, 'aggs': {'d': {'stats': {'field': 'context.duration_ms'}}, 'u': {'cardinality': {'field': f'userId{keyword}'}}}}}}
    yield {'size': 0, 'aggs': {'h': {'date_histogram': {'field': '@timestamp', 'fixed_interval': '1h'}, 'aggs': {'e': {'filter': {'term': {f'level{keyword}': 'ERROR'}}}}}}}
    yield {'size': 0, 'aggs': {'h': {'date_histogram': {'field': '@timestamp', 'calendar_interval': 'day', 'time_zone': 'Asia/Seoul'}}}}
    yield {'size': 0, 'aggs': {'t': {'terms': {'field': error, 'size': 5}}, 'c': {'cardinality': {'field': f'transactionId{keyword}'}}}}
    yield {'query': {'query_string': {'query': 'level:ERROR AND context.duration_ms:>300 AND NOT performance_tier:(slow OR fast)'}}, 'sort': ['@timestamp'], 'size': 5}
    yield {'query': {'match_phrase': {'message': 'calling bank'}}, 'sort': [{'@timestamp': 'desc'}, f'transactionId{keyword}'], 'size': 5}
    yield {'query': {'match': {'message': '결제'}}, 'sort': [f'transactionId{keyword}'], 'size': 5}
    yield {'size': 3, 'from': 1990, 'sort': [f'transactionId{keyword}']}


MISSING = 3  # requests above that the store answers with 501: regexp, top_hits, and one to spare


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in FREE}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(f'{value:.12g}') if isinstance(value, float) else value


def error_of(status, answer):
    """What of an error is compared: the status, its type, the beginning of its reason without positions."""
    error = answer['error']
    first = error.get('root_cause', [error])[0] if isinstance(error, dict) else {'type': '', 'reason': error}
    reason = re.sub(r'^\[\d+:\d+\] | found at \[\d+:\d+\]', '', first['reason'].split('\n')[0])
    return status, first['type'], reason[:24]


def item_of(item):
    (action, result), = item.items()
    error = result.get('error', {})
    return action, result['status'], result['_id'], error.get('type'), error.get('reason', '').split('\n')[0], error.get('caused_by', {}).get('type')


class Server:
    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {'content-type': 'application/json'}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b'null')
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b'null')


def bulk(index, documents):
    lines = (json.dumps({'index': {'_index': index, '_id': key}}) + '\n' + json.dumps(document) + '\n' for key, document in documents)
    return ''.join(lines).encode()


class Differential(support.Case):
    def setUp(self):
        super().setUp()
        self.real = Server(opensearch.node().url)
        port = support.free_port()
        self.millrace = self.start('store', '--path', 'documents', '--listen', f'127.0.0.1:{port}', data=False)
        support.wait_until(lambda: support.is_listening(port) or not self.millrace.is_running(), 'the store')
        if not self.millrace.is_running():
            raise unittest.SkipTest(f'this millrace has no store: {self.millrace.stderr[-200:]}')
        self.store = Server(f'http://127.0.0.1:{port}')
        self.differences, self.missing = [], 0

    def both(self, method, path, body=None):
        return self.real.ask(method, path, body), self.store.ask(method, path, body)

    def compare(self, method, path, body=None):
        (status, expected), (our_status, answer) = self.both(method, path, body)
        if our_status == 501:
            self.missing += 1
        elif status >= 400 or our_status >= 400:
            expected, answer = ({'status': s} if 'error' not in a else error_of(s, a) for s, a in ((status, expected), (our_status, answer)))
        if our_status != 501 and plain(expected) != plain(answer):
            self.differences.append(f'{method} {path} {json.dumps(body, default=str)[:300]}\n  real  {json.dumps(plain(expected))[:1400]}\n'
                                    f'  store {json.dumps(plain(answer))[:1400]}')

    def verdict(self, missing=0):
        self.assertEqual([], self.differences, '\n' + '\n'.join(self.differences))
        self.assertLessEqual(self.missing, missing)

    def fill(self, index, documents):
        (_, expected), (_, answer) = self.both('POST', '/_bulk?refresh=true', bulk(index, documents))
        self.assertEqual(expected['errors'], answer['errors'])
        for theirs, ours in zip(expected['items'], answer['items'], strict=True):
            self.assertEqual(item_of(theirs), item_of(ours))

    def test_odd_documents_and_all_requests(self):
        for status, _ in self.both('PUT', '/odd', {'mappings': ODD_MAPPING}):
            self.assertEqual(200, status)
        self.fill('odd', ((str(number), document) for number, document in enumerate(ODD)))
        self.compare('GET', '/odd/_mapping')
        self.compare('GET', '/odd/_count')
        self.compare('POST', '/odd/_count', {'query': {'term': {'k': 'a'}}})
        for key in ('0', '3', '5', 'nope'):
            self.compare('GET', f'/odd/_doc/{key}')
        for path in ('/odd/_search?q=k:a&sort=n', '/odd/_search?size=1&from=1&sort=n:desc', '/odd/_search?rest_total_hits_as_int=true&size=0',
                     '/odd/_search?size=x', '/nope/_search', '/nope-*/_search', '/nope/_doc/1', *UNKNOWN, *KNOWN):
            self.compare('GET', path)
        for body in bodies():
            self.compare('POST', '/odd/_search', body)
        self.verdict(MISSING)

    def test_aliases_many_searches_and_field_capabilities(self):
        for index, aliases in (('a-1', {'a': {}}), ('a-2', {})):
            for status, _ in self.both('PUT', f'/{index}', {'aliases': aliases, 'mappings': ODD_MAPPING}):
                self.assertEqual(200, status)
            self.fill(index, ((f'{index}-{number}', document) for number, document in enumerate(ODD[:4])))
        for method, path, body in (
                ('GET', '/a/_search?sort=n', None), ('GET', '/a/_count', None), ('GET', '/_alias/a', None), ('GET', '/_alias/nope', None), ('GET', '/a-*/_alias', None),
                ('GET', '/a/_doc/a-1-0', None), ('PUT', '/a/_doc/new?refresh=true', {'k': 'n'}), ('PUT', '/a-2/_alias/a', None), ('PUT', '/a/_doc/newer?refresh=true', {'k': 'n'}),
                ('GET', '/a/_doc/a-1-0', None), ('GET', '/a*/_count', None), ('DELETE', '/a', None), ('PUT', '/a', None), ('PUT', '/a-1/_alias/a-2', None),
                ('DELETE', '/a-1/_alias/nope', None), ('POST', '/_aliases', {'actions': [{'remove': {'index': 'a-1', 'alias': 'a'}}, {'add': {'index': 'a-1', 'alias': 'b'}}]}),
                ('GET', '/a-*/_alias', None), ('GET', '/b/_count', None), ('POST', '/_aliases', {'actions': [{'foo': {'index': 'a-1', 'alias': 'a'}}]}),
                ('GET', '/a-1/_field_caps?fields=k,t,n,d,p*', None), ('GET', '/a-1/_field_caps', None)):
            self.compare(method, path, body)
        lines = [{'index': 'a-1'}, {'query': {'term': {'k': 'a'}}, 'sort': ['_id']}, {'index': ['a-2']}, {'size': 0, 'aggs': {'x': {'terms': {'field': 'k'}}}},
                 {'index': 'nope'}, {}, {'index': 'nope', 'ignore_unavailable': True}, {}]
        (_, expected), (_, answer) = self.both('POST', '/_msearch', ''.join(json.dumps(line) + '\n' for line in lines).encode())
        expected, answer = ([error_of(one['status'], one) if 'error' in one else plain(one) for one in each['responses']] for each in (expected, answer))
        self.assertEqual(expected, answer)
        self.verdict()

    def test_payments_with_and_without_the_template(self):
        for status, _ in self.both('PUT', '/_index_template/kakaopay-logs', TEMPLATE):
            self.assertEqual(200, status)
        for index, keyword in (('kakaopay-logs-2024.01.01', ''), ('payments', '.keyword')):
            self.fill(index, payments(2000))
            self.compare('GET', f'/{index}/_count')
            for body in payment_bodies(keyword):
                self.compare('POST', f'/{index}/_search', body)
        self.compare('GET', '/kakaopay-logs-2024.01.01/_mapping')
        self.verdict()
