# SPDX-License-Identifier: Apache-2.0
"""What the log says of a script that raised: what helps to mend the code, and nothing of the event."""
import support


class Exceptions(support.Case):
    def told(self, code, *arguments):
        pipeline = f"input {{ stdin {{}} }} filter {{ ruby {{ code => '{code}' }} }} output {{ null {{}} }}"
        millrace = self.run_to_end('-e', pipeline, *arguments, stdin=b'kim@example.com\n')
        (line,) = [line for line in millrace.stderr.splitlines() if 'the script raised an exception' in line]
        return line

    def test_a_mistake_in_the_code_is_named_with_its_place(self):
        for code, message, place in (
                ('\n\nevent.get(%q(message)).foo', "undefined method 'foo'", 'code:3'),
                ('require %q(redis)', "cannot load 'redis'", ''),
                ('1/0', 'divided by 0', 'code:1'),
                ('\nLogStash::Nope', 'uninitialized constant LogStash::Nope', 'code:2')):
            with self.subTest(code):
                line = self.told(code)
                self.assertIn(message, line)
                self.assertIn(f'at={place}', line)

    def test_what_may_quote_the_event_is_shown_at_debug_only(self):
        for code in ('Integer(event.get(%q(message)))', 'raise event.get(%q(message))', '{}.fetch(event.get(%q(message)))'):
            with self.subTest(code):
                line = self.told(code)
                self.assertNotIn('kim@example.com', line)
                self.assertIn('--log.level debug', line)
                self.assertIn('kim@example.com', self.told(code, '--log.level', 'debug'))


if __name__ == '__main__':
    support.unittest.main()
