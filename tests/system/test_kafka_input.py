# SPDX-License-Identifier: Apache-2.0
"""The Kafka input against a real broker; kcat writes what is read."""
import json
import threading
import unittest

import kafka_broker
import support

PIPELINE = '''
input {
  kafka {
    bootstrap_servers => "@BROKER@" topics => ["@TOPIC@"] group_id => "@TOPIC@" codec => json
    auto_offset_reset => "earliest" auto_commit_interval_ms => 100 @MORE@
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
        self.path = self.folder / 'out'

    def begin(self, topic, output=FILE, more='', data='data', **options):
        pipeline = support.fill(PIPELINE, broker=self.broker.address, topic=topic, more=more,
                                output=support.fill(output, path=self.path) if output is FILE else output)
        return self.start('--path.data', self.folder / data, '-e', pipeline, **options)

    def events(self):
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def numbers(self):
        return [event['number'] for event in self.events()]

    def wait_for(self, numbers):
        support.wait_until(lambda: set(self.numbers()) >= set(numbers), f'{len(numbers)} events', timeout=60)

    def end(self, millrace):
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

    @unittest.skip('passes alone, not always beside other tests: to be made steady')
    def test_killed_in_the_middle_nothing_is_missing(self):
        count = 20000
        self.broker.create('in-killed', 4)
        self.broker.produce('in-killed', lines(range(count)))
        for target in (1, count // 3, 2 * count // 3):
            millrace = self.begin('in-killed', more='max_partition_fetch_bytes => 4096 session_timeout_ms => 6000')
            support.wait_until(lambda: len(set(self.numbers())) >= target, f'{target} events', timeout=60)
            millrace.child.kill()
            millrace.child.wait()
            self.assertLessEqual(sum(self.broker.committed('in-killed').values()), len(set(self.numbers())))
        millrace = self.begin('in-killed', more='session_timeout_ms => 6000')
        self.wait_for(range(count))
        self.end(millrace)
        self.assertEqual(count, sum(self.broker.committed('in-killed').values()))

    def test_an_offset_never_passes_an_event_that_was_not_taken(self):
        """Event k is answered 503 again and again: everything behind it may arrive, the offset stays at k."""
        count = 50
        for refused in (0, 7, 49):
            topic = f'in-stuck-{refused}'
            self.broker.create(topic)
            self.broker.produce(topic, lines(range(count)))
            taken, allowed = set(), threading.Event()

            def answer(request, refused=refused, taken=taken, allowed=allowed):
                number = json.loads(request.body)['number']
                if number == refused and not allowed.is_set():
                    return 503, ''
                taken.add(number)
                return 200, ''

            recorder = self.recorder(answer)
            output = f'http {{ url => "http://{recorder.address}/" http_method => "post" format => "json" }}'
            millrace = self.begin(topic, output, data=topic)
            support.wait_until(lambda taken=taken: len(taken) == count - 1, 'all but one', timeout=60)
            committed = self.broker.committed(topic).get((topic, 0), 0)
            self.assertLessEqual(committed, refused)
            millrace.child.kill()
            millrace.child.wait()
            self.assertLessEqual(self.broker.committed(topic).get((topic, 0), 0), refused)
            allowed.set()
            again = self.begin(topic, output, more='session_timeout_ms => 6000', data=topic)
            support.wait_until(lambda taken=taken: len(taken) == count, 'the one', timeout=60)
            self.end(again)
            self.assertEqual(count, self.broker.committed(topic)[(topic, 0)])

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
