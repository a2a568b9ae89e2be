# SPDX-License-Identifier: Apache-2.0
"""The document store as a process: its REST API, its limits, and what is left of it after a SIGKILL."""
import gzip
import http.client
import json
import re
import signal
import socket
import threading
import time
import unittest

import document_store
import payment
import support


class StoreCase(support.Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / 'data'
        self.store = self.open()

    def open(self, *arguments):
        return document_store.Store(self, self.data, *arguments)

    def expect(self, status, method, path, body=None):
        answered, answer = self.store.call(method, path, body)
        self.assertEqual(status, answered, f'{method} {path}: {answer}')
        return answer

    def error(self, status, method, path, body=None):
        answer = self.expect(status, method, path, body)
        self.assertEqual(status, answer['status'])
        return answer['error']['type']


class MissingValues(StoreCase):
    """A `missing` of any type, for any aggregation, over fields of any type: an answer, and the store lives."""
    KINDS = {'avg': {}, 'sum': {}, 'min': {}, 'max': {}, 'stats': {}, 'percentiles': {}, 'value_count': {}, 'cardinality': {},
             'terms': {'order': {'_key': 'asc'}}, 'histogram': {'interval': 5}, 'range': {'ranges': [{'from': 0, 'to': 10}]},
             'date_histogram': {'fixed_interval': '1d'}}
    MISSING = ['0', 'x', '', 0, -1.5, 1e300, True, None, [1], {'a': 1}, '2024-01-01', '2024-01-01T00:00:00Z', '1.2.3.4', 'true',
               '99999999999999999999', 1 << 62]

    def search(self, kind, field, missing, **more):
        body = {'size': 0, 'aggs': {'x': {kind: {**self.KINDS[kind], 'field': field, 'missing': missing, **more}}}}
        return self.store.call('POST', '/a,b/_search', body)

    def test_an_answer_for_each(self):
        types = {'k': 'keyword', 't': 'text', 'l': 'long', 'd': 'double', 'b': 'boolean', 'at': 'date', 'ip': 'ip'}
        mapping = {'mappings': {'properties': {name: {'type': type} for name, type in types.items()}}}
        self.expect(200, 'PUT', '/a', mapping)
        self.expect(201, 'PUT', '/a/_doc/1', {'other': 1})
        self.expect(201, 'PUT', '/a/_doc/2', {'k': 'x', 'l': 3, 'd': 2.5, 'b': True, 'at': '2024-01-02', 'ip': '1.2.3.4'})
        self.expect(201, 'PUT', '/b/_doc/1', {'n': 1})
        for kind in self.KINDS:
            for field in [*types, 'price', 'n', 'n.x']:
                for missing in self.MISSING:
                    status, answer = self.search(kind, field, missing)
                    self.assertIn(status, (200, 400, 501, 503), (kind, field, missing, answer))
        self.expect(200, 'GET', '/')

    def test_a_number_as_text_is_a_number(self):
        self.expect(201, 'PUT', '/a/_doc/1', {'n': 1})
        self.expect(201, 'PUT', '/b/_doc/1', {'n': 1})
        for kind in ('avg', 'sum', 'min', 'max'):
            status, answer = self.search(kind, 'price', '4')
            self.assertEqual((200, 8 if kind == 'sum' else 4), (status, answer['aggregations']['x']['value']))
        buckets = self.search('histogram', 'price', '7')[1]['aggregations']['x']['buckets']
        self.assertEqual([(5.0, 2)], [(bucket['key'], bucket['doc_count']) for bucket in buckets])
        buckets = self.search('date_histogram', 'at', '2024-01-01T05:00:00Z')[1]['aggregations']['x']['buckets']
        self.assertEqual([(1704067200000, 2)], [(bucket['key'], bucket['doc_count']) for bucket in buckets])
        buckets = self.search('date_histogram', 'at', '01/02/2024', format='dd/MM/yyyy')[1]['aggregations']['x']['buckets']
        self.assertEqual([(1706745600000, 2)], [(bucket['key'], bucket['doc_count']) for bucket in buckets])


class Aliases(StoreCase):
    def setUp(self):
        super().setUp()
        self.expect(200, 'PUT', '/logs-1', {'aliases': {'logs': {}, 'old': {'is_write_index': False}}})
        self.expect(200, 'PUT', '/logs-2')
        for number in (1, 2):
            self.expect(201, 'PUT', f'/logs-{number}/_doc/{number}', {'n': number})

    def found(self, index):
        return sorted(hit['_id'] for hit in self.expect(200, 'GET', f'/{index}/_search')['hits']['hits'])

    def test_reading_and_writing_through_one(self):
        self.assertEqual(['1'], self.found('logs'))
        self.assertEqual({'logs-1': {'aliases': {'logs': {}, 'old': {'is_write_index': False}}}, 'logs-2': {'aliases': {}}}, self.expect(200, 'GET', '/_alias'))
        self.assertEqual('logs-1', self.expect(201, 'PUT', '/logs/_doc/3', {'n': 3})['_index'])
        self.assertEqual('logs-1', self.expect(200, 'GET', '/logs/_doc/3')['_index'])
        self.expect(200, 'PUT', '/logs-2/_alias/logs')
        self.assertEqual(['1', '2', '3'], self.found('logs'))
        self.assertEqual(['1', '2', '3'], self.found('lo*'), 'an index is read once')
        self.assertEqual('illegal_argument_exception', self.error(400, 'PUT', '/logs/_doc/4', {'n': 4}))
        self.assertEqual('illegal_argument_exception', self.error(400, 'GET', '/logs/_doc/3'))
        self.expect(200, 'POST', '/_aliases', {'actions': [{'remove': {'index': 'logs-*', 'alias': 'logs'}},
                                                           {'add': {'indices': ['logs-1', 'logs-2'], 'alias': 'all'}},
                                                           {'add': {'index': 'logs-2', 'alias': 'all', 'is_write_index': True}}]})
        self.assertEqual('index_not_found_exception', self.error(404, 'GET', '/logs/_search'))
        bulk = document_store.bulk({'create': {'_index': 'all', '_id': '5'}}, {'n': 5})
        self.assertEqual('logs-2', self.expect(200, 'POST', '/_bulk', bulk)['items'][0]['create']['_index'])
        self.assertEqual(['1', '2', '3', '5'], self.found('all'))
        self.expect(200, 'DELETE', '/logs-1/_alias/all')
        self.assertEqual(['2', '5'], self.found('all'))

    def test_templates_give_them(self):
        self.expect(200, 'PUT', '/_index_template/t', {'index_patterns': ['t-*'], 'template': {'aliases': {'t': {}}}})
        self.expect(201, 'PUT', '/t-1/_doc/9', {'n': 9})
        self.assertEqual(['9'], self.found('t'))

    def test_they_survive(self):
        self.expect(200, 'PUT', '/logs-2/_alias/both')
        self.expect(200, 'PUT', '/logs-1/_alias/both')
        self.assertEqual(-signal.SIGKILL, self.store.process.kill())
        self.store = self.open()
        self.assertEqual(['1', '2'], self.found('both'))
        self.assertEqual(['1'], self.found('logs'))

    def test_what_cannot_be(self):
        self.assertEqual('invalid_alias_name_exception', self.error(400, 'PUT', '/logs-1/_alias/logs-2'))
        self.assertEqual('invalid_index_name_exception', self.error(400, 'PUT', '/logs'))
        self.assertEqual('illegal_argument_exception', self.error(400, 'DELETE', '/logs'))
        self.assertEqual('aliases_not_found_exception', self.error(404, 'DELETE', '/logs-1/_alias/nope'))
        self.assertEqual('index_not_found_exception', self.error(404, 'PUT', '/nope/_alias/a'))
        self.assertEqual((404, 'alias [nope] missing'), (self.store.get('/_alias/nope')[0], self.store.get('/_alias/nope')[1]['error']))
        self.expect(200, 'PUT', '/logs-1/_alias/some', {'filter': {'term': {'n': 1}}})
        self.assertEqual('unsupported_operation_exception', self.error(501, 'GET', '/some/_search'))
        self.assertEqual(['1'], self.found('logs-1'))

    def test_many_searches_in_one_request(self):
        body = document_store.bulk({'index': 'logs-1'}, {'query': {'term': {'n': 1}}}, {'index': ['logs-1', 'logs-2'], 'ignore_unavailable': True}, {'size': 0},
                                   {'index': 'nope'}, {}, {}, {'query': {'foo': {}}})
        one, two, three, four = self.expect(200, 'POST', '/_msearch?max_concurrent_shard_requests=5', body)['responses']
        self.assertEqual((200, ['1']), (one['status'], [hit['_id'] for hit in one['hits']['hits']]))
        self.assertEqual((200, 2, []), (two['status'], two['hits']['total']['value'], two['hits']['hits']))
        self.assertEqual((404, 'index_not_found_exception'), (three['status'], three['error']['type']))
        self.assertEqual(400, four['status'])
        only, = self.expect(200, 'GET', '/logs-2/_msearch', '{}\n{}\n')['responses']
        self.assertEqual(['2'], [hit['_id'] for hit in only['hits']['hits']])
        for body in ('', '{"x":1}\n{}\n', '{}\n', 'x\n{}\n'):
            self.expect(400, 'POST', '/_msearch', body)

    def test_what_fields_can_do(self):
        self.expect(200, 'PUT', '/logs-3', {'mappings': {'properties': {'n': {'type': 'keyword'}, 'o': {'properties': {'t': {'type': 'text'}}}}}})
        caps = self.expect(200, 'GET', '/logs-*/_field_caps?fields=n,o*')
        self.assertEqual(['logs-1', 'logs-2', 'logs-3'], caps['indices'])
        self.assertEqual({'n': {'long': {'type': 'long', 'searchable': True, 'aggregatable': True, 'indices': ['logs-1', 'logs-2']},
                                'keyword': {'type': 'keyword', 'searchable': True, 'aggregatable': True, 'indices': ['logs-3']}},
                          'o': {'object': {'type': 'object', 'searchable': False, 'aggregatable': False}},
                          'o.t': {'text': {'type': 'text', 'searchable': True, 'aggregatable': False}}}, caps['fields'])
        self.assertEqual({}, self.expect(200, 'POST', '/logs/_field_caps', {'fields': ['o.*']})['fields'])
        self.expect(400, 'GET', '/logs-1/_field_caps')


class OtherSites(StoreCase):
    """Pages of other sites in a browser on this machine: neither their requests nor their names get through."""

    def status(self, method='POST', path='/x/_doc', body='{"n":1}', **headers):
        return self.store.raw(method, path, body, {name.replace('_', '-'): value for name, value in headers.items()})[0]

    def test_a_foreign_origin(self):
        for origin in ('http://evil.example', 'https://evil.example', 'null', f'http://127.0.0.1:{self.store.port + 1}',
                       f'http://{self.store.address}.evil.example', ''):
            for kind in ('application/json', 'text/plain'):
                self.assertEqual(403, self.status(Origin=origin, Content_Type=kind), origin)
        self.assertEqual(403, self.status('GET', '/_search', None, Origin='http://evil.example'))
        self.assertEqual(201, self.status(Origin=f'http://{self.store.address}', Content_Type='application/json'))
        self.assertEqual(1, self.store.count('x'))

    def test_a_foreign_host(self):
        for host in ('evil.example', f'evil.example:{self.store.port}', '192.0.2.1:9200', 'localhost.evil.example'):
            self.assertEqual(403, self.status(Host=host), host)
            self.assertEqual(403, self.status('GET', '/_search', None, Host=host), host)
        for host in ('localhost', 'localhost:1234', '127.0.0.1', '[::1]:9200', 'store'):
            self.assertEqual(201, self.status(Host=host), host)

    def test_bodies_are_json(self):
        for kind in ('text/plain', 'text/plain;charset=UTF-8', 'multipart/form-data; boundary=x', 'application/xml', 'x'):
            self.assertEqual(406, self.status(Content_Type=kind), kind)
        for kind in ('application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/x-ndjson',
                     'application/vnd.elasticsearch+json; compatible-with=8',
                     'application/vnd.elasticsearch+x-ndjson;compatible-with=9'):
            self.assertEqual(201, self.status(Content_Type=kind), kind)
        self.assertEqual(200, self.status('GET', '/x/_search', None, Content_Type='text/plain'))


class ManyOfAll(StoreCase):
    def assert_not_grown(self, before):
        """A sanitizer keeps what was freed for a while, up to its own bound."""
        spare = 4096 if not support.SANITIZED else 300 * 1024
        self.assertLess(self.store.process.resident_kib('Anonymous'), before + spare)

    def test_more_parameters_than_anybody_means(self):
        for count in (64, 65, 925, 2000, 5000):
            answered = self.store.raw('GET', '/_cat/indices?' + '&'.join(f'q={n}' for n in range(count)))[0]
            self.assertEqual(400, answered)
        before = self.store.process.resident_kib('Anonymous')
        for _ in range(200):
            self.assertEqual(400, self.store.raw('GET', '/?' + '&'.join(f'q=a{n}' for n in range(2000)))[0])
        self.assert_not_grown(before)

    def test_a_head_that_is_too_large_leaves_nothing_behind(self):
        def refused():
            with socket.create_connection(('127.0.0.1', self.store.port)) as client:
                client.settimeout(30 * support.PATIENCE)
                client.sendall(b'GET / HTTP/1.1\r\nHost: a\r\n' + b''.join(b'h%d: x\r\n' % n for n in range(2500)) + b'\r\n')
                answer = client.recv(100)
            return answer
        self.assertIn(b' 431 ', refused())
        before = self.store.process.resident_kib('Anonymous')
        for _ in range(200):
            refused()
        self.assert_not_grown(before)

    def test_idle_connections_make_room(self):
        for said in (b'', b'GET / HT', b'POST /x/_doc HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{'):
            clients = [socket.create_connection(('127.0.0.1', self.store.port)) for _ in range(300)]
            for client in clients:
                try:
                    client.sendall(said)
                except OSError:
                    pass
            self.expect(200, 'GET', '/')
            time.sleep(0.3)  # all that was sent is read: many in the middle of a request keep nobody out
            self.expect(200, 'GET', '/')
            for client in clients:
                client.close()

    def test_who_only_connects_keeps_nobody_out(self):
        with socket.create_connection(('127.0.0.1', self.store.port)) as slow:
            slow.sendall(b'POST /x/_doc HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{')
            self.expect(200, 'GET', '/')  # behind it, so it was read
            clients = [socket.create_connection(('127.0.0.1', self.store.port)) for _ in range(300)]
            self.expect(200, 'GET', '/')
            slow.sendall(b'"n":1}')
            self.assertIn(b' 201 ', slow.recv(100))
            for client in clients:
                client.close()

    def test_many_indices_are_deleted_together(self):
        self.store.call('POST', '/_bulk', document_store.bulk(*[line for n in range(2000) for line in (
            {'index': {'_index': f'old-{n}'}}, {'n': n})]), {'Content-Type': 'application/x-ndjson'})
        self.expect(200, 'DELETE', '/old-*')
        self.assertEqual([], self.expect(200, 'GET', '/_cat/indices?format=json'))

    def test_only_its_owner_may_read_it(self):
        self.expect(201, 'PUT', '/a/_doc/1', {})
        self.assertEqual(0, self.store.process.stop())
        for path in self.data.glob('store.db*'):
            path.chmod(0o644)
        self.store = self.open()
        self.expect(201, 'PUT', '/a/_doc/2', {})
        modes = {path.name: path.stat().st_mode & 0o777 for path in self.data.glob('store.db*')}
        self.assertEqual({0o600}, set(modes.values()), modes)


class Documents(StoreCase):
    def test_a_document_from_its_creation_to_its_end(self):
        answer = self.expect(201, 'PUT', '/books/_doc/a%2Fb', {'title': 'x'})
        self.assertEqual({'_index': 'books', '_id': 'a/b', '_version': 1, 'result': 'created', '_seq_no': 0, '_primary_term': 1,
                          '_shards': {'total': 1, 'successful': 1, 'failed': 0}}, answer)
        self.assertEqual('updated', self.expect(200, 'PUT', '/books/_doc/a%2Fb', {'title': 'y'})['result'])
        self.assertEqual('version_conflict_engine_exception', self.error(409, 'PUT', '/books/_create/a%2Fb', {}))
        self.assertEqual('updated', self.expect(200, 'POST', '/books/_update/a%2Fb', {'doc': {'n': 1}})['result'])
        self.assertEqual({'title': 'y', 'n': 1}, self.expect(200, 'GET', '/books/_doc/a%2Fb')['_source'])
        self.assertEqual({'title': 'y', 'n': 1}, self.expect(200, 'GET', '/books/_source/a%2Fb'))
        self.assertEqual(200, self.store.raw('HEAD', '/books/_doc/a%2Fb')[0])
        self.assertEqual('deleted', self.expect(200, 'DELETE', '/books/_doc/a%2Fb')['result'])
        self.assertEqual(False, self.expect(404, 'GET', '/books/_doc/a%2Fb')['found'])
        self.assertEqual(404, self.store.raw('HEAD', '/books/_doc/a%2Fb')[0])
        self.assertEqual('not_found', self.expect(404, 'DELETE', '/books/_doc/a%2Fb')['result'])

    def test_identifiers_are_made(self):
        identifier = self.expect(201, 'POST', '/books/_doc', {'n': 1})['_id']
        self.assertRegex(identifier, r'^[A-Za-z0-9_-]{20}$')
        self.assertEqual({'n': 1}, self.expect(200, 'GET', f'/books/_doc/{identifier}')['_source'])
        self.assertEqual([identifier], [hit['_id'] for hit in self.expect(200, 'GET', '/books/_search')['hits']['hits']])

    def test_the_source_is_kept_as_it_was_sent(self):
        source = '{"b" : 1.10, "a":"\\u00e9\\n", "b2":[ ]}'
        self.expect(201, 'PUT', '/books/_doc/1', source)
        self.assertIn(source.encode(), self.store.raw('GET', '/books/_doc/1')[1])

    def test_bulk_items_stand_on_their_own(self):
        body = document_store.bulk({'index': {'_id': 'a'}}, {'n': 1}, {'create': {'_id': 'a'}}, {'n': 2}, {'index': {'_id': 'b'}}, {'n': 'x'},
                          {'update': {'_id': 'a'}}, {'doc': {'m': 1}}, {'update': {'_id': 'c'}}, {'doc': {}}, {'delete': {'_id': 'q'}},
                          {'index': {'_index': 'Wrong'}}, {}, {'delete': {'_index': 'absent', '_id': 'x'}}, {'index': {}}, '{broken')
        answer = self.expect(200, 'POST', '/books/_bulk', body)
        items = [next(iter(item.values())) for item in answer['items']]
        self.assertTrue(answer['errors'])
        self.assertEqual([201, 409, 400, 200, 404, 404, 400, 404, 400], [item['status'] for item in items])
        self.assertEqual(['version_conflict_engine_exception', 'mapper_parsing_exception', 'document_missing_exception',
                          'invalid_index_name_exception', 'index_not_found_exception', 'mapper_parsing_exception'],
                         [item['error']['type'] for item in items if 'error' in item])
        self.assertEqual({'n': 1, 'm': 1}, self.expect(200, 'GET', '/books/_source/a'))
        slim = self.expect(200, 'POST', '/books/_bulk?filter_path=errors,items.*.error,items.*.status', document_store.bulk({'index': {}}, {}))
        self.assertEqual({'errors': False, 'items': [{'index': {'status': 201}}]}, slim)

    def test_a_broken_action_line_writes_nothing(self):
        body = document_store.bulk({'index': {'_id': 'a'}}, {}, 'nonsense', {})
        self.assertEqual('illegal_argument_exception', self.error(400, 'POST', '/books/_bulk', body))
        self.assertEqual('index_not_found_exception', self.error(404, 'GET', '/books/_count'))

    def test_compressed_bulks(self):
        body = gzip.compress(document_store.bulk(*[{'index': {}}, {'n': 1}] * 1000).encode())
        status, answer = self.store.call('POST', '/books/_bulk', body, {'Content-Encoding': 'gzip'})
        self.assertEqual((200, False, 1000), (status, answer['errors'], len(answer['items'])))
        self.assertEqual(1000, self.store.count('books'))


class Indices(StoreCase):
    def test_an_index(self):
        body = {'settings': {'number_of_shards': 3, 'index': {'refresh_interval': '5s'}}, 'mappings': {'properties': {'n': {'type': 'long'}}}}
        self.assertEqual({'acknowledged': True, 'shards_acknowledged': True, 'index': 'a'}, self.expect(200, 'PUT', '/a', body))
        self.assertEqual('resource_already_exists_exception', self.error(400, 'PUT', '/a'))
        self.assertEqual(200, self.store.raw('HEAD', '/a')[0])
        known = self.expect(200, 'GET', '/a')['a']
        self.assertEqual({'properties': {'n': {'type': 'long'}}}, known['mappings'])
        self.assertEqual(('3', '5s', 'a'), tuple(known['settings']['index'][name] for name in
                                                ('number_of_shards', 'refresh_interval', 'provided_name')))
        self.expect(200, 'PUT', '/a/_mapping', {'properties': {'k': {'type': 'keyword'}}})
        self.assertEqual({'k', 'n'}, set(self.expect(200, 'GET', '/a/_mapping')['a']['mappings']['properties']))
        self.assertEqual('illegal_argument_exception', self.error(400, 'PUT', '/a/_mapping', {'properties': {'n': {'type': 'text'}}}))
        self.expect(200, 'PUT', '/a/_settings', {'index': {'number_of_replicas': 1}})
        self.assertEqual('1', self.expect(200, 'GET', '/a/_settings')['a']['settings']['index']['number_of_replicas'])
        self.expect(200, 'POST', '/a/_refresh')
        self.expect(200, 'DELETE', '/a')
        self.assertEqual(404, self.store.raw('HEAD', '/a')[0])

    def test_expressions(self):
        for name in ('logs-1', 'logs-2', 'other'):
            self.expect(201, 'POST', f'/{name}/_doc', {'n': 1})
        for expression, count in (('logs-*', 2), ('logs-*,other', 3), ('*,-logs-1', 2), ('_all', 3), ('none-*', 0), ('logs-1,logs-2', 2)):
            self.assertEqual(count, self.store.count(expression), expression)
        self.assertEqual(3, self.expect(200, 'GET', '/_count')['count'])
        self.assertEqual(2, self.expect(200, 'GET', '/logs-*/_search')['hits']['total']['value'])
        self.assertEqual('index_not_found_exception', self.error(404, 'GET', '/logs-1,absent/_count'))
        self.assertEqual(1, self.expect(200, 'GET', '/logs-1,absent/_count?ignore_unavailable=true')['count'])
        self.expect(200, 'DELETE', '/logs-*')
        self.assertEqual(['other'], [row['index'] for row in self.expect(200, 'GET', '/_cat/indices?format=json')])

    def test_templates(self):
        self.expect(200, 'PUT', '/_template/old', {'index_patterns': ['logs-*'], 'order': 1, 'mappings': {'properties': {'k': {'type': 'keyword'}}}})
        self.expect(201, 'POST', '/logs-1/_doc', {'k': 'x'})
        self.assertEqual('keyword', self.expect(200, 'GET', '/logs-1/_mapping')['logs-1']['mappings']['properties']['k']['type'])
        self.expect(200, 'PUT', '/_index_template/new', {'index_patterns': ['logs-*'], 'template': {'mappings': {'properties': {'k': {'type': 'text'}}}}})
        self.expect(201, 'POST', '/logs-2/_doc', {'k': 'x'})
        self.assertEqual('text', self.expect(200, 'GET', '/logs-2/_mapping')['logs-2']['mappings']['properties']['k']['type'])
        self.assertEqual(['old'], list(self.expect(200, 'GET', '/_template/o*')))
        self.assertEqual(['new'], [item['name'] for item in self.expect(200, 'GET', '/_index_template')['index_templates']])
        for path in ('/_template/old', '/_index_template/new'):
            self.assertEqual(200, self.store.raw('HEAD', path)[0])
            self.expect(200, 'DELETE', path)
            self.assertEqual(404, self.store.raw('HEAD', path)[0])
            self.expect(404, 'DELETE', path)
        self.assertEqual('action_request_validation_exception', self.error(400, 'PUT', '/_template/x', {'mappings': {}}))

    def test_tables(self):
        self.expect(201, 'PUT', '/a/_doc/1', {'n': 1})
        self.expect(201, 'PUT', '/b/_doc/1', {'n': 1})
        self.expect(201, 'PUT', '/b/_doc/2', {'n': 1})
        text = self.store.raw('GET', '/_cat/indices?v&h=index,docs.count&s=docs.count:desc')[1].decode()
        self.assertEqual('index docs.count\nb              2\na              1\n', text)
        self.assertEqual([{'docs.count': '2'}], self.expect(200, 'GET', '/_cat/indices/b?format=json&h=dc'))
        self.assertEqual('3', self.expect(200, 'GET', '/_cat/count?format=json')[0]['count'])
        self.assertEqual('green', self.expect(200, 'GET', '/_cat/health?format=json')[0]['status'])
        self.assertEqual('green', self.expect(200, 'GET', '/_cluster/health')['status'])
        self.assertIn(b'\n  "name": "millrace"', self.store.raw('GET', '/?pretty')[1])
        self.assertEqual({'version': {'number': '7.10.2'}}, self.expect(200, 'GET', '/?filter_path=version.number'))


class Refusals(StoreCase):
    def test_what_it_does_not_do(self):
        for path in ('/_nodes', '/_scripts/x', '/a/_mget', '/a/_doc/b/c', '/_sql', '/_ingest/pipeline/x', '/_data_stream/x', '/a/_search/scroll'):
            self.assertEqual('unsupported_operation_exception', self.error(501, 'GET', path), path)
        self.assertEqual('unsupported_operation_exception', self.error(501, 'POST', '/a/_bulk?pipeline=p', document_store.bulk({'index': {}}, {})))

    def test_parameters_of_the_url(self):
        self.expect(201, 'PUT', '/a/_doc/1?refresh=true&timeout=1m', {'n': 1, 'm': 2})
        self.assertEqual('illegal_argument_exception', self.error(400, 'GET', '/a/_search?foo=1'))
        self.assertEqual('illegal_argument_exception', self.error(400, 'PUT', '/a/_doc/2?foo=1', {}))
        self.assertEqual('unsupported_operation_exception', self.error(501, 'GET', '/a/_settings?flat_settings=true'))
        self.assertEqual({'m': 2}, self.expect(200, 'GET', '/a/_doc/1?_source_excludes=n')['_source'])
        self.assertEqual({'n': 1}, self.expect(200, 'GET', '/a/_source/1?_source=n'))
        self.assertEqual(1, self.store.count('a'))

    def test_wrong_methods(self):
        for method, path, allowed in (('POST', '/a', 'GET, HEAD, PUT, DELETE'), ('DELETE', '/_bulk', 'POST, PUT'), ('PUT', '/_search', 'GET, POST')):
            status, _, headers = self.store.raw(method, path, b'{}')
            self.assertEqual((405, allowed), (status, headers['Allow']))

    def test_bad_bodies(self):
        self.expect(200, 'PUT', '/a')
        for method, path, body in (('PUT', '/a/_doc/1', '{bad'), ('PUT', '/b', '[]'), ('PUT', '/a/_doc/1', ''), ('POST', '/_bulk', ''),
                                   ('POST', '/_bulk', '{}'), ('POST', '/_bulk', '\n\n'), ('PUT', '/a/_doc/1', b'{"a":"\xff"}'),
                                   ('PUT', '/a/_doc/1', '{"a":' * 5000), ('PUT', '/_template/t', '{'), ('GET', '/a/_search', '{"query":')):
            self.error(400, method, path, body)
        self.assertEqual(0, self.store.count('a'))

    def test_hostile_requests(self):
        def talk(data):
            with socket.create_connection(('127.0.0.1', self.store.port), timeout=1) as connection:
                try:
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except OSError:
                    pass  # hung up on, or waited for: either will do
        for data in (b'', b'\0' * 1000, b'GET ' + b'a' * 200000, b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 20000, b'POST /_bulk HTTP/1.1\r\n\r\n',
                     b'POST /_bulk HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
                     b'POST /_bulk HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n',
                     b'POST /_bulk HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{"index"', b'\x16\x03\x01\x02\x00\x01\x00'):
            talk(data)
        self.expect(400, 'GET', '/%zz')
        self.expect(400, 'GET', '/a?x=%f')
        self.expect(200, 'GET', '/_cluster/health')

    def test_large_bodies(self):
        self.store.process.stop()
        self.store = self.open('--max-body', '1mb')
        large = b'x' * 1100000
        connection = http.client.HTTPConnection('127.0.0.1', self.store.port, timeout=60)
        connection.request('POST', '/_bulk', large)
        self.assertEqual(413, connection.getresponse().status)
        connection.close()
        bomb = gzip.compress(b'\n' * 50_000_000)
        self.assertEqual(413, self.store.call('POST', '/_bulk', bomb, {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(400, self.store.call('POST', '/_bulk', b'plain', {'Content-Encoding': 'gzip'})[0])
        self.assertEqual(415, self.store.call('POST', '/_bulk', b'plain', {'Content-Encoding': 'br'})[0])


class Process(StoreCase):
    def refused(self, *arguments):
        process = self.start('store', *arguments, data=False)
        status = process.wait()
        return status, process.stderr

    def test_one_process_for_a_folder(self):
        status, said = self.refused('--path', self.data, '--listen', '127.0.0.1:0')
        self.assertEqual(1, status)
        self.assertRegex(said, rf"^millrace store: '{self.data}' is in use by another millrace \(pid {self.store.process.pid}\).*\n$")

    def test_a_port_that_is_taken(self):
        status, said = self.refused('--path', self.folder / 'other', '--listen', self.store.address)
        self.assertEqual(1, status)
        self.assertRegex(said, r'^millrace store: cannot listen on .*: Address already in use\n$')

    def test_other_machines(self):
        status, said = self.refused('--path', self.folder / 'other', '--listen', '0.0.0.0:0')
        self.assertEqual(1, status)
        self.assertIn('--allow-remote', said)

    def test_wrong_flags(self):
        for arguments in ((), ('--path', 'x', '--listen', 'nonsense'), ('--path', 'x', '--listen', 'a:70000'), ('--path', 'x', '--sync', 'no'),
                          ('--path', 'x', '--max-body', 'lots'), ('--path', 'x', '--retention-days', '0'), ('--path', 'x', 'operand')):
            status, said = self.refused(*arguments)
            self.assertEqual((2, 'millrace store: '), (status, said[:16]), arguments)

    def test_another_format(self):
        self.store.process.stop()
        self.data.joinpath('store.db').write_bytes(b'something else entirely' * 1000)
        status, said = self.refused('--path', self.data, '--listen', '127.0.0.1:0')
        self.assertEqual(1, status)
        self.assertEqual(1, said.count('\n'), said)

    def test_an_orderly_end_and_a_new_beginning(self):
        self.expect(201, 'PUT', '/a/_doc/1', {'n': 1})
        self.expect(200, 'PUT', '/_template/t', {'index_patterns': ['x*']})
        self.assertEqual(0, self.store.process.stop())
        self.assertEqual(['.lock', 'store.db'], sorted(path.name for path in self.data.iterdir()))
        self.store = self.open()
        self.assertEqual({'n': 1}, self.expect(200, 'GET', '/a/_doc/1')['_source'])
        self.assertEqual(['t'], list(self.expect(200, 'GET', '/_template')))
        self.assertEqual('mapper_parsing_exception', self.error(400, 'PUT', '/a/_doc/2', {'n': 'x'}))

    def test_retention(self):
        for day in range(1, 6):
            self.expect(201, 'POST', f'/logs-2020.01.0{day}/_doc', {'@timestamp': f'2020-01-0{day}T00:00:00Z', 'text': 'x' * 1000})
        self.expect(201, 'POST', '/now/_doc', {'text': 'x' * 1000})
        self.store.process.stop()
        self.store = self.open('--retention-bytes', '4500b')
        self.store.process.wait_for_log(r'more than --retention-bytes.*logs-2020\.01\.02')
        names = lambda: sorted(row['index'] for row in self.expect(200, 'GET', '/_cat/indices?format=json'))
        self.assertEqual(['logs-2020.01.03', 'logs-2020.01.04', 'logs-2020.01.05', 'now'], names())
        self.store.process.stop()
        self.store = self.open('--retention-days', '30')
        self.store.process.wait_for_log(r'older than --retention-days.*logs-2020\.01\.05')
        self.assertEqual(['now'], names())

    def test_retention_makes_the_file_smaller(self):
        lines = [{'index': {}}, {'text': 'x' * 1000}] * 10_000
        self.expect(200, 'POST', '/logs-2020.01.01/_bulk', document_store.bulk(*lines))
        self.expect(201, 'PUT', '/now/_doc/1', {'n': 1})
        self.store.process.stop()
        size = lambda: self.data.joinpath('store.db').stat().st_size
        self.assertGreater(size(), 10_000_000)
        self.store = self.open('--retention-days', '30')
        support.wait_until(lambda: size() < 1_000_000, 'the file to be small')
        self.assertEqual(1, self.store.count('now'))


class Crash(StoreCase):
    SENDERS, BULK = 4, 50

    def send(self, sender, answered, started):
        """Bulks one after another until the store is gone; what was answered is noted."""
        for turn in range(10_000):
            numbers = [f'{sender}-{turn}-{i}' for i in range(self.BULK)]
            lines = [line for number in numbers for line in ({'create': {'_id': number}}, {'number': number})]
            try:
                status, answer = self.store.call('POST', '/crash/_bulk', document_store.bulk(*lines))
            except (OSError, http.client.HTTPException):
                return
            if status == 200 and not answer['errors']:
                answered.extend(numbers)
            if len(answered) > 2000:
                started.set()

    def test_what_was_answered_is_there(self):
        for _ in range(2):
            answered, started = [], threading.Event()
            if self.store.get('/crash/_count')[0] == 200:
                self.expect(200, 'DELETE', '/crash')
            threads = [threading.Thread(target=self.send, args=(i, answered, started)) for i in range(self.SENDERS)]
            for thread in threads:
                thread.start()
            self.assertTrue(started.wait(60 * support.PATIENCE), 'nothing was answered')
            self.assertEqual(-signal.SIGKILL, self.store.process.kill())
            for thread in threads:
                thread.join()
            self.store = self.open()
            total = self.store.count('crash')
            self.assertGreaterEqual(total, len(answered))
            self.assertLessEqual(total, len(answered) + self.SENDERS * self.BULK)
            self.assertEqual(0, total % self.BULK, 'a part of a bulk was stored')
            for number in answered:
                if self.store.raw('HEAD', f'/crash/_doc/{number}')[0] != 200:
                    self.fail(f'{number} was answered and is not there')


class Search(StoreCase):
    def setUp(self):
        super().setUp()
        lines = []
        for n in range(100):
            lines += [{'index': {'_index': f'logs-{n % 4}', '_id': n}},
                      {'@timestamp': f'2026-01-01T00:{n // 60:02d}:{n % 60:02d}Z', 'n': n, 'level': ('INFO', 'ERROR')[n % 2]}]
        self.expect(200, 'POST', '/_bulk', document_store.bulk(*lines))

    def ids(self, body, path='/_search'):
        return [int(hit['_id']) for hit in self.expect(200, 'POST', path, body)['hits']['hits']]

    def test_over_indices(self):
        sort = [{'n': 'asc'}]
        self.assertEqual(list(range(10)), self.ids({'sort': sort}))
        self.assertEqual([1, 5, 9], self.ids({'sort': sort, 'size': 3}, '/logs-1/_search'))
        within = {'range': {'@timestamp': {'gte': '2026-01-01T00:01:35Z'}}}
        self.assertEqual([95, 96, 97, 98, 99], self.ids({'query': within, 'sort': sort}))
        self.assertEqual([3, 50], sorted(self.ids({'query': {'ids': {'values': ['50', '3', 'absent']}}})))
        self.assertEqual(50, self.expect(200, 'GET', '/logs-*/_count?q=level:ERROR')['count'])
        self.assertEqual(5, self.expect(200, 'POST', '/_count', {'query': within})['count'])
        self.assertEqual('index_not_found_exception', self.error(404, 'GET', '/absent/_search'))


class Pipeline(payment.PaymentCase):
    """The shipped payment pipeline, unmodified, into the store."""

    def test_payment(self):
        target = document_store.Store(self, self.folder / 'data')
        path, lines = self.generate()
        millrace = self.start('-f', payment.PIPELINE, '--connect-to', f'elasticsearch:9200:{target.address}',
                              '--connect-to', f'alertmanager:9093:{self.search.address}',
                              '--path.templates', support.ROOT / 'deploy/templates')
        millrace.wait_for_port(payment.PORT)
        self.finish_client(self.start_client(path))
        self.assertEqual(0, millrace.stop())
        self.assertEqual(len(lines), target.count('kakaopay-logs-*'))
        for row in target.get('/_cat/indices?format=json')[1]:
            hits = target.call('POST', f'/{row["index"]}/_search', {'size': 10000})[1]['hits']['hits']
            self.search.documents += [(hit['_id'], hit['_index'], hit['_source']) for hit in hits]
        self.check_documents(lines)
        self.check_alerts(lines)
        self.assertEqual(200, target.raw('HEAD', '/_template/kakaopay-logs')[0] if target.raw('HEAD', '/_index_template/kakaopay-logs')[0] != 200 else 200)


if __name__ == '__main__':
    unittest.main()
