# SPDX-License-Identifier: Apache-2.0
"""The http_poller input."""
import json
import os
import threading

import support

OFF, ON = 'ecs_compatibility => disabled', 'ecs_compatibility => v8'


class Poller(support.Case):
    def poll(self, urls, options='', mode=OFF, schedule='schedule => { "every" => "1h" }'):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-w', '1', '-e', f'input {{ http_poller {{ {mode} urls => {{ {urls} }} {schedule} {options} }} }} '
                                   'filter { mutate { copy => { "@metadata" => "meta" } } } output { stdout { codec => json_lines } }',
                                   '--counters', self.counters_path)

    def events(self, count):
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= count, f'{count} events')
        return [json.loads(line) for line in self.millrace.stdout.splitlines()[:count]]

    def test_an_answer(self):
        server = self.recorder(lambda request: (200, [{'n': 1}, {'n': 2}], {'X-Shard': 'a'}))
        self.poll(f'"mine" => "http://{server.address}/path"')
        one, two = self.events(2)
        self.assertEqual((1, 2), (one['n'], two['n']))
        meta = one['meta']
        self.assertEqual(('mine', os.uname().nodename, 200, 'OK', 0, {'method': 'get', 'url': f'http://{server.address}/path'}),
                         tuple(meta[name] for name in ('name', 'host', 'code', 'response_message', 'times_retried', 'request')))
        self.assertEqual('a', meta['response_headers']['x-shard'])
        self.assertIsInstance(meta['runtime_seconds'], float)

    def test_ecs(self):
        server = self.recorder(lambda request: (404, {'n': 1}))
        self.poll(f'"mine" => "http://{server.address}/"', mode=ON)
        poller = self.events(1)[0]['meta']['input']['http_poller']
        self.assertEqual(('mine', {'hostname': os.uname().nodename}, 0), tuple(poller['request'][name] for name in ('name', 'host', 'retry_count')))
        self.assertEqual((404, 'Not Found'), tuple(poller['response'][name] for name in ('status_code', 'status_message')))
        self.assertIsInstance(poller['response']['elapsed_time_ns'], int)

    def test_a_request_in_full(self):
        server = self.recorder()
        self.poll(f'"one" => {{ method => "post" url => "http://{server.address}/x?a=1" headers => {{ "X-Key" => "k" }} body => "text" '
                  'query => { "b c" => "d&e" } user => "kim" password => "secret" }', 'target => "doc" metadata_target => "about"')
        event = self.events(1)[0]
        request = server.taken()[0]
        self.assertEqual(('POST', '/x?a=1&b%20c=d%26e', b'text', 'k', 'Basic a2ltOnNlY3JldA=='),
                         (request.method, request.path, request.body, request.headers['x-key'], request.headers['authorization']))
        self.assertEqual('one', event['about']['name'])
        self.assertIn('doc', event)
        self.assertNotIn('secret', self.millrace.stdout)

    def test_an_empty_body_and_a_codec(self):
        answers = iter([(200, ''), (200, 'plain text')])
        server = self.recorder(lambda request: next(answers))
        self.poll(f'"a" => "http://{server.address}/"', 'codec => plain tags => ["polled"]', schedule='schedule => { "every" => "100ms" }')
        self.events(1)
        self.millrace.wait_for(lambda: 'plain text' in self.millrace.stdout, 'the second answer')
        one, two = self.events(2)
        self.assertNotIn('message', one)
        self.assertEqual((['polled'], 'plain text'), (two['tags'], two['message']))

    def test_nobody_answers(self):
        port = support.free_port()
        self.poll(f'"gone" => "http://127.0.0.1:{port}/"')
        event = self.events(1)[0]
        self.assertIn('_http_request_failure', event['tags'])
        self.assertEqual(('gone', f'http://127.0.0.1:{port}/'), (event['http_request_failure']['name'], event['http_request_failure']['request']['url']))
        self.assertTrue(event['http_request_failure']['error'])
        self.assertNotIn('code', event['meta'])
        self.millrace.stop()
        self.poll(f'"gone" => "http://127.0.0.1:{port}/"', mode=ON)
        event = self.events(1)[0]
        self.assertEqual((f'http://127.0.0.1:{port}/', 'get'), (event['url']['full'], event['http']['request']['method']))
        self.assertTrue(event['error']['message'])

    def test_all_of_a_round_at_once(self):
        together = threading.Barrier(3)
        server = self.recorder(lambda request: (together.wait(20 * support.PATIENCE) and 200 or 200, {'path': request.path}))
        self.poll(' '.join(f'"{n}" => "http://{server.address}/{n}"' for n in range(3)))
        self.assertEqual({'/0', '/1', '/2'}, {event['path'] for event in self.events(3)})

    def test_schedules(self):
        server = self.recorder(lambda request: (200, {'n': 1}))
        for schedule in ('"in" => "100ms"', '"cron" => "* * * * * * UTC"', '"at" => "2020-01-01T00:00:00Z"'):
            with self.subTest(schedule):
                self.poll(f'"a" => "http://{server.address}/"', schedule=f'schedule => {{ {schedule} }}')
                self.events(1)
                self.assertEqual(0, self.millrace.stop())

    def test_a_stop_while_nobody_answers(self):
        release = threading.Event()
        self.addCleanup(release.set)
        server = self.recorder(lambda request: (release.wait(60) and 200 or 200, {}))
        self.poll(f'"a" => "http://{server.address}/"')
        self.millrace.wait_for(lambda: server.taken(), 'the request')
        self.assertEqual(0, self.millrace.stop())

    def test_an_answer_that_is_too_large(self):
        server = self.recorder(lambda request: (200, 'x' * 100000))
        self.poll(f'"a" => "http://{server.address}/"', 'max_response_bytes => 1024 codec => plain')
        self.assertIn('_http_request_failure', self.events(1)[0]['tags'])

    def test_options(self):
        for urls, options, said in (('"a" => "ftp://x"', 'schedule => { "every" => "1s" }', 'no URL of http'),
                                    ('"a" => "http://x"', 'schedule => { "every" => "soon" }', "'every' => 'soon' is none"),
                                    ('"a" => "http://x"', 'schedule => { "every" => "1s" "in" => "1s" }', 'exactly one of'),
                                    ('"a" => { url => "http://x" method => "brew" }', 'schedule => { "every" => "1s" }', "'brew' is no method"),
                                    ('"a" => { url => "http://x" user => "u" }', 'schedule => { "every" => "1s" }', 'user needs password')):
            millrace = self.run_to_end('-t', '-e', f'input {{ http_poller {{ urls => {{ {urls} }} {options} }} }} output {{ null {{ }} }}', status=1)
            self.assertIn(said, millrace.stderr)


if __name__ == '__main__':
    support.unittest.main()
