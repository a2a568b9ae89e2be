# SPDX-License-Identifier: Apache-2.0
"""The Kafka input against a real broker; kcat writes what is read."""
import json
import threading
import unittest

import kafka_broker
import search_stub
import support

PIPELINE = '''
input {
  kafka {
    bootstrap_servers => "@BROKER@" topics => ["@TOPIC@"] group_id => "@TOPIC@" codec => json
    auto_offset_reset => "earliest" auto_commit_interval_ms => 100 heartbeat_interval_ms => 500 @MORE@
  }
}
filter { mutate { add_field => { "kafka" => "%{[@metadata][kafka]}" } } }
output { @OUTPUT@ }
'''
FILE = 'file { path => "@PATH@" codec => json_lines }'


def lines(numbers):
    return [json.dumps({'number': number}) for number in numbers]


class KafkaInput(support.Case):
    def setUp(self):
        super().setUp()
        self.broker = kafka_broker.broker()
        self.outputs = []

    def begin(self, topic, output=FILE, more='', data='data', **options):
        """Each process has a file of its own: one that is killed leaves a torn line."""
        self.outputs.append(self.folder / f'out{len(self.outputs)}')
        pipeline = support.fill(PIPELINE, broker=self.broker.address, topic=topic, more=more,
                                output=support.fill(output, path=self.outputs[-1]) if output is FILE else output)
        return self.start('--path.data', self.folder / data, '-e', pipeline, **options)

    def events(self):
        texts = [path.read_text() for path in self.outputs if path.exists()]
        return [json.loads(line) for text in texts for line in text.split('\n')[:-1]]

    def numbers(self):
        return [event['number'] for event in self.events()]

    def wait_for(self, numbers):
        support.wait_until(lambda: set(self.numbers()) >= set(numbers), f'{len(numbers)} events', timeout=60)

    def wait_for_committed(self, group, count):
        support.wait_until(lambda: sum(self.broker.committed(group).values()) >= count, f'{count} committed', timeout=60)

    def end(self, millrace):
        millrace.wait_for_log('pipeline started')
        millrace.child.terminate()
        self.assertEqual(0, millrace.wait(60), millrace.stderr)

    def test_all_partitions_are_read_once_and_committed_to_their_ends(self):
        self.broker.create('in-all', 4)
        self.broker.produce('in-all', lines(range(2000)))
        millrace = self.begin('in-all')
        self.wait_for(range(2000))
        self.end(millrace)
        self.assertEqual(list(range(2000)), sorted(self.numbers()))
        self.assertEqual(2000, sum(self.broker.committed('in-all').values()))

    def test_decoration_says_where_a_record_was(self):
        self.broker.create('in-where')
        self.broker.produce('in-where', ['key|{"number":1}'], '-K', '|', '-H', 'who=kim')
        self.broker.produce('in-where', ['{"number":2}'])
        millrace = self.begin('in-where', more='decorate_events => "extended"')
        self.wait_for([1, 2])
        self.end(millrace)
        first, second = (json.loads(event['kafka']) for event in self.events())
        self.assertGreater(first.pop('timestamp'), 1500000000000)
        self.assertEqual({'topic': 'in-where', 'consumer_group': 'in-where', 'partition': 0, 'offset': 0, 'key': 'key',
                          'headers': {'who': 'kim'}}, first)
        self.assertEqual((1, None, {}), (second['offset'], second['key'], second['headers']))

    def test_killed_in_the_middle_nothing_is_missing(self):
        count = 20000
        self.broker.create('in-killed', 4)
        self.broker.produce('in-killed', lines(range(count)))
        for target in (1, count // 3, 2 * count // 3):
            millrace = self.begin('in-killed', more='max_partition_fetch_bytes => 4096 session_timeout_ms => 3000')
            support.wait_until(lambda: len(set(self.numbers())) >= target, f'{target} events', timeout=60)
            millrace.child.kill()
            millrace.child.wait()
            self.assertLessEqual(sum(self.broker.committed('in-killed').values()), len(set(self.numbers())))
        millrace = self.begin('in-killed', more='session_timeout_ms => 3000')
        # One that was killed may have delivered everything already and committed nothing of it: the offsets say when the
        # last one is done, not the events.
        self.wait_for_committed('in-killed', count)
        self.end(millrace)
        self.assertEqual(set(range(count)), set(self.numbers()))
        self.assertEqual(count, sum(self.broker.committed('in-killed').values()))

    def test_an_offset_never_passes_an_event_that_was_not_taken(self):
        """In partition k event k is answered 503 again and again, for every k of 50: everything behind it may arrive, the
        offset stays at k, also over a crash."""
        count, topic = 50, 'in-stuck'
        self.broker.create(topic, count + 1)
        self.broker.produce_to_partitions(topic, {part: lines(range(part * count, (part + 1) * count)) for part in range(count)})
        taken, allowed = set(), threading.Event()

        def status_of(event):
            number = event['number']
            if number < count * count and number // count == number % count and not allowed.is_set():
                return 503
            taken.add(number)
            return 201

        def passed():
            return {partition: offset for (_, partition), offset in self.broker.committed(topic).items()
                    if partition < offset and partition < count}

        stub = search_stub.SearchStub(status_of)
        self.addCleanup(stub.close)
        output = f'elasticsearch {{ hosts => ["{stub.address}"] index => "i" manage_template => false }}'
        millrace = self.begin(topic, output, more='session_timeout_ms => 3000')
        support.wait_until(lambda: len(taken) == count * (count - 1), 'all but one of each partition', timeout=60)
        # What goes through the last partition afterwards is committed: so all that may be has been.
        self.broker.produce_to_partitions(topic, {count: lines(range(count * count, count * count + count))})
        support.wait_until(lambda: self.broker.committed(topic).get((topic, count)) == count, 'a commit', timeout=60)
        self.assertEqual({}, passed())
        millrace.kill()
        self.assertEqual({}, passed())
        allowed.set()
        again = self.begin(topic, output, more='session_timeout_ms => 3000')
        self.wait_for_committed(topic, count * (count + 1))
        self.end(again)
        self.assertEqual(set(range(count * (count + 1))), taken)

    def test_two_members_share_and_a_third_takes_over(self):
        self.broker.create('in-shared', 4)
        first = self.begin('in-shared', data='data1')
        self.broker.produce('in-shared', lines(range(1000)))
        self.wait_for(range(1000))
        second = self.begin('in-shared', data='data2')
        support.wait_until(lambda: 'partitions are ours' in second.stderr, 'a share', timeout=60)
        self.broker.produce('in-shared', lines(range(1000, 3000)))
        self.wait_for(range(3000))
        self.end(first)
        self.broker.produce('in-shared', lines(range(3000, 4000)))
        self.wait_for(range(4000))
        self.end(second)
        self.assertEqual(4000, sum(self.broker.committed('in-shared').values()))

    def test_a_broker_that_goes_and_comes_back(self):
        self.broker.create('in-restart', 2)
        self.broker.produce('in-restart', lines(range(500)))
        millrace = self.begin('in-restart', more='session_timeout_ms => 3000')
        self.wait_for_committed('in-restart', 500)
        self.broker.stop()
        millrace.wait_for_log('no broker answers: nothing is read.*reason=', timeout=60)
        self.broker.start()
        self.broker.produce('in-restart', lines(range(500, 1000)))
        self.wait_for(range(1000))
        millrace.wait_for_log('a broker answers again', timeout=60)
        self.end(millrace)
        self.assertEqual(set(range(1000)), set(self.numbers()))
        self.assertEqual(1000, sum(self.broker.committed('in-restart').values()))

    def test_from_topic_to_topic(self):
        self.broker.create('in-from', 4)
        self.broker.create('in-to', 4)
        self.broker.produce('in-from', lines(range(3000)))
        output = f'kafka {{ bootstrap_servers => "{self.broker.address}" topic_id => "in-to" codec => json }}'
        millrace = self.begin('in-from', output)
        support.wait_until(lambda: len(self.broker.read('in-to')) >= 3000, '3000 records', timeout=60)
        self.end(millrace)
        self.assertEqual(list(range(3000)), sorted(json.loads(line)['number'] for line in self.broker.read('in-to')))
        self.assertEqual(3000, sum(self.broker.committed('in-from').values()))


if __name__ == '__main__':
    unittest.main()
