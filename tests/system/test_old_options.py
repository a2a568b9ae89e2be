# SPDX-License-Identifier: Apache-2.0
"""Pipeline files written for older versions of Logstash: each old option runs, and is warned about once with the new name."""
import unittest

import support

OLD = {
    ('input', 'beats', 'port => 5044'): {
        'ssl => false': 'ssl_enabled', 'ssl_verify_mode => "force_peer"': 'ssl_client_authentication',
        'cipher_suites => ["X"]': 'ssl_cipher_suites', 'tls_min_version => 1.2': 'ssl_supported_protocols',
        'congestion_threshold => 40': 'keep-alives', 'max_clients => 5': 'max_connections'},
    ('filter', 'mutate', ''): {'remove => ["a"]': 'remove_field'},
    ('filter', 'grok', ''): {'pattern => "%{WORD:a}"': 'match => {', 'singles => true': 'leave it out',
                             'drop_if_match => true': 'drop {}'},
    ('filter', 'translate', 'dictionary => ["1", "2"]'): {'field => "a"': 'source'},
    ('filter', 'translate', 'source => "a" dictionary => ["1", "2"]'): {'destination => "b"': 'target'},
    ('output', 'elasticsearch', ''): {
        'host => "a"': 'hosts', 'port => 9300': 'hosts', 'protocol => "http"': 'hosts', 'ssl => true': 'ssl_enabled',
        'ssl_certificate_verification => false': 'ssl_verification_mode => full or none', 'document_type => "doc"': 'leave it out',
        'cacert => "/etc/hostname"': 'ssl_certificate_authorities', 'flush_size => 500': 'pipeline.batch.size',
        'workers => 4': 'pipeline.workers', 'idle_flush_time => 2': 'request', 'embedded => false': 'hosts'},
    ('output', 'file', 'path => "/tmp/x"'): {'message_format => "%{message}"': 'codec => line', 'max_size => 5': 'rotate'},
    ('output', 'http', 'url => "http://a/" http_method => post'): {
        'verify_ssl => false': 'ssl_verification_mode', 'concurrent_requests => 5': 'pool_max'},
    ('input', 'kafka', ''): {'queue_size => 20': 'pipeline.memory', 'consumer_restart_on_error => true': 'goes on'},
    ('output', 'kafka', 'topic_id => "a"'): {'block_on_buffer_full => true': 'inputs wait', 'timeout_ms => 5': 'request_timeout_ms'},
    ('output', 'stdout', ''): {'debug => true': 'codec => rubydebug', 'workers => 2': 'pipeline.workers'},
}
REFUSED = {
    'input { beats { port => 5044 ssl => true } }': 'ssl_enabled',
    'output { stdout { type => "x" } }': 'if [type] ==',
    'filter { mutate { exclude_tags => ["x"] } }': 'not in [tags]',
    'input { kafka { zk_connect => "a:2181" } }': 'bootstrap_servers',
    'input { kafka { topic_id => "a" } }': 'topics',
    'input { kafka { white_list => "a.*" } }': 'topics_pattern',
    'input { kafka { ssl => true } }': 'security_protocol',
    'output { kafka { topic_id => "a" broker_list => "a:9092" } }': 'bootstrap_servers',
    'output { kafka { topic_id => "a" compression_codec => "lz4" } }': 'compression_type',
    'output { elasticsearch { truststore => "x.jks" } }': 'keytool',
}


class OldOptions(support.Case):
    def check(self, text):
        millrace = self.start('-t', '-e', text)
        return millrace.wait(), millrace.stderr

    def test_each_runs_and_is_warned_about_once(self):
        for (section, plugin, options), old in OLD.items():
            for option, new in old.items():
                status, log = self.check(f'{section} {{ {plugin} {{ {options} {option} }} }}')
                warnings = [line for line in log.splitlines() if f"option '{option.split()[0]}'" in line]
                self.assertEqual((0, 1), (status, len(warnings)), f'{plugin} {option}: {log}')
                self.assertIn(new, warnings[0])

    def test_what_would_change_the_meaning_is_refused(self):
        for text, instead in REFUSED.items():
            status, log = self.check(text)
            self.assertEqual(1, status, text)
            self.assertIn(instead, log)

    def test_message_format_is_the_text_of_an_event(self):
        target = self.folder / 'out.txt'
        self.run_to_end('-e', f'output {{ file {{ path => "{target}" message_format => "<%{{message}}>" }} }}', stdin=b'a\nb\n')
        self.assertEqual('<a>\n<b>\n', target.read_text())

    def test_grok_pattern_is_for_the_message_after_those_of_match(self):
        millrace = self.run_to_end('-e', '''input { stdin {} } output { stdout { codec => json_lines } }
filter { grok { match => { "message" => "%{INT:n}" } pattern => ["%{INT:m}!", "%{WORD:w}"] } }''', stdin=b'1 a\nb\n')
        self.assertEqual([('1', None, None), (None, None, 'b')],
                         [tuple(map(event.get, 'nmw')) for event in millrace.json_lines()])


if __name__ == '__main__':
    unittest.main()
