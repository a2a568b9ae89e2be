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


if __name__ == '__main__':
    unittest.main()
