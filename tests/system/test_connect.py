# SPDX-License-Identifier: Apache-2.0
"""What is said about the servers of outputs before and after the start: -t --connect, logins that are refused, templates."""
import unittest

import support

REASON = 'unable to authenticate user [joe] for REST request [/]'
SERVER = {'version': {'number': '8.13.2'}}


def refuse(status, reason=REASON):
    return lambda request: (status, {'error': {'type': 'security_exception', 'reason': reason}, 'status': status})


class Connect(support.Case):
    def pipeline(self, *servers, options=''):
        hosts = ', '.join(f'"http://{server.address}"' for server in servers)
        return self.write('pipeline.conf', f"""\
input {{ stdin {{ }} }}
output {{
  elasticsearch {{ hosts => [{hosts}] user => "joe" password => "hunter2" data_stream => false {options} }}
}}
""")

    def check(self, path, status):
        millrace = self.run_to_end('-t', '--connect', '-f', path, data=False, status=status)
        self.assertNotIn('hunter2', millrace.stderr + millrace.stdout)
        return millrace

    def test_a_refused_login_is_named_with_the_reason_of_the_server(self):
        for status, said in ((401, 'the server refused the login'), (403, 'the server does not allow this user to do this')):
            with self.subTest(status):
                server = self.recorder(refuse(status))
                told = self.check(self.pipeline(server), 1)
                self.assertIn(f":3:3: error: output 'elasticsearch': http://{server.address}: {said} (user joe, status {status}): "
                              'unable to authenticate user [joe]', told.stderr)
                self.assertNotIn('Configuration OK', told.stdout)

    def test_version_and_template_are_looked_at_and_nothing_is_changed(self):
        for has_template, said in ((True, 'is there and stays as it is'), (False, 'will be installed')):
            with self.subTest(said):
                server = self.recorder(lambda request: (200, SERVER) if request.path == '/' or has_template else (404, {}))
                told = self.check(self.pipeline(server), 0)
                self.assertEqual(f'http://{server.address}: elasticsearch 8.13.2, user joe\n'
                                 f'http://{server.address}: index template ecs-logstash {said}\nConfiguration OK\n', told.stdout)
                self.assertEqual([('GET', '/'), ('HEAD', '/_index_template/ecs-logstash')],
                                 [(request.method, request.path) for request in server.taken()])

    def test_every_server_is_asked(self):
        alive = self.recorder(lambda request: (200, SERVER))
        strange = self.recorder(lambda request: (200, 'hello'))
        told = self.check(self.pipeline(alive, strange), 1)
        self.assertIn('elasticsearch 8.13.2', told.stdout)
        self.assertIn(f'http://{strange.address}: it answers, but not as Elasticsearch or OpenSearch does', told.stderr)

    def test_a_server_that_is_not_there(self):
        server = self.recorder()
        server.close()
        self.assertIn(f'http://{server.address}: ', self.check(self.pipeline(server), 1).stderr)

    def test_without_the_flag_nobody_is_asked(self):
        server = self.recorder(refuse(401))
        self.run_to_end('-t', '-f', self.pipeline(server), data=False)
        self.assertEqual([], server.taken())


class Templates(support.Case):
    def check(self, content, plugin='elasticsearch'):
        template = self.folder / 'template.json'
        if content is not None:
            template.write_text(content)
        path = self.write('pipeline.conf', f"""\
input {{ stdin {{ }} }}
output {{ {plugin} {{ template => "{template}" manage_template => true }} }}
""")
        millrace = self.start('-t', '-f', path, data=False)
        return millrace.wait(), millrace.stderr

    def test_one_that_is_missing_or_broken_is_found_by_a_check(self):
        for plugin in ('elasticsearch', 'opensearch'):
            for content, said in ((None, 'is not there, nor'), ('{"template": {', 'premature EOF at byte 14'),
                                  ('{\n  "template": {\n', 'premature EOF at line 3, column 1 (byte 18)'),
                                  ('[1]', 'it is not a JSON object'), ('', 'byte 0')):
                with self.subTest((plugin, content)):
                    (self.folder / 'template.json').unlink(missing_ok=True)
                    status, told = self.check(content, plugin)
                    self.assertEqual(1, status)
                    column = len(f'output {{ {plugin} {{ template => "')
                    self.assertRegex(told, rf":2:{column}: error: output '{plugin}': index template '.*template.json'")
                    self.assertIn(said, told)
        self.assertEqual((0, ''), self.check('{"index_patterns": ["a"], "template": {}}'))


class Log(support.Case):
    def test_a_refused_login_is_in_the_log_with_user_and_reason(self):
        server = self.recorder(refuse(401))
        millrace = self.start('-e', f'input {{ generator {{ count => 1 }} }} output {{ elasticsearch {{ '
                              f'hosts => "http://joe:hunter2@{server.address}" }} }}', '--shutdown.timeout', '0')
        millrace.wait_for_log(r'the server refused the login, trying again host=http://\S+ user=joe status=401 '
                              r'reason="unable to authenticate user \[joe\]')
        self.assertNotIn('hunter2', millrace.stderr)
        self.assertNotIn('error=', millrace.stderr)

    def test_values_that_a_server_quotes_are_not_in_the_log(self):
        quoted = "failed to parse field [card] of type [long] in document with id '1'. Preview of field's value: 'sesame-poppy'"
        refused = {'errors': True, 'items': [{'index': {'status': 400, 'error': {'type': 'mapper_parsing_exception', 'reason': quoted}}}]}
        server = self.recorder(lambda request: (200, refused if '_bulk' in request.path else SERVER))
        millrace = self.run_to_end('-e', 'input { generator { count => 1 message => "sesame-poppy" } } output { elasticsearch { '
                                   f'hosts => "http://{server.address}" manage_template => false action => "index" '
                                   'data_stream => false } }')
        self.assertIn('the destination permanently rejected an event reason="400 mapper_parsing_exception: failed to parse field '
                      '[card] of type [long]', millrace.stderr)
        for part in ('sesame', 'poppy'):  # digits would be found in a port
            self.assertNotIn(part, millrace.stderr)

    def test_the_http_output_shows_neither_credentials_nor_answers(self):
        answers = iter((503, 400, 400))
        server = self.recorder(lambda request: (next(answers, 200), 'cannot take sesame-poppy'))
        text = ('input { generator { count => 2 message => "sesame-poppy" } } output { http { http_method => "post" '
                f'url => "http://joe:hunter2@{server.address}/in?token=hunter3&n=%{{message}}" }} }}')
        millrace = self.run_to_end('-w', '1', '-e', text)
        self.assertIn(f'a request failed and will be sent again url=http://{server.address}/in?... reason="status 503: cannot take .........', millrace.stderr)
        self.assertIn('the destination permanently rejected an event reason="status 400: cannot take .........', millrace.stderr)
        for secret in ('sesame', 'poppy', 'hunter'):
            self.assertNotIn(secret, millrace.stderr)

    def test_a_file_that_cannot_be_written_is_named(self):
        (self.folder / 'taken').write_text('a file')
        path = self.folder / 'taken' / 'out.txt'
        millrace = self.start('-e', f'input {{ generator {{ count => 1 }} }} output {{ file {{ path => "{path}" }} }}', '--shutdown.timeout', '0')
        millrace.wait_for_log(r"\[file-\S+\] '.*taken' is not a directory; retrying")


if __name__ == '__main__':
    unittest.main()
