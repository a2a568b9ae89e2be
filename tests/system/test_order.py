# SPDX-License-Identifier: Apache-2.0
"""What filters make of an event stands directly behind it, before the next one."""
import support

INPUT = 'input { stdin { codec => json_lines } }'
OUTPUT = 'output { stdout { codec => line { format => "%{m}%{type}" } } }'


class NewEvents(support.Case):
    def order(self, filters, events, *options):
        lines = ''.join(support.json.dumps(event) + '\n' for event in events)
        run = self.run_to_end('-w', '1', *options, '-e', f'{INPUT} filter {{ {filters} }} {OUTPUT}',
                              stdin=lines.encode())
        return run.stdout.replace('%{type}', '').split()

    def check(self, filters, events, expected):
        for options in ((), ('--pipeline.ordered', 'true'), ('--pipeline.ordered', 'false')):
            with self.subTest(filters=filters, options=options):
                self.assertEqual(expected, self.order(filters, events, *options))

    def test_split(self):
        self.check('split { field => "m" }',
                   [{'m': ['1a', '1b']}, {'m': '2'}, {'m': ['3a', '3b']}, {'m': '4'}],
                   ['1a', '1b', '2', '3a', '3b', '4'])

    def test_two_splits_in_a_row(self):
        self.check('split { field => "m" } split { field => "m" terminator => "-" }',
                   [{'m': ['1a-1b', '1c']}, {'m': '2'}, {'m': ['3a', '3b-3c-3d']}],
                   ['1a', '1b', '1c', '2', '3a', '3b', '3c', '3d'])

    def test_clone(self):
        self.check('clone { clones => ["c", "d"] ecs_compatibility => disabled }',
                   [{'m': '1'}, {'m': '2'}], ['1', '1c', '1d', '2', '2c', '2d'])

    def test_ruby(self):
        self.check('ruby { code => "2.times { |n| e = event.clone; e.set(%q(m), event.get(%q(m)) + n.to_s); '
                   'new_event_block.call(e) }" }', [{'m': 'a'}, {'m': 'b'}], ['a', 'a0', 'a1', 'b', 'b0', 'b1'])

    def test_inside_an_arm(self):
        self.check('if [m] != "2" { clone { clones => ["c"] ecs_compatibility => disabled } '
                   'if [type] == "c" { split { field => "m" terminator => "." } } }',
                   [{'m': '1.x'}, {'m': '2'}, {'m': '3.x'}], ['1.x', '1c', 'xc', '2', '3.x', '3c', 'xc'])

    def test_more_than_a_slice(self):
        events = [{'m': [f'{n}{letter}' for letter in 'ab'] if n % 3 == 0 else f'{n}'} for n in range(1000)]
        flat = [m for event in events for m in (event['m'] if isinstance(event['m'], list) else [event['m']])]
        self.check('split { field => "m" }', events, flat)


class OneLane(support.Case):
    """A filter that sees all events is on one lane, and so it says; the rest of the pipeline is on all."""
    PIPELINE = ('input { generator { count => 5000 } } filter { throttle { key => "k" before_count => 10 '
                'period => 86400 add_tag => "few" } } output { if "few" in [tags] { stdout { codec => json_lines } } }')

    def test_it_counts_all_events(self):
        run = self.run_to_end('-w', '3', '-e', self.PIPELINE)
        self.assertEqual(9, len(run.json_lines()))
        self.assertEqual(1, run.stderr.count('this filter sees all events on one lane'), run.stderr)

    def test_with_one_lane_there_is_nothing_to_say(self):
        run = self.run_to_end('-w', '1', '-e', self.PIPELINE)
        self.assertEqual(9, len(run.json_lines()))
        self.assertNotIn('on one lane', run.stderr)


if __name__ == '__main__':
    support.unittest.main()
