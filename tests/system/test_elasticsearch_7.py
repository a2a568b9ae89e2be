# SPDX-License-Identifier: Apache-2.0
"""The elasticsearch output against a real Elasticsearch 7.17: the tests of test_elasticsearch, and the payment pipeline. Its node is
made of the server's library alone: no module for scripts or ingest pipelines, and no data streams, which are not in it."""
import urllib.request

import opensearch
import support
import test_elasticsearch
import test_payment_opensearch


class Elasticsearch:
    server = opensearch.ELASTICSEARCH


class Documents(Elasticsearch, test_elasticsearch.Documents):
    def test_this_is_the_real_one(self):
        with urllib.request.urlopen(self.node.url, timeout=60) as answer:
            self.assertEqual('Elasticsearch', answer.headers['X-elastic-product'])
        millrace = self.run_to_end(*self.pipeline(), stdin=b'{}\n')
        self.assertRegex(millrace.stderr, r'connected .*distribution=elasticsearch version=7\.17\.')


class Actions(Elasticsearch, test_elasticsearch.Actions):
    def absent(self):
        self.skipTest('this node has no module for it')

    test_update_by_script = test_ingest_pipelines = test_data_streams = absent


class Templates(Elasticsearch, test_elasticsearch.Templates):
    pass


class Refusals(Elasticsearch, test_elasticsearch.Refusals):
    pass


class Deduplicate(Elasticsearch, test_elasticsearch.Deduplicate):
    pass


class SmallServer(Elasticsearch, test_elasticsearch.SmallServer):
    pass


class Payment(Elasticsearch, test_payment_opensearch.PaymentToOpenSearch):
    # What becomes of events while a server is away does not depend on which one it is.
    test_opensearch_gone_in_the_middle_loses_nothing = test_sigkill_in_the_middle_loses_nothing = None


if __name__ == '__main__':
    support.unittest.main()
