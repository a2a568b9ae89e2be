# SPDX-License-Identifier: Apache-2.0
"""Filters that keep something between events, in a whole pipeline: order, the end of the pipeline, the memory budget."""
import json
import signal
import unittest

import support

INPUT = 'input { stdin { codec => json_lines } } '
OUTPUT = ' output { file { path => "@FOLDER@/out" codec => json_lines } }'
COUNT = "map['n'] = (map['n'] || 0) + 1"


class Stateful(support.Case):
    def run_pipeline(self, filters, events, *arguments):
        out = self.folder / 'out'
        out.unlink(missing_ok=True)
        text = support.fill(INPUT + 'filter { ' + filters + ' }' + OUTPUT, folder=self.folder)
        lines = ''.join(json.dumps(event) + '\n' for event in events).encode()
        self.run_to_end(*arguments, '-e', text, stdin=lines)
        return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


class Aggregate(Stateful):
    def test_filters_of_one_pattern_share_their_maps_event_by_event(self):
        both = ('aggregate { task_id => "%{t}" code => "' + COUNT + '" } '
                'if [end] { aggregate { task_id => "%{t}" map_action => update end_of_task => true '
                'code => "event.set(\'n\', map[\'n\'])" } }')
        events = [{'t': i % 7, 'end': i % 3 == 0} for i in range(3000)]
        open_tasks, expected = {}, []
        for event in events:
            open_tasks[event['t']] = open_tasks.get(event['t'], 0) + 1
            if event['end']:
                expected.append(open_tasks.pop(event['t']))
        found = [event['n'] for event in self.run_pipeline(both, events, '-w', '2') if event['end']]
        self.assertEqual(sorted(expected), sorted(found))

    def test_what_is_pushed_passes_the_later_filters(self):
        found = self.run_pipeline('aggregate { task_id => "%{t}" code => "map[\'x\'] = event.get(\'t\')" '
                                  'push_previous_map_as_event => true } mutate { add_field => { "later" => "%{x}" } }',
                                  [{'t': 'a'}, {'t': 'b'}])
        self.assertEqual([None, None, 'a', 'b'], [event.get('x') for event in found])
        self.assertEqual(['_aggregatefinalflush'], found[3]['tags'])
        self.assertEqual('b', found[3]['later'])

    def test_timeout_options_in_two_filters_of_a_pattern_are_refused(self):
        one = 'aggregate { task_id => "%{t}" code => "" timeout => 5 } '
        self.run_to_end('-e', INPUT + 'filter { ' + one + one + '}', status=1)

    def test_nothing_is_lost_or_doubled_over_a_termination(self):
        """Open maps are kept in the file, and go on where they were."""
        maps = self.folder / 'maps'
        text = support.fill(INPUT + 'filter { aggregate { task_id => "%{t}" aggregate_maps_path => "@MAPS@" code => "' + COUNT +
                            '; event.set(\'n\', map[\'n\'])" } }' + OUTPUT, folder=self.folder, maps=maps)
        out = self.folder / 'out'
        for round_number in (1, 2, 3):
            lines = ''.join(json.dumps({'t': i}) + '\n' for i in range(500)).encode()
            millrace = self.start('-e', text, stdin=())
            millrace.child.stdin.write(lines)
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: out.exists() and out.read_text().count('\n') == 500 * round_number, 'all events written')
            millrace.signal(signal.SIGTERM)
            self.assertEqual(0, millrace.wait())
            self.assertTrue(maps.exists())
        found = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual([1] * 500 + [2] * 500 + [3] * 500, sorted(event['n'] for event in found))

    def test_open_maps_are_counted_in_the_budget_and_stay_in_it(self):
        """100,000 of them: the pipeline goes on, and every event arrives."""
        count = 100000
        events = [{'t': f'task-{i}'} for i in range(count)] + [{'t': 'task-5'}]
        found = self.run_pipeline('aggregate { task_id => "%{t}" map_count_warning_threshold => 0 code => "' + COUNT +
                                  '; event.set(\'n\', map[\'n\'])" }', events, '-w', '1', '--pipeline.memory', '256mb')
        self.assertEqual(count + 1, len(found))
        self.assertEqual([], [event for event in found if 'tags' in event][:1])
        self.assertEqual(2, found[-1]['n'])


class Elapsed(Stateful):
    def test_open_starts_expire_at_the_end(self):
        found = self.run_pipeline('elapsed { start_tag => "s" end_tag => "e" unique_id_field => id timeout => 5 }',
                                  [{'tags': ['s'], 'id': i} for i in range(1000)] + [{'tags': ['e'], 'id': 7}])
        self.assertEqual(1001 + 999, len(found))
        self.assertEqual(999, sum('elapsed_expired_error' in event['tags'] for event in found))


class ManyOpen(Stateful):
    """They are counted in the memory, which stays inside its limit; over a SIGTERM nothing is lost and nothing comes twice."""
    COUNT, MEMORY = 100000, 128 << 20

    def begin(self, filters):
        text = support.fill(INPUT + 'filter { ' + filters + ' }' + OUTPUT, folder=self.folder)
        self.millrace = self.start('-w', '1', '--pipeline.memory', f'{self.MEMORY}b', '-e', text, stdin=())

    def feed(self, events, written):
        """Until so many events are in the file."""
        out = self.folder / 'out'
        self.millrace.child.stdin.write(''.join(json.dumps(event) + '\n' for event in events).encode())
        self.millrace.child.stdin.flush()
        self.millrace.wait_for(lambda: out.exists() and out.read_bytes().count(b'\n') == written, f'{written} events in the file', 60)

    def check_memory(self, count):
        self.millrace.signal(signal.SIGUSR1)
        used = int(self.millrace.wait_for_log(r'"used_bytes":(\d+)').group(1))
        self.assertGreater(used, count * 32, 'what is open is counted')
        self.assertLess(used, self.MEMORY)

    def end(self):
        self.millrace.signal(signal.SIGTERM)
        self.assertEqual(0, self.millrace.wait(60), self.millrace.stderr)
        return [json.loads(line) for line in (self.folder / 'out').read_text().splitlines()]

    def test_maps_of_aggregate_go_on_after_a_restart(self):
        count = 30000
        filters = ('aggregate { task_id => "%{t}" aggregate_maps_path => "' + str(self.folder / 'maps') + '" map_count_warning_threshold => 0 code => "' +
                   COUNT + '; event.set(\'n\', map[\'n\'])" }')
        tasks = [f'task-{number}' for number in range(count)]
        again = tasks[::50] + ['new']
        self.begin(filters)
        self.feed(({'t': task} for task in tasks), count)
        self.check_memory(count)
        self.assertEqual([(task, 1) for task in tasks], [(event['t'], event['n']) for event in self.end()])
        self.begin(filters)
        self.feed(({'t': task} for task in again), count + len(again))
        self.assertEqual([(task, 2) for task in again[:-1]] + [('new', 1)], [(event['t'], event['n']) for event in self.end()[count:]])

    def test_starts_of_elapsed_have_their_end_once(self):
        self.begin('elapsed { start_tag => "s" end_tag => "e" unique_id_field => id timeout => 3600 }')
        self.feed(({'tags': ['s'], 'id': number} for number in range(self.COUNT)), self.COUNT)
        self.check_memory(self.COUNT)
        self.feed(({'tags': ['e'], 'id': number} for number in range(0, 2 * self.COUNT, 40)), self.COUNT + self.COUNT // 20)
        ends = self.end()[self.COUNT:]
        self.assertEqual(list(range(0, self.COUNT, 40)), [event['id'] for event in ends if 'elapsed_match' in event['tags']])
        self.assertEqual(list(range(self.COUNT, 2 * self.COUNT, 40)), [event['id'] for event in ends if 'elapsed_end_without_start' in event['tags']])


if __name__ == '__main__':
    unittest.main()
