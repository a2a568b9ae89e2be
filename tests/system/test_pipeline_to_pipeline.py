# SPDX-License-Identifier: Apache-2.0
"""Pipelines that send events to each other: the usual patterns, what goes wrong at start, outages, crashes, the end."""
import json
import signal
import threading
import unittest

import search_stub
import support

GENERATED = 'input { generator { count => @COUNT@ message => "m" } }'


class Case(support.Case):
    def settings(self, /, **pipelines):
        """A pipelines.yml in the order given; each value is the text of a pipeline."""
        text = ''.join(f'- pipeline.id: {name}\n  config.string: {json.dumps(config)}\n' for name, config in pipelines.items())
        self.write('settings/pipelines.yml', text)
        return '--path.settings', self.folder / 'settings'

    def out(self, name):
        return f'output {{ file {{ path => "{self.folder / name}" codec => json_lines }} }}'

    def lines(self, name):
        path = self.folder / name
        text = path.read_text() if path.exists() else ''
        return [json.loads(line) for line in text.split('\n')[:-1]]  # the last one may not be whole yet


class Patterns(Case):
    def test_distributor(self):
        """One input, and a pipeline for each kind; it ends when its senders have."""
        settings = self.settings(
            intake='''input { stdin { codec => json_lines } }
                      output { if [kind] == "a" { pipeline { send_to => "a" } } else { pipeline { send_to => ["b"] } } }''',
            a='input { pipeline { address => "a" } } filter { mutate { add_field => { "by" => "a" } } } ' + self.out('a'),
            b='input { pipeline { address => "b" } } filter { mutate { add_field => { "by" => "b" } } } ' + self.out('b'))
        counters = self.folder / 'counters.json'
        lines = ''.join(json.dumps({'n': n, 'kind': 'a' if n % 3 else 'b'}) + '\n' for n in range(3000))
        self.run_to_end(*settings, '--counters', counters, stdin=lines.encode())
        self.assertEqual([n for n in range(3000) if n % 3], sorted(event['n'] for event in self.lines('a')))
        self.assertEqual(list(range(0, 3000, 3)), sorted(event['n'] for event in self.lines('b')))
        self.assertEqual({('a', 'a'), ('b', 'b')}, {(event['kind'], event['by']) for event in self.lines('a') + self.lines('b')})
        counted = json.loads(counters.read_text())['pipelines']
        self.assertEqual({'intake': 3000, 'a': 2000, 'b': 1000}, {name: counts['events']['in'] for name, counts in counted.items()})
        for output in counted['intake']['plugins']['outputs']:
            self.assertEqual(output['events']['routed'], output['events']['delivered'])
            self.assertEqual(0, output['events']['in_flight'])

    def test_forked_path(self):
        """Each path has copies of its own, with everything of the event but what the other one did to it."""
        settings = self.settings(
            intake='''input { stdin { } } filter { mutate { add_field => { "[@metadata][m]" => "kept" } add_tag => ["t"] } }
                      output { pipeline { send_to => ["whole", "partial"] } }''',
            whole='''input { pipeline { address => "whole" tags => ["at whole"] add_field => { "w" => "1" } } }
                     filter { mutate { add_field => { "m" => "%{[@metadata][m]}" } } } ''' + self.out('whole'),
            partial='input { pipeline { address => "partial" } } filter { mutate { remove_field => ["message"] } } ' + self.out('partial'))
        self.run_to_end(*settings, stdin=b'a\nb\n')
        whole, partial = self.lines('whole'), self.lines('partial')
        self.assertEqual([('a', 'kept', '1', ['t', 'at whole']), ('b', 'kept', '1', ['t', 'at whole'])],
                         sorted((event['message'], event['m'], event['w'], event['tags']) for event in whole))
        self.assertEqual([['t']] * 2, [event['tags'] for event in partial])
        self.assertFalse(any('message' in event or 'w' in event for event in partial))
        self.assertEqual(sorted(event['@timestamp'] for event in whole), sorted(event['@timestamp'] for event in partial))

    def test_collector(self):
        """Several into one, whose text stands first."""
        one = support.fill(GENERATED, COUNT=700)
        settings = self.settings(
            collector='input { pipeline { address => "here" } } ' + self.out('all'),
            **{name: f'{one} filter {{ mutate {{ add_field => {{ "from" => "{name}" }} }} }} '
                     'output { pipeline { send_to => "here" } }' for name in ('first', 'second', 'third')})
        self.run_to_end(*settings)
        found = [event['from'] for event in self.lines('all')]
        self.assertEqual({'first': 700, 'second': 700, 'third': 700}, {name: found.count(name) for name in set(found)})

    def test_a_chain_keeps_the_order_of_one_worker(self):
        settings = self.settings(
            a='input { stdin { } } output { pipeline { send_to => "b" } }',
            b='input { pipeline { address => "b" } } filter { mutate { gsub => ["message", "^", "b"] } } output { pipeline { send_to => "c" } }',
            c='input { pipeline { address => "c" } } ' + self.out('c'))
        self.run_to_end(*settings, '-w', 1, stdin=''.join(f'{n}\n' for n in range(5000)).encode())
        self.assertEqual([f'b{n}' for n in range(5000)], [event['message'] for event in self.lines('c')])


class Start(Case):
    def refused(self, /, **pipelines):
        return self.run_to_end('-t', *self.settings(**pipelines), status=1).stderr

    def test_a_circle_is_refused(self):
        text = 'input { pipeline { address => "@A@" } } output { pipeline { send_to => "@B@" } }'
        ring = {name: support.fill(text, A=name, B=to) for name, to in (('one', 'two'), ('two', 'three'), ('three', 'one'))}
        stderr = self.refused(entry='input { stdin { } } output { pipeline { send_to => "one" } }', **ring)
        self.assertIn('pipelines send to each other in a circle: one -> two -> three -> one', stderr)
        self.assertEqual(1, stderr.count('circle'))
        self.assertIn('circle: self -> self', self.refused(**{'self': support.fill(text, A='x', B='x')}))

    def test_an_address_is_for_one_input(self):
        text = 'input { pipeline { address => "x" } } output { null { } }'
        self.assertIn("the address 'x' is that of an input of pipeline 'one' already", self.refused(one=text, two=text))
        both = 'input { pipeline { address => "x" } pipeline { address => "x" } } output { null { } }'
        self.assertIn("the address 'x' is that of an input of pipeline 'one' already", self.refused(one=both))

    def test_options_are_checked(self):
        self.assertIn('address', self.refused(one='input { pipeline { } } output { null { } }'))
        self.assertIn("send_to has 'a' twice", self.refused(one='input { stdin { } } output { pipeline { send_to => ["a", "a"] } }'))


class Outages(Case):
    def test_a_missing_address_is_waited_for(self):
        settings = self.settings(one=support.fill(GENERATED, COUNT=10) + ' output { pipeline { send_to => "nobody" } }')
        millrace = self.start(*settings, '--shutdown.timeout', '0.2')
        millrace.wait_for_log('no pipeline takes events at this address; they wait until one does address=nobody')
        self.assertEqual(0, millrace.stop())
        self.assertIn('10 events were not delivered', millrace.stderr)

    def test_or_events_are_dropped_when_that_is_wanted(self):
        settings = self.settings(
            one=support.fill(GENERATED, COUNT=10) + ' output { pipeline { send_to => ["nobody", "there"] ensure_delivery => false } }',
            two='input { pipeline { address => "there" } } ' + self.out('two'))
        counters = self.folder / 'counters.json'
        millrace = self.run_to_end(*settings, '--counters', counters)
        self.assertIn('no pipeline takes events at this address; they are dropped address=nobody', millrace.stderr)
        output = json.loads(counters.read_text())['pipelines']['one']['plugins']['outputs'][0]['events']
        self.assertEqual((10, 10, 0), (output['routed'], output['dropped'], output['delivered']))

    def test_memory_is_bounded_and_nothing_lost_while_a_receiver_stands_still(self):
        """Far more than the budget holds, through two pipelines, into a destination that begins to answer late."""
        begin = threading.Event()
        taken, lock = [], threading.Lock()

        def answer(request):
            begin.wait()
            with lock:
                taken.extend(event['n'] for event in request.json())
            return 200, {}
        sink = self.recorder(answer)
        self.addCleanup(begin.set)
        lines = self.write('log', ''.join(json.dumps({'n': n, 'pad': 'x' * 400}) + '\n' for n in range(40000)))
        settings = self.settings(
            one=f'''input {{ file {{ path => "{lines}" mode => "read" codec => json exit_after_read => true
                    sincedb_path => "{self.folder}/db" file_completed_action => "log" file_completed_log_path => "{self.folder}/done" }} }}
                    output {{ pipeline {{ send_to => ["two", "three"] }} }}''',
            two=f'''input {{ pipeline {{ address => "two" }} }}
                    output {{ http {{ url => "http://{sink.address}/" http_method => "post" format => "json_batch" }} }}''',
            three='input { pipeline { address => "three" } } output { null { } }')
        counters = self.folder / 'counters.json'
        millrace = self.start(*settings, '-w', 2, '--pipeline.memory', '16 MiB', '--counters', counters)
        millrace.wait_for(lambda: sink.taken(), 'a first request')
        self.assertLess(self.memory_at_standstill(millrace, counters), 16 << 20)
        self.assertFalse(taken)
        begin.set()
        self.assertEqual(0, millrace.wait(60))
        self.assertEqual(list(range(40000)), sorted(taken))
        three = json.loads(counters.read_text())['pipelines']['three']
        self.assertEqual(40000, three['events']['in'])

    def memory_at_standstill(self, millrace, counters):
        """What is used of the budget when nothing more is taken in, for a while at least."""
        taken = [0, 0]

        def stands():
            counters.unlink(missing_ok=True)
            millrace.signal(signal.SIGUSR1)
            try:
                support.wait_until(counters.exists, 'the counters')
                counted = json.loads(counters.read_text())['pipelines']
            except ValueError:  # it is being written
                return False
            before, taken[0] = taken[0], counted['one']['events']['in']
            taken[1] = taken[1] + 1 if taken[0] == before > 0 else 0
            return taken[1] >= 10 and counted['one']['memory']['used_bytes']
        return millrace.wait_for(stands, 'a standstill', 60)

    def test_a_crash_loses_nothing(self):
        """The file's position follows what the last pipeline delivered."""
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        lines = self.write('log', ''.join(f'line {n}\n' for n in range(5000)))
        settings = self.settings(
            one=f'''input {{ file {{ path => "{lines}" mode => "tail" start_position => "beginning" sincedb_path => "{self.folder}/db" }} }}
                    output {{ pipeline {{ send_to => "two" }} }}''',
            two=f'''input {{ pipeline {{ address => "two" }} }} output {{ elasticsearch {{ hosts => ["{stub.address}"]
                    data_stream => false index => "i" }} }}''')
        stub.failing = 503
        millrace = self.start(*settings)
        millrace.wait_for(lambda: stub.bulks > 0, 'a request')
        millrace.kill()
        self.assertEqual([], stub.documents)
        stub.failing = None
        millrace = self.start(*settings)
        millrace.wait_for(lambda: len(stub.documents) >= 5000, 'all documents', 30)
        self.assertEqual(0, millrace.stop())
        self.assertEqual({f'line {n}' for n in range(5000)}, {source['message'] for _, _, source in stub.documents})

    def test_ids_of_documents_come_through(self):
        """deduplicate in a later pipeline knows where an event came from in the first one."""
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        lines = self.write('log', 'same\nsame\n')
        settings = self.settings(
            one=f'''input {{ file {{ path => "{lines}" mode => "read" exit_after_read => true sincedb_path => "/dev/null"
                    file_completed_action => "log" file_completed_log_path => "{self.folder}/done" }} }} output {{ pipeline {{ send_to => "two" }} }}''',
            two=f'''input {{ pipeline {{ address => "two" }} }} output {{ elasticsearch {{ hosts => ["{stub.address}"]
                    data_stream => false index => "i" deduplicate => true }} }}''')
        for _ in range(2):
            self.run_to_end(*settings)
        ids = [target['_id'] for target in stub.targets]
        self.assertEqual((4, 2), (len(ids), len(set(ids))))


class End(Case):
    def test_senders_end_before_receivers(self):
        """SIGTERM in the middle of a stream: all that was taken in arrives."""
        settings = self.settings(
            last='input { pipeline { address => "last" } } ' + self.out('out'),
            middle='input { pipeline { address => "middle" } } output { pipeline { send_to => "last" } }',
            first='input { generator { } } output { pipeline { send_to => "middle" } }')
        counters = self.folder / 'counters.json'
        millrace = self.start(*settings, '--counters', counters)
        millrace.wait_for(lambda: len(self.lines('out')) > 1000, 'events')
        self.assertEqual(0, millrace.stop())
        counted = json.loads(counters.read_text())['pipelines']
        made = counted['first']['events']['in']
        self.assertEqual((made, made), (counted['middle']['events']['in'], counted['last']['events']['in']))
        self.assertEqual(made, len(self.lines('out')))
        self.assertNotIn('not delivered', millrace.stderr)

    def test_a_timeout_holds_for_all_together(self):
        nobody = support.free_port()
        settings = self.settings(
            first='input { generator { } } output { pipeline { send_to => "last" } }',
            last=f'input {{ pipeline {{ address => "last" }} }} output {{ elasticsearch {{ hosts => ["127.0.0.1:{nobody}"] }} }}')
        millrace = self.start(*settings, '--shutdown.timeout', '0.5')
        millrace.wait_for_log('pipeline started pipeline=last')
        self.assertEqual(0, millrace.stop())
        self.assertRegex(millrace.stderr, r'\d+ events were not delivered.*pipeline=first')


if __name__ == '__main__':
    unittest.main()
