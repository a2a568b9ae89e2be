#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`millrace trace`: what becomes of one event, step by step, for people and as JSON; nothing is sent and nothing listened to."""
import json
import re
import unittest

import support

SHOP = '''input {
  beats { port => 5044 type => "shop" }
}
filter {
  if [type] == "x" {
    drop { }
  } else if [message] =~ /GET/ {
    grok { match => { "message" => "%{WORD:verb} %{NUMBER:status:int} %{GREEDYDATA:rest}" } }
    mutate { rename => { "rest" => "list" } }
    split { field => "list" terminator => "," }
    if [status] > 400 and [list] == "b" { drop { id => "no-b" } }
  } else {
    mutate { add_field => { "other" => "1" } }
  }
}
output {
  if [list] == "c" {
    file { path => "/tmp/x-%{verb}.log" }
  } else if [list] {
    elasticsearch { hosts => ["http://u:p@es.invalid:9200"] index => "a-%{+YYYY}" document_id => "%{verb}" }
  }
}
'''
NOW = ('--now', '2026-01-02T03:04:05Z')


def without_times(text):
    return re.sub(r'\d[\d.]* (?:µs|us|ms)', 'TIME', text)


class Trace(support.Case):
    def trace(self, config, *events, stdin=b'', status=0, **options):
        path = self.write('pipeline.conf', config)
        return self.run_to_end('trace', '-f', path, *NOW, *events, stdin=stdin, status=status, **options)

    def steps(self, config, *events, **options):
        done = self.trace(config, '--format', 'json', *events, **options)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_every_step_for_people(self):
        done = self.trace(SHOP, 'GET 404 a,b,c', env={'LC_ALL': 'C.UTF-8'})
        document = '"@timestamp":"2026-01-02T03:04:05.000Z","@version":"1","message":"GET 404 a,b,c",' \
                   '"event":{"original":"GET 404 a,b,c"},"type":"shop","verb":"GET","status":404,"list":'
        self.assertEqual(f'''\
    2  beats                                    event #1 as it arrives
         @timestamp         2026-01-02T03:04:05.000Z
         @version           "1"
         message            "GET 404 a,b,c"
         [event][original]  "GET 404 a,b,c"
         type               "shop"
    5  if [type] == "x"                         #1 no  ([type] is "shop")
    7  else if [message] =~ /GET/               #1 yes  ([message] is "GET 404 a,b,c")
    8    grok                                   TIME
           + verb    "GET"
           + status  404
           + rest    "a,b,c"
    9    mutate                                 TIME
           - rest  "a,b,c"
           + list  "a,b,c"
   10    split                                  TIME  #1 becomes #2 #3 #4
           #2 made from #1
           ~ list  "a,b,c" → "a"
           #3 made from #1
           ~ list  "a,b,c" → "b"
           #4 made from #1
           ~ list  "a,b,c" → "c"
   11    if [status] > 400 and [list] == "b"    #2 no  ([status] is 404, [list] is "a")
                                                #3 yes  ([status] is 404, [list] is "b")
                                                #4 no  ([status] is 404, [list] is "c")
   11      drop                                 TIME  drops #3
   17  if [list] == "c"                         #2 no  ([list] is "a")
                                                #4 yes  ([list] is "c")
   18    file                                   #4 would be sent
           path      /tmp/x-GET.log
           {{{document}"c"}}
   19  else if [list]                           #2 yes  ([list] is "a")
   20    elasticsearch                          #2 would be sent
           to        http://es.invalid:9200
           action    index
           _index    a-2026
           _id       GET
           {{"index":{{"_index":"a-2026","_id":"GET"}}}}
           {{{document}"a"}}

event #1 becomes #2 #3 #4 in split (line 10)
event #2 goes to elasticsearch (line 20)
event #3 is dropped by drop (line 11)
event #4 goes to file (line 18)
''', without_times(done.stdout))
        self.assertEqual('', done.stderr)

    def test_the_same_as_json(self):
        trace, = self.steps(SHOP, 'GET 404 a,b')
        self.assertEqual([('input', 2), ('condition', 5), ('condition', 7), ('filter', 8), ('filter', 9), ('filter', 10),
                          ('condition', 11), ('filter', 11), ('condition', 17), ('condition', 19), ('output', 20)],
                         [(step['step'], step['line']) for step in trace['steps']])
        grok, split, drop, sent = (trace['steps'][at] for at in (3, 5, 7, 10))
        self.assertEqual('grok', grok['plugin'])
        self.assertGreater(grok['duration_us'], 0)
        self.assertEqual([{'event': 1, 'result': 'kept', 'changes': [
            {'field': 'verb', 'change': 'added', 'after': 'GET'},
            {'field': 'status', 'change': 'added', 'after': 404},
            {'field': 'rest', 'change': 'added', 'after': 'a,b'}]}], grok['events'])
        self.assertEqual([(1, 'dropped', None), (2, 'made', 1), (3, 'made', 1)],
                         [(each['event'], each['result'], each.get('of')) for each in split['events']])
        self.assertEqual('b', split['events'][2]['fields']['list'])
        self.assertEqual([{'event': 2, 'result': 'false', 'values': {'[status]': 404, '[list]': 'a'}},
                          {'event': 3, 'result': 'true', 'values': {'[status]': 404, '[list]': 'b'}}],
                         trace['steps'][6]['events'])
        self.assertEqual('no-b', drop['id'])
        self.assertEqual({'to': 'http://es.invalid:9200', 'action': 'index', '_index': 'a-2026', '_id': 'GET'},
                         sent['events'][0]['request'])
        action, document = sent['events'][0]['bytes'].splitlines()
        self.assertEqual({'index': {'_index': 'a-2026', '_id': 'GET'}}, json.loads(action))
        self.assertEqual('a', json.loads(document)['list'])
        ends = [(end['event'], end['outcome'], end.get('by', {}).get('line'), len(end['outputs'])) for end in trace['events']]
        self.assertEqual([(1, 'dropped', 10, 0), (2, 'sent', None, 1), (3, 'dropped', 11, 0)], ends)

    def test_an_event_that_no_output_takes_goes_nowhere(self):
        done = self.trace(SHOP, 'hello')
        self.assertIn('+ other  "1"', done.stdout)
        self.assertTrue(done.stdout.endswith('\nevent #1 goes nowhere: no output takes it\n'), done.stdout)

    def test_an_event_of_json_with_its_metadata_and_a_line_of_json(self):
        config = 'input { stdin { codec => json } } filter { mutate { add_field => { "a" => "%{[@metadata][b]}" } } } ' \
                 'output { null { } }'
        text = '{"m":1,"@metadata":{"b":"2"}}'
        trace, = self.steps(config, text)
        self.assertEqual({'b': '2'}, trace['steps'][0]['events'][0]['metadata'])
        self.assertEqual('2', trace['steps'][1]['events'][0]['changes'][0]['after'])
        trace, = self.steps('input { stdin { } } output { null { } }', '--line', text)
        self.assertEqual(text, trace['steps'][0]['events'][0]['fields']['message'])

    def test_lines_of_standard_input_and_events_numbered_on(self):
        traces = self.steps('input { stdin { } } filter { clone { clones => ["x"] } } output { null { } }', stdin=b'a\nb\n')
        self.assertEqual([[1, 2], [3, 4]], [[end['event'] for end in trace['events']] for trace in traces])

    def test_the_input_decides_about_the_codec(self):
        config = 'input { tcp { port => 1 codec => json id => "a" } udp { port => 2 id => "b" } } output { null { } }'
        done = self.trace(config, 'x', status=1)
        self.assertEqual('millrace trace: there are several inputs, name one by its id: a, b; --input ID\n', done.stderr)
        trace, = self.steps(config, '--input', 'b', '--line', '{"a":1}')
        self.assertEqual('{"a":1}', trace['steps'][0]['events'][0]['fields']['message'])
        trace, = self.steps(config, '--input', 'a', '--line', '{"a":1}')
        self.assertEqual(1, trace['steps'][0]['events'][0]['fields']['a'])
        done = self.trace(config, '--input', 'c', 'x', status=1)
        self.assertIn("there is no input 'c'; there are a, b", done.stderr)

    def test_a_codec_that_joins_lines(self):
        config = 'input { stdin { codec => multiline { pattern => "^ " what => "previous" } } } output { null { } }'
        traces = self.steps(config, stdin=b'a\n b\nc\n')
        self.assertEqual(['a\n b', 'c'],
                         [step['events'][0]['fields']['message'] for trace in traces for step in trace['steps']
                          if step['step'] == 'input'])

    def test_hostile_contents_do_not_reach_the_terminal(self):
        hostile = 'a\x1b]0;title\x07\x1b[31mred\x9b\u202eevil\u200b\tend'
        config = 'input { stdin { } } filter { mutate { copy => { "message" => "%{message}" } add_tag => ["\x1b[2J"] } } ' \
                 'output { if [message] == "\x1b[1m" { null { } } else { tcp { host => "h.invalid" port => 1 codec => line } } }'
        for arguments in ((hostile,), ('--line', hostile), ('--full', json.dumps({'message': hostile, hostile: {hostile: 1}}))):
            shown = self.trace(config, *arguments, env={'NO_COLOR': '1'}).stdout
            self.assertNotRegex(shown, r'[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]')
            self.assertIn(r'a\x1b]0;title\x07\x1b[31mred\u009b\u202eevil\u200b\tend', shown)

    def test_colours_only_where_somebody_sees_them(self):
        path = self.write('pipeline.conf', 'input { stdin { } } filter { mutate { add_tag => ["t"] } } output { null { } }')
        on_terminal = self.on_terminal('trace', '-f', path, 'x')
        self.assertIn('\x1b[32m', on_terminal)
        self.assertNotIn('\x1b', self.on_terminal('trace', '-f', path, 'x', env={'NO_COLOR': '1'}))
        self.assertNotIn('\x1b', self.run_to_end('trace', '-f', path, 'x').stdout)

    def test_filters_that_ask_elsewhere_are_left_out_offline(self):
        config = 'input { stdin { } } filter { http { url => "http://127.0.0.1:@port@/" target_body => "body" } } output { null { } }'
        server = self.recorder(lambda request: (200, '{"a":1}'))
        config = config.replace('@port@', str(server.port))
        trace, = self.steps(config, '--offline', 'x')
        self.assertEqual('left_out', trace['steps'][1]['events'][0]['result'])
        self.assertEqual([], server.taken())
        trace, = self.steps(config, 'x')
        self.assertIn('body', [change['field'].strip('[]') for change in trace['steps'][1]['events'][0]['changes']])
        self.assertEqual(1, len(server.taken()))

    def test_filters_that_keep_state_say_so_and_what_they_make_at_the_end_is_shown(self):
        config = '''input { stdin { } }
filter { aggregate { task_id => "%{message}" code => "map['n'] = 1" push_previous_map_as_event => true } }
output { null { } }'''
        traces = self.steps(config, 'a', 'b')
        self.assertTrue(all(step['keeps_state'] for trace in traces for step in trace['steps'] if step['step'] == 'filter'))
        made = [(each['event'], each['fields'].get('n'), each.get('of')) for trace in traces for step in trace['steps']
                for each in step['events'] if each['result'] == 'made']
        self.assertEqual([1, 1], [n for _, n, _ in made])
        self.assertIsNone(made[-1][2])

    def test_a_condition_that_cannot_be_tested_drops_the_event(self):
        config = 'input { stdin { } }\nfilter { if [message] > 3 { drop { } } }\noutput { null { } }'
        done = self.trace(config, 'x')
        self.assertIn('cannot be tested: the event is dropped  ([message] is "x")', done.stdout)
        self.assertIn('event #1 is dropped: it cannot be tested by the condition (line 2)', done.stdout)

    def test_an_event_that_can_never_be_sent(self):
        config = 'input { stdin { } } output { elasticsearch { hosts => "es.invalid" index => "%{no}" } }'
        trace, = self.steps(config, 'x')
        self.assertEqual(('refused', "a field of the index name is missing: '%{no}'"),
                         (trace['steps'][1]['events'][0]['result'], trace['steps'][1]['events'][0]['reason']))
        self.assertEqual('refused', trace['events'][0]['outcome'])

    def test_what_each_output_would_send(self):
        outputs = {
            'http { url => "http://h.invalid/%{message}" http_method => "put" headers => { "X" => "%{message}" } }':
                {'method': 'PUT', 'url': 'http://h.invalid/m', 'headers': 'X:m\nContent-Type:application/json\n'},
            'http { url => "http://h.invalid/" http_method => "post" format => "json_batch" }':
                {'method': 'POST', 'url': 'http://h.invalid/', 'body': 'one of a JSON list'},
            'kafka { bootstrap_servers => "k.invalid:9092" topic_id => "t-%{message}" message_key => "%{message}" codec => json }':
                {'to': 'k.invalid:9092', 'topic': 't-m', 'key': 'm'},
            'redis { host => ["r.invalid"] key => "k-%{message}" data_type => "list" }':
                {'to': 'r.invalid', 'command': 'RPUSH', 'key': 'k-m'},
            'rabbitmq { host => "q.invalid" exchange => "e" exchange_type => "topic" key => "k-%{message}" '
            'message_properties => { "priority" => 3 "headers" => { "h" => "%{message}" } } }':
                {'exchange': 'e', 'key': 'k-m', 'priority': '3', 'h': 'm'},
            'udp { host => "u.invalid" port => 514 }': {'to': 'udp://u.invalid:514'},
            'tcp { host => "t.invalid" port => 514 }': {'to': 'tcp://t.invalid:514'},
            'syslog { host => "s.invalid" port => 514 }': {'to': 'udp://s.invalid:514'},
            'gelf { host => "g.invalid" }': {'to': 'udp://g.invalid:12201'},
            'exec { command => "rm %{message}" }': {'command': 'rm m'},
            'pipe { command => ["cat", "%{message}"] }': {'command': 'cat m'},
            'email { to => "a@b.invalid" subject => "s" from => "c@d.invalid" }':
                {'from': 'c@d.invalid', 'to': 'a@b.invalid'},
            'metrics { counter => "c" labels => { "l" => "%{message}" } }': {'counter': 'c', 'value': 1.0, 'labels': {'l': 'm'}},
            'pipeline { send_to => ["a", "b"] }': {'pipelines': ['a', 'b']},
            'stdout { codec => line { format => "%{message}" } }': {},
        }
        for output, request in outputs.items():
            with self.subTest(output):
                trace, = self.steps(f'input {{ stdin {{ }} }} output {{ {output} }}', 'm')
                last = trace['steps'][-1]['events'][0]
                self.assertEqual('sent', last['result'], last)
                shown = last['request']
                self.assertEqual(request, {name: shown.get(name) for name in request})
                self.assertEqual(set(request) if request else set(), set(shown) if not output.startswith('email') else set(request))

    def test_a_pipeline_without_inputs_and_text_of_e(self):
        trace, = self.steps('filter { mutate { add_tag => ["t"] } }', 'x')
        self.assertEqual('nowhere', trace['events'][0]['outcome'])
        done = self.run_to_end('trace', '-e', 'filter { mutate { add_tag => ["t"] } }', 'x')
        self.assertIn('+ tags  ["t"]', done.stdout)

    def test_mistakes(self):
        done = self.trace('filter { nope { } }', 'x', status=1)
        self.assertIn('pipeline.conf:1:10: error:', done.stderr)
        path = self.write('ok.conf', 'filter { }')
        for flags, said in ((('--format', 'xml'), "--format is 'xml', expected text or json"),
                            (('--now', 'noon'), "--now is 'noon', expected a time"), (('--nope',), '--nope')):
            done = self.run_to_end('trace', '-f', path, *flags, 'x', status=2)
            self.assertIn(said, done.stderr)

    def test_nothing_listens_and_nothing_is_written(self):
        target = self.folder / 'out.log'
        config = f'input {{ tcp {{ port => 1 }} file {{ path => "{self.folder}/in.log" id => "in" }} }} ' \
                 f'output {{ file {{ path => "{target}" }} exec {{ command => "touch {target}" }} }}'
        self.trace(config, '--input', 'in', 'x')
        self.assertFalse(target.exists())
        self.assertFalse((self.folder / 'data').exists() and list((self.folder / 'data').rglob('*sincedb*')))


if __name__ == '__main__':
    unittest.main()
