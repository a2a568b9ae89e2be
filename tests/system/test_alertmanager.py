# SPDX-License-Identifier: Apache-2.0
"""The output alertmanager, against a recorder and against a real Alertmanager."""
import json

import prom
import support

OUTPUT = '''input { stdin { codec => json_lines } }
output { alertmanager { id => "am" hosts => [%s] labels => { "alertname" => "%%{name}" "service" => "%%{service}" "host" => "%%{host}" "fix" => "x" }
  annotations => { "summary" => "last: %%{text}" } group_by => ["alertname", "service"] %s } }'''


class AlertCase(support.Case):
    def run_with(self, hosts, more='', *arguments):
        text = OUTPUT % (', '.join(f'"{host}"' for host in hosts), more)
        self.millrace = self.start('-e', text, '--no-api.enabled', *arguments, stdin=True)
        return self.millrace

    def feed(self, *events):
        self.millrace.child.stdin.write(b''.join(json.dumps(event).encode() + b'\n' for event in events))
        self.millrace.child.stdin.flush()

    def finish(self):
        self.millrace.child.stdin.close()
        self.assertEqual(0, self.millrace.wait(), self.millrace.stderr)


def sent(recorder):
    """All alerts of all requests, in order."""
    return [alert for request in recorder.taken('/api/v2/alerts') for alert in request.json()]


class Recorded(AlertCase):
    def test_events_become_alerts(self):
        recorder = self.recorder()
        self.run_with([f'http://{recorder.address}/'])
        self.feed({'name': 'A', 'service': 'pay "한"', 'host': 'h1', 'text': 'one'}, {'name': 'A', 'service': 'pay "한"', 'host': 'h2', 'text': 'two'},
                  {'name': 'B', 'text': 'three'})
        self.finish()
        alerts = {alert['labels']['alertname']: alert for alert in sent(recorder)}
        self.assertEqual({'alertname': 'A', 'service': 'pay "한"', 'host': 'h1', 'fix': 'x'}, alerts['A']['labels'])
        self.assertEqual({'summary': 'last: two', 'count': '2'}, alerts['A']['annotations'])
        self.assertEqual('B', alerts['B']['labels']['alertname'])
        self.assertNotIn('service', alerts['B']['labels'])  # absent in the event
        self.assertLess(alerts['A']['startsAt'], alerts['A']['endsAt'])
        self.assertEqual({'application/json'}, {request.headers['content-type'] for request in recorder.taken()})

    def test_an_alert_that_fires_is_told_again_and_resolved(self):
        recorder = self.recorder()
        self.run_with([f'http://{recorder.address}'], 'resend_interval => 1 resolve_after => 2')
        self.feed({'name': 'A', 'text': 'one'})
        self.millrace.wait_for(lambda: sent(recorder), 'the alert')
        self.feed({'name': 'A', 'text': 'two'}, {'name': 'A', 'text': 'three'})
        self.millrace.wait_for(lambda: any(alert['annotations']['count'] == '3' for alert in sent(recorder)), 'the count')
        started = {alert['startsAt'] for alert in sent(recorder)}
        self.assertEqual(1, len(started))
        last = lambda: recorder.taken()[-1].json()[0]
        self.millrace.wait_for(lambda: last()['annotations']['count'] == '3' and 'three' in last()['annotations']['summary']
                               and len({alert['endsAt'] for alert in sent(recorder)}) > 2, 'the end')
        self.feed({'name': 'A', 'text': 'four'})  # anew, when it has been resolved, or going on
        self.finish()

    def test_one_of_two_that_is_there_is_enough(self):
        recorder, gone = self.recorder(), support.free_port()
        self.run_with([f'http://127.0.0.1:{gone}', f'http://{recorder.address}'])
        self.feed({'name': 'A', 'text': 'one'})
        self.finish()
        self.assertEqual(['1'], [alert['annotations']['count'] for alert in sent(recorder)])

    def test_both_are_told(self):
        recorders = [self.recorder(), self.recorder()]
        self.run_with([f'http://{recorder.address}' for recorder in recorders])
        self.feed({'name': 'A', 'text': 'one'})
        self.finish()
        self.assertEqual([1, 1], [len(sent(recorder)) for recorder in recorders])

    def test_an_outage_loses_nothing_and_counts_nothing_twice(self):
        answers = iter([(500, 'no'), (503, 'later')])
        recorder = self.recorder(lambda request: next(answers, (200, {})))
        self.run_with([f'http://{recorder.address}'])
        self.feed(*({'name': 'A', 'text': str(i)} for i in range(50)))
        self.millrace.wait_for(lambda: sent(recorder) and sent(recorder)[-1]['annotations']['count'] == '50', 'the count', timeout=30)
        self.finish()
        self.assertLessEqual(max(int(alert['annotations']['count']) for alert in sent(recorder)), 50)

    def test_what_is_refused_holds_nothing_up(self):
        def answer(request):
            return (400, 'bad label') if b'"BAD"' in request.body else (200, {})
        recorder = self.recorder(answer)
        self.run_with([f'http://{recorder.address}'], '', '--counters', self.folder / 'counters')
        self.feed({'name': 'A', 'text': 'x'}, {'name': 'BAD', 'text': 'x'}, {'name': 'C', 'text': 'x'})
        self.finish()
        counted = json.loads((self.folder / 'counters').read_text())['pipelines']['main']['plugins']['outputs'][0]['events']
        self.assertEqual((2, 1), (counted['delivered'], counted['refused']))

    def test_a_storm_is_one_alert_that_says_how_many(self):
        recorder = self.recorder()
        self.run_with([f'http://{recorder.address}'], 'max_alerts => 5 resend_interval => 1', '-w', '1')  # in order
        self.feed(*({'name': f'N{i}', 'text': 'x'} for i in range(12485)))
        self.millrace.wait_for(lambda: any(alert['annotations'].get('summary', '').startswith('12,480 events') for alert in sent(recorder)),
                               'the storm', timeout=20)
        self.finish()
        self.assertEqual({'AlertStorm'} | {f'N{i}' for i in range(5)}, {alert['labels']['alertname'] for alert in sent(recorder)})
        storm = next(alert for alert in sent(recorder) if alert['labels']['alertname'] == 'AlertStorm')
        self.assertEqual({'alertname': 'AlertStorm', 'fix': 'x'}, storm['labels'])

    def test_what_cannot_be(self):
        for options, reason in (('labels => { "a" => "b" }', 'labels wants an alertname'),
                                ('labels => { "alertname" => "b" "c-d" => "x" }', "'c-d' cannot be a label"),
                                ('labels => { "alertname" => "b" } group_by => ["x"]', "'x' is none of the labels"),
                                ('labels => { "alertname" => "b" } hosts => ["localhost:9093"]', 'is no URL')):
            with self.subTest(options):
                millrace = self.run_to_end('-t', '-e', 'input { stdin {} } output { alertmanager { %s } }' % options, status=1)
                self.assertIn(reason, millrace.stderr)


class RealAlertmanager(AlertCase):
    CONFIG = '''route:
  receiver: hook
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: hook
  webhook_configs: [{url: 'http://%s/hook', send_resolved: true}]
'''

    def test_it_notifies_and_resolves(self):
        hook = self.recorder()
        alertmanager = prom.Alertmanager(self, self.CONFIG % hook.address)
        self.run_with([f'http://127.0.0.1:{alertmanager.port}'], 'resend_interval => 1 resolve_after => 4')
        self.feed({'name': 'SystemError', 'service': 'payment', 'text': 'say "no"'})
        states = lambda: [(alert['status'], alert['labels']['alertname'], alert['annotations']['summary'])
                          for request in hook.taken('/hook') for alert in request.json()['alerts']]
        self.millrace.wait_for(lambda: ('firing', 'SystemError', 'last: say "no"') in states(), 'the notification', timeout=30)
        self.millrace.wait_for(lambda: ('resolved', 'SystemError', 'last: say "no"') in states(), 'its end', timeout=60)
        self.finish()
