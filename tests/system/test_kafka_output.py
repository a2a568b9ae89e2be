# SPDX-License-Identifier: Apache-2.0
"""The Kafka output against a real broker; kcat reads what came."""
import json
import unittest

import kafka_broker
import support

PIPELINE = '''
input { stdin { codec => json_lines } }
output { kafka { bootstrap_servers => "@BROKER@" codec => json @MORE@ } }
'''


def events(count, **fields):
    return ''.join(json.dumps({'number': number, **fields}) + '\n' for number in range(count)).encode()


class KafkaOutput(support.Case):
    def setUp(self):
        super().setUp()
        self.broker = kafka_broker.broker()

    def deliver(self, given, more, **options):
        pipeline = support.fill(PIPELINE, broker=self.broker.address, more=more)
        return self.run_to_end('-e', pipeline, stdin=given, timeout=60, **options)

    def numbers(self, topic):
        return sorted(json.loads(line)['number'] for line in self.broker.read(topic))

    def test_every_event_is_there_once_with_each_compression(self):
        self.broker.create('out-many', 4)
        count = 3000
        expected = []
        for compression in ('none', 'gzip', 'snappy', 'lz4', 'zstd'):
            self.deliver(events(count), f'topic_id => "out-many" compression_type => "{compression}"')
            expected += range(count)
        self.assertEqual(sorted(expected), self.numbers('out-many'))

    def test_topic_key_and_headers_come_from_the_event(self):
        self.broker.create('out-a', 4)
        self.broker.create('out-b', 4)
        given = b''.join(events(40, name=name, user=user) for name in 'ab' for user in ('kim', 'lee'))
        self.deliver(given, 'topic_id => "out-%{name}" message_key => "%{user}" message_headers => { "who" => "<%{user}>" }')
        for topic in ('out-a', 'out-b'):
            rows = [line.split('|') for line in self.broker.read(topic, '%k|%p|%h\n')]
            self.assertEqual(80, len(rows))
            for user in ('kim', 'lee'):
                mine = [row for row in rows if row[0] == user]
                self.assertEqual(40, len(mine))
                self.assertEqual(1, len({partition for _, partition, _ in mine}), 'a key is in one partition')
                self.assertEqual({f'who=<{user}>'}, {header for _, _, header in mine})

    def test_round_robin_uses_all_partitions_evenly(self):
        self.broker.create('out-turns', 4)
        self.deliver(events(400), 'topic_id => "out-turns" partitioner => "round_robin" message_key => "same"')
        partitions = self.broker.read('out-turns', '%p\n')
        self.assertEqual([100] * 4, [partitions.count(str(number)) for number in range(4)])

    def test_what_is_too_large_is_refused_and_the_rest_arrives(self):
        self.broker.create('out-large')
        given = events(3) + json.dumps({'number': 99, 'text': 'x' * 5000}).encode() + b'\n' + events(3)
        millrace = self.deliver(given, 'topic_id => "out-large" max_request_size => 4000')
        self.assertEqual([0, 0, 1, 1, 2, 2], self.numbers('out-large'))
        self.assertIn('refused', millrace.stderr)

    def test_a_topic_name_that_cannot_be_is_refused(self):
        self.broker.create('out-good')
        given = events(1, name='good') + events(1, name='b/d')
        millrace = self.deliver(given, 'topic_id => "out-%{name}"')
        self.assertEqual([0], self.numbers('out-good'))
        self.assertIn('no name that a topic can have', millrace.stderr)

    def test_a_broker_that_is_away_is_waited_for(self):
        self.broker.create('out-later')
        self.broker.stop()
        pipeline = support.fill(PIPELINE, broker=self.broker.address, more='topic_id => "out-later"')
        millrace = self.start('-e', pipeline, stdin=events(500))
        said = millrace.wait_for_log('no broker answers: records wait.*', timeout=60)[0]
        self.assertRegex(said, r'reason=".+" waiting=500')
        self.assertEqual(1, millrace.stderr.count('no broker answers'))
        self.broker.start()
        self.assertEqual(0, millrace.wait(60), millrace.stderr)
        self.assertEqual(list(range(500)), self.numbers('out-later'))


if __name__ == '__main__':
    unittest.main()
