# SPDX-License-Identifier: Apache-2.0
"""What the tests of the shipped payment pipeline share: the program between generated lines and a search stub."""
import collections
import subprocess
import sys

import search_stub
import support

sys.path.insert(0, str(support.ROOT / 'bench'))
import check  # noqa: E402  what the pipeline has to make of a line

PIPELINE = support.ROOT / 'deploy/pipelines/payment.conf'
PORT = 5044  # written in the pipeline
EVENTS = 2000


class PaymentCase(support.Case):
    def setUp(self):
        super().setUp()
        self.hold_port(PORT)
        self.search = search_stub.SearchStub()
        self.addCleanup(self.search.close)

    def start_pipeline(self, *arguments):
        hosts = ('elasticsearch:9200', 'alertmanager:9093')
        led = [word for host in hosts for word in ('--connect-to', f'{host}:{self.search.address}')]
        millrace = self.start('-f', PIPELINE, *led, '--path.templates', support.ROOT / 'deploy/templates', *arguments)
        millrace.wait_for_port(PORT)
        return millrace

    def generate(self, seed=1, count=EVENTS):
        """A file of generated lines, and the lines."""
        done = subprocess.run([support.BINARY, 'generate', '-n', str(count), '--seed', str(seed)],
                              stdout=subprocess.PIPE, check=True)
        return self.write(f'lines.{seed}', done.stdout), done.stdout.decode().split('\n')[:-1]

    def start_client(self, path, service='payment', *arguments):
        client = subprocess.Popen(
            [support.BINARY, 'send', '--to', f'127.0.0.1:{PORT}', '--field', f'service={service}', *arguments, path],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(client.stderr.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def finish_client(self, client, seconds=60):
        self.assertEqual(0, client.wait(seconds * support.PATIENCE), 'the client did not get everything acknowledged')

    def check_documents(self, lines, exactly_once=True):
        """Every line has a document as it has to be; with exactly_once only one."""
        documents = [(index, source) for _, index, source in self.search.documents]
        counts = collections.Counter(source['message'] for _, source in documents)
        self.assertEqual(set(), set(lines) - set(counts), 'lines without a document')
        if exactly_once:
            self.assertEqual([], [line for line, count in counts.items() if count > 1], 'lines with two documents')
        for index, source in documents:
            found = list(check.differences(check.KINDS['payment'], source['message'], source, {'_index': index}))
            self.assertEqual([], found, source)

    def check_alerts(self, lines, exactly_once=True):
        wanted = sorted(line for line in lines if check.expected_payment(line)[0].get('error_category') == 'SYSTEM_ERROR')
        got = sorted(alert['annotations']['description'] for body in self.search.alerts for alert in body['alerts'])
        self.assertTrue(wanted)
        self.assertEqual(wanted, got if exactly_once else sorted(set(got)))
