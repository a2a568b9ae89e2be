# SPDX-License-Identifier: Apache-2.0
"""UDP for the system tests: inputs on a free port, senders, a receiver."""
import json
import socket

import support


def free_udp_port(host='127.0.0.1'):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Receiver:
    """A UDP socket on a free port, large enough that nothing is lost that a test sends."""

    def __init__(self, case):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(10 * support.PATIENCE)
        self.port = self.socket.getsockname()[1]
        case.addCleanup(self.socket.close)

    def take(self, count):
        return [self.socket.recv(65536) for _ in range(count)]


class DatagramCase(support.Case):
    """An input on a free UDP port, read by a millrace that writes JSON lines."""

    def serve(self, options, more='', plugin='udp', host='127.0.0.1', filters='', arguments=()):
        text = (f'input {{ {plugin} {{ host => "{host}" port => 1 {options} }} {more} }} {filters} '
                'output { stdout { codec => json_lines } }')
        return self.serve_text(text, host, arguments)

    def serve_text(self, text, host='127.0.0.1', arguments=()):
        self.counters_path = self.folder / 'counters'
        at = f'[{host}]' if ':' in host else host
        self.millrace = self.start('-w', '1', '-e', text, '--listen-at', f'1:{at}:0', '--counters', self.counters_path,
                                   *arguments)
        said = self.millrace.wait_for_log(r'waiting for datagrams .*port=(\d+)')
        self.port = int(said.group(1))
        self.host = host
        return self.millrace

    def send(self, *datagrams, bind=None):
        family = socket.AF_INET6 if ':' in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            if bind:
                sender.bind((bind, 0))
            for datagram in datagrams:
                sender.sendto(datagram, (self.host, self.port))

    def events(self, count):
        """The first events, in their order; not more than these have come."""
        def ready():
            lines = self.millrace.stdout.split('\n')[:-1]
            return lines if len(lines) >= count else None
        lines = self.millrace.wait_for(ready, f'{count} events')
        self.assertEqual(count, len(lines), lines)
        return [json.loads(line) for line in lines]

    def counted(self):
        """The input's counters, after the end."""
        self.assertEqual(0, self.millrace.stop())
        pipelines = json.loads(self.counters_path.read_text())['pipelines']
        return pipelines['main']['plugins']['inputs'][0]['events']
