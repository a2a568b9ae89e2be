# SPDX-License-Identifier: Apache-2.0
"""What the command line promises before any pipeline runs."""
import pathlib
import re
import unittest

import support


class CommandLine(support.Case):
    def refuse(self, *arguments):
        millrace = self.run_to_end(*arguments, data=False, status=2)
        self.assertEqual('', millrace.stdout)
        return millrace.stderr

    def test_version_is_one_line_on_standard_output(self):
        millrace = self.run_to_end('-V', data=False)
        self.assertRegex(millrace.stdout, r'\Amillrace \d+\.\d+\.\d+\n\Z')

    def commands(self):
        listed = self.run_to_end('--help', data=False).stdout.split('\nCommands', 1)[1].split('\n\n')[0]
        return re.findall(r'^  (\w+) +\S', listed, re.M)

    def test_help_lists_the_commands(self):
        self.assertLessEqual({'run', 'generate', 'send', 'grok', 'plugins', 'help'}, set(self.commands()))
        texts = {self.run_to_end(*words, data=False).stdout
                 for words in (['--help'], ['-h'], ['help'], ['help', 'help'], ['help', 'run'], ['run', '--help'])}
        self.assertEqual(1, len(texts))

    def test_each_command_says_what_it_takes(self):
        for name in set(self.commands()) - {'run', 'help'}:
            with self.subTest(name):
                told = self.run_to_end('help', name, data=False).stdout
                self.assertRegex(told, rf'\Ausage: millrace {name}\b')
                self.assertEqual(told, self.run_to_end(name, '--help', data=False).stdout)

    def test_an_unknown_command_is_named_and_the_nearest_one_too(self):
        self.assertEqual("millrace: there is no command 'genrate'; did you mean 'generate'?; 'millrace help' lists them\n",
                         self.refuse('genrate'))
        self.assertEqual("millrace: there is no command 'ferment'; 'millrace help' lists them\n",
                         self.refuse('help', 'ferment'))

    def test_the_file_of_a_pipeline_needs_its_flag(self):
        path = self.write('pipeline.conf', 'input {}')
        self.assertEqual(f"error: unexpected argument '{path}'; use -f {path}\n", self.refuse(path))

    def test_without_anything_it_says_where_help_is(self):
        settings = self.folder / 'nothing'
        millrace = self.run_to_end('--path.settings', settings, status=1)
        self.assertIn("'millrace help' shows all commands and flags", millrace.stderr)

    def test_help_fits_a_terminal(self):
        texts = {name: self.run_to_end('help', name, data=False).stdout for name in self.commands()}
        for name, text in texts.items():
            for line in text.splitlines():
                self.assertLessEqual(len(line), 80, f'{name}: {line}')

    def test_help_has_nothing_that_does_nothing(self):
        text = self.run_to_end('help', data=False).stdout
        for name in ('api.environment', 'dead_letter_queue', 'queue.', 'config.debug', 'reload', 'batch.delay', 'unsafe_shutdown'):
            self.assertNotIn(name, text)

    def test_what_does_nothing_says_so(self):
        for flags in (('--config.debug',), ('--api.environment', 'x'),
                      ('--queue.checkpoint.acks', '1'), ('-u', '100')):
            with self.subTest(flags[0]):
                millrace = self.start('-t', '-e', '', *flags, data=False)
                millrace.wait()
                self.assertRegex(millrace.stderr, r"warning: setting '[\w.]+' has no effect: \w")

    def test_mistakes_in_the_flags_of_a_command(self):
        for words, told in ((('generate', '--cuont', '3'), "there is no flag '--cuont'; did you mean '--count'?"),
                            (('generate', '-x'), "there is no flag '-x'"),
                            (('store', '--path=x', 'y'), "unexpected argument 'y'"),
                            (('send', 'file'), '--to HOST:PORT is missing'), (('store',), '--path DIR is missing'),
                            (('demo', '--events'), "a value is missing after '--events'"),
                            (('completions', 'bash', 'zsh'), "unexpected argument 'zsh'")):
            with self.subTest(words):
                self.assertEqual(f"millrace {words[0]}: {told}\n'millrace help {words[0]}' says what it takes\n",
                                 self.refuse(*words))

    def test_of_two_files_the_last_one_counts_and_that_is_said(self):
        path = self.write('pipeline.conf', 'input { stdin { } }')
        millrace = self.run_to_end('-t', '-f', '/nowhere', '-f', path, data=False)
        self.assertEqual(f"warning: flag '--path.config' is given more than once: only the last one counts, '{path}'\n",
                         millrace.stderr)

    def test_the_text_of_a_pipeline_is_not_among_the_arguments_that_others_see(self):
        text = 'input { stdin { } } filter { fingerprint { method => "SHA256" key => "hunter2" } } output { null { } }'
        for words in (('-e', text), (f'-e{text}',), (f'--config.string={text}',)):
            with self.subTest(words[0][:16]):
                millrace = self.start(*words, stdin=True)
                millrace.wait_for_log('pipeline started')
                shown = pathlib.Path(f'/proc/{millrace.pid}/cmdline').read_bytes()
                self.assertNotIn(b'hunter2', shown)
                self.assertIn(b'***', shown)
                millrace.child.stdin.close()
                self.assertEqual(0, millrace.wait())

    def test_a_check_names_every_mistake_of_a_file_in_order(self):
        path = self.write('pipeline.conf', """\
input { stdin { codek => json } }
filter {
  mutate { add_feld => { "a" => "b" } }
  grok { match => { "message" => "%{NOPE}" } pattern_dir = "/x" }
  if [a] == { mutat { } }
  date { locale => "en" }
}
output { stdout { codec => rubydebug { metadate => true } }
""")
        told = self.run_to_end('-t', '-f', path, data=False, status=1).stderr
        self.assertEqual([('1', "unknown option 'codek'"), ('3', "unknown option 'add_feld'"), ('4', 'expected'),
                          ('5', 'expected'), ('5', "there is no filter plugin 'mutat'"), ('6', "filter 'date': match"),
                          ('8', 'this section is never closed'), ('8', "unknown option 'metadate'")],
                         re.findall(r"^\S+pipeline.conf:(\d+):\d+: error: (unknown option '\w+'|expected|this section is "
                                    r"never closed|there is no filter plugin '\w+'|filter 'date': match|.+)", told, re.M))
        self.assertTrue(told.endswith(f'\n8 errors in {path}\n'), told)

    def test_a_check_warns_once_of_what_is_allowed_and_never_meant(self):
        filters = ('filter { if [a] == ["b", "c"] { drop { } } if [a] in ["b"] { drop { } } grok { match => { "message" => '
                   '["%{IP:client %{NUMBER:n}", "%{IP:client} %{NUMBER:n"] } } }')
        wanted = ['only the first item of the list is compared; use',
                  '["b"] is a field whose name has quotes here, as in Logstash, and no list',
                  "filter 'grok': ' %{NUMBER:n' in a reference means nothing, as in Logstash; is a '}' missing",
                  "filter 'grok': '%{NUMBER:n' has no '}' and is matched as text, as in Logstash"]
        for words in (('-e', filters), ('-f', self.write('pipeline.conf', filters))):
            with self.subTest(words[0]):
                told = self.run_to_end('-t', *words, data=False).stderr
                warnings = re.findall('warning: (.*)', told)
                self.assertEqual(len(wanted), len(warnings), told)
                for want, warning in zip(wanted, warnings):
                    self.assertTrue(warning.startswith(want), warning)

    def test_errors_are_coloured_where_people_look(self):
        path = self.write('pipeline.conf', 'input { stdin { } }\nfilter { mutat { } }\n')
        check = ('-t', '-f', path)
        shown = self.on_terminal(*check, status=1)
        self.assertRegex(shown, '\x1b\\[1m.*\x1b\\[31merror: \x1b\\[0m')
        plain = self.run_to_end(*check, data=False, status=1).stderr
        self.assertEqual(plain, re.sub('\x1b\\[\\d+m', '', shown))
        self.assertEqual(plain, self.on_terminal(*check, env={'NO_COLOR': '1'}, status=1))
        self.assertEqual(plain, self.on_terminal(*check, env={'TERM': 'dumb'}, status=1))
        self.assertEqual(shown, self.run_to_end(*check, data=False, status=1, env={'CLICOLOR_FORCE': '1'}).stderr)

    def test_levels_of_the_log_are_coloured_on_a_terminal(self):
        run = ('-e', 'input { generator { count => 1 } } output { null { } }')
        self.assertRegex(self.on_terminal(*run), '\\]\\[\x1b\\[32mINFO \x1b\\[0m\\]\\[millrace\\] pipeline started')
        self.assertNotIn('\x1b', self.on_terminal(*run, env={'NO_COLOR': '1'}))
        self.assertNotIn('\x1b', self.on_terminal(*run, '--log.format', 'json'))

    def test_rubydebug_is_coloured_on_a_terminal(self):
        run = ('-e', 'input { generator { count => 1 message => "text" } } output { stdout { } }', '--log.level', 'error')
        self.assertIn('"message" => \x1b[33m"text"\x1b[0m', self.on_terminal(*run))
        self.assertNotIn('\x1b', self.on_terminal(*run, env={'NO_COLOR': '1'}))
        self.assertNotIn('\x1b', self.run_to_end(*run).stdout)
        out = self.folder / 'out.txt'
        self.on_terminal('-e', f'input {{ generator {{ count => 1 }} }} output {{ file {{ path => "{out}" codec => rubydebug }} }}')
        self.assertNotIn('\x1b', out.read_text())

    def test_where_the_locale_knows_only_ascii_nothing_else_is_printed(self):
        path = self.write('pipeline.conf', 'input { stdin { } }\nfilter { mutate { add_tag => ["' + 'x' * 90 + '"] b => ; } }\n')
        told = self.on_terminal('-t', '-f', path, env={'LC_ALL': 'C'}, status=1)
        self.assertTrue(told.isascii(), told)
        self.assertIn('...', told)


if __name__ == '__main__':
    unittest.main()
