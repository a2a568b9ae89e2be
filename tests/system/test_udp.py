# SPDX-License-Identifier: Apache-2.0
"""The UDP input and output."""
import json
import signal
import socket
import subprocess

import support
from datagrams import DatagramCase, Receiver, free_udp_port

OFF, ON = 'ecs_compatibility => disabled', 'ecs_compatibility => v8'


class Input(DatagramCase):
    def test_a_datagram_is_an_event(self):
        self.serve(OFF)
        self.send(b'one', b'two\nlines\n', b'')
        self.send(b'from elsewhere', bind='127.0.0.9')
        events = self.events(3)
        self.assertEqual(['one', 'two\nlines\n', 'from elsewhere'], [event['message'] for event in events])
        self.assertEqual(['127.0.0.1', '127.0.0.1', '127.0.0.9'], [event['host'] for event in events])
        self.assertNotIn('event', events[0])
        counted = self.counted()
        self.assertEqual((4, 0, 0, 3), tuple(counted[name] for name in ('datagrams', 'datagrams_lost', 'datagrams_cut', 'out')))

    def test_ecs(self):
        self.serve(ON)
        self.send(b'one')
        event = self.events(1)[0]
        self.assertEqual({'ip': '127.0.0.1'}, event['host'])
        self.assertEqual({'original': 'one'}, event['event'])

    def test_what_the_event_has_stays(self):
        self.serve(OFF + ' codec => json')
        self.send(b'{"host":"mine"}', b'{"host":null}', b'{"host":false}')
        self.assertEqual(['mine', '127.0.0.1', False], [event['host'] for event in self.events(3)])

    def test_add_field_comes_first(self):
        self.serve(OFF + ' add_field => { "host" => "given" } tags => ["a"] type => "b"')
        self.send(b'x')
        event = self.events(1)[0]
        self.assertEqual(('given', ['a'], 'b'), (event['host'], event['tags'], event['type']))

    def test_source_ip_fieldname(self):
        for mode in (OFF, ON):
            with self.subTest(mode):
                self.serve(mode + ' source_ip_fieldname => "[client][address]"')
                self.send(b'x')
                event = self.events(1)[0]
                self.assertEqual({'address': '127.0.0.1'}, event['client'])
                self.assertNotIn('host', event)
                self.millrace.stop()

    def test_a_codec_of_lines_is_flushed_behind_each_datagram(self):
        self.serve(OFF + ' codec => line')
        self.send(b'a\nb\nc', b'd')
        self.assertEqual(['a', 'b', 'c', 'd'], [event['message'] for event in self.events(4)])

    def test_what_is_longer_than_buffer_size_is_cut(self):
        self.serve(OFF + ' buffer_size => 10')
        self.send(b'0123456789abc', b'0123456789')
        self.assertEqual(['0123456789'] * 2, [event['message'] for event in self.events(2)])
        self.assertEqual(1, self.counted()['datagrams_cut'])

    def test_the_longest_datagram(self):
        self.serve(OFF)
        self.send(b'x' * 65507)
        self.assertEqual('x' * 65507, self.events(1)[0]['message'])

    def test_ipv6(self):
        self.serve(OFF, host='::1')
        self.send(b'six')
        self.assertEqual('::1', self.events(1)[0]['host'])

    def test_netcat(self):
        self.serve(OFF)
        nc = support.need_command('nc', 'netcat-openbsd sends datagrams')
        subprocess.run([nc, '-u', '-q', '0', '-w', '30', '127.0.0.1', str(self.port)], input=b'by netcat', check=True, timeout=30)
        self.assertEqual('by netcat', self.events(1)[0]['message'])

    def test_what_the_kernel_throws_away_is_counted(self):
        self.serve(OFF + ' receive_buffer_bytes => 4096')
        self.millrace.signal(signal.SIGSTOP)
        sent = 500
        self.send(*[b'x' * 500] * sent)
        self.millrace.signal(signal.SIGCONT)
        said = self.millrace.wait_for_log(r'the kernel had no room.* lost=(\d+)')
        self.assertGreater(int(said.group(1)), 0)
        counted = self.counted()
        self.assertEqual(sent, counted['datagrams'] + counted['datagrams_lost'])
        self.assertEqual(counted['datagrams'], counted['out'])

    def test_a_port_that_is_taken_is_tried_again(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(('127.0.0.1', 0))
            self.port, self.host = other.getsockname()[1], '127.0.0.1'
            self.millrace = self.start('-e', f'input {{ udp {{ host => "127.0.0.1" port => {self.port} }} }} '
                                       'output { stdout { codec => json_lines } }')
            self.millrace.wait_for_log(r'cannot receive on .*next_try_in_s=5')
        self.millrace.wait_for_log('waiting for datagrams', 30)
        self.send(b'late')
        self.assertEqual('late', self.events(1)[0]['message'])

    def test_a_name_is_no_address(self):
        millrace = self.start('-e', 'input { udp { host => "localhost" port => 5 } } output { null { } }')
        millrace.wait_for_log("cannot receive on 'localhost', which is no address")

    def test_all_that_came_before_the_stop(self):
        self.serve(OFF)
        count = 2000
        self.millrace.signal(signal.SIGSTOP)
        self.send(*[b'n%d' % n for n in range(count)])
        self.millrace.signal(signal.SIGTERM)
        self.millrace.signal(signal.SIGCONT)
        self.assertEqual(0, self.millrace.wait())  # a second signal would end it at once
        counted = self.counted()
        self.assertEqual(count, counted['datagrams'] + counted['datagrams_lost'])
        self.assertEqual(counted['datagrams'], len(self.millrace.json_lines()))


class Output(support.Case):
    LINES = 'input { stdin { codec => json_lines } } filter { mutate { remove_field => ["host", "event", "@version", "@timestamp"] } } '

    def run_with(self, options, stdin, arguments=()):
        counters = self.folder / 'counters'
        self.run_to_end('-w', '1', '-e', self.LINES + f'output {{ udp {{ {options} }} }}', '--counters', counters,
                        *arguments, stdin=stdin)
        return json.loads(counters.read_text())['pipelines']['main']['plugins']['outputs'][0]['events']

    def test_a_datagram_for_each_event(self):
        receiver = Receiver(self)
        counted = self.run_with(f'host => "127.0.0.1" port => {receiver.port}', b'{"a":1}\n{"a":2}\n')
        self.assertEqual([b'{"a":1}', b'{"a":2}'], receiver.take(2))
        self.assertEqual((2, 0), (counted['delivered'], counted['refused']))

    def test_many(self):
        receiver, count = Receiver(self), 3000
        self.run_with(f'host => "localhost" port => {receiver.port} codec => plain {{ format => "%{{n}}" }}',
                      b''.join(b'{"n":%d}\n' % n for n in range(count)))
        self.assertEqual([str(n).encode() for n in range(count)], receiver.take(count))

    def test_the_port_comes_from_the_event(self):
        one, two = Receiver(self), Receiver(self)
        lines = ''.join(f'{{"n":{n},"p":{port}}}\n' for n, port in ((1, one.port), (2, two.port), (3, '"x"'), (4, 70000)))
        counted = self.run_with('host => "127.0.0.1" port => "%{p}" codec => plain { format => "%{n}" }', lines.encode())
        self.assertEqual(([b'1'], [b'2']), (one.take(1), two.take(1)))
        self.assertEqual((2, 2), (counted['delivered'], counted['refused']))

    def test_an_event_that_is_too_long(self):
        receiver = Receiver(self)
        lines = b'{"m":"%s"}\n{"m":"short"}\n' % (b'x' * 70000)
        counted = self.run_with(f'host => "127.0.0.1" port => {receiver.port}', lines)
        self.assertEqual([b'{"m":"short"}'], receiver.take(1))
        self.assertEqual((1, 1), (counted['delivered'], counted['refused']))

    def test_nobody_listens(self):
        counted = self.run_with(f'host => "127.0.0.1" port => {free_udp_port()}', b'{"a":1}\n' * 100)
        self.assertEqual(100, counted['delivered'])

    def test_a_host_that_nobody_knows_is_waited_for(self):
        millrace = self.start('-e', self.LINES + 'output { udp { host => "no..such" port => 5 } }', stdin=b'{"a":1}\n')
        millrace.wait_for_log("cannot find 'no..such'")
        self.assertTrue(millrace.is_running())


if __name__ == '__main__':
    support.unittest.main()
