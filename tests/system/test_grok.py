#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Grok in a pipeline: what -t says of patterns, and what a mistake in one costs the others."""
import json
import unittest

import support


class Grok(support.Case):
    def run_lines(self, patterns, lines, *flags):
        texts = ', '.join(f"'{pattern}'" for pattern in patterns)
        config = f"input {{ stdin {{ codec => plain }} }} filter {{ grok {{ match => {{ 'message' => [{texts}] }} }} }} " \
                 'output { stdout { codec => json_lines } }'
        done = self.run_to_end('--pipeline.ecs_compatibility', 'disabled', '-w', '1', *flags, '-e', config,
                               stdin=''.join(f'{line}\n' for line in lines).encode())
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{')], done.stderr

    def test_a_field_that_cannot_be_hurts_its_own_pattern_only(self):
        events, log = self.run_lines(['%{WORD:[http][method]]} %{INT:n}', '%{INT:m}'], ['GET 5', '7'])
        self.assertIn("warning: filter 'grok': '[http][method]]' is not a field reference: ", log)
        self.assertEqual([['_grokparsefailure'], None], [event.get('tags') for event in events])
        self.assertEqual('7', events[1]['m'])

    def test_a_long_field_name_does_not_cut_the_reason_off(self):
        _, log = self.run_lines(['%{WORD:[' + 'a' * 300 + '}'], ['x'], '-t')
        self.assertIn("…' is not a field reference: ", log)

    def test_why_a_line_does_not_match_names_the_innermost_piece(self):
        line = '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" {} 5 "-" "curl"'
        millrace = self.start('grok', '%{COMBINEDAPACHELOG}', line.format('abc'), data=False)
        self.assertNotEqual(0, millrace.wait())
        told = millrace.stdout + millrace.stderr
        self.assertRegex(told, r'stopped by +\S*%\{INT:\[http\]\[response\]\[status_code\]')
        self.assertRegex(told, r'inside +%\{COMBINEDAPACHELOG\} %\{HTTPD_COMBINEDLOG\} %\{HTTPD_COMMONLOG\}')
        self.assertRegex(told, r'text .*"GET /x HTTP/1.0" abc')
        self.run_to_end('grok', '%{COMBINEDAPACHELOG}', line.format('200'), data=False)


class Json(support.Case):
    def test_a_text_that_is_no_json_is_a_warning_without_the_text(self):
        done = self.run_to_end('-e', 'input { stdin { } } filter { json { source => "message" } } output { null { } }',
                               stdin=b'{"card": 4111-1111}\n' * 2000)
        self.assertRegex(done.stderr, r'\[WARN \].* a text is no JSON field=message reason="[^"]+at byte \d+"\n')
        self.assertNotIn('4111', done.stderr)
        self.assertLess(done.stderr.count('is no JSON'), 20)


if __name__ == '__main__':
    unittest.main()
