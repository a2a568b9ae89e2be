# SPDX-License-Identifier: Apache-2.0
"""Kafka brokers that lie, each in one kind of its answers: counts of -1 or of more than there is, lengths that cannot be. The program
goes on, says what is wrong where nothing works any more, and ends when it is told to. MILLRACE_FUZZ_SECONDS=600 tells all lies, also
about plain numbers."""
import os
import unittest

import lying_kafka
import support

FUZZ_SECONDS = float(os.environ.get('MILLRACE_FUZZ_SECONDS', '0'))
LIES, SLOW_LIES = 6, 2  # of each kind that are told
SLOW = (lying_kafka.JOIN_GROUP, lying_kafka.SYNC_GROUP, lying_kafka.OFFSET_FETCH, lying_kafka.LIST_OFFSETS)  # a client takes its time
LISTENS = (lying_kafka.API_VERSIONS, lying_kafka.METADATA, lying_kafka.FIND_COORDINATOR, lying_kafka.JOIN_GROUP, lying_kafka.SYNC_GROUP,
           lying_kafka.OFFSET_FETCH, lying_kafka.LIST_OFFSETS, lying_kafka.FETCH, lying_kafka.OFFSET_COMMIT)
SPEAKS = (lying_kafka.PRODUCE, lying_kafka.SASL_HANDSHAKE, lying_kafka.SASL_AUTHENTICATE)
INPUT = ('kafka { id => "@NAME@" type => "read" bootstrap_servers => "127.0.0.1:@PORT@" topics => ["t"] group_id => "group" auto_offset_reset => "earliest" '
         'heartbeat_interval_ms => 100 auto_commit_interval_ms => 50 reconnect_backoff_ms => 10 reconnect_backoff_max_ms => 50 '
         'retry_backoff_ms => 10 metadata_max_age_ms => 100 partition_assignment_strategy => "range" }')
OUTPUT = ('kafka { id => "@NAME@" bootstrap_servers => "127.0.0.1:@PORT@" topic_id => "t" reconnect_backoff_ms => 10 retry_backoff_ms => 10 '
          'reconnect_backoff_max_ms => 50 @MORE@ }')
LOGIN = ('security_protocol => "SASL_PLAINTEXT" sasl_mechanism => "PLAIN" sasl_jaas_config => "org.apache.kafka.common.security.plain.'
         "PlainLoginModule required username='a' password='b';\"")


def written(text, api, liar):
    more = LOGIN if api in (lying_kafka.SASL_HANDSHAKE, lying_kafka.SASL_AUTHENTICATE) else ''
    return support.fill(text, name=lying_kafka.NAMES[api], port=liar.port, more=more)


class LyingKafka(support.Case):
    def liar(self, api, versions=lying_kafka.NEW):
        liar = lying_kafka.LyingBroker(api, versions, everything=bool(FUZZ_SECONDS))
        self.addCleanup(liar.close)
        return liar

    def lie_about_all(self, versions):
        """All at once, since most of the time goes by between one connection and the next."""
        liars = {api: self.liar(api, versions) for api in LISTENS + SPEAKS}
        inputs = ' '.join(written(INPUT, api, liars[api]) for api in LISTENS)
        outputs = ' '.join(written(OUTPUT, api, liars[api]) for api in SPEAKS)
        millrace = self.start('-w', '1', '-e', f'input {{ {inputs} heartbeat {{ interval => 1 }} }} '
                              f'output {{ if [type] == "read" {{ null {{ }} }} else {{ {outputs} }} }}',
                              '--shutdown.timeout', '1', '--no-api.enabled')
        for api, liar in liars.items():
            with self.subTest(lying_kafka.NAMES[api]):
                # who has an offset from one of these answers does not ask again
                wanted = 1 if api == lying_kafka.LIST_OFFSETS else SLOW_LIES if api in SLOW else LIES
                millrace.wait_for(lambda: liar.is_over or liar.lies >= wanted and not FUZZ_SECONDS, f'{liar.lies} lies about '
                                  f'{lying_kafka.NAMES[api]} to be more', timeout=FUZZ_SECONDS + 90)
        self.assertTrue(millrace.is_running(), millrace.stderr[-4000:])
        millrace.stop(60)
        self.assertIsNone(support.SANITIZER_REPORT.search(millrace.stderr), millrace.stderr[-4000:])
        self.assertGreaterEqual(millrace.child.returncode, 0, 'it ended by itself, in order or with what it could not deliver')

    def test_old_versions(self):
        self.lie_about_all(lying_kafka.OLD)

    def test_new_versions(self):
        self.lie_about_all(lying_kafka.NEW)

    def test_no_versions_at_all(self):
        """What is wrong is said, and it works when the broker stops lying."""
        liar = self.liar(lying_kafka.API_VERSIONS)
        liar.only = (0, lying_kafka.COUNTS[0])
        millrace = self.start('-w', '1', '-e', f'input {{ {written(INPUT, lying_kafka.API_VERSIONS, liar)} }} output {{ stdout {{ }} }}')
        millrace.wait_for(lambda: liar.lies >= 3, 'three lies', 30)
        millrace.wait_for_log('ApiVersionRequest failed: Local: Bad message format', 30)
        liar.honest = True
        millrace.wait_for(lambda: millrace.stdout, 'events of a broker that is honest again', 60)
        self.assertEqual(0, millrace.stop(60), millrace.stderr[-2000:])


if __name__ == '__main__':
    unittest.main()
