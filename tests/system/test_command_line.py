# SPDX-License-Identifier: Apache-2.0
"""What the command line promises before any pipeline runs."""
import unittest

import support


class CommandLine(support.Case):
    def test_version_is_one_line_on_standard_output(self):
        millrace = self.run_to_end('-V', data=False)
        self.assertRegex(millrace.stdout, r'\Amillrace \d+\.\d+\.\d+\n\Z')


if __name__ == '__main__':
    unittest.main()
