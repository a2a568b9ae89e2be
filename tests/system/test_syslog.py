# SPDX-License-Identifier: Apache-2.0
"""The syslog input: recorded cases of Logstash's plugin, RFC 5424, TCP, and real senders."""
import json
import os
import pathlib
import re
import socket
import subprocess
import threading

import support
from datagrams import DatagramCase

RECORDED = json.loads((pathlib.Path(__file__).parent / 'recorded' / 'syslog_input.json').read_text())
OFF, ON = 'ecs_compatibility => disabled codec => plain { ecs_compatibility => disabled }', 'ecs_compatibility => v8'


class SyslogCase(DatagramCase):
    def serve_syslog(self, options=OFF, filters=''):
        self.serve(options, plugin='syslog', filters=filters)
        said = self.millrace.wait_for_log(r'waiting for syslog over TCP .*port=(\d+)')
        self.tcp_port = int(said.group(1))

    def connect(self):
        client = socket.create_connection(('127.0.0.1', self.tcp_port), timeout=20 * support.PATIENCE)
        self.addCleanup(client.close)
        return client

    def messages(self, count):
        return [event['message'] for event in self.events(count)]


class Recorded(SyslogCase):
    """Each configuration is started once for its cases; the order of datagrams of one sender is kept."""

    def test_cases(self):
        groups = {}
        for case in RECORDED:
            for ecs, expected in (('disabled', case.get('expect_disabled')), ('v8', case.get('expect_v8'))):
                if expected is not None:
                    groups.setdefault(case['config'].replace('%ECS%', ecs).replace('%PORT%', '1'), []).append((case, expected))
        for config, cases in groups.items():
            self.serve_text(f'input {{ {config.replace("{", "{ host => 127.0.0.1 ", 1).replace("127.0.0.1", chr(34) + "127.0.0.1" + chr(34))} }} '
                            'output { stdout { codec => json_lines } }')
            self.send(*[case['send'].encode() for case, _ in cases], bind='127.0.0.9')
            for event, (case, expected) in zip(self.events(len(cases)), cases):
                with self.subTest(case['name'], config=config):
                    self.assertIn('@version', event)
                    for name in ('@version', *(['@timestamp'] if '@timestamp' not in expected else [])):
                        event.pop(name)
                    if 'v8' in config:
                        self.assertEqual(case['send'], event.pop('event')['original'])
                    self.assertEqual(expected, event)
            self.assertEqual(0, self.millrace.stop())


class Proxies(SyslogCase):
    def test_the_client_is_who_the_proxy_says(self):
        self.serve_syslog(OFF + ' proxy_protocol => true')
        client = self.connect()
        for piece in (b'PRO', b'XY TCP4 192.0.2.7 198.51.100.2 56324 443\r', b'\n<13>Oct 11 22:14:15 h p: on', b'e\n<13>Oct 11 22:14:15 h p: two\n'):
            client.sendall(piece)
        self.assertEqual([('192.0.2.7', 'one\n'), ('192.0.2.7', 'two\n')], [(event['host'], event['message']) for event in self.events(2)])
        self.connect().sendall(b'PROXY UNKNOWN\r\n<13>Oct 11 22:14:15 h p: three\n')
        self.assertEqual('127.0.0.1', self.events(3)[2]['host'])
        self.send(b'<13>Oct 11 22:14:15 h p: four')
        self.assertEqual(('127.0.0.1', 'four'), tuple(self.events(4)[3][name] for name in ('host', 'message')), 'datagrams have no header')

    def test_who_does_not_say_it_is_closed(self):
        self.serve_syslog(OFF + ' proxy_protocol => true')
        for wrong in (b'<13>Oct 11 22:14:15 h p: no\n', b'PROXY TCP4 ' + b'9' * 1000):
            client = self.connect()
            client.sendall(wrong)
            try:
                self.assertEqual(b'', client.recv(1))
            except ConnectionError:
                pass
        with self.connect() as client:
            client.sendall(b'PROXY TCP4 192.0.2')  # and no more
        self.connect().sendall(b'PROXY TCP4 192.0.2.7 198.51.100.2 1 2\r\n<13>Oct 11 22:14:15 h p: good\n')
        self.assertEqual(['good\n'], self.messages(1))


class Rfc5424(SyslogCase):
    TEXT = (b'<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 8710 ID47 '
            b'[exampleSDID@32473 iut="3" eventSource="App \\"x\\" \\] \\\\"][priority@32473 class="high"] '
            b'\xef\xbb\xbfAn application event')

    def test_without_the_option_as_logstash(self):
        self.serve_syslog()
        self.send(self.TEXT)
        self.assertIn('_grokparsefailure_sysloginput', self.events(1)[0]['tags'])

    def test_off(self):
        self.serve_syslog(OFF + ' rfc5424 => true')
        self.send(self.TEXT)
        event = self.events(1)[0]
        self.assertEqual({
            'message': 'An application event', 'priority': 165, 'facility': 20, 'severity': 5, 'facility_label': 'local4',
            'severity_label': 'Notice', 'version': '1', 'timestamp8601': '2003-10-11T22:14:15.003Z',
            'timestamp': '2003-10-11T22:14:15.003Z', '@timestamp': '2003-10-11T22:14:15.003Z', '@version': '1',
            'logsource': 'mymachine.example.com', 'program': 'evntslog', 'pid': '8710', 'msgid': 'ID47', 'host': '127.0.0.1',
            'structured_data': {'exampleSDID@32473': {'iut': '3', 'eventSource': 'App "x" ] \\'},
                                'priority@32473': {'class': 'high'}}}, event)

    def test_ecs(self):
        self.serve_syslog(ON + ' rfc5424 => true')
        self.send(self.TEXT, b'<0>1 - - - x-7 - -', b'<14>Oct 11 22:14:15 h p: old')
        one, two, three = self.events(3)
        self.assertEqual({'name': 'evntslog', 'pid': 8710}, one['process'])
        self.assertEqual({'ip': '127.0.0.1', 'hostname': 'mymachine.example.com'}, one['host'])
        self.assertEqual('ID47', one['log']['syslog']['msgid'])
        self.assertNotIn('timestamp', one)
        self.assertEqual(('', 0, 'x-7'), (two['message'], two['log']['syslog']['priority'], two['log']['syslog']['procid']))
        self.assertNotIn('tags', two)
        self.assertEqual('old', three['message'])

    def test_what_is_not_of_the_form(self):
        self.serve_syslog(OFF + ' rfc5424 => true')
        bad = (b'<192>1 - - - - - - x', b'<1>0 - - - - - - x', b'<1>1 - - - - -', b'<1>1 - - - - - [x y] z', b'<1>1 - - - - - [x y="] z',
               b'<1>1 - - - - - -x', b'<>1 - - - - - - x', b'<1>1', b'<1>1 ', b'<1>1 - - - - - [', b'<1>1 - - - - - [x y="\\')
        self.send(*bad)
        for event in self.events(len(bad)):
            self.assertEqual(['_grokparsefailure_sysloginput'], event['tags'])


class Tcp(SyslogCase):
    def test_lines(self):
        self.serve_syslog()
        client = self.connect()
        client.sendall(b'<14>Oct 11 22:14:15 h p: one\n<14>Oct 11 22:14:15 h p: tw')
        self.assertEqual(['one\n'], self.messages(1))
        client.sendall(b'o\n<14>Oct 11 22:14:15 h p: last')
        client.close()
        events = self.events(3)
        self.assertEqual(['one\n', 'two\n', 'last'], [event['message'] for event in events])
        self.assertEqual({'127.0.0.1'}, {event['host'] for event in events})

    def test_any_fragmentation(self):
        self.serve_syslog()
        client = self.connect()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        content = b''.join(b'<14>Oct 11 22:14:15 h p: %d\n' % n for n in range(20))
        for at in range(len(content)):
            client.sendall(content[at:at + 1])
        self.assertEqual([f'{n}\n' for n in range(20)], self.messages(20))

    def test_lengths_in_front(self):
        self.serve_syslog(OFF + ' rfc5424 => true')
        client = self.connect()
        for text in (b'<14>1 - h p - - - one\nline', b'<14>1 - h p - - - two'):
            client.sendall(b'%d %s' % (len(text), text))
        client.sendall(b'<14>Oct 11 22:14:15 h p: three\n\n21 <14>1 - h p - - - fou')
        client.close()
        self.assertEqual(['one\nline', 'two', 'three\n', 'fou'], self.messages(4))

    def test_a_message_that_is_too_long(self):
        self.serve_syslog(OFF + ' max_event_bytes => 1024')
        client = self.connect()
        client.sendall(b'<14>Oct 11 22:14:15 h p: ' + b'x' * 300000 + b'\n<14>Oct 11 22:14:15 h p: after\n')
        self.assertEqual(['after\n'], self.messages(1))
        self.millrace.wait_for_log('longer than its limit')
        self.assertEqual(1, self.counted()['messages_too_long'])

    def test_half_a_message(self):
        self.serve_syslog(OFF + ' message_timeout => 0.2')
        client = self.connect()
        client.sendall(b'<14>Oct 11 22:14:15 h p: half')
        self.assertEqual(b'', client.recv(1))
        self.assertEqual(['half'], self.messages(1))
        self.assertEqual(1, self.counted()['message_timeouts'])

    def test_many_clients_and_lanes(self):
        self.counters_path = self.folder / 'counters'
        self.millrace = self.start('-w', '2', '-e', f'input {{ syslog {{ port => 1 {OFF} }} }} output {{ stdout {{ codec => json_lines }} }}',
                                   '--listen-at', '1:127.0.0.1:0', '--counters', self.counters_path)
        self.tcp_port = int(self.millrace.wait_for_log(r'waiting for syslog over TCP .*port=(\d+)').group(1))
        clients, each = [self.connect() for _ in range(8)], 500
        for number, client in enumerate(clients):
            client.sendall(b''.join(b'<14>Oct 11 22:14:15 h p: %d.%d\n' % (number, n) for n in range(each)))
        self.assertEqual({f'{c}.{n}\n' for c in range(8) for n in range(each)}, set(self.messages(8 * each)))

    def test_the_port_is_taken_for_a_while(self):
        with socket.socket() as other:
            other.bind(('127.0.0.1', 0))
            other.listen()
            port = other.getsockname()[1]
            self.millrace = self.start('-e', f'input {{ syslog {{ host => "127.0.0.1" port => {port} }} }} output {{ stdout {{ }} }}')
            self.millrace.wait_for_log('cannot listen on .*next_try_in_s=5')
            self.millrace.wait_for_log('waiting for datagrams')
        self.millrace.wait_for_log('waiting for syslog over TCP', 30)


class Senders(SyslogCase):
    def logger(self, *arguments):
        logger = support.need_command('logger', 'bsdutils has it')
        subprocess.run([logger, '-n', '127.0.0.1', '-t', 'app', *arguments], check=True, timeout=60)

    def test_logger(self):
        self.serve_syslog(OFF + ' rfc5424 => true')
        self.logger('-P', str(self.port), '-d', '--rfc3164', '-p', 'local3.warn', 'udp 3164')
        self.events(1)
        self.logger('-P', str(self.port), '-d', '--rfc5424', '-p', 'mail.err', 'udp 5424')
        self.events(2)
        self.logger('-P', str(self.tcp_port), '-T', '--rfc3164', 'tcp 3164')
        self.events(3)
        self.logger('-P', str(self.tcp_port), '-T', '--rfc5424', '--octet-count', 'tcp octets')
        events = self.events(4)
        self.assertEqual(['udp 3164', 'udp 5424', 'tcp 3164', 'tcp octets'], [event['message'].strip() for event in events])
        self.assertEqual([('local3', 'Warning'), ('mail', 'Error'), ('user-level', 'Notice'), ('user-level', 'Notice')],
                         [(event['facility_label'], event['severity_label']) for event in events])
        self.assertEqual({'app'}, {event['program'] for event in events})
        self.assertEqual({os.uname().nodename.split('.')[0]}, {event['logsource'].split('.')[0] for event in events})

    def test_rsyslog(self):
        rsyslogd = support.need_command('rsyslogd', 'rsyslog sends')
        self.serve_syslog(OFF + ' rfc5424 => true')
        source = self.write('source', ''.join(f'line {n}\n' for n in range(100)))
        conf = self.write('rsyslog.conf', f'''
global(workDirectory="{self.folder}")
module(load="imfile")
input(type="imfile" file="{source}" tag="app:" facility="local5" severity="info")
action(type="omfwd" target="127.0.0.1" port="{self.port}" protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
action(type="omfwd" target="127.0.0.1" port="{self.tcp_port}" protocol="tcp" template="RSYSLOG_TraditionalForwardFormat")
action(type="omfwd" target="127.0.0.1" port="{self.tcp_port}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
       TCP_Framing="octet-counted")
''')
        child = subprocess.Popen([rsyslogd, '-n', '-f', conf, '-i', self.folder / 'pid'], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (child.terminate(), child.wait()))
        self.millrace.wait_for(lambda: self.millrace.stdout.count('\n') >= 300, '300 events', 30)
        events = [json.loads(line) for line in self.millrace.stdout.splitlines()]
        for n in range(100):
            self.assertEqual(3, sum(event['message'].strip() == f'line {n}' for event in events), n)
        self.assertEqual({('local5', 'Informational', 'app')},
                         {(event['facility_label'], event['severity_label'], event['program']) for event in events})


class Options(support.Case):
    def test_what_is_refused(self):
        for options, said in (('timezone => "Mars/Base"', 'timezone'), ('grok_pattern => "%{NO_SUCH_NAME}"', 'NO_SUCH_NAME')):
            millrace = self.run_to_end('-t', '-e', f'input {{ syslog {{ {options} }} }} output {{ null {{ }} }}', status=1)
            self.assertIn(said, millrace.stderr)


class Hostile(SyslogCase):
    def test_a_clean_client_is_served_beside_others(self):
        self.serve_syslog(OFF + ' rfc5424 => true')
        halves = [self.connect() for _ in range(200)]
        for n, client in enumerate(halves):
            client.sendall(b'<14>1 - h p - - [x y="' + b'z' * n)
        flood = threading.Thread(target=self.flood, daemon=True)
        flood.start()
        self.connect().sendall(b'<14>Oct 11 22:14:15 h p: clean\n')
        self.millrace.wait_for(lambda: 'clean' in self.millrace.stdout, 'the clean event')
        flood.join(60)

    def flood(self):
        client = self.connect()
        for _ in range(100):
            client.sendall(os.urandom(4096))
            self.send(os.urandom(1000))
        client.close()


if __name__ == '__main__':
    support.unittest.main()
