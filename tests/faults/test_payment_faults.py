# SPDX-License-Identifier: Apache-2.0
"""The payment pipeline through failures: afterwards every line has its document, and its alert."""
import unittest

import payment


class PaymentFaults(payment.PaymentCase):
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
        path, lines = self.generate(count=10 * payment.EVENTS)
        millrace = self.start_pipeline()
        client = self.start_client(path, 'payment', '--window', '256')
        millrace.wait_for(lambda: len(self.search.documents) > payment.EVENTS, 'some documents')
        self.assertIsNone(client.poll(), 'the client was through too soon')
        millrace.kill()
        millrace = self.start_pipeline()
        self.finish_client(client)
        self.assertEqual(0, millrace.stop())
        self.check_documents(lines, exactly_once=False)
        self.check_alerts(lines, exactly_once=False)


if __name__ == '__main__':
    unittest.main()
