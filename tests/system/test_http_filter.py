# SPDX-License-Identifier: Apache-2.0
"""The filters http and elasticsearch: what they ask, what they make of answers, and that nobody waits for them."""
import json
import threading
import unittest

import support
from document_store import Store

IN_EVENT = ('@timestamp', '@version', 'event', 'host')


class AskingCase(support.Case):
    def run_events(self, filters, *events, arguments=('-w', '1')):
        """The events without what every event has, and @metadata as [meta]."""
        text = ('input { stdin { codec => json_lines } } filter { ' + filters + ' mutate { copy => { "@metadata" => "meta" } } } '
                'output { stdout { codec => json_lines } }')
        lines = ''.join(json.dumps(event) + '\n' for event in events).encode()
        self.millrace = self.run_to_end('--pipeline.ecs_compatibility', 'disabled', *arguments, '-e', text, stdin=lines)
        out = self.millrace.json_lines()
        for event in out:
            for field in IN_EVENT:
                event.pop(field, None)
            if not event.get('meta'):
                event.pop('meta', None)
        return out

    def refusal(self, filters, *arguments):
        text = 'input { stdin { } } filter { ' + filters + ' } output { stdout { } }'
        return self.run_to_end('-t', *arguments, '-e', text, status=1).stderr


class Http(AskingCase):
    def test_what_is_asked(self):
        server = self.recorder()
        self.run_events('http { url => "http://%s/a/%%{n}?x=1" verb => "POST" headers => { "X-%%{n}" => "v %%{t}" } '
                        'query => { "q %%{n}" => "%%{t}&" } body => { "k%%{n}" => ["%%{t}", 5, { "deep" => "%%{t}" }] } '
                        'body_format => "json" user => "me" password => "secret" }' % server.address, {'n': 7, 't': 'ü'})
        request, = server.taken()
        self.assertEqual('POST', request.method)
        self.assertEqual('/a/7?x=1&q%207=%C3%BC%26', request.path)
        self.assertEqual({'k7': ['ü', 5, {'deep': 'ü'}]}, request.json())
        self.assertEqual('application/json', request.headers['content-type'])
        self.assertEqual('v ü'.encode(), request.headers['X-7'].encode('latin-1'))
        self.assertEqual('Basic bWU6c2VjcmV0', request.headers['authorization'])

    def test_texts_and_types(self):
        server = self.recorder()
        self.run_events('http { url => "http://%s/" verb => "PUT" body => "say %%{n}" } '
                        'http { url => "http://%s/" headers => { "Content-Type" => "text/x" } }' % ((server.address,) * 2), {'n': 7})
        put, get = server.taken()
        self.assertEqual((b'say 7', 'text/plain'), (put.body, put.headers['content-type']))
        self.assertEqual(('GET', 'text/x'), (get.method, get.headers['content-type']))

    def test_answers(self):
        answers = {'/json': (200, {'a': [1, {'b': None}]}, {'X-One': '1'}), '/broken': (200, '{', {'Content-Type': 'application/json; charset=x'}),
                   '/text': (201, '  two words \n', {'Content-Type': 'text/plain'}), '/none': (204, ''), '/no': (404, 'secret'),
                   '/more': (200, {'a': 1}, {'content-type': 'application/json-seq'}),
                   '/parts': (200, '[1]', {'Content-Type': 'text/x; application/json ; charset=x'}),
                   '/empty': (200, '', {'Content-Type': 'text/plain'}), '/null': (200, ' ', {'Content-Type': 'application/json'})}
        server = self.recorder(lambda request: answers[request.path])
        events = self.run_events('http { url => "http://%s/%%{p}" add_tag => "ok" target_headers => "[h]" }' % server.address,
                                 *({'p': path[1:]} for path in answers))
        by_path = {event.pop('p'): event for event in events}
        heads = {path: event.pop('h', None) for path, event in by_path.items()}
        self.assertEqual({'body': {'a': [1, {'b': None}]}, 'tags': ['ok']}, by_path['json'])
        self.assertEqual({'tags': ['_jsonparsefailure', 'ok']}, by_path['broken'])
        self.assertEqual({'body': 'two words', 'tags': ['ok']}, by_path['text'])
        self.assertEqual({'tags': ['ok']}, by_path['none'])
        self.assertEqual({'tags': ['_httprequestfailure']}, by_path['no'])
        self.assertEqual({'body': '{"a": 1}', 'tags': ['ok']}, by_path['more'])
        self.assertEqual({'body': [1], 'tags': ['ok']}, by_path['parts'])
        self.assertEqual({'body': '', 'tags': ['ok']}, by_path['empty'])
        self.assertEqual({'body': None, 'tags': ['ok']}, by_path['null'])
        self.assertEqual(('1', 'application/json'), (heads['json']['x-one'], heads['json']['content-type']))
        self.assertIsNone(heads['no'])
        self.assertIn('reason="status 404"', self.millrace.stderr)
        self.assertNotIn('secret', self.millrace.stderr)

    def test_nobody_is_there(self):
        port = support.free_port()
        event, = self.run_events('http { url => "http://127.0.0.1:%d/" add_tag => "ok" }' % port, {'a': 1})
        self.assertEqual({'a': 1, 'tags': ['_httprequestfailure']}, event)

    def test_head_and_redirects(self):
        server = self.recorder(lambda request: (302, '', {'Location': '/b', 'X-A': '1'}) if request.path == '/a' else (200, 'x', {'X-B': '2'}))
        event, = self.run_events('http { url => "http://%s/a" verb => "HEAD" }' % server.address, {'a': 1})
        self.assertNotIn('body', event)
        self.assertEqual('2', event['headers']['x-b'])
        self.assertNotIn('x-a', event['headers'])

    def test_the_requests_of_a_slice_are_under_way_at_once(self):
        """None is answered before all have come."""
        together = threading.Barrier(20)

        def answer(_):
            together.wait(30 * support.PATIENCE)
            return 200, 'ok'
        server = self.recorder(answer)
        events = self.run_events('http { url => "http://%s/%%{n}" target_body => "b" }' % server.address, *({'n': n} for n in range(40)))
        self.assertEqual([(n, 'ok') for n in range(40)], [(event['n'], event['b']) for event in events])

    def test_ecs(self):
        self.assertIn('target_body is needed', self.refusal('http { url => "http://x/" }', '--pipeline.ecs_compatibility', 'v8'))
        self.assertIn('user needs password', self.refusal('http { url => "http://x/" target_body => "b" user => "u" }'))
        self.assertIn('url', self.refusal('http { target_body => "b" }'))

    def test_a_stop_does_not_wait_for_a_server(self):
        server = self.recorder(lambda _: threading.Event().wait(3600))
        millrace = self.start('-w', '1', '--shutdown.timeout', '1', '-e', 'input { stdin { } } filter { http { target_body => "b" '
                              'url => "http://%s/" } } output { stdout { } }' % server.address, stdin=True)
        millrace.child.stdin.write(b'one\n')
        millrace.child.stdin.flush()
        support.wait_until(lambda: server.taken(), 'the request')
        millrace.signal(15)
        millrace.wait()
        self.assertIn('not delivered', millrace.stderr)


HITS = {'_shards': {'total': 1}, 'hits': {'total': {'value': 2}, 'hits': [
    {'_id': 'i1', '_index': 'x', '_source': {'a': {'b': 1}, 'c': 'd', 'e.f': 9}}, {'_id': 'i2', '_index': 'x', '_source': {'c': [2]}}]},
        'aggregations': {'n': {'value': 3}}}


class Elasticsearch(AskingCase):
    def search(self, server, options):
        return 'elasticsearch { hosts => ["%s"] %s add_tag => "ok" }' % (server.address, options)

    def test_a_query(self):
        server = self.recorder(lambda _: (200, HITS))
        event, = self.run_events(self.search(server, 'index => "i-%{n}" query => "k:%{n} AND x" result_size => 2 fields => { "c" => "[c1]" "[a][b]" => "ab" '
                                             '"e.f" => "ef" } docinfo_fields => { "_id" => "id" } aggregation_fields => { "n" => "agg" }'), {'n': 7})
        request, = server.taken()
        self.assertEqual(('GET', '/i-7/_search?q=k%3A7%20AND%20x&size=2&sort=%40timestamp%3Adesc'), (request.method, request.path))
        self.assertEqual({'n': 7, 'c1': ['d', [2]], 'ab': [1, None], 'ef': [9, None], 'id': ['i1', 'i2'], 'agg': {'value': 3},
                          'tags': ['ok'], 'meta': {'total_hits': 2}}, event)

    def test_one_hit_and_a_target(self):
        one = {'_shards': {}, 'hits': {'total': 1, 'hits': HITS['hits']['hits'][:1]}}
        server = self.recorder(lambda _: (200, one))
        event, = self.run_events(self.search(server, 'query => "*" enable_sort => false target => "t" fields => { "c" => "c" "[a]" => "[x][y]" "z" => "z" }'), {})
        self.assertEqual({'t': {'c': 'd', 'x': {'y': {'b': 1}}, 'z': None}, 'tags': ['ok'], 'meta': {'total_hits': 1}}, event)
        self.assertEqual('/_search?q=%2A&size=1', server.taken()[0].path)

    def test_a_template(self):
        server = self.recorder(lambda _: (200, {'_shards': {}, 'hits': {'total': 0, 'hits': []}}))
        path = self.write('query.json', '{"query": {"term": {"k": "%{n}"}}}')
        events = self.run_events(self.search(server, f'query_template => "{path}"'), {'n': 7}, {'n': '"'})
        self.assertEqual([{'n': 7, 'meta': {'total_hits': 0}}, {'n': '"', 'tags': ['_elasticsearch_lookup_failure']}], events)
        request, = server.taken()
        self.assertEqual(('POST', {'query': {'term': {'k': '7'}}}), (request.method, request.json()))

    def test_esql(self):
        server = self.recorder(lambda _: (200, {'columns': [{'name': 'a.b'}, {'name': 'c'}], 'values': [[1, 'x'], [2, None]]}))
        query = 'query_type => "esql" query => "FROM i | WHERE k == ?k" query_params => [{ "k" => "[n]" }, { "l" => 5 }]'
        event, = self.run_events(self.search(server, query), {'n': 7})
        self.assertEqual({'n': 7, 'a': {'b': 1}, 'c': 'x', 'tags': ['ok'], 'meta': {'total_values': 2}}, event)
        event, = self.run_events(self.search(server, query + ' target => "rows"'), {'n': 7})
        self.assertEqual([{'a.b': 1, 'c': 'x'}, {'a.b': 2, 'c': None}], event['rows'])
        self.assertEqual({'query': 'FROM i | WHERE k == ?k', 'params': [{'k': 7}, {'l': 5}]}, server.taken('/_query')[0].json())

    def test_what_fails(self):
        for status, body in ((500, 'x'), (200, 'no json'), (200, {'_shards': {'failures': [1]}, 'hits': {'total': 0, 'hits': []}}), (200, [])):
            with self.subTest(body):
                server = self.recorder(lambda _: (status, body))
                event, = self.run_events(self.search(server, 'query => "*" retry_on_failure => 2'), {'a': 1})
                self.assertEqual({'a': 1, 'tags': ['_elasticsearch_lookup_failure']}, event)
                self.assertEqual(3 if status == 500 else 1, len(server.taken()))

    def test_a_server_that_is_away_is_left_out_for_a_while(self):
        server = self.recorder(lambda _: (200, HITS))
        events = self.run_events('elasticsearch { hosts => ["127.0.0.1:%d", "%s"] query => "*" fields => { "c" => "c" } }'
                                 % (support.free_port(), server.address), *({'n': n} for n in range(300)))
        failed = [event['n'] for event in events if event.get('tags')]
        self.assertIn(0, failed)
        self.assertLess(max(failed), 128)  # what was asked before it was known

    def test_options(self):
        for options, said in (('query => "a" query_template => "/etc/hostname"', 'either query or query_template'), ('', 'either query or query_template'),
                              ('query => "a" api_key => "a:b"', 'ssl_enabled'), ('query => "a" user => "u" cloud_auth => "a:b"', 'only one of'),
                              ('query => "a" hosts => ["http://"]', 'hosts'), ('query => "a" query_params => [{ "a" => 1 }]', 'esql'),
                              ('query => "a" fields => { "a" => "[b" }', 'field reference')):
            with self.subTest(options):
                self.assertIn(said, self.refusal('elasticsearch { ' + options + ' }'))

    def test_credentials(self):
        server = self.recorder(lambda _: (200, HITS))
        for options, header in (('user => "me" password => "secret"', 'Basic bWU6c2VjcmV0'), ('user => "me"', None),
                                ('custom_headers => { "Authorization" => "x" }', 'x')):
            self.run_events(self.search(server, 'query => "*" ' + options), {})
            self.assertEqual(header, server.taken()[-1].headers['authorization'])

    def test_against_a_store(self):
        store = Store(self, self.folder / 'store')
        for n in range(3):
            store.call('PUT', f'/things/_doc/{n}?refresh=true', {'number': n, 'name': f'thing {n}', '@timestamp': f'2024-01-0{n + 1}T00:00:00Z'})
        events = self.run_events('elasticsearch { hosts => ["%s"] index => "things" query => "number:%%{n}" fields => { "name" => "name" } '
                                 'docinfo_fields => { "_id" => "id" } }' % store.address, {'n': 1}, {'n': 9}, {'n': 2})
        self.assertEqual([('thing 1', '1'), (None, None), ('thing 2', '2')], [(event.get('name'), event.get('id')) for event in events])
        event, = self.run_events('elasticsearch { hosts => ["%s"] index => "things" query => "number:1" fields => [["name", "a"], ["number", "[b][c]"]] }'
                                 % store.address, {})
        self.assertEqual(('thing 1', {'c': 1}), (event['a'], event['b']))


if __name__ == '__main__':
    unittest.main()
