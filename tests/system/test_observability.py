# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/prometheus, deploy/alertmanager and deploy/grafana, each with the real program that reads it."""
import datetime
import json
import re
import socketserver
import subprocess
import threading
import time
import urllib.request

import prom
import search_stub
import support

DEPLOY = support.ROOT / 'deploy'
PROMETHEUS, ALERTMANAGER = DEPLOY / 'prometheus', DEPLOY / 'alertmanager/alertmanager.yml'
RULES = ('PaymentSuccessRateBelow95Percent', 'HighAPILatency', 'DatabaseConnectionFailure', 'HighMemoryUsage', 'LowDiskSpace',
         'ActiveUsersDrop', 'ErrorRateSpike')
PORT = 5044  # written in the pipeline


def shell(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=PROMETHEUS)


class Files(support.Case):
    def setUp(self):
        super().setUp()
        prom.command('promtool')
        prom.command('amtool')

    def check(self, *words):
        done = shell(*words)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def test_prometheus_loads_its_configuration_and_rules(self):
        self.assertIn('2 rule files found', self.check('promtool', 'check', 'config', 'prometheus.yml'))
        self.check('promtool', 'check', 'rules', *sorted(PROMETHEUS.glob('alert_rules/*.yml')))

    def test_each_rule_fires_and_does_not(self):
        self.check('promtool', 'test', 'rules', *sorted(PROMETHEUS.glob('tests/*.yml')))
        text = (PROMETHEUS / 'tests/payment_test.yml').read_text()
        for rule in RULES:
            cases = re.findall(rf'alertname: {rule}\n(\s+exp_alerts:)?', text)
            self.assertTrue(any(cases) and not all(cases), f'{rule} has cases that fire and that do not')
        self.assertEqual(len(RULES), (PROMETHEUS / 'alert_rules/payment.yml').read_text().count('- alert:'))

    def test_the_job_of_kubernetes(self):
        text = (PROMETHEUS / 'kubernetes-pods.yml').read_text()
        path = self.write('prometheus.yml', text.replace('    kubernetes_sd_configs:\n      - role: pod\n',
                                                         '    static_configs: [{targets: ["a:1"]}]\n'))
        self.check('promtool', 'check', 'config', path)  # its relabeling
        done = shell('promtool', 'check', 'config', self.write('whole.yml', text))
        if 'kubernetes_sd_configs not found' in done.stdout + done.stderr:
            self.skipTest('this promtool is built without Kubernetes, as Debian\'s is: its discovery is not checked')
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_alertmanager_loads_and_routes(self):
        self.check('amtool', 'check-config', ALERTMANAGER)
        for severity, receiver in (('critical', 'critical-all-channels'), ('high', 'high-priority'), ('warning', 'warning-slack'),
                                   ('info', 'web.hook')):
            routed = self.check('amtool', 'config', 'routes', 'test', f'--config.file={ALERTMANAGER}', f'severity={severity}')
            self.assertEqual(receiver, routed.strip().split('\n')[-1])


class MailSink:
    """Takes every mail; `mails` has (recipient, text)."""

    def __init__(self):
        mails = self.mails = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b'220 sink\r\n')
                to = ''
                while line := self.rfile.readline().decode('utf-8', 'replace'):
                    word = line[:4].upper()
                    if word == 'RCPT':
                        to = re.search('<(.*?)>', line).group(1)
                    if word != 'DATA':
                        self.wfile.write(b'221 bye\r\n' if word == 'QUIT' else b'250 ok\r\n')
                        continue
                    self.wfile.write(b'354 go on\r\n')
                    text = ''
                    while (more := self.rfile.readline().decode('utf-8', 'replace')) not in ('.\r\n', ''):
                        text += more
                    mails.append((to, text))
                    self.wfile.write(b'250 taken\r\n')

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ReceiversCase(support.Case):
    """The shipped Alertmanager configuration, with its receivers led to a recorder and a mail sink."""

    def start_alertmanager(self):
        self.hooks = self.recorder()
        self.mail = MailSink()
        self.addCleanup(self.mail.close)
        text = ALERTMANAGER.read_text()
        for old, new in (('https://hooks.slack.com/services/T123/B456/xyz', f'http://{self.hooks.address}/slack'),
                         ('smtp.gmail.com:587', f'127.0.0.1:{self.mail.port}'),
                         ('http://127.0.0.1:5001/', f'http://{self.hooks.address}/hook'),
                         ('global:\n', f"global:\n  smtp_require_tls: false\n  pagerduty_url: 'http://{self.hooks.address}/pager'\n"),
                         ('group_wait: 10s', 'group_wait: 0s'), ('group_interval: 10s', 'group_interval: 1s')):
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.alertmanager = prom.Alertmanager(self, text)

    def slack(self):
        """(channel, title, text) of each message."""
        found = []
        for request in self.hooks.taken('/slack'):
            message = request.json()
            for part in message['attachments']:
                found.append((message['channel'], part['title'], part.get('text', '')))
        return found


class Receivers(ReceiversCase):
    def setUp(self):
        super().setUp()
        prom.command('alertmanager')
        self.start_alertmanager()

    def post(self, *alerts):
        body = json.dumps([{'labels': labels, 'annotations': {'summary': 'S', 'description': 'D', 'runbook_url': 'R'}} for labels in alerts])
        request = urllib.request.Request(f'http://127.0.0.1:{self.alertmanager.port}/api/v2/alerts', body.encode(),
                                         {'content-type': 'application/json'})
        urllib.request.urlopen(request, timeout=30).close()

    def wait(self, condition, what):
        return support.wait_until(condition, what, timeout=30)

    def test_every_severity_reaches_its_receivers(self):
        self.post({'alertname': 'C', 'severity': 'critical', 'service': 'payment'}, {'alertname': 'H', 'severity': 'high'},
                  {'alertname': 'W', 'severity': 'warning', 'service': 'other'}, {'alertname': 'I', 'severity': 'info'})
        self.wait(lambda: {'#critical-alerts', '#high-priority-alerts', '#warnings'} <= {channel for channel, _, _ in self.slack()}, 'Slack')
        self.assertEqual({'#critical-alerts': '🚨 CRITICAL ALERT', '#high-priority-alerts': '⚠️ High Priority Alert', '#warnings': '📊 Warning'},
                         {channel: title for channel, title, _ in self.slack()})
        text = next(text for channel, _, text in self.slack() if channel == '#critical-alerts')
        for line in ('*Service:* payment', '*Alert:* S', '*Description:* D', '*Severity:* critical', '*Runbook:* R'):
            self.assertIn(line, text)
        self.wait(lambda: {to for to, _ in self.mail.mails} >= {'oncall@kakaopay.com', 'team@kakaopay.com'}, 'mail')
        mail = next(text for to, text in self.mail.mails if to == 'oncall@kakaopay.com')
        self.assertIn('Subject: [CRITICAL] C', mail)
        self.assertIn('Alert: S', mail)
        self.wait(lambda: self.hooks.taken('/pager'), 'PagerDuty')
        self.assertEqual('C', self.hooks.taken('/pager')[0].json()['payload']['summary'])
        self.wait(lambda: self.hooks.taken('/hook'), 'the webhook')
        self.assertEqual(['I'], [alert['labels']['alertname'] for alert in self.hooks.taken('/hook')[0].json()['alerts']])

    def test_a_critical_alert_silences_the_warnings_of_its_service(self):
        self.post({'alertname': 'C', 'severity': 'critical', 'service': 'payment'})
        self.wait(lambda: self.slack(), 'the critical one')
        self.post({'alertname': 'W', 'severity': 'warning', 'service': 'payment'}, {'alertname': 'V', 'severity': 'warning', 'service': 'other'},
                  {'alertname': 'U', 'severity': 'warning'})
        self.wait(lambda: len([channel for channel, _, _ in self.slack() if channel == '#warnings']) == 2, 'the two others')
        states = {alert['labels']['alertname']: alert['status']['state'] for alert in self.alertmanager.alerts()}
        self.assertEqual({'C': 'active', 'W': 'suppressed', 'V': 'active', 'U': 'active'}, states)


def dashboards():
    for path in sorted(DEPLOY.glob('grafana/*.json')):
        for panel in json.loads(path.read_text())['panels']:
            for target in panel['targets']:
                yield path.name, panel['title'], target['expr']


class Live(ReceiversCase):
    """payment-metrics.conf with events coming, a real Prometheus that scrapes it, a real Alertmanager behind the rules."""

    def setUp(self):
        super().setUp()
        for name in ('prometheus', 'alertmanager', 'prometheus-node-exporter'):
            prom.command(name)
        self.hold_port(PORT)
        self.search = search_stub.SearchStub()
        self.addCleanup(self.search.close)
        self.start_alertmanager()
        # The pipeline's own alerts go to the same Alertmanager.
        led = ['--connect-to', f'elasticsearch:9200:{self.search.address}', '--connect-to', f'alertmanager:9093:127.0.0.1:{self.alertmanager.port}']
        self.millrace = self.start('-f', DEPLOY / 'pipelines/payment-metrics.conf', *led, '--path.templates', DEPLOY / 'templates')
        self.millrace.wait_for_port(PORT)
        api = self.millrace.wait_for_log(r'API listens .*address="?([^"\s]+:\d+)').group(1)
        node = prom.NodeExporter(self)
        config = prom.set_targets((PROMETHEUS / 'prometheus.yml').read_text(), {'millrace': api, 'node-exporter': f'127.0.0.1:{node.port}'})
        config = re.sub(r'(scrape|evaluation)_interval: \d+s', r'\1_interval: 1s', config)
        config = config.replace('alertmanager:9093', f'127.0.0.1:{self.alertmanager.port}')
        rules = [(f'alert_rules/{path.name}', re.sub(r'for: \d+m', 'for: 1s', path.read_text())) for path in PROMETHEUS.glob('alert_rules/*.yml')]
        self.prometheus = prom.Prometheus(self, config, rules)

    def send(self):
        """Some of everything that the pipeline counts; one request in three fails."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        head = {'timestamp': now, 'level': 'INFO', 'service': 'payment-service', 'transactionId': 'T', 'userId': 'user000001'}
        request = {'event': 'HTTP_REQUEST', 'context': {'method': 'GET', 'status': 200, 'duration_ms': 30}}
        entries = [{'event': 'PAYMENT_COMPLETED', 'context': {'method': 'CARD', 'duration_ms': 250}}] * 99 + [
            {'event': 'PAYMENT_FAILED', 'level': 'ERROR', 'context': {'method': 'CARD', 'error_code': 'CARD_EXPIRED'}},
            {'event': 'CIRCUIT_BREAKER', 'context': {'name': 'bank', 'state': 'OPEN'}},
            request, request, {**request, 'context': {**request['context'], 'status': 503}}]
        lines = self.write('lines', ''.join(json.dumps({**head, **entry}) + '\n' for entry in entries))
        client = subprocess.run([str(support.BINARY), 'send', '--to', f'127.0.0.1:{PORT}', '--field', 'service=payment', str(lines)],
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * support.PATIENCE)
        self.assertEqual(0, client.returncode, client.stderr)

    def until(self, condition, what):
        """Sends until it is so."""
        limit = time.monotonic() + 60 * support.PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), limit, what)
            self.send()

    def test_every_expression_has_an_answer_and_alerts_arrive(self):
        expressions = list(dashboards())
        self.assertGreater(len(expressions), 20)
        missing = lambda: [entry for entry in expressions if not self.prometheus.query(entry[2])]
        self.until(lambda: not missing(), 'a number for each expression')
        for name, title, expression in expressions:
            for found in self.prometheus.query(expression):
                self.assertNotIn(found['value'][1], ('NaN', '+Inf', '-Inf'), (name, title, expression))
        self.until(lambda: 'ErrorRateSpike' in self.prometheus.firing(), 'the rule to fire')
        self.assertNotIn('PaymentSuccessRateBelow95Percent', self.prometheus.firing())
        support.wait_until(lambda: any(channel == '#high-priority-alerts' for channel, _, _ in self.slack()), 'Slack', timeout=30)
        alert = next(alert for alert in self.alertmanager.alerts() if alert['labels']['alertname'] == 'ErrorRateSpike')
        self.assertEqual('payment-service', alert['labels']['service'])
        self.assertRegex(alert['annotations']['description'], r'Error rate: 33\.3')
