#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`millrace test`: tests of pipelines in YAML: what passes, what is said of what does not, and what is written by the program."""
import json
import re
import unittest
import xml.etree.ElementTree

import support

PIPELINE = '''input { beats { port => 5044 id => "in" } tcp { port => 1 codec => json id => "lines" } }
filter {
  if [kind] == "drop" { drop { } }
  if [kind] == "split" { split { field => "message" terminator => "," } }
  if [kind] == "id" { uuid { target => "id" } }
  mutate { add_tag => ["seen"] add_field => { "[user][name]" => "%{message}" "[@metadata][m]" => "1" } }
}
output {
  if [kind] == "http" { http { url => "http://h.invalid/" http_method => "post" id => "alert" } }
  null { }
}
'''
TIME = re.compile(r'\(([^()]*), [\d.]+ ms\)| in \d+ ms')


class PipelineTests(support.Case):
    def run_tests(self, tests, *flags, status=0, pipeline=PIPELINE, head=''):
        self.write('p.conf', pipeline)
        path = self.write('a_test.yml', f'pipeline: p.conf\n{head}tests:\n{tests}')
        done = self.run_to_end('test', path, *flags, status=status, env={'NO_COLOR': '1'})
        return TIME.sub(lambda match: f'({match[1].rpartition("/")[2]})' if match[1] else '', done.stdout), done.stderr

    def check(self, expect, line='m', kind='x', **options):
        return self.run_tests(f'  - name: n\n    to: in\n    input: {{message: "{line}", kind: {kind}}}\n    expect: {expect}\n', **options)

    def differences(self, expect, **options):
        shown, _ = self.check(expect, status=1, **options)
        lines = shown.splitlines()
        self.assertEqual(('FAIL  n  (a_test.yml:3)', '0 passed, 1 failed'), (lines[0], lines[-1]))
        return [line.strip() for line in lines[1:-1]]

    def test_everything_that_can_be_expected(self):
        for expect in ('{fields: {message: m, "[user][name]": m, user: {name: m}, "[@metadata][m]": "1"}}', '{tags: [seen]}',
                       '{matches: {message: "^m$", "[user][name]": "(?i)M"}}', '{absent: [no, "[user][no]"], present: [user, message]}',
                       '{routes: ["null"]}', '{count: 1}', '{dropped: false}', '{dropped: 0}', '{events: [{fields: {kind: x}}]}',
                       '{event: {message: m, kind: x, user: {name: m}, tags: [seen], "@version": "1", "@timestamp": 2000-01-01T00:00:00.000Z}}'):
            with self.subTest(expect):
                self.assertEqual(('ok    n  (a_test.yml:3)\n1 passed, 0 failed\n', ''), self.check(expect))
        self.check('{routes: [alert, "null"]}', kind='http')
        self.check('{routes: ["null", http]}', kind='http')
        self.check('{dropped: true}', kind='drop')
        self.check('{count: 0, dropped: 1}', kind='drop')
        self.check('{dropped: 0, events: [{fields: {message: a}}, {fields: {message: b}}]}', kind='split', line='a,b')

    def test_what_is_said_of_what_is_different(self):
        self.assertEqual(['- message  "n"', '+ message  "m"', '- status  5', '+ status  is not there'],
                         self.differences('{fields: {message: n, kind: x, status: 5}}'))
        self.assertEqual(['- message  matches /^n/', '+ message  "m"'], self.differences('{matches: {message: ^n}}'))
        self.assertEqual(['- message  is not there', '+ message  "m"', '- no  is there', '+ no  is not there'],
                         self.differences('{absent: message, present: no}'))
        self.assertEqual(['- tags  ["a", "seen"]', '+ tags  ["seen"]'], self.differences('{tags: [a, seen]}'))
        self.assertEqual(['- routes  ["alert"]', '+ routes  ["alert", "null"]'], self.differences('{routes: [alert]}', kind='http'))
        self.assertEqual(['- 2 events come out', '+ 1 event come out'], self.differences('{count: 2}')[:2])
        self.assertEqual(['- 1 event dropped', '+ 0 events dropped'], self.differences('{dropped: 1}'))
        self.assertEqual(['event 2', '- message  "c"', '+ message  "b"'],
                         self.differences('{events: [{fields: {message: a}}, {fields: {message: c}}]}', kind='split', line='a,b'))
        said = self.differences('{event: {message: m, kind: y, more: 1}}')
        self.assertIn('- kind  "y"', said)
        self.assertIn('- more  1', said)
        self.assertIn('+ [user][name]  "m"', said)

    def test_types_count_but_one_is_one(self):
        pipeline = 'input { stdin { } } filter { ruby { code => "event.set(\'i\', 1); event.set(\'f\', 1.0); event.set(\'s\', \'1\')" } }'
        tests = '  - {name: n, input: m, expect: {fields: {i: 1, f: 1, s: "1"}}}\n'
        self.run_tests(tests, pipeline=pipeline)
        shown, _ = self.run_tests(tests.replace('s: "1"', 's: 1'), pipeline=pipeline, status=1)
        self.assertIn('- s  1\n      + s  "1"\n', shown)

    def test_lines_go_through_the_codec_of_the_input(self):
        self.run_tests('  - {name: n, to: lines, input: \'{"kind":"a"}\', expect: {fields: {kind: a}}}\n'
                       '  - {name: n, to: beats, input: ["a", "b"], expect: {events: [{fields: {message: a}}, {fields: {message: b}}]}}\n')
        shown, _ = self.run_tests('  - {name: n, input: a, expect: {count: 1}}\n', status=1)
        self.assertIn('there are several inputs, name one by its id: in, lines', shown)

    def test_time_and_numbers_are_the_same_each_time_and_each_case_begins_anew(self):
        pipeline = '''input { stdin { } }
filter { uuid { target => "id" } aggregate { task_id => "%{@version}" code => "map['n'] ||= 0; map['n'] += 1; event.set('n', map['n'])" } }'''
        tests = '''  - {name: a, input: x, expect: {fields: {n: 1, "@timestamp": 2026-01-02T03:04:05.000Z}, matches: {id: "^[0-9a-f-]{36}$"}}}
  - {name: b, input: [x, y], expect: {events: [{fields: {n: 1}}, {fields: {n: 2}}]}}
'''
        self.run_tests(tests, pipeline=pipeline, head='now: 2026-01-02T03:04:05Z\n')
        written = []
        for name in ('one.yml', 'two.yml'):
            self.run_to_end('test', '--record', self.folder / name, '-f', self.folder / 'p.conf', 'x')
            written.append((self.folder / name).read_text())
        self.assertEqual(*written)

    def test_variables_are_those_of_the_file(self):
        self.write('v.conf', 'filter { mutate { add_field => { "v" => "${MILLRACE_TEST_V:none}" } } }')
        tests = 'tests: [{name: n, input: x, expect: {fields: {v: %s}}}]\n'
        self.write('a_test.yml', 'pipeline: v.conf\nenv: {MILLRACE_TEST_V: set}\n' + tests % 'set')
        self.write('b_test.yaml', 'pipeline: v.conf\n' + tests % 'none')
        self.write('sub/c_test.yml', 'pipeline: ../v.conf\n' + tests % 'none')
        self.write('other.yml', 'nothing')
        done = self.run_to_end('test', self.folder)
        self.assertRegex(done.stdout, r'3 passed, 0 failed')

    def test_filters_that_ask_elsewhere_ask_only_when_told(self):
        server = self.recorder(lambda request: (200, 'pong'))
        pipeline = f'input {{ stdin {{ }} }} filter {{ http {{ url => "http://127.0.0.1:{server.port}/" target_body => "body" }} }}'
        self.run_tests('  - {name: n, input: x, expect: {absent: body}}\n', pipeline=pipeline)
        self.assertEqual([], server.taken())
        self.run_tests('  - {name: n, input: x, expect: {fields: {body: pong}}}\n', pipeline=pipeline, head='online: true\n')

    def test_mistakes_name_file_and_line(self):
        for text, said in (('tests: [{name: n, input: x, expekt: {}}]', "3:29: error: 'expekt' is unknown here; did you mean 'expect'?"),
                           ('tests: [{name: n, input: x, expect: {count: many}}]', '3:45: error: count: expected a number'),
                           ('tests: [{name: n, input: x, expect: {matches: {a: "("}}}]', '3:51: error: '),
                           ('tests: [{name: n, input: x}]', '3:9: error: the test expects nothing'),
                           ('tests: [{name: n, expect: {count: 1}}]', '3:9: error: the test has no input'),
                           ('tests: []', '2:1: error: there are no tests'), ('now: noon', '3:6: error: now: expected a time'),
                           ('tests: [', '4:1: error: '),
                           ('tests: [{name: n, input: x, expect: {events: [], fields: {}}}]', 'either events, or what the only event')):
            with self.subTest(text):
                self.write('p.conf', PIPELINE)
                path = self.write('a_test.yml', f'# a comment\npipeline: p.conf\n{text}\n')
                done = self.run_to_end('test', path, status=2)
                self.assertIn(f'{path}:' if said[0].isdigit() else '', done.stderr)
                self.assertIn(said, done.stderr)
        path = self.write('a_test.yml', 'pipeline: q.conf\ntests: [{name: n, input: x, expect: {count: 1}}]\n')
        self.write('q.conf', 'filter { nope { } }')
        done = self.run_to_end('test', path, status=2)
        self.assertIn('q.conf:1:10: error:', done.stderr)
        self.assertIn("there is no '", self.run_to_end('test', self.folder / 'absent', status=2).stderr)
        (self.folder / 'empty').mkdir()
        self.assertIn('ends in _test.yml', self.run_to_end('test', self.folder / 'empty', status=2).stderr)
        self.run_to_end('test', status=2)

    def test_files_of_logstash_filter_verifier(self):
        pipeline = self.write('p.conf', '''input { beats { port => 5044 } }
filter { dissect { mapping => { "message" => "%{verb} %{path}" } } mutate { add_field => { "kind" => "%{type}" } } }''')
        cases = {'fields': {'type': 'web'}, 'ignore': ['@timestamp'], 'testcases': [
            {'description': 'a request', 'input': ['GET /a', 'GET /b'],
             'expected': [{'verb': 'GET', 'path': path, 'message': f'GET {path}', 'type': 'web', 'kind': 'web'} for path in ('/a', '/b')]}]}
        path = self.write('web.json', json.dumps(cases, indent=2))
        done = self.run_to_end('test', '-f', pipeline, path)
        self.assertIn('ok    a request', done.stdout)
        cases['testcases'][0]['expected'][1]['path'] = '/c'
        self.write('web.json', json.dumps(cases))
        done = self.run_to_end('test', '-f', pipeline, path, status=1)
        self.assertIn('event 2\n      - path  "/c"\n      + path  "/b"\n', done.stdout)
        single = {'codec': 'json_lines', 'ignore': ['@timestamp'], 'input': ['{"message": "PUT /x"}'],
                  'expected': [{'verb': 'PUT', 'path': '/x', 'message': 'PUT /x', 'kind': '%{type}'}]}
        self.run_to_end('test', '-f', pipeline, self.write('one.json', json.dumps(single)))
        for wrong, said in (({'codec': 'cef', 'input': ['x'], 'expected': []}, "codec 'cef' is neither line nor json_lines"),
                            ({'input': ['x']}, 'a test case has input and expected'),
                            ({'testcases': []}, 'there are no test cases')):
            done = self.run_to_end('test', '-f', pipeline, self.write('wrong.json', json.dumps(wrong)), status=2)
            self.assertIn(f'wrong.json:1:1: error: {said}', done.stderr)

    def test_junit(self):
        report = self.folder / 'report.xml'
        self.run_tests('  - {name: "good <&>", to: in, input: {message: m}, expect: {count: 1}}\n'
                       '  - {name: bad, to: in, input: {message: "\\e[31m<"}, expect: {fields: {message: "]]>"}}}\n'
                       '  - {name: lost, input: x, expect: {count: 1}}\n', '--junit', report, status=1)
        root = xml.etree.ElementTree.parse(report).getroot()
        self.assertEqual(('3', '2'), (root.get('tests'), root.get('failures')))
        suite, = root
        self.assertEqual(('3', '1', '1'), (suite.get('tests'), suite.get('failures'), suite.get('errors')))
        good, bad, lost = suite
        self.assertEqual(('good <&>', 0), (good.get('name'), len(good)))
        self.assertEqual('- message  "]]>"\n+ message  "\\x1b[31m<"\n', bad.find('failure').text)
        self.assertEqual('- message  "]]>"', bad.find('failure').get('message'))
        self.assertIn('several inputs', lost.find('error').text)

    def test_what_is_recorded_passes_and_notices_a_change(self):
        self.write('p.conf', PIPELINE)
        path = self.folder / 'r_test.yml'
        hostile = 'a\x1b[31m "q" \\ {} [] : # \u00e9\u202e\ttab'
        texts = (hostile, '{"message":"x,y","kind":"split","n":1.5,"t":true,"o":{"l":[1,null,"2"]}}', '{"kind":"drop"}')
        done = self.run_to_end('test', '--record', path, '-f', self.folder / 'p.conf', '--input', 'in', *texts)
        self.assertEqual(f'3 tests written to {path}\n', done.stdout)
        self.run_to_end('trace', '--record', path, '-f', self.folder / 'p.conf', '--input', 'in', '{"kind":"http"}')
        done = self.run_to_end('test', path)
        self.assertIn('4 passed, 0 failed', done.stdout)
        self.write('p.conf', PIPELINE.replace('"seen"', '"looked-at"'))
        done = self.run_to_end('test', '-q', path, status=1)
        self.assertIn('1 passed, 3 failed', done.stdout)
        self.assertIn('- tags  ["seen"]\n', done.stdout)
        self.assertNotIn('ok  ', done.stdout)

    def test_hostile_contents_do_not_reach_the_terminal(self):
        shown, _ = self.run_tests('  - {name: "n\\e[2J", to: in, input: {message: "\\e]0;x\\a"}, expect: {fields: {message: "\\e[1m"}}}\n', status=1)
        self.assertNotIn('\x1b', shown)
        self.assertIn('+ message  "\\x1b]0;x\\x07"', shown)

    def test_colours_on_a_terminal(self):
        self.write('p.conf', PIPELINE)
        path = self.write('a_test.yml', 'pipeline: p.conf\ntests: [{name: n, to: in, input: x, expect: {count: 1}}]\n')
        self.assertIn('\x1b[32m', self.on_terminal('test', path))
        self.assertNotIn('\x1b', self.on_terminal('test', path, env={'NO_COLOR': '1'}))

    def test_the_tests_that_are_shipped(self):
        folder = support.ROOT / 'deploy/pipelines'
        done = self.run_to_end('test', folder, timeout=60)
        self.assertIn('35 passed, 0 failed', done.stdout)
        # web-visitors wants a database of addresses, which is not shipped; test_cookbook runs it with one.
        without = {path.stem for path in folder.rglob('*.conf')} - {path.stem[:-len('_test')] for path in folder.rglob('*_test.yml')}
        self.assertEqual({'web-visitors'}, without)


if __name__ == '__main__':
    unittest.main()
