#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many documents a second the document store takes: 1,000,000 of 540 bytes each, in bulks of 2,000.

    python3 bench/store.py [--documents N] [--bulk N] [--connections N] [--sync full|normal] [--binary PATH]

The store runs on one processor (taskset), this client on the others. Bodies are made before the clock starts: every
document has its own timestamp, user and amount, and no id. The clock runs from the first byte sent to the last answer;
then the count of the index is asked for. Prints one JSON object."""
import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT_BYTES = 540
BODIES = 50  # different ones, sent in turn


def document(number):
    fields = {'@timestamp': f'2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000:03d}Z',
              '@version': '1', 'level': ('INFO', 'WARN', 'ERROR')[number % 3], 'service': 'payment-service',
              'transactionId': f'TXN-{number:012d}', 'userId': f'user-{number * 7919 % 1000003}',
              'sessionId': f'{number * 2654435761 % 2**32:08x}', 'amount': number % 100000 / 100, 'currency': 'KRW',
              'duration_ms': number % 5000, 'performance_tier': ('fast', 'normal', 'slow')[number % 3],
              'tags': ['payment', 'beats_input_codec_json_applied'], 'host': {'name': 'bench', 'ip': '10.0.0.1'}, 'message': ''}
    missing = DOCUMENT_BYTES - len(json.dumps(fields, separators=(',', ':')))
    fields['message'] = ('payment of the customer was authorised ' * 20)[:missing]
    return json.dumps(fields, separators=(',', ':'))


def bodies(count):
    for body in range(BODIES):
        lines = (f'{{"index":{{}}}}\n{document(body * count + i)}\n' for i in range(count))
        yield ''.join(lines).encode()


def request(body):
    head = (f'POST /bench/_bulk?filter_path=errors,items.*.error,items.*.status HTTP/1.1\r\nHost: store\r\n'
            f'Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n')
    return head.encode() + body


def exchange(connection, data):
    connection.sendall(data)
    answer = b''
    while b'\r\n\r\n' not in answer:
        answer += connection.recv(65536)
    head, rest = answer.split(b'\r\n\r\n', 1)
    length = int(re.search(rb'Content-Length: (\d+)', head).group(1))
    while len(rest) < length:
        rest += connection.recv(65536)
    if not head.startswith(b'HTTP/1.1 200') or b'"errors":false' not in rest:
        sys.exit(f'refused: {head[:200]} {rest[:500]}')


def send(port, requests, turns):
    connection = socket.create_connection(('127.0.0.1', port))
    for turn in turns:
        exchange(connection, requests[turn % BODIES])
    connection.close()


def cpu_seconds(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def peak_mib(pid):
    return int(re.search(r'VmHWM:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text()).group(1)) / 1024


def measure(arguments, folder):
    command = [arguments.binary, 'store', '--path', folder, '--listen', '127.0.0.1:0', '--sync', arguments.sync]
    cpus = sorted(os.sched_getaffinity(0))
    store = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                             preexec_fn=lambda: os.sched_setaffinity(0, cpus[:1]))
    try:
        if len(cpus) > 1:
            os.sched_setaffinity(0, cpus[1:])
        port = int(store.stdout.readline().rsplit(':', 1)[1])
        requests = [request(body) for body in bodies(arguments.bulk)]
        turns = range(arguments.documents // arguments.bulk)
        threads = [threading.Thread(target=send, args=(port, requests, turns[i::arguments.connections]))
                   for i in range(arguments.connections)]
        started, cpu = time.monotonic(), cpu_seconds(store.pid)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds, cpu = time.monotonic() - started, cpu_seconds(store.pid) - cpu
        connection = socket.create_connection(('127.0.0.1', port))
        connection.sendall(b'GET /bench/_count HTTP/1.1\r\nHost: store\r\nConnection: close\r\n\r\n')
        count = int(re.search(rb'"count":(\d+)', connection.makefile('rb').read()).group(1))
        size = sum(path.stat().st_size for path in pathlib.Path(folder).iterdir())
        return {'documents': count, 'document_bytes': DOCUMENT_BYTES, 'bulk': arguments.bulk,
                'connections': arguments.connections, 'sync': arguments.sync, 'seconds': round(seconds, 2),
                'documents_per_second': round(count / seconds), 'cpu_seconds': round(cpu, 2),
                'documents_per_cpu_second': round(count / max(cpu, 0.01)), 'peak_mib': round(peak_mib(store.pid), 1),
                'disk_mib': round(size / 2**20)}
    finally:
        store.send_signal(signal.SIGTERM)
        store.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--documents', type=int, default=1_000_000)
    parser.add_argument('--bulk', type=int, default=2000)
    parser.add_argument('--connections', type=int, default=4)
    parser.add_argument('--sync', choices=('full', 'normal'), default='full')
    parser.add_argument('--binary', default=str(ROOT / 'build-release' / 'millrace'))
    parser.add_argument('--folder', help='where the store keeps its files for the time of the run')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='millrace-bench-', dir=arguments.folder) as folder:
        print(json.dumps(measure(arguments, folder)))


if __name__ == '__main__':
    main()
