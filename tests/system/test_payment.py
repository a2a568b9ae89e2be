# SPDX-License-Identifier: Apache-2.0
"""The shipped payment pipeline, byte for byte: Beats in, documents and alerts out."""
import unittest

import payment
import support


class Payment(payment.PaymentCase):
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


if __name__ == '__main__':
    unittest.main()
