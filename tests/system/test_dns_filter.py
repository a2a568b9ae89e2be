# SPDX-License-Identifier: Apache-2.0
"""The dns filter against a real server on the loopback address, and what it does to the pipeline while it waits."""
import json
import signal
import unittest

import lumberjack
import support
from beats import BeatsCase
from dns_server import A, AAAA, DnsServer, PTR


class DnsCase(BeatsCase):
    def setUp(self):
        super().setUp()
        self.server = self.dns_server()

    def dns_server(self, **options):
        server = DnsServer(**options)
        self.addCleanup(server.close)
        return server

    def dns(self, options, server=None):
        address = (server or self.server).address
        if 'nameserver' not in options and 'hostsfile' not in options:
            options += f' nameserver => "{address}"'
        if 'timeout =>' not in options:
            options += ' timeout => 20'  # no test depends on how fast the machine is
        return f'dns {{ id => "dns" {options} }}'

    def pipeline(self, filters, **options):
        text = f'input {{ stdin {{ codec => json_lines }} }} filter {{ {filters} }} ' \
               'output { stdout { codec => json_lines } }'
        return ('-e', text, '--counters', self.folder / 'counters.json')

    def run_events(self, filters, *events, arguments=()):
        """What becomes of the events, without the fields that every event has."""
        lines = ''.join(json.dumps(event) + '\n' for event in events).encode()
        if '--pipeline.ordered' not in arguments:
            arguments = ('-w', '1', '--pipeline.ordered', 'false', *arguments)
        self.millrace = self.run_to_end(*self.pipeline(filters), *arguments, stdin=lines)
        out = self.millrace.json_lines()
        for event in out:
            for field in ('@timestamp', '@version', 'event', 'host'):
                event.pop(field, None)
        return out

    def filter_counters(self):
        pipeline = json.loads((self.folder / 'counters.json').read_text())['pipelines']['main']
        return next(plugin['events'] for plugin in pipeline['plugins']['filters'] if plugin['id'] == 'dns')


class Answers(DnsCase):
    def check(self, options, cases):
        events = [before for before, _ in cases]
        self.assertEqual([after for _, after in cases],
                         self.run_events(self.dns(options + ' add_tag => "ok"'), *events))

    def test_resolve_and_replace(self):
        self.check('resolve => "a" action => replace', [
            ({'a': 'ip-1-2-3-4.net'}, {'a': '1.2.3.4', 'tags': ['ok']}),
            ({'a': ['ip-1-2-3-4.net']}, {'a': ['1.2.3.4'], 'tags': ['ok']}),
            ({'a': 'alias.net'}, {'a': '9.9.9.9', 'tags': ['ok']}),
            ({'a': 'many.net'}, {'a': '7.7.7.7', 'tags': ['ok']}),
            ({'a': 'six.net'}, {'a': 'fd00::6', 'tags': ['ok']}),
            ({'a': 'big.net'}, {'a': '6.6.6.6', 'tags': ['ok']}),
            ({'a': '10.1.1.1'}, {'a': '10.1.1.1', 'tags': ['ok']}),
            ({'a': 'nothing.net'}, {'a': 'nothing.net'}),
            ({'a': 'empty.net'}, {'a': 'empty.net'}),
            ({'a': 'broken.net'}, {'a': 'broken.net'}),
            ({'a': 'a b.net'}, {'a': 'a b.net'}),
            ({'a': ''}, {'a': ''}),
            ({'a': '0' * 64 + '.net'}, {'a': '0' * 64 + '.net'}),
            ({'a': 'x.' * 600}, {'a': 'x.' * 600}),
            ({'a': ['ip-1-1-1-1.x', 'ip-2-2-2-2.x']}, {'a': ['ip-1-1-1-1.x', 'ip-2-2-2-2.x']}),
            ({'a': []}, {'a': []}),
            ({'a': 5}, {'a': 5}),
            ({'b': 1}, {'b': 1, 'tags': ['ok']}),
            ({'a': None}, {'a': None, 'tags': ['ok']}),
        ])
        self.assertEqual(1, self.server.tcp_asked)
        self.assertEqual(1, self.server.count('six.net', AAAA))
        self.assertEqual(0, self.server.count('nothing.net', AAAA))

    def test_append(self):
        self.check('resolve => ["a", "[b][c]"]', [
            ({'a': 'ip-1-2-3-4.net', 'b': {'c': ['ip-4-3-2-1.net']}},
             {'a': ['ip-1-2-3-4.net', '1.2.3.4'], 'b': {'c': ['ip-4-3-2-1.net', '4.3.2.1']}, 'tags': ['ok']}),
            ({'a': 'ip-1-2-3-4.net', 'b': {'c': 'nothing.net'}},
             {'a': ['ip-1-2-3-4.net', '1.2.3.4'], 'b': {'c': 'nothing.net'}}),
            ({'a': 'nothing.net', 'b': {'c': 'ip-5-5-5-5.unasked'}},
             {'a': 'nothing.net', 'b': {'c': 'ip-5-5-5-5.unasked'}}),
        ])
        self.assertEqual(0, self.server.count('ip-5-5-5-5.unasked'), 'the first failure ends it')

    def test_reverse(self):
        self.check('reverse => "a" action => replace', [
            ({'a': '1.2.3.4'}, {'a': 'host-1-2-3-4.example', 'tags': ['ok']}),
            ({'a': ['fd00::17']}, {'a': ['six.example'], 'tags': ['ok']}),
            ({'a': '9.9.9.9'}, {'a': '9.9.9.9'}),
            ({'a': 'ip-1-1-1-1.net'}, {'a': 'ip-1-1-1-1.net'}),
            ({'a': '1.2.3.4/8'}, {'a': '1.2.3.4/8'}),
            ({'a': '1.2.3.400'}, {'a': '1.2.3.400'}),
        ])
        self.assertEqual([PTR], sorted({kind for _, kind in self.server.asked}))
        self.assertIn(('7.1' + '.0' * 26 + '.0.0.d.f.ip6.arpa', PTR), self.server.asked)

    def test_a_step_sees_what_the_one_before_it_did(self):
        self.check('resolve => "a" reverse => "a" action => replace', [
            ({'a': 'ip-1-2-3-4.net'}, {'a': 'host-1-2-3-4.example', 'tags': ['ok']}),
            ({'a': 'ip-9-2-3-4.net'}, {'a': '9.2.3.4'}),
        ])
        self.check('resolve => "a" reverse => "[a][1]" action => append', [
            ({'a': 'ip-1-2-3-4.net'},
             {'a': ['ip-1-2-3-4.net', ['1.2.3.4', 'host-1-2-3-4.example']], 'tags': ['ok']}),
        ])

    def test_names_that_are_not_ascii(self):
        hosts = self.write('hosts', '10.10.0.1 xn--d1acpjx3f.xn--p1ai # x\n10.10.0.2\txn--mller-kva.com second\n'
                                    '10.10.0.3 second\n\n# nothing\n10.10.0.2 third')
        self.check(f'resolve => "a" reverse => "b" action => replace hostsfile => "{hosts}"', [
            ({'a': 'яндекс.рф'}, {'a': '10.10.0.1', 'tags': ['ok']}),
            ({'a': 'Müller.com'}, {'a': '10.10.0.2', 'tags': ['ok']}),
            ({'a': 'second', 'b': '10.10.0.2'}, {'a': '10.10.0.3', 'b': 'müller.com', 'tags': ['ok']}),
            ({'b': '10.10.0.9'}, {'b': '10.10.0.9'}),
            ({'a': 'ip-1-2-3-4.net'}, {'a': 'ip-1-2-3-4.net'}),
        ])
        self.assertEqual(0, self.server.count(), 'without nameserver, only files')

    def test_search_domains(self):
        servers = f'nameserver => {{ address => ["{self.server.address}"] search => ["nothing.one", "two"] ndots => 2 }}'
        self.check('resolve => "a" action => replace ' + servers, [
            ({'a': 'ip-1-2-3-4'}, {'a': '1.2.3.4', 'tags': ['ok']}),
            ({'a': 'ip-2-2-3-4.a.b'}, {'a': '2.2.3.4', 'tags': ['ok']}),
        ])
        self.assertEqual({'ip-1-2-3-4.nothing.one': 1, 'ip-2-2-3-4.a.b': 1}, dict(self.server.names()))


class Failures(DnsCase):
    def test_a_timeout_is_repeated_and_tagged(self):
        out = self.run_events(self.dns('resolve => "a" timeout => 0.5 action => replace'),
                              {'a': 'never.net'}, {'a': 'late-2.net'})
        self.assertEqual([{'a': 'never.net', 'tags': ['_dnstimeout']}, {'a': '5.5.5.5'}], out)
        self.assertEqual({'never.net': 3, 'late-2.net': 3}, dict(self.server.names()))
        self.assertEqual(1, self.filter_counters()['timeouts'])

    def test_nobody_listens_there(self):
        self.server.close()
        out = self.run_events(self.dns('resolve => "a" tag_on_timeout => ["x", "y"] max_retries => 1'), {'a': 'b.net'})
        self.assertEqual([{'a': 'b.net', 'tags': ['x', 'y']}], out)

    def test_the_second_server_is_asked_when_the_first_is_silent(self):
        silent = self.dns_server(hold=1000)
        servers = f'nameserver => ["{silent.address}", "{self.server.address}"]'
        out = self.run_events(self.dns(f'resolve => "a" action => replace timeout => 1 {servers}'), {'a': 'ip-3-3-3-3.net'})
        self.assertEqual([{'a': '3.3.3.3'}], out)
        self.assertEqual(1, silent.count())

    def test_bytes_that_are_no_answer(self):
        out = self.run_events(self.dns('resolve => "a" timeout => 0.1 max_retries => 0'), {'a': 'garbage.net'})
        self.assertEqual('garbage.net', out[0]['a'])

    def test_mistakes_are_named_at_start(self):
        for options, pattern in [('nameserver => "ns.example"', "'ns.example' is no address"),
                                 ('nameserver => { search => "a" }', 'an address is needed'),
                                 ('nameserver => { address => "1.1.1.1" port => 5 }', "no 'port'"),
                                 ('nameserver => { address => "1.1.1.1" ndots => 0 }', 'ndots is a number'),
                                 ('hostsfile => "/no/such/file"', '/no/such/file')]:
            millrace = self.run_to_end('-e', f'filter {{ dns {{ {options} }} }}', status=1)
            self.assertRegex(millrace.stderr, pattern)


class Caches(DnsCase):
    def lines_in_turn(self, options, names):
        """Each event is sent when the one before it is out."""
        millrace = self.start(*self.pipeline(self.dns('resolve => "a" action => replace ' + options)), '-w', '1', stdin=True)
        for number, name in enumerate(names, 1):
            millrace.child.stdin.write(json.dumps({'a': name}).encode() + b'\n')
            millrace.child.stdin.flush()
            millrace.wait_for(lambda: len(millrace.stdout.splitlines()) == number, f'event {number}')
        millrace.child.stdin.close()
        self.assertEqual(0, millrace.wait())
        return [(event['a'], event.get('tags')) for event in millrace.json_lines()]

    def test_without_a_cache_every_event_asks(self):
        self.lines_in_turn('', ['ip-1-1-1-1.x', 'ip-1-1-1-1.x', 'nothing.x', 'nothing.x'])
        self.assertEqual({'ip-1-1-1-1.x': 2, 'nothing.x': 2}, dict(self.server.names()))

    def test_answers_are_remembered(self):
        names = ['ip-1-1-1-1.x', 'ip-1-1-1-1.x', 'ip-2-2-2-2.x', 'ip-2-2-2-2.x', 'ip-1-1-1-1.x']
        out = self.lines_in_turn('hit_cache_size => 1', names)
        self.assertEqual(['1.1.1.1', '1.1.1.1', '2.2.2.2', '2.2.2.2', '1.1.1.1'], [address for address, _ in out])
        self.assertEqual({'ip-1-1-1-1.x': 2, 'ip-2-2-2-2.x': 1}, dict(self.server.names()))

    def test_an_answer_without_time_to_live_is_used_once(self):
        out = self.lines_in_turn('hit_cache_size => 9 hit_cache_ttl => 0', ['ip-1-1-1-1.x', 'ip-1-1-1-1.x'])
        self.assertEqual(['1.1.1.1', '1.1.1.1'], [address for address, _ in out])
        self.assertEqual(2, self.server.count())

    def test_failures_are_remembered_without_a_tag(self):
        out = self.lines_in_turn('failed_cache_size => 9 timeout => 0.5 max_retries => 0',
                                 ['nothing.x', 'nothing.x', 'never.x', 'never.x'])
        self.assertEqual([None, None, ['_dnstimeout'], None], [tags for _, tags in out])
        self.assertEqual({'nothing.x': 1, 'never.x': 1}, dict(self.server.names()))


class Waiting(DnsCase):
    def names(self, count):
        return [{'a': f'ip-1-1-{n // 200}-{n % 200}.net'} for n in range(count)]

    def test_many_lookups_are_under_way_at_once(self):
        self.server.hold = 200
        out = self.run_events(self.dns('resolve => "a" action => replace timeout => 60 max_retries => 0'),
                              *self.names(200))
        self.assertEqual([f'1.1.0.{n}' for n in range(200)], [event['a'] for event in out])
        self.assertEqual(200, self.server.most_waiting)

    def test_no_more_than_the_limit(self):
        self.server.hold = 256
        millrace = self.start(*self.pipeline(self.dns('resolve => "a" action => replace timeout => 60')), '-w', '1',
                              '--pipeline.ordered', 'false',
                              stdin=b''.join(json.dumps(event).encode() + b'\n' for event in self.names(3000)))
        millrace.wait_for(lambda: self.server.count() >= 512, 'two rounds')
        self.server.release()
        self.assertEqual(0, millrace.wait())
        self.assertEqual(3000, len({event['a'] for event in millrace.json_lines()}))
        self.assertEqual(256, self.server.most_waiting)
        self.assertEqual(3000, self.server.count())

    def test_the_same_name_is_asked_once_while_it_is_under_way(self):
        self.server.hold = 2
        events = [{'a': 'ip-1-1-1-1.x'}, {'a': 'ip-2-2-2-2.x'}] * 100
        out = self.run_events(self.dns('resolve => "a" action => replace timeout => 60'), *events)
        self.assertEqual(['1.1.1.1', '2.2.2.2'] * 100, [event['a'] for event in out])
        self.assertEqual(2, self.server.count())

    def test_an_ordered_pipeline_keeps_the_order(self):
        events = [event for pair in zip(self.names(300), [{'a': '127.0.0.1'}] * 300) for event in pair]
        events = [{**event, 'n': n} for n, event in enumerate(events)]
        dns = self.dns('resolve => "a" hit_cache_size => 50')
        out = self.run_events(f'if [n] > 10 {{ {dns} }}', *events,
                              arguments=('-w', '1', '--pipeline.ordered', 'true', '-b', '7'))
        self.assertEqual(list(range(600)), [event['n'] for event in out])

    def test_other_batches_go_on_and_beats_keeps_alive(self):
        self.server.hold = 1000
        self.serve('keepalive_interval => "100 ms"', arguments=('-w', '1', '--pipeline.ordered', 'false'),
                   filters='filter { ' + self.dns('resolve => "message" timeout => 60') + ' }')
        waiting, quick = self.client(), self.client()
        waiting.send(lumberjack.batch(lumberjack.messages('ip-1-1-1-1.x', 'ip-2-2-2-2.x')))
        for _ in range(5):
            self.assertEqual((2, 0), waiting.read_ack(timeout=5), 'a keep-alive')
        quick.send(lumberjack.batch(lumberjack.messages('10.0.0.1')))
        self.assertEqual([(2, 1)], quick.read_acks(1, keepalives=True))
        self.server.release()
        self.assertEqual([(2, 2)], waiting.read_acks(1, keepalives=True))
        self.assertEqual([['10.0.0.1', '10.0.0.1'], ['ip-1-1-1-1.x', '1.1.1.1'], ['ip-2-2-2-2.x', '2.2.2.2']],
                         self.messages())

    def test_the_end_waits_for_answers(self):
        self.server.hold = 1000
        self.serve(filters='filter { ' + self.dns('resolve => "message" timeout => 60') + ' }')
        client = self.client()
        client.send(lumberjack.batch(lumberjack.messages('ip-1-1-1-1.x')))
        self.millrace.wait_for(lambda: self.server.count() == 1, 'the query')
        self.millrace.signal(signal.SIGTERM)
        self.millrace.wait_for_log('stopping')
        self.server.release()
        self.assertEqual([(2, 1)], client.read_acks(1, keepalives=True))
        self.assertEqual(0, self.millrace.wait())

    def test_what_still_waits_at_the_timeout_is_not_acknowledged(self):
        self.serve(arguments=('--shutdown.timeout', '1'),
                   filters='filter { ' + self.dns('resolve => "message" timeout => 600') + ' }')
        client = self.client()
        client.send(lumberjack.batch(lumberjack.messages('never.x', 'ip-1-1-1-1.x')))
        self.millrace.wait_for(lambda: self.server.count() == 2, 'the queries')
        self.millrace.stop()
        self.assertEqual([lumberjack.CLOSED], [ack for ack in client.read_to_end() if ack != (2, 0)])
        self.assertEqual([], self.events())


if __name__ == '__main__':
    unittest.main()
