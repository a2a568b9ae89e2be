# SPDX-License-Identifier: Apache-2.0
"""The file input where only a real process and a real file system show it."""
import os
import unittest

import support

PIPELINE = '''
input {
  file {
    path => "@PATH@" mode => "read" codec => "json" exit_after_read => true
    file_completed_action => "log" file_completed_log_path => "@PATH@.done"
  }
}
output { stdout { codec => json_lines } }
'''


class ReadFile(support.Case):
    def read_back(self, path, count):
        millrace = self.run_to_end('-e', support.fill(PIPELINE, path=path))
        self.assertEqual(list(range(count)), sorted(event['number'] for event in millrace.json_lines()))

    def test_what_is_not_in_the_page_cache_is_read_by_a_thread(self):
        count = 20000
        path = self.write('cold.log', ''.join(f'{{"number":{number}}}\n' for number in range(count)))
        with open(path, 'rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.read_back(path, count)


if __name__ == '__main__':
    unittest.main()
