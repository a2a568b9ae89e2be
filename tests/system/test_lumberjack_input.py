# SPDX-License-Identifier: Apache-2.0
"""The lumberjack input: beats under its older name, always by TLS, and events as they were sent."""
import json

import certificates
import lumberjack
import support


class Lumberjack(support.Case):
    def test_a_client_of_the_first_version(self):
        authority = certificates.Authority(self.folder)
        pair = authority.issue('server')
        millrace = self.start('-e', f'input {{ lumberjack {{ port => 1 ssl_certificate => "{pair.certificate}" ssl_key => "{pair.key}" '
                              'ecs_compatibility => disabled } } output { stdout { codec => json_lines } }', '--listen-at', '1:127.0.0.1:0')
        port = int(millrace.wait_for_log(r'waiting for .*port=(\d+)').group(1))
        with lumberjack.Client(port, tls=authority.client_context()) as client:
            client.send(lumberjack.window(2, version=1), lumberjack.pairs(1, {'line': 'one', 'file': '/a'}),
                        lumberjack.pairs(2, {'line': 'two', 'file': '/b'}))
            self.assertEqual([(1, 2)], client.read_acks(1))
        millrace.wait_for(lambda: millrace.stdout.count('\n') == 2, 'two events')
        events = [json.loads(line) for line in millrace.stdout.splitlines()]
        self.assertEqual([('one', '/a'), ('two', '/b')], [(event.get('message', event.get('line')), event['file']) for event in events])
        for event in events:
            self.assertNotIn('tags', event)
            self.assertNotIn('host', event)

    def test_tls_is_always_on(self):
        millrace = self.run_to_end('-t', '-e', 'input { lumberjack { port => 5 } } output { null { } }', status=1)
        self.assertIn('ssl_certificate', millrace.stderr)


if __name__ == '__main__':
    support.unittest.main()
