# SPDX-License-Identifier: Apache-2.0
"""The stdin input when standard input is a file, which cannot be polled."""
import support

PIPELINE = 'input { stdin { codec => json_lines } } output { stdout { codec => json_lines } }'


class File(support.Case):
    def read(self, content):
        path = self.write('input', content)
        return self.run_to_end('-w', '1', '-e', PIPELINE, prefix=('sh', '-c', 'exec "$@" <"$0"', path)).json_lines()

    def test_every_line_is_an_event(self):
        lines = ''.join(f'{{"n":{n},"text":"{"x" * 100}"}}\n' for n in range(20000))
        self.assertEqual(list(range(20000)), [event['n'] for event in self.read(lines)])

    def test_an_empty_file(self):
        self.assertEqual([], self.read(''))

    def test_a_last_line_without_its_end(self):
        self.assertEqual([1, 2], [event['n'] for event in self.read('{"n":1}\n{"n":2}')])


if __name__ == '__main__':
    support.unittest.main()
