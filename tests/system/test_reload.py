# SPDX-License-Identifier: Apache-2.0
"""Pipelines change while they run: by SIGHUP and by themselves, with mistakes, under load, during outages."""
import json
import os
import re
import signal
import socket
import threading
import unittest
import urllib.request

import lumberjack
import search_stub
import support

TAIL = '''input { file { path => "@IN@" mode => "tail" start_position => "beginning" stat_interval => "50 ms" sincedb_path => "@DB@" } }
filter { mutate { add_field => { "version" => "@VERSION@" } } }
output { @OUTPUT@ }'''


RELOADS = int(os.environ.get('MILLRACE_RELOADS', '20'))  # under load, a tenth of them during an outage


class Case(support.Case):
    def hang_up(self, millrace, pattern='pipeline_reloaded|a pipeline runs as it was changed'):
        """Asks for a reload and waits for what is said of it."""
        before = len(self.said(millrace, pattern))
        millrace.signal(signal.SIGHUP)
        millrace.wait_for(lambda: len(self.said(millrace, pattern)) > before, f'/{pattern}/ after SIGHUP', 30)

    @staticmethod
    def said(millrace, pattern):
        return re.findall(pattern, millrace.stderr)

    def out(self, name='out'):
        path = self.folder / name
        text = path.read_text() if path.exists() else ''
        return [json.loads(line) for line in text.split('\n')[:-1]]  # the last one may not be whole yet

    def file_output(self, name='out'):
        return f'file {{ path => "{self.folder / name}" codec => json_lines }}'

    def tail(self, version, output=None, log=None):
        return support.fill(TAIL, IN=log or self.folder / 'log', DB=self.folder / 'db', VERSION=version,
                            OUTPUT=output or self.file_output())

    def append(self, first, end):
        with (self.folder / 'log').open('a') as log:
            log.write(''.join(f'line {n}\n' for n in range(first, end)))


class Reload(Case):
    def test_a_changed_file_takes_effect(self):
        self.append(0, 10)
        config = self.write('pipeline.conf', self.tail('one'))
        millrace = self.start('-f', config)
        millrace.wait_for(lambda: len(self.out()) == 10, 'lines')
        config.write_text(self.tail('two'))
        self.hang_up(millrace)
        self.append(10, 20)
        millrace.wait_for(lambda: len(self.out()) >= 20, 'more lines')
        self.assertEqual(0, millrace.stop())
        self.assertEqual([(f'line {n}', 'one' if n < 10 else 'two') for n in range(20)],
                         sorted(((event['message'], event['version']) for event in self.out()), key=lambda pair: int(pair[0][5:])))

    def test_mistakes_keep_the_old_one_running_and_are_told(self):
        self.append(0, 1)
        config = self.write('pipeline.conf', self.tail('one'))
        millrace = self.start('-f', config)
        millrace.wait_for(lambda: len(self.out()) == 1, 'a line')
        config.write_text('filter { nosuch { } }')
        self.hang_up(millrace, 'what was changed cannot be used; what runs goes on as it is')
        self.assertIn("no filter plugin 'nosuch'", millrace.stderr)
        self.append(1, 2)
        millrace.wait_for(lambda: len(self.out()) == 2, 'another line')
        config.write_text(self.tail('one'))
        self.hang_up(millrace, 'nothing has changed in the pipelines')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(['one', 'one'], [event['version'] for event in self.out()])

    def test_one_that_does_not_start_gives_way_to_the_one_before(self):
        self.append(0, 1)
        taken = self.recorder()
        config = self.write('pipeline.conf', self.tail('one'))
        millrace = self.start('-f', config)
        millrace.wait_for(lambda: len(self.out()) == 1, 'a line')
        config.write_text(self.tail('two') + f'input {{ beats {{ host => "127.0.0.1" port => {taken.port} }} }}')
        self.hang_up(millrace, 'the pipeline runs again as it was')
        self.assertIn('the changed pipeline does not start', millrace.stderr)
        self.append(1, 2)
        millrace.wait_for(lambda: len(self.out()) == 2, 'another line')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(['one', 'one'], [event['version'] for event in self.out()])

    def test_by_itself_and_mistakes_only_once(self):
        self.append(0, 1)
        config = self.write('pipeline.conf', self.tail('one'))
        millrace = self.start('-f', config, '--config.reload.automatic', '--config.reload.interval', '50 ms')
        millrace.wait_for(lambda: len(self.out()) == 1, 'a line')
        config.write_text('filter { nosuch { } }')
        millrace.wait_for_log('what was changed cannot be used')
        config.write_text(self.tail('two'))
        millrace.wait_for_log('a pipeline runs as it was changed')
        self.append(1, 2)
        millrace.wait_for(lambda: len(self.out()) == 2, 'another line')
        self.assertEqual(0, millrace.stop())
        self.assertEqual(1, millrace.stderr.count("no filter plugin 'nosuch'"))
        self.assertEqual(['one', 'two'], [event['version'] for event in self.out()])

    def test_many_under_load_and_some_during_an_outage_lose_nothing(self):
        """Beats clients keep sending; the destination is away for some of the reloads."""
        port, stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(stub.close)

        def text(version):
            return (f'input {{ beats {{ host => "127.0.0.1" port => {port} }} }} filter {{ mutate {{ add_field => {{ "v" => "{version}" }} }} }} '
                    f'output {{ elasticsearch {{ hosts => ["{stub.address}"] data_stream => false index => "i" '
                    'retry_initial_interval => "10 ms" retry_max_interval => "50 ms" } }')
        config = self.write('pipeline.conf', text(0))
        millrace = self.start('-w', 2, '-f', config)
        millrace.wait_for_port(port)
        done, sent, lock = threading.Event(), [], threading.Lock()

        def feed(name):
            """Sends windows until told to stop, each again until it is acknowledged."""
            number = 0
            while not done.is_set():
                window = [{'message': f'{name} {number} {i}'} for i in range(20)]
                number += 1
                while True:
                    try:
                        with lumberjack.Client(port, 60) as client:
                            client.send(lumberjack.batch(window))
                            if client.read_acks(1, 60)[-1:] == [(2, 20)]:
                                break
                    except OSError:
                        pass
                with lock:
                    sent.extend(event['message'] for event in window)
        feeders = [threading.Thread(target=feed, args=(name,), daemon=True) for name in 'abc']
        for feeder in feeders:
            feeder.start()
        for version in range(1, RELOADS + 1):
            stub.failing = 503 if 5 <= version < 5 + RELOADS // 10 else None
            before = len(sent)
            config.write_text(text(version))
            self.hang_up(millrace)
            if not stub.failing:
                millrace.wait_for(lambda: len(sent) > before, 'a window', 60)
        done.set()
        for feeder in feeders:
            feeder.join(60 * support.PATIENCE)
            self.assertFalse(feeder.is_alive())
        self.assertEqual(0, millrace.stop())
        arrived = {source['message'] for _, _, source in stub.documents}
        self.assertEqual(set(), set(sent) - arrived)
        self.assertGreater(len(sent), RELOADS // 2 * 20)
        self.assertLess(5, len({source['v'] for _, _, source in stub.documents}))

    def test_a_file_under_load_loses_nothing_when_the_output_is_mended(self):
        """The first version sends to nobody: the reload does not wait for what it can never deliver."""
        nobody, stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(stub.close)

        def output(address):
            return f'elasticsearch {{ hosts => ["{address}"] data_stream => false index => "i" }}'
        self.append(0, 20000)
        config = self.write('pipeline.conf', self.tail('one', output(f'127.0.0.1:{nobody}')))
        millrace = self.start('-f', config)
        millrace.wait_for_log('pipeline started')
        config.write_text(self.tail('two', output(stub.address)))
        self.hang_up(millrace)
        millrace.wait_for(lambda: len(stub.documents) >= 20000, 'all documents', 30)
        self.assertEqual(0, millrace.stop())
        self.assertEqual({f'line {n}' for n in range(20000)}, {source['message'] for _, _, source in stub.documents})

    def yml(self, **pipelines):
        self.write('settings/pipelines.yml', ''.join(
            f'- pipeline.id: {name}\n  config.string: {json.dumps(text)}\n' for name, text in pipelines.items()))
        return '--path.settings', self.folder / 'settings'

    def test_pipelines_are_added_changed_and_removed(self):
        beat = 'input { heartbeat { interval => 0.05 } } filter { mutate { add_field => { "v" => "@V@" } } } output { @OUT@ }'

        def text(name, version):
            return support.fill(beat, V=version, OUT=self.file_output(name))
        millrace = self.start(*self.yml(stays=text('stays', 1), changes=text('changes', 1), goes=text('goes', 1)))
        for name in ('stays', 'changes', 'goes'):
            millrace.wait_for(lambda: self.out(name), f'a beat of {name}')
        self.yml(stays=text('stays', 1), changes=text('changes', 2), comes=text('comes', 1))
        self.hang_up(millrace)
        millrace.wait_for(lambda: self.out('comes'), 'a beat of the new one')
        millrace.wait_for(lambda: '2' in {event['v'] for event in self.out('changes')}, 'a beat of the changed one')
        millrace.wait_for_log('a pipeline was removed pipeline=goes')
        before = len(self.out('stays'))
        millrace.wait_for(lambda: len(self.out('stays')) > before, 'the beat to go on')
        self.assertEqual(1, millrace.stderr.count('pipeline started pipeline=stays'))
        self.assertEqual(0, millrace.stop())

    def test_pipelines_that_send_to_each_other(self):
        """The receiver is changed while its sender goes on; then the sender. Nothing is lost on the way."""
        self.append(0, 1000)
        first = self.tail('@', 'pipeline { send_to => "x" }')
        second = f'input {{ pipeline {{ address => "x" }} }} filter {{ mutate {{ add_field => {{ "by" => "@" }} }} }} output {{ {self.file_output()} }}'
        millrace = self.start(*self.yml(first=first.replace('@', '1'), second=second.replace('@', '1')))
        millrace.wait_for_log('pipeline started pipeline=first')
        for number in range(2, 8):
            self.append(number * 1000, number * 1000 + 1000)
            one, two = (number, number - 1) if number % 2 else (number - 1, number)
            self.yml(first=first.replace('@', str(one)), second=second.replace('@', str(two)))
            self.hang_up(millrace)
        self.append(9000, 9001)
        millrace.wait_for(lambda: 'line 9000' in {event['message'] for event in self.out()}, 'the last line', 30)
        self.assertEqual(0, millrace.stop())
        expected = {f'line {n}' for n in (*range(1000), *range(2000, 8000), 9000)}
        self.assertEqual(expected, {event['message'] for event in self.out()})

    def test_a_sender_reads_again_what_a_changed_receiver_gave_up(self):
        refuses, stub = search_stub.SearchStub(), search_stub.SearchStub()
        refuses.failing = 503
        for server in (refuses, stub):
            self.addCleanup(server.close)
        second = ('input { pipeline { address => "x" } } output { @ { hosts => ["@"] index => "i" } }')
        self.append(0, 3000)
        first = self.tail('1', 'pipeline { send_to => "x" }')
        millrace = self.start(*self.yml(first=first, second=second.replace('@', 'elasticsearch', 1).replace('@', refuses.address)))
        millrace.wait_for(lambda: refuses.bulks > 0, 'a request')
        self.yml(first=first, second=second.replace('@', 'opensearch', 1).replace('@', stub.address))
        self.hang_up(millrace)
        millrace.wait_for(lambda: len({source['message'] for _, _, source in stub.documents}) == 3000, 'all documents', 30)
        self.assertEqual(0, millrace.stop())
        self.assertIn('reading it again', millrace.stderr)

    def test_a_circle_is_refused_and_changes_nothing(self):
        pipe = 'input { pipeline { address => "@A@" } } output { pipeline { send_to => "@B@" } }'
        millrace = self.start(*self.yml(a=support.fill(pipe, A='a', B='b'), b='input { pipeline { address => "b" } } output { null { } }'))
        millrace.wait_for_log('pipeline started pipeline=a')
        self.yml(a=support.fill(pipe, A='a', B='b'), b=support.fill(pipe, A='b', B='a'))
        self.hang_up(millrace, 'what was changed cannot be used')
        self.assertIn('pipelines send to each other in a circle', millrace.stderr)
        self.assertEqual(0, millrace.stop())

    def test_standard_input_is_not_read_anew(self):
        """Filters and outputs of such a pipeline can be changed, the input cannot."""
        config = self.write('pipeline.conf', f'input {{ stdin {{ }} }} output {{ {self.file_output()} }}')
        millrace = self.start('-f', config, stdin=True)
        millrace.wait_for_log('pipeline started')
        config.write_text(f'input {{ stdin {{ type => "t" }} }} output {{ {self.file_output()} }}')
        self.hang_up(millrace, 'reads standard input: only its filters and outputs can be changed')
        config.write_text(f'input {{ stdin {{ }} }} filter {{ mutate {{ add_field => {{ "v" => "2" }} }} }} output {{ {self.file_output()} }}')
        self.hang_up(millrace)
        millrace.child.stdin.write(b'x\n')
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())
        self.assertEqual([('x', '2')], [(event['message'], event['v']) for event in self.out()])


class InPlace(Case):
    """Where the inputs stay the same they keep their connections, and outputs that stay the same what they have under way."""

    def beats(self, port, version, output):
        return (f'input {{ beats {{ host => "127.0.0.1" port => {port} }} }} '
                f'filter {{ mutate {{ add_field => {{ "v" => "{version}" }} }} }} output {{ {output} }}')

    def search(self, stub, more=''):
        return (f'elasticsearch {{ hosts => ["{stub.address}"] data_stream => false index => "i" '
                f'retry_initial_interval => "10 ms" retry_max_interval => "50 ms" {more} }}')

    def start_with_stub(self, *arguments):
        self.port, self.stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(self.stub.close)
        self.config = self.write('pipeline.conf', self.beats(self.port, 0, self.search(self.stub)))
        millrace = self.start('-f', self.config, *arguments)
        millrace.wait_for_port(self.port)
        return millrace

    def arrived(self):
        return sorted((source['message'], source['v']) for _, _, source in self.stub.documents)

    def test_a_connection_is_kept_over_reloads_also_in_the_middle_of_a_window(self):
        for workers in (1, 3):
            with self.subTest(workers=workers):
                millrace = self.start_with_stub('-w', workers)
                with lumberjack.Client(self.port, 60) as client:
                    for version in range(1, 6):
                        whole = lumberjack.batch([{'message': f'{version}.{i}'} for i in range(4)])
                        client.send(whole[:len(whole) // 2])
                        self.config.write_text(self.beats(self.port, version, self.search(self.stub)))
                        self.hang_up(millrace)
                        client.send(whole[len(whole) // 2:])
                        self.assertEqual((2, 4), client.read_acks(1, 60)[-1])
                self.assertEqual(0, millrace.stop())
                self.assertEqual([(f'{version}.{i}', str(version)) for version in range(1, 6) for i in range(4)], self.arrived())

    def test_what_is_under_way_stays_with_an_output_that_stays(self):
        """An outage over several reloads: the window is delivered once, by the program that it came to, and the connection lives."""
        millrace = self.start_with_stub('-w', 2)
        self.stub.failing = 503
        with lumberjack.Client(self.port, 60) as client:
            client.send(lumberjack.batch([{'message': 'a'}, {'message': 'b'}]))
            millrace.wait_for(lambda: self.stub.bulks > 0, 'a try')
            for version in range(1, 4):
                self.config.write_text(self.beats(self.port, version, self.search(self.stub)))
                self.hang_up(millrace)
            client.send(lumberjack.batch([{'message': 'c'}]))
            self.stub.failing = None
            self.assertEqual([(2, 2), (2, 1)], [ack for ack in client.read_acks(2, 60) if ack[1] > 0])
        self.assertEqual(0, millrace.stop())
        self.assertEqual([('a', '0'), ('b', '0'), ('c', '3')], self.arrived())

    def test_a_new_output_gets_what_comes_then_and_a_removed_one_what_it_had(self):
        millrace = self.start_with_stub('-w', 2)
        other = search_stub.SearchStub()
        self.addCleanup(other.close)
        with lumberjack.Client(self.port, 60) as client:
            client.send(lumberjack.batch([{'message': 'a'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
            self.config.write_text(self.beats(self.port, 1, self.search(self.stub) + self.search(other)))
            self.hang_up(millrace)
            client.send(lumberjack.batch([{'message': 'b'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
            other.failing = 503
            client.send(lumberjack.batch([{'message': 'c'}]))
            millrace.wait_for(lambda: other.bulks > 1, 'a try')
            self.config.write_text(self.beats(self.port, 2, self.search(self.stub)))
            self.hang_up(millrace)
            other.failing = None
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
        self.assertEqual(0, millrace.stop())
        self.assertEqual([('a', '0'), ('b', '1'), ('c', '1')], self.arrived())
        self.assertEqual({'b', 'c'}, {source['message'] for _, _, source in other.documents})

    def test_a_changed_output_gives_back_what_it_cannot_deliver(self):
        """The reload waits for nobody; in the end the client is told to send again, to where it now goes."""
        self.port, stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(stub.close)
        self.stub = stub
        dead = f'http {{ url => "http://127.0.0.1:{support.free_port()}/" http_method => "post" format => "json" automatic_retries => 0 }}'
        config = self.write('pipeline.conf', self.beats(self.port, 0, dead))
        millrace = self.start('-f', config, '-w', 2)
        millrace.wait_for_port(self.port)
        with lumberjack.Client(self.port, 60) as client, lumberjack.Client(self.port, 60) as other:
            client.send(lumberjack.batch([{'message': 'a'}]))
            millrace.wait_for_log('sent again|cannot be delivered|retr')
            config.write_text(self.beats(self.port, 1, self.search(stub)))
            self.hang_up(millrace)
            other.send(lumberjack.batch([{'message': 'b'}]))
            self.assertEqual((2, 1), other.read_acks(1, 60)[-1])
            self.assertEqual(lumberjack.CLOSED, client.read_acks(1, 60 * support.PATIENCE)[-1])
        with lumberjack.Client(self.port, 60) as client:
            client.send(lumberjack.batch([{'message': 'a'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
        self.assertEqual(0, millrace.stop())
        self.assertEqual([('a', '1'), ('b', '1')], self.arrived())

    def test_what_a_changed_output_gave_up_is_read_from_the_disk_queue_again(self):
        """Its client has its word already: the program that has the queue sends it to where it now goes, without a new start."""
        self.port, self.stub = support.free_port(), search_stub.SearchStub()
        self.addCleanup(self.stub.close)
        dead = f'http {{ url => "http://127.0.0.1:{support.free_port()}/" http_method => "post" format => "json" }}'
        config = self.write('pipeline.conf', self.beats(self.port, 0, dead))
        millrace = self.start('-f', config, '-w', 2, '--queue.type', 'persisted')
        millrace.wait_for_port(self.port)
        with lumberjack.Client(self.port, 60) as client:
            client.send(lumberjack.batch([{'message': f'a{n}'} for n in range(20)]))
            self.assertEqual((2, 20), client.read_acks(1, 60)[-1])
            config.write_text(self.beats(self.port, 1, self.search(self.stub)))
            self.hang_up(millrace)
            client.send(lumberjack.batch([{'message': 'b'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
        millrace.wait_for(lambda: len(self.arrived()) >= 21, 'what was given up', 60)
        self.assertEqual(0, millrace.stop())
        self.assertEqual(sorted([(f'a{n}', '1') for n in range(20)] + [('b', '1')]), self.arrived())

    def test_what_cannot_be_opened_leaves_the_connection_alone(self):
        millrace = self.start_with_stub('-w', 2)
        with lumberjack.Client(self.port, 60) as client:
            self.config.write_text(self.beats(self.port, 1, self.search(self.stub)).replace(
                'filter {', 'filter { ruby { init => "raise %q(no such thing)" code => "" }'))
            self.hang_up(millrace, 'what was changed cannot be used; what runs goes on as it is')
            self.assertIn('no such thing', millrace.stderr)
            client.send(lumberjack.batch([{'message': 'a'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
            self.config.write_text(self.beats(self.port, 2, self.search(self.stub)))
            self.hang_up(millrace)
            client.send(lumberjack.batch([{'message': 'b'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
        self.assertEqual(0, millrace.stop())
        self.assertEqual([('a', '0'), ('b', '2')], self.arrived())

    def test_filters_say_their_last_word(self):
        """What an old filter still has goes on to the outputs."""
        port = support.free_port()

        def text(version):
            return (f'input {{ tcp {{ host => "127.0.0.1" port => {port} codec => line }} }} filter {{ multiline {{ pattern => "^ " '
                    f'what => "previous" }} mutate {{ add_field => {{ "v" => "{version}" }} }} }} output {{ {self.file_output()} }}')
        config = self.write('pipeline.conf', text(1))
        millrace = self.start('-f', config, '-w', '1')
        millrace.wait_for_port(port)
        with socket.create_connection(('127.0.0.1', port)) as client:
            client.sendall(b'x\n')
            millrace.wait_for(lambda: self.counted(millrace)['in'] == 1, 'a line')
            config.write_text(text(2))
            self.hang_up(millrace)
            millrace.wait_for(lambda: len(self.out()) == 1, 'what was left')
            client.sendall(b'y\n')
            millrace.wait_for(lambda: self.counted(millrace)['in'] == 2, 'another line')
        self.assertEqual(0, millrace.stop())
        self.assertEqual([('x', '1'), ('y', '2')], [(event['message'], event['v']) for event in self.out()])

    def counted(self, millrace):
        return self.ask(millrace, '_node/stats/pipelines/main')['pipelines']['main']['events']

    def ask(self, millrace, path):
        millrace.wait_for_log('the monitoring API listens')
        address = re.search(r'the monitoring API listens address=(\S+)', millrace.stderr)[1]
        with urllib.request.urlopen(f'http://{address}/{path}', timeout=30) as answer:
            return json.load(answer)

    def test_reloads_are_counted_and_the_other_counters_go_on(self):
        millrace = self.start_with_stub('-w', 2)
        with lumberjack.Client(self.port, 60) as client:
            client.send(lumberjack.batch([{'message': 'a'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
            self.config.write_text('filter { nosuch { } }')
            self.hang_up(millrace, 'what was changed cannot be used')
            self.config.write_text(self.beats(self.port, 1, self.search(self.stub)))
            self.hang_up(millrace)
            client.send(lumberjack.batch([{'message': 'b'}]))
            self.assertEqual((2, 1), client.read_acks(1, 60)[-1])
        stats = self.ask(millrace, '_node/stats/pipelines/main')['pipelines']['main']
        self.assertEqual((2, 2, 2), tuple(stats['events'][name] for name in ('in', 'filtered', 'out')))
        reloads = stats['reloads']
        self.assertEqual((1, 1), (reloads['successes'], reloads['failures']))
        self.assertIn("no filter plugin 'nosuch'", reloads['last_error']['message'])
        for name in ('last_success_timestamp', 'last_failure_timestamp'):
            self.assertRegex(reloads[name], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
        self.assertEqual({'successes': 1, 'failures': 1}, self.ask(millrace, '_node/stats/reloads')['reloads'])
        self.assertEqual(0, millrace.stop())


if __name__ == '__main__':
    unittest.main()
