# SPDX-License-Identifier: Apache-2.0
"""The shipped payment pipeline, byte for byte: Beats in, documents and alerts out, through failures as well."""
import collections
import subprocess
import sys
import unittest

import search_stub
import support

sys.path.insert(0, str(support.ROOT / 'bench'))
import check  # noqa: E402  what the pipeline has to make of a line

PIPELINE = support.ROOT / 'deploy/pipelines/payment.conf'
PORT = 5044  # written in the pipeline
EVENTS = 2000


class Payment(support.Case):
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

    def run_through(self, *arguments):
        path, lines = self.generate()
        millrace = self.start_pipeline(*arguments)
        self.finish_client(self.start_client(path))
        self.assertEqual(0, millrace.stop())
        self.check_documents(lines)
        self.check_alerts(lines)

    def test_ecs_v8(self):
        self.run_through()

    def test_ecs_disabled(self):
        self.run_through('--pipeline.ecs_compatibility', 'disabled')

    def test_one_lane(self):
        self.run_through('-w', '1')

    def test_the_template_is_installed(self):
        self.start_pipeline()
        support.wait_until(lambda: any(path.endswith('/kakaopay-logs') for path in self.search.templates),
                           'the template to be installed')

    def test_other_services_pass_untouched(self):
        payments, payment_lines = self.generate(seed=1)
        others, other_lines = self.generate(seed=2)
        millrace = self.start_pipeline()
        clients = [self.start_client(payments), self.start_client(others, 'orders')]
        for client in clients:
            self.finish_client(client)
        self.assertEqual(0, millrace.stop())
        untouched = [source for _, _, source in self.search.documents if source['fields']['service'] == 'orders']
        self.assertEqual(sorted(other_lines), sorted(source['message'] for source in untouched))
        for source in untouched:
            self.assertFalse({'userId', 'performance_tier', 'error_category'} & source.keys())
        self.search.documents = [entry for entry in self.search.documents if entry[2]['fields']['service'] == 'payment']
        self.check_documents(payment_lines)
        self.check_alerts(payment_lines)

    def test_a_server_that_answers_503_for_a_while_loses_nothing(self):
        path, lines = self.generate()
        self.search.failing = 503
        millrace = self.start_pipeline()
        client = self.start_client(path)
        millrace.wait_for(lambda: self.search.bulks >= 3, 'three attempts')
        self.assertEqual([], self.search.documents)
        self.search.failing = None
        self.finish_client(client)
        self.assertEqual(0, millrace.stop())
        self.check_documents(lines)
        self.check_alerts(lines)

    def test_sigkill_in_the_middle_loses_nothing(self):
        path, lines = self.generate(count=10 * EVENTS)
        millrace = self.start_pipeline()
        client = self.start_client(path, 'payment', '--window', '256')
        millrace.wait_for(lambda: len(self.search.documents) > EVENTS, 'some documents')
        self.assertIsNone(client.poll(), 'the client was through too soon')
        millrace.kill()
        millrace = self.start_pipeline()
        self.finish_client(client)
        self.assertEqual(0, millrace.stop())
        self.check_documents(lines, exactly_once=False)
        self.check_alerts(lines, exactly_once=False)


if __name__ == '__main__':
    unittest.main()
