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


class FirstEvent(support.Case):
    """The header of a CSV file is its first line, however many lanes there are and however long it takes."""
    LINES = 20000
    PIPELINE = ('input { file { path => "@IN@" mode => "read" exit_after_read => true file_completed_action => "log" '
                'file_completed_log_path => "@DONE@" sincedb_path => "@DB@" } } '
                'filter { if [message] =~ /^id,/ { ruby { code => "until_then = Time.now + 0.3; while Time.now < until_then; end" } } '
                'csv { autodetect_column_names => true } } '
                'output { file { path => "@OUT@" codec => line { format => "%{id} %{name} %{column1}" } } }')

    def test_the_header_of_a_file_on_several_lanes(self):
        self.write('in.csv', 'id,name\n' + ''.join(f'{n},name {n}\n' for n in range(self.LINES)))
        pipeline = support.fill(self.PIPELINE, **{name: self.folder / name for name in ('done', 'db', 'out')},
                                IN=self.folder / 'in.csv')
        run = self.run_to_end('-w', '3', '-e', pipeline)
        self.assertEqual(0, run.wait())
        lines = set((self.folder / 'out').read_text().splitlines())
        wrong = lines ^ {f'{n} name {n} %{{column1}}' for n in range(self.LINES)}
        self.assertEqual((0, []), (len(wrong), sorted(wrong)[:3]))


if __name__ == '__main__':
    support.unittest.main()
