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

    def test_the_place_is_never_cut_off(self):
        done = self.run_to_end('-t', '-e', 'filter { ruby { code => "1" init => "\nraise %q(long ) * 200" } }', status=1)
        self.assertRegex(done.stderr, r'long long .*… \(init:2\)')

    def test_what_may_quote_the_event_is_shown_at_debug_only(self):
        for code in ('Integer(event.get(%q(message)))', 'raise event.get(%q(message))', '{}.fetch(event.get(%q(message)))'):
            with self.subTest(code):
                line = self.told(code)
                self.assertNotIn('kim@example.com', line)
                self.assertIn('--log.level debug', line)
                self.assertIn('kim@example.com', self.told(code, '--log.level', 'debug'))


class Rehearsal(support.Case):
    def test_what_only_fails_at_start_fails_in_a_check_too(self):
        script = self.write('script.rb', 'def register(params)\n  @by = params.fetch("by")\nend\ndef filter(event)\n[event]\nend\n')
        for options, message in (
                ('init => "require %q(nope)" code => "1"', "LoadError: cannot load 'nope'.*init:1"),
                ("code => '\n require \"net/http\"'", r"-e:1:\d+: error: .*code, line 2: cannot load 'net/http'"),
                ('init => "\n\n@x = Foo::X" code => "1"', r'uninitialized constant .*Foo \(init:3\)'),
                (f'path => "{script}"', r'key not found: "by" .*script.rb:2')):
            with self.subTest(options):
                done = self.run_to_end('-t', '-e', f'filter {{ ruby {{ {options} }} }}', status=1)
                self.assertRegex(done.stderr, message)

    def test_filters_see_what_those_before_them_defined(self):
        self.run_to_end('-t', '-e', 'filter { ruby { init => "class Foo; X = 1; end" code => "1" }'
                        ' ruby { init => "@x = Foo::X" code => "1" } }')


if __name__ == '__main__':
    support.unittest.main()
