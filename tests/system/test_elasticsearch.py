# SPDX-License-Identifier: Apache-2.0
"""The elasticsearch output against a real OpenSearch node: what is sent is there, once, whatever the server says. The same against
Elasticsearch 7.17: test_elasticsearch_7."""
import json
import re
import urllib.error

import opensearch
import support

TEMPLATES = support.ROOT / 'deploy' / 'templates'


def lines(documents):
    return ''.join(json.dumps(document) + '\n' for document in documents).encode()


class Search(support.Case):
    """A pipeline from standard input to the node. Each test has indices of its own."""
    settings, server = '', opensearch.FOLDER

    @classmethod
    def tearDownClass(cls):
        if cls.settings:
            opensearch.remove(cls.settings, cls.server)
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.node = opensearch.node(self.settings, self.server)
        self.index = re.sub('[^a-z]', '-', self.id().split('.')[-1])

    def pipeline(self, options='', index=True, name='elasticsearch', ecs='disabled'):
        place = f'index => "{self.index}"' if index else ''
        return ('-w', '2', '--pipeline.ecs_compatibility', ecs, '--counters', 'counters.json',
                '-e', f'input {{ stdin {{ codec => json_lines }} }} output {{ {name} {{ '
                f'hosts => ["{self.node.url}"] {place} {options} }} }}')

    def deliver(self, documents, options='', **more):
        """Runs the documents through; returns the counters of the output."""
        self.run_to_end(*self.pipeline(options, **more), stdin=lines(documents), timeout=120)
        return self.counters()

    def counters(self):
        counters = json.loads((self.folder / 'counters.json').read_text())
        return counters['pipelines']['main']['plugins']['outputs'][0]['events']

    def send(self, millrace, documents):
        millrace.child.stdin.write(lines(documents))
        millrace.child.stdin.flush()


class Documents(Search):
    def test_every_document_is_there(self):
        documents = [{'n': n, 'text': f'"quoted" \\ 한글 {n}', 'nested': {'list': [n, None, 7], 'ratio': n / 4}} for n in range(5000)]
        counters = self.deliver(documents, 'document_id => "%{n}"')
        self.assertEqual(5000, counters['delivered'])
        self.assertEqual(5000, self.node.count(self.index))
        stored = self.node.get(f'/{self.index}/_doc/4321')['_source']
        for key, value in documents[4321].items():
            self.assertEqual(value, stored[key])

    def test_compressed_requests_are_read(self):
        self.deliver([{'n': n} for n in range(300)], 'compression_level => 6')
        self.assertEqual(300, self.node.count(self.index))

    def test_opensearch_is_the_same_output(self):
        counters = self.deliver([{'n': n} for n in range(10)], 'http_compression => true', name='opensearch')
        self.assertEqual(10, counters['delivered'])
        self.assertEqual(10, self.node.count(self.index))

    def test_dates_name_the_index(self):
        days = [{'@timestamp': f'2025-0{month}-28T23:59:59Z'} for month in range(1, 6)]
        self.deliver(days * 3, f'index => "{self.index}-%{{+YYYY.MM.dd}}"', index=False)
        for month in range(1, 6):
            self.assertEqual(3, self.node.count(f'{self.index}-2025.0{month}.28'))

    def test_ids_are_escaped(self):
        self.deliver([{'id': 'a"b\\c\nd'}], 'document_id => "%{id}" routing => "%{id}"')
        self.assertEqual(['a"b\\c\nd'], list(self.node.documents(self.index)))


class Actions(Search):
    def test_create_meets_what_is_there(self):
        counters = self.deliver([{'id': n % 4} for n in range(10)], 'action => "create" document_id => "%{id}"')
        self.assertEqual((4, 6), (counters['delivered'], counters['conflicts']))
        self.assertEqual(4, self.node.count(self.index))

    def test_delete(self):
        self.deliver([{'id': n} for n in range(4)], 'document_id => "%{id}"')
        counters = self.deliver([{'id': 1}, {'id': 9}], 'action => "delete" document_id => "%{id}"')
        self.assertEqual((1, 1), (counters['delivered'], counters['refused']))
        self.node.request('POST', f'/{self.index}/_refresh')
        self.assertEqual(3, self.node.count(self.index))

    def test_update_needs_a_document(self):
        counters = self.deliver([{'id': 1}], 'action => "update" document_id => "%{id}"')
        self.assertEqual((0, 1), (counters['delivered'], counters['refused']))

    def test_update_makes_the_document(self):
        self.deliver([{'id': 1, 'a': 1}], 'action => "update" document_id => "%{id}" doc_as_upsert => true')
        self.deliver([{'id': 1, 'b': 2}], 'action => "update" document_id => "%{id}" doc_as_upsert => true')
        stored = self.node.documents(self.index)['1']
        self.assertEqual((1, 2), (stored['a'], stored['b']))

    def test_update_by_upsert(self):
        options = 'action => "update" document_id => "%{id}" upsert => \'{"first": "%{a}"}\''
        self.deliver([{'id': 1, 'a': 'x'}], options)
        self.assertEqual({'first': 'x'}, self.node.documents(self.index)['1'])

    def test_update_by_script(self):
        options = ('action => "update" document_id => "%{id}" scripted_upsert => true '
                   "script => 'ctx._source.sum = (ctx._source.sum == null ? 0 : ctx._source.sum) + params.event.n'")
        for n in (3, 4):
            self.deliver([{'id': 1, 'n': n}], options)
        self.assertEqual({'sum': 7}, self.node.documents(self.index)['1'])

    def test_versions(self):
        options = 'document_id => "1" version => "%{v}" version_type => "external"'
        self.assertEqual(1, self.deliver([{'v': 5}], options)['delivered'])
        self.assertEqual(1, self.deliver([{'v': 4}], options)['conflicts'])

    def test_ingest_pipelines(self):
        self.node.put('/_ingest/pipeline/marks', {'processors': [{'set': {'field': 'marked', 'value': 'yes'}}]})
        self.deliver([{'pipe': 'marks', 'id': 1}, {'pipe': '', 'id': 2}],
                     'pipeline => "%{pipe}" document_id => "%{id}"')
        stored = self.node.documents(self.index)
        self.assertEqual('yes', stored['1']['marked'])
        self.assertNotIn('marked', stored['2'])

    def test_data_streams(self):
        self.node.put('/_index_template/streams', {'index_patterns': ['logs-*-*'], 'data_stream': {}})
        self.deliver([{'n': 1}, {'n': 2, 'data_stream': {'dataset': 'nginx'}}], index=False, ecs='v8')
        (stored,) = self.node.documents('logs-generic-default').values()
        self.assertEqual({'type': 'logs', 'dataset': 'generic', 'namespace': 'default'}, stored['data_stream'])
        self.assertEqual(1, self.node.count('logs-nginx-default'))


class Templates(Search):
    """deploy/templates/kakaopay-logs.json and what else may be installed."""

    def get(self, path):
        try:
            return self.node.get(path)
        except urllib.error.HTTPError as error:
            self.assertEqual(404, error.code)
            return None

    def template(self, name, content):
        return f'template => "{self.write(name + ".json", json.dumps(content))}" template_name => "{name}"'

    def test_the_shipped_template_is_found_by_its_name(self):
        options = 'template => "/usr/share/logstash/templates/kakaopay-logs.json" template_name => "kakaopay-logs"'
        millrace = self.run_to_end(
            *self.pipeline(f'index => "kakaopay-logs-%{{+YYYY.MM.dd}}" {options}', index=False), '--path.templates', TEMPLATES,
            stdin=lines([{'@timestamp': '2026-01-02T00:00:00Z', 'userId': 'u', 'context': {'duration_ms': '12'}},
                         {'@timestamp': '2026-01-02T00:00:00Z', 'event': 'PAYMENT'},
                         {'@timestamp': '2026-01-02T00:00:00Z', 'event': {'original': 'x'}}]))
        self.assertIn('/usr/share/logstash/templates/kakaopay-logs.json', millrace.stderr)
        self.assertIsNotNone(self.get('/_index_template/kakaopay-logs'))
        mapping = self.node.get('/kakaopay-logs-2026.01.02/_mapping')['kakaopay-logs-2026.01.02']['mappings']['properties']
        self.assertEqual({'userId': 'keyword', 'performance_tier': 'keyword', 'error_category': 'keyword',
                          '@timestamp': 'date', 'message': 'text'},
                         {name: mapping[name]['type'] for name in
                          ('userId', 'performance_tier', 'error_category', '@timestamp', 'message')})
        self.assertEqual('long', mapping['context']['properties']['duration_ms']['type'])
        self.assertEqual(3, self.node.count('kakaopay-logs-2026.01.02'))

    def test_a_template_found_nowhere_is_an_error(self):
        millrace = self.run_to_end(*self.pipeline('template => "/nowhere/x.json"'), status=1)
        self.assertIn('/nowhere/x.json', millrace.stderr)

    def test_the_shape_chooses_the_api(self):
        self.deliver([{'n': 1}], self.template('shape-old', {'index_patterns': ['old-*'], 'mappings': {}}))
        self.deliver([{'n': 1}], self.template('shape-new', {'index_patterns': ['new-*'], 'template': {'mappings': {}}}))
        self.assertIsNotNone(self.get('/_template/shape-old'))
        self.assertIsNone(self.get('/_index_template/shape-old'))
        self.assertIsNotNone(self.get('/_index_template/shape-new'))

    def test_what_is_there_stays_unless_it_is_to_be_replaced(self):
        for version, more in ((1, ''), (2, ''), (3, 'template_overwrite => true')):
            self.deliver([{'n': 1}], more + ' ' + self.template('kept', {'index_patterns': ['kept-*'], 'version': version,
                                                                   'template': {}}))
            kept = self.get('/_index_template/kept')['index_templates'][0]['index_template']['version']
            self.assertEqual({1: 1, 2: 1, 3: 3}[version], kept)

    def test_our_own_template(self):
        self.deliver([{'n': 1}])
        self.assertIsNotNone(self.get('/_index_template/logstash'))
        self.deliver([{'n': 1}], ecs='v8')
        self.assertIsNotNone(self.get('/_index_template/ecs-logstash'))

    def test_none_is_installed_when_told_so(self):
        self.deliver([{'n': 1}], 'manage_template => false template_name => "unwanted"')
        self.assertIsNone(self.get('/_index_template/unwanted'))

    def test_documents_go_on_without_a_template_that_is_refused(self):
        refused = self.template('refused', {'index_patterns': ['refused-*'], 'template': {'mappings': {'properties': 1}}})
        self.assertEqual(1, self.deliver([{'n': 1}], refused)['delivered'])
        self.assertEqual(1, self.node.count(self.index))


class Refusals(Search):
    def test_a_mapping_conflict_stops_nobody_else(self):
        self.node.put(f'/{self.index}', {'mappings': {'properties': {'n': {'type': 'long'}}}})
        documents = [{'n': n if n % 10 else f'text {n}'} for n in range(1000)]
        millrace = self.run_to_end(*self.pipeline(), stdin=lines(documents), timeout=60)
        self.assertEqual((900, 100), (self.counters()['delivered'], self.counters()['refused']))
        self.assertEqual(900, self.node.count(self.index))
        self.assertIn('mapper_parsing_exception', millrace.stderr)
        self.assertLess(millrace.stderr.count('mapper_parsing_exception'), 20)

    def test_a_field_that_does_not_fit_is_moved_and_the_document_found(self):
        """`event` is a text in some services' documents and an object in others'; `n` and `a.b` do not fit either."""
        for how, whole in (('stringify', 30), ('move', 30)):
            with self.subTest(how):
                index = f'{self.index}-{how}'
                self.node.put(f'/{index}', {'mappings': {'properties': {
                    'event': {'type': 'text'}, 'n': {'type': 'long'}, 'o': {'type': 'object'}, 'a': {'type': 'long'}}}})
                documents = [{'event': 'PAID', 'n': i, 'o': {'x': 1}} for i in range(10)]
                documents += [{'event': {'original': f'text {i}'}, 'n': 1, 'o': {'x': 1}} for i in range(10)]
                documents += [{'event': {'original': 'x'}, 'n': f'no number {i}', 'o': 'no object', 'a': {'b': 1}} for i in range(10)]
                counters = self.deliver(documents, f'index => "{index}" on_mapping_conflict => "{how}" '
                                        'retry_initial_interval => "50 ms" retry_max_interval => "100 ms"', index=False)
                self.assertEqual((whole, 0, 50), (counters['delivered'], counters['refused'], counters['mapping_conflicts']))
                self.assertEqual(30, self.node.count(index))
                found = self.node.get(f'/{index}/_search?q=tags:_mappingconflict&size=100')['hits']['hits']
                self.assertEqual(20, len(found))
                several = [hit['_source'] for hit in found if len(hit['_source']['_conflict']) > 1]
                self.assertEqual(10, len(several))
                self.assertEqual({'event', 'n', 'o', 'a'}, set(several[0]['_conflict']))
                self.assertEqual('{"original":"x"}' if how == 'stringify' else {'original': 'x'}, several[0]['_conflict']['event'])

    def test_too_many_fields_are_a_dead_letter_whatever_is_to_be_done_with_conflicts(self):
        """No single field is to blame, so there is none to move."""
        for how in ('dead_letter', 'stringify', 'move'):
            with self.subTest(how):
                index = f'{self.index}-{how}'
                self.node.put(f'/{index}', {'settings': {'index.mapping.total_fields.limit': 20}})
                documents = [{'n': 1}, {f'field{i}': i for i in range(50)}, {'n': 2}]
                counters = self.deliver(documents, f'index => "{index}" on_mapping_conflict => "{how}"', index=False)
                self.assertEqual((2, 1, 0), (counters['delivered'], counters['refused'], counters['mapping_conflicts']))

    def test_dead_letters_are_whole_and_go_again_when_the_mapping_fits(self):
        self.node.put(f'/{self.index}', {'mappings': {'properties': {'n': {'type': 'long'}}}})
        arguments = self.pipeline('id => "documents"')
        self.run_to_end(*arguments, stdin=lines([{'n': 1}, {'n': 'no number', 'text': '한글 "x"'}, {'n': {'a': 1}}]), timeout=60)
        letters = self.run_to_end('dlq', 'show', '--path.data', self.folder / 'data').json_lines()
        self.assertEqual(['no number', {'a': 1}], [letter['event']['n'] for letter in letters])
        self.assertEqual('한글 "x"', letters[0]['event']['text'])
        for letter in letters:
            self.assertIn('mapper_parsing_exception', letter['reason'])
        self.node.request('DELETE', f'/{self.index}')
        self.node.put(f'/{self.index}', {'mappings': {'properties': {'n': {'type': 'object', 'enabled': False}}}})
        config = self.write('replay.conf', arguments[-1])
        self.run_to_end('dlq', 'replay', '-f', config, '--pipeline.ecs_compatibility', 'disabled', '--path.data', self.folder / 'data',
                        timeout=60)
        self.assertEqual(2, self.node.count(self.index))
        self.assertEqual('', self.run_to_end('dlq', 'show', '--path.data', self.folder / 'data').stdout)

    def test_an_index_name_with_a_missing_field_is_refused(self):
        counters = self.deliver([{'kind': 'a'}, {'n': 1}], f'index => "{self.index}-%{{kind}}"', index=False)
        self.assertEqual((1, 1), (counters['delivered'], counters['refused']))

    def test_a_blocked_index_is_waited_for(self):
        self.node.put(f'/{self.index}')
        self.node.put(f'/{self.index}/_settings', {'index.blocks.write': True})
        millrace = self.start(*self.pipeline('document_id => "%{n}" retry_initial_interval => "100 ms" '
                                             'retry_max_interval => "200 ms"'),
                              stdin=lines({'n': n} for n in range(100)))
        millrace.wait_for_log('cluster_block_exception')
        millrace.wait_for(lambda: self.retried(millrace) > 100, 'a second try')
        self.node.put(f'/{self.index}/_settings', {'index.blocks.write': False})
        self.assertEqual(0, millrace.wait())
        self.assertEqual((100, 0), (self.counters()['delivered'], self.counters()['refused']))
        self.assertEqual(100, self.node.count(self.index))

    def retried(self, millrace):
        """SIGUSR1 writes the counters."""
        millrace.signal(support.signal.SIGUSR1)
        try:
            return self.counters()['retried']
        except (OSError, ValueError):
            return 0


class Deduplicate(Search):
    def test_what_a_crash_sends_again_is_no_second_document(self):
        """Twice from the file's beginning, as after a crash before anything was acknowledged; some lines are equal."""
        path = self.write('log', ''.join(f'{{"n":{n % 700}}}\n' for n in range(1000)))
        config = support.fill('''input { file { path => "@PATH@" mode => "read" codec => json sincedb_path => "/dev/null"
            file_completed_action => "log" file_completed_log_path => "@PATH@.completed" exit_after_read => true } }
          output { elasticsearch { hosts => ["@URL@"] index => "@INDEX@" data_stream => false deduplicate => true } }''',
                              path=path, url=self.node.url, index=self.index)
        for _ in range(2):
            self.run_to_end('-w', '2', '--counters', 'counters.json', '-e', config, timeout=60)
            self.assertEqual((1000, 0), (self.counters()['delivered'], self.counters()['conflicts']), 'our own ids are no conflicts')
            self.assertEqual(1000, self.node.count(self.index))
        self.assertEqual(600, self.node.get(f'/{self.index}/_count?q=n:<300')['count'])


class SmallServer(Search):
    """A server that takes little at once: 413 above 4 KiB, 429 while more than 2 KiB are under way."""
    settings = 'http.max_content_length: 4kb\nindexing_pressure.memory.limit: 2kb\n'

    def test_large_requests_are_cut_and_nothing_is_lost(self):
        documents = [{'n': n, 'text': 'x' * 200} for n in range(300)]
        documents[77]['text'] = 'x' * 5000
        counters = self.deliver(documents, 'document_id => "%{n}" retry_initial_interval => "10 ms" '
                                           'retry_max_interval => "50 ms"')
        self.assertEqual((299, 1), (counters['delivered'], counters['refused']))
        self.assertEqual(299, self.node.count(self.index))


class Outage(Search):
    settings = '# a node of its own, because it is stopped\n'

    def test_a_server_that_goes_and_comes_back_misses_nothing(self):
        millrace = self.start(*self.pipeline('document_id => "%{n}" resurrect_delay => "200 ms" '
                                             'retry_initial_interval => "50 ms" retry_max_interval => "200 ms"'), stdin=True)
        self.send(millrace, ({'n': n} for n in range(1000)))
        support.wait_until(lambda: self.node.count(self.index) == 1000, 'the first documents', 30)
        self.node.stop()
        self.send(millrace, ({'n': n} for n in range(1000, 3000)))
        millrace.wait_for_log('a server cannot be reached')
        self.node.start()
        self.send(millrace, ({'n': n} for n in range(3000, 4000)))
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait(60))
        self.assertEqual(4000, self.counters()['delivered'])
        self.assertEqual(4000, self.node.count(self.index))


if __name__ == '__main__':
    support.unittest.main()
