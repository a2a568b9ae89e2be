#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`millrace diff`: what two versions of a pipeline make of a sample, by kind of change; for people and as JSON."""
import json
import unittest

import support

OLD = '''input { stdin { } }
filter {
  dissect { mapping => { "message" => "%{verb} %{path} %{status}" } }
  if [path] == "/health" { drop { } }
  mutate { add_field => { "old" => "1" } }
}
output {
  elasticsearch { hosts => "es.invalid" index => "shop" }
  if [verb] == "POST" { file { path => "/tmp/posts.log" } }
}
'''
NEW = '''input { stdin { } }
filter {
  dissect { mapping => { "message" => "%{verb} %{path} %{status}" } }
  mutate { convert => { "status" => "integer" } }
  if [path] == "/ready" { drop { } }
  mutate { add_field => { "new" => "2" } }
}
output {
  elasticsearch { hosts => "es.invalid" index => "shop-%{+YYYY}" }
  if [status] >= 500 { http { url => "http://h.invalid/" http_method => "post" } }
}
'''
SAMPLE = 'GET /cart 200\nGET /health 200\nGET /ready 200\nPOST /order 503\n'


class Diff(support.Case):
    def diff(self, old, new, sample, *flags, status=1, **options):
        paths = [self.write('old.conf', old), self.write('new.conf', new), self.write('sample', sample)]
        return self.run_to_end('diff', *paths, '--now', '2026-01-02T03:04:05Z', *flags, status=status, **options).stdout

    def changes(self, old, new, sample, *flags, status=1):
        found = json.loads(self.diff(old, new, sample, '--format', 'json', *flags, status=status))
        return found, [(change['kind'], change.get('output'), change.get('field'), change['count']) for change in found['changes']]

    def test_for_people(self):
        self.assertEqual('''\
~ status                                        2
    line 1      "200" → 200
    line 4      "503" → 503
- old                                           2
    line 1      "1"
    line 4      "1"
+ new                                           2
    line 1      "2"
    line 4      "2"
sent otherwise by elasticsearch: _index         2
    line 1      "shop" → "shop-2026"
    line 4      "shop" → "shop-2026"
no longer dropped                               1
    line 2      "GET /health 200"
dropped now                                     1
    line 3      "GET /ready 200"
no longer goes to file                          1
    line 4      "POST /order 503"
goes to http                                    1
    line 4      "POST /order 503"

4 of 4 events of the sample come out different
''', self.diff(OLD, NEW, SAMPLE))

    def test_for_programs(self):
        found, changes = self.changes(OLD, NEW, SAMPLE)
        self.assertEqual((4, 0, 4), (found['events'], found['same'], found['different']))
        self.assertEqual([('field_changed', None, 'status', 2), ('field_removed', None, 'old', 2), ('field_added', None, 'new', 2),
                          ('request_changed', 'elasticsearch', '_index', 2), ('let_through', None, None, 1), ('dropped', None, None, 1),
                          ('route_removed', 'file', None, 1), ('route_added', 'http', None, 1)], changes)
        self.assertEqual([{'line': 1, 'before': '200', 'after': 200}, {'line': 4, 'before': '503', 'after': 503}],
                         found['changes'][0]['examples'])

    def test_the_same_is_the_same_also_with_time_and_random_numbers(self):
        config = '''input { stdin { } }
filter { uuid { target => "id" } drop { percentage => 50 } mutate { add_field => { "now" => "%{{TIME_NOW}}" } } }
output { email { to => "a@b.invalid" body => "%{message}" } kafka { bootstrap_servers => "k.invalid:1" topic_id => "t" } }'''
        self.assertEqual('0 of 200 events of the sample come out different\n', self.diff(config, config + '\n', 'x\n' * 200, status=0))

    def test_three_examples_and_all_counted(self):
        found, changes = self.changes('input { stdin { } }', 'input { stdin { } } filter { mutate { add_tag => ["t"] } }', 'x\n' * 1000)
        self.assertEqual([('field_added', None, 'tags', 1000)], changes)
        self.assertEqual([1, 2, 3], [example['line'] for example in found['changes'][0]['examples']])

    def test_more_and_fewer_events_refused_ones_and_bytes(self):
        split = 'input { stdin { } } filter { split { field => "message" terminator => "," } } output { null { } }'
        whole = 'input { stdin { } } output { null { } }'
        self.assertIn(('more_events', None, None, 1), self.changes(whole, split, 'a,b\n')[1])
        self.assertIn(('fewer_events', None, None, 1), self.changes(split, whole, 'a,b\n')[1])
        output = 'input { stdin { } } output { elasticsearch { hosts => "es.invalid" index => "%s" } }'
        self.assertEqual([('refused', 'elasticsearch', None, 1)], self.changes(output % 'a', output % '%{no}', 'x\n')[1])
        self.assertEqual([('taken', 'elasticsearch', None, 1)], self.changes(output % '%{no}', output % 'a', 'x\n')[1])
        line = 'input { stdin { } } output { file { path => "/tmp/x" codec => line { format => "%s" } id => "f" } }'
        self.assertEqual([('bytes_changed', 'f', None, 1)], self.changes(line % 'a', line % 'b', 'x\n')[1])

    def test_what_filters_make_at_the_end_is_compared_too(self):
        config = '''input { stdin { } }
filter { aggregate { task_id => "%%{@version}" code => "map['n'] = %s" push_previous_map_as_event => true } }
output { null { } }'''
        found, changes = self.changes(config % 1, config % 2, 'x\n')
        self.assertEqual([('field_changed', None, 'n', 1)], changes)
        self.assertEqual([{'before': 1, 'after': 2}], found['changes'][0]['examples'])

    def test_a_sample_of_events_and_standard_input(self):
        new = 'input { stdin { } } filter { mutate { rename => { "a" => "b" } } }'
        _, changes = self.changes('input { stdin { } }', new, '{"a":1}\n{"c":1}\n')
        self.assertEqual([('field_removed', None, 'a', 1), ('field_added', None, 'b', 1)], changes)
        self.assertEqual([], self.changes('input { stdin { } }', new, '{"a":1}\n', '--line', status=0)[1])
        paths = self.folder / 'old.conf', self.folder / 'new.conf'
        done = self.run_to_end('diff', *paths, stdin=b'{"a":1}\n', status=1)
        self.assertIn('1 of 1 events', done.stdout)

    def test_hostile_contents_do_not_reach_the_terminal(self):
        shown = self.diff(OLD, NEW, 'a\x1b[31m /b\x07 \x9b5\n' + json.dumps({'\x1b[2J': 1, 'status': '\x1b[1m'}) + '\n')
        self.assertNotRegex(shown, r'[\x00-\x09\x0b-\x1f\x7f-\x9f]')

    def test_mistakes(self):
        old = self.write('old.conf', OLD)
        bad = self.write('bad.conf', 'filter { nope { } }')
        sample = self.write('sample', SAMPLE)
        self.assertIn('bad.conf:1:10: error:', self.run_to_end('diff', old, bad, sample, status=2).stderr)
        self.assertIn("cannot open '", self.run_to_end('diff', old, old, self.folder / 'absent', status=2).stderr)
        self.assertIn('OLD or NEW is missing', self.run_to_end('diff', old, status=2).stderr)


if __name__ == '__main__':
    unittest.main()
