# SPDX-License-Identifier: Apache-2.0
"""How Kafka is reached and asked: TLS, certificates of the client, logins, -t --connect, millrace lag; with a real broker."""
import json
import re
import subprocess
import threading
import unittest

import kafka_broker
import search_stub
import support

COPY = '''
input { kafka { bootstrap_servers => "@SERVERS@" topics => ["@TOPIC@"] group_id => "@TOPIC@" codec => json
  auto_offset_reset => "earliest" auto_commit_interval_ms => 100 @ACCESS@ } }
output { kafka { bootstrap_servers => "@SERVERS@" topic_id => "@TOPIC@-copy" codec => json @ACCESS@ } }
'''
STUCK = '''
input { kafka { bootstrap_servers => "@SERVERS@" topics_pattern => "lag-.*" group_id => "lag" codec => json
  auto_offset_reset => "earliest" auto_commit_interval_ms => 100 } }
output { elasticsearch { hosts => ["@STUB@"] index => "i" manage_template => false } }
'''


def login(mechanism, module, password):
    return (f'sasl_mechanism => "{mechanism}" sasl_jaas_config => "org.apache.kafka.common.security.{module} required '
            f"username='kim' password='{password}';" '" ')


class KafkaAccess(support.Case):
    def setUp(self):
        super().setUp()
        self.broker = kafka_broker.broker(secure=True)
        self.trust = f'ssl_truststore_location => "{self.broker.folder}/ca.crt" '
        self.own = f'ssl_keystore_location => "{self.broker.folder}/client.pem" ssl_keystore_type => "PEM" '

    def servers(self, listener):
        return f'localhost:{self.broker.ports[listener]}'

    def copy(self, topic, listener, access):
        """Through the input and the output, both by this listener."""
        self.broker.create(topic)
        self.broker.create(f'{topic}-copy')
        self.broker.produce(topic, [json.dumps({'number': number}) for number in range(100)])
        pipeline = support.fill(COPY, servers=self.servers(listener), topic=topic, access=access)
        millrace = self.start('-e', pipeline, '--path.data', self.folder / topic)
        try:
            millrace.wait_for(lambda: self.broker.committed(topic).get((topic, 0)) == 100, 'all committed', 60)
        finally:
            millrace.child.terminate()
        self.assertEqual(0, millrace.wait(60), millrace.stderr)
        self.assertEqual(list(range(100)), sorted(json.loads(line)['number'] for line in self.broker.read(f'{topic}-copy')))

    def test_tls(self):
        self.copy('tls', 'tls', f'security_protocol => "SSL" {self.trust}')

    def test_tls_with_a_store_of_java(self):
        support.need_command('keytool', 'it makes the stores')
        for kind in ('JKS', 'PKCS12'):
            store = self.folder / f'trust.{kind.lower()}'
            subprocess.run(['keytool', '-importcert', '-noprompt', '-alias', 'ca', '-file', f'{self.broker.folder}/ca.crt', '-keystore', store,
                            '-storetype', kind, '-storepass', 'change-it'], check=True, capture_output=True)
            trust = f'security_protocol => "SSL" ssl_truststore_location => "{store}" ssl_truststore_password => '
            self.copy(f'java-{kind}', 'tls', trust + '"change-it"')
            said = self.run_to_end('-t', '-e', support.fill(COPY, servers=self.servers('tls'), topic='t', access=trust + '"other"'), status=1).stderr
            self.assertIn("the password is not the store's", said)
        self.run_to_end('-t', '-e', support.fill(COPY, servers=self.servers('tls'), topic='t', access=trust.replace('trust.', 'none.') + '"other"'))

    def test_a_certificate_of_the_client(self):
        self.copy('mutual', 'mutual', f'security_protocol => "SSL" {self.trust}{self.own}')

    def test_logins(self):
        self.broker.ask('user', 'kim', 'other')
        for mechanism, module, password in (('PLAIN', 'plain.PlainLoginModule', 'secret one'),
                                            ('SCRAM-SHA-256', 'scram.ScramLoginModule', 'other'),
                                            ('SCRAM-SHA-512', 'scram.ScramLoginModule', 'other')):
            with self.subTest(mechanism):
                self.copy(mechanism.lower(), 'login', f'security_protocol => "SASL_PLAINTEXT" {login(mechanism, module, password)}')

    def test_a_login_by_tls(self):
        self.broker.ask('user', 'kim', 'other')
        access = login('SCRAM-SHA-512', 'scram.ScramLoginModule', 'other')
        self.copy('both', 'both', f'security_protocol => "SASL_SSL" {self.trust}{access}')

    # ---- -t --connect

    def connect(self, listener, access, status, topic='asked'):
        pipeline = support.fill(COPY, servers=self.servers(listener), topic=topic, access=access)
        return self.run_to_end('-t', '--connect', '-e', pipeline, data=False, status=status, timeout=90)

    def test_connect_says_who_answers_and_what_is_there(self):
        self.broker.create('asked', 3)
        self.broker.create('asked-copy')
        servers = self.servers('tls')
        told = self.connect('tls', f'security_protocol => "SSL" {self.trust}', 0)
        self.assertEqual(f'{servers}: 1 broker, topic asked with 3 partitions\n'
                         f'{servers}: 1 broker, topic asked-copy with 1 partition\nConfiguration OK\n', told.stdout)

    def test_connect_says_why_not(self):
        wrong = login('PLAIN', 'plain.PlainLoginModule', 'wrong')
        for listener, access, reason in (('tls', 'security_protocol => "SSL"', 'certificate verify failed'),
                                         ('login', f'security_protocol => "SASL_PLAINTEXT" {wrong}', 'Authentication failed')):
            with self.subTest(reason):
                told = self.connect(listener, access, 1)
                for plugin in ("input 'kafka'", "output 'kafka'"):
                    self.assertRegex(told.stderr, f'error: {plugin}: {self.servers(listener)}: no broker answers: .*{reason}')

    def test_connect_names_a_topic_that_is_not_there_and_makes_none(self):
        told = self.connect('tls', f'security_protocol => "SSL" {self.trust}', 1, topic='absent')
        self.assertRegex(told.stderr, "input 'kafka': .*: topic 'absent': .*Unknown topic")
        with self.assertRaisesRegex(AssertionError, 'UnknownTopic'):
            self.broker.ends('absent')

    # ---- lag

    def lag(self, pipeline, *words):
        """{(topic, partition): [end, watermark, lag, in flight, oldest]}"""
        text = self.run_to_end('lag', '-f', pipeline, *words, data=False, timeout=60).stdout
        rows = re.findall(r'^(lag-\S+) +(\d+) +(\d+) +(\S+) +(\d+) +(\S+) +(\d+ s|-)$', text, re.M)
        return {(topic, int(partition)): rest for topic, partition, *rest in rows}

    def test_lag_says_what_is_committed_and_what_is_not(self):
        allowed, numbers = threading.Event(), set()

        def status_of(event):
            if event['number'] == 60 and not allowed.is_set():
                return 503
            numbers.add(event['number'])
            return 201

        stub = search_stub.SearchStub(status_of)
        self.addCleanup(stub.close)
        for topic in ('lag-a', 'lag-b'):
            self.broker.create(topic, 2)
        pipeline = self.write('stuck.conf', support.fill(STUCK, servers=self.broker.address, stub=stub.address))
        self.assertEqual({(topic, number): ['0', '-', '0', '-', '-'] for topic in ('lag-a', 'lag-b') for number in (0, 1)},
                         self.lag(pipeline))
        self.broker.produce_to_partitions('lag-a', {0: [f'{{"number":{number}}}' for number in range(50)]})
        self.broker.produce_to_partitions('lag-b', {1: [f'{{"number":{number}}}' for number in range(50, 100)]})
        port = support.free_port()
        millrace = self.start('-f', pipeline, '--api.http.port', str(port))
        millrace.wait_for(lambda: len(numbers) == 99 and self.broker.committed('lag').get(('lag-a', 0)) == 50,
                          'all but one', 60)
        rows = self.lag(pipeline, '--api', f'127.0.0.1:{port}')
        self.assertEqual(['50', '50', '0', '0', '-'], rows['lag-a', 0])
        end, watermark, lag, in_flight, oldest = rows['lag-b', 1]
        self.assertEqual(50, int(end))
        self.assertLessEqual(0 if watermark == '-' else int(watermark), 10)
        self.assertEqual(50 - (0 if watermark == '-' else int(watermark)), int(lag))
        self.assertGreaterEqual(int(in_flight), 1)
        self.assertNotEqual('-', oldest)
        allowed.set()
        support.wait_until(lambda: self.broker.committed('lag').get(('lag-b', 1)) == 50, 'the rest', 90)
        millrace.stop()
        self.assertEqual(['50', '50', '0', '-', '-'], self.lag(pipeline)['lag-b', 1])

    def test_lag_says_what_is_wrong(self):
        for words, status, said in ((['lag'], 2, '-f PATH or -e TEXT is missing'),
                                    (['lag', '-e', 'input { stdin { } }'], 1, "no input 'kafka'"),
                                    (['lag', '-e', 'input { kafka { } }', '--api', '127.0.0.1:1'], 1, 'http://127.0.0.1:1: ')):
            with self.subTest(said):
                self.assertIn(said, self.run_to_end(*words, data=False, status=status, timeout=60).stderr)


if __name__ == '__main__':
    unittest.main()
