# SPDX-License-Identifier: Apache-2.0
"""The shipped payment pipeline from a Beats client that we did not write (go-lumber) to a real OpenSearch, and through
what can happen on the way: the server is gone for a while, millrace is killed. Every event is a document, as it has to be."""
import json
import subprocess
import sys
import time
import unittest

import opensearch
import support
from beats import BeatsCase

sys.path.insert(0, str(support.ROOT / 'bench'))
import check  # noqa: E402  what the pipeline has to make of a line

PIPELINE = support.ROOT / 'deploy/pipelines/payment.conf'
PORT = 5044  # written in the pipeline
INDEX = 'kakaopay-logs-*'
EVENTS, OTHERS = 3000, 400
DOWN_SECONDS = 20


class PaymentToOpenSearch(BeatsCase):
    server = opensearch.FOLDER

    def setUp(self):
        super().setUp()
        self.hold_port(PORT)
        self.lumber = self.build_go_client()
        self.node = opensearch.node(folder=self.server)
        self.addCleanup(self.forget_documents)
        self.alerts = self.recorder()

    def forget_documents(self):
        self.node.start_if_stopped()
        self.node.request('DELETE', f'/{INDEX}')

    def start_pipeline(self, *arguments):
        millrace = self.start('-f', PIPELINE, '--connect-to', f'elasticsearch:9200:127.0.0.1:{self.node.port}',
                              '--connect-to', f'alertmanager:9093:{self.alerts.address}',
                              '--path.templates', support.ROOT / 'deploy/templates', *arguments)
        millrace.wait_for_port(PORT)
        return millrace

    def generate(self, seed, count):
        done = subprocess.run([support.BINARY, 'generate', '-n', str(count), '--seed', str(seed)],
                              stdout=subprocess.PIPE, check=True)
        return self.write(f'lines.{seed}', done.stdout), done.stdout.decode().split('\n')[:-1]

    def send(self, path, service, *arguments):
        client = subprocess.Popen([self.lumber, '-to', f'127.0.0.1:{PORT}', '-file', path, '-service', service,
                                   '-wait', '180s', *arguments], stdout=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def acknowledged(self, client, count):
        report = json.loads(client.communicate(timeout=240 * support.PATIENCE)[0])
        self.assertEqual(count, report['acked'], report)
        return report

    def documents(self):
        """All documents by way of a scroll, as (index, source)."""
        self.node.request('POST', f'/{INDEX}/_refresh')
        answer = self.node.request('POST', f'/{INDEX}/_search?scroll=1m', {'size': 2000, 'sort': ['_doc']})
        found = []
        while answer['hits']['hits']:
            found += [(hit['_index'], hit['_source']) for hit in answer['hits']['hits']]
            answer = self.node.request('POST', '/_search/scroll', {'scroll': '1m', 'scroll_id': answer['_scroll_id']})
        return found

    def check_payments(self, documents, lines, exactly_once):
        seen = [source['message'] for _, source in documents]
        self.assertEqual(set(lines), set(seen))
        if exactly_once:
            self.assertEqual(len(lines), len(seen))
        for index, source in documents:
            found = list(check.differences(check.KINDS['payment'], source['message'], source, {'_index': index}))
            self.assertEqual([], found, source)

    def check_alerts(self, lines, exactly_once):
        wanted = sorted(line for line in lines if check.expected_payment(line)[0].get('error_category') == 'SYSTEM_ERROR')
        got = sorted(alert['annotations']['description'] for request in self.alerts.taken('/api/v1/alerts')
                     for alert in request.json()['alerts'])
        self.assertTrue(wanted)
        self.assertEqual(wanted, got if exactly_once else sorted(set(got)))

    def through(self, *arguments):
        payments, lines = self.generate(1, EVENTS)
        others, other_lines = self.generate(2, OTHERS)
        millrace = self.start_pipeline(*arguments)
        clients = [(self.send(payments, 'payment', '-inflight', '2', '-compress', '3', '-window', '500'), EVENTS),
                   (self.send(others, 'orders', '-window', '50'), OTHERS)]
        for client, count in clients:
            self.acknowledged(client, count)
        self.assertEqual(0, millrace.stop())
        documents = self.documents()
        ours = [entry for entry in documents if entry[1]['fields']['service'] == 'payment']
        rest = [source for _, source in documents if source['fields']['service'] != 'payment']
        self.check_payments(ours, lines, exactly_once=True)
        self.check_alerts(lines, exactly_once=True)
        self.assertEqual(sorted(other_lines), sorted(source['message'] for source in rest))
        for source in rest:
            self.assertFalse({'userId', 'performance_tier', 'error_category'} & source.keys(), source)

    def test_ecs_v8(self):
        self.through()
        self.assertIn('kakaopay-logs', json.dumps([self.node.get('/_template'), self.node.get('/_index_template')]))
        mapping = next(iter(self.node.get(f'/{INDEX}/_mapping').values()))['mappings']['properties']
        self.assertEqual('keyword', mapping['performance_tier']['type'])

    def test_ecs_disabled(self):
        self.through('--pipeline.ecs_compatibility', 'disabled')

    def test_opensearch_gone_in_the_middle_loses_nothing(self):
        path, lines = self.generate(3, 20 * EVENTS)
        millrace = self.start_pipeline()
        client = self.send(path, 'payment', '-inflight', '2', '-window', '500', '-timeout', '30s')
        millrace.wait_for(lambda: self.node.count(INDEX) > EVENTS, 'some documents', timeout=60)
        self.node.stop()
        self.assertIsNone(client.poll(), 'the client was through too soon')
        time.sleep(DOWN_SECONDS)
        self.assertTrue(millrace.is_running())
        self.node.start()
        self.acknowledged(client, len(lines))
        self.assertEqual(0, millrace.stop())
        self.check_payments(self.documents(), lines, exactly_once=False)
        self.check_alerts(lines, exactly_once=False)

    def test_sigkill_in_the_middle_loses_nothing(self):
        path, lines = self.generate(4, 20 * EVENTS)
        millrace = self.start_pipeline()
        client = self.send(path, 'payment', '-window', '250', '-timeout', '10s')
        millrace.wait_for(lambda: self.node.count(INDEX) > EVENTS, 'some documents', timeout=60)
        millrace.kill()
        self.assertIsNone(client.poll(), 'the client was through too soon')
        millrace = self.start_pipeline()
        self.acknowledged(client, len(lines))
        self.assertEqual(0, millrace.stop())
        self.check_payments(self.documents(), lines, exactly_once=False)
        self.check_alerts(lines, exactly_once=False)


if __name__ == '__main__':
    unittest.main()
