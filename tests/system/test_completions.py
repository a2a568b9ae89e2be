# SPDX-License-Identifier: Apache-2.0
"""The scripts of `millrace completions`, run by the shells that they are for."""
import re
import subprocess
import unittest

import support

# Types a line and a tab in a zsh of its own and prints what it offers.
ZSH_PROBE = r"""
zmodload zsh/zpty
zpty probe zsh -f -i
zpty -w probe 'PS1=; PROMPT_SP=; unsetopt prompt_cr prompt_sp zle_bracketed_paste; stty -echo 2>/dev/null'
zpty -w probe "fpath=($FOLDER \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w probe "compadd() {
    if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd \"\$@\"; return; fi
    typeset -a __hits; builtin compadd -A __hits \"\$@\"; builtin compadd \"\$@\"
    print -r -- \"HIT \${(j: :)__hits}\" >>$FOLDER/hits
}"
zpty -w probe "bindkey '^I' complete-word; zle -C complete-word complete-word _main_complete"
zpty -w probe "finish() { print -r -- END >>$FOLDER/hits }; zle -N finish; bindkey '^F' finish"
zpty -w -n probe "$LINE"$'\t'
zpty -w -n probe $'\x06'
while ! grep -q END $FOLDER/hits 2>/dev/null; do zpty -r -t probe chunk || sleep 0.05; done
zpty -d probe
"""


def script_for(shell):
    return subprocess.run([support.BINARY, 'completions', shell], capture_output=True, text=True, check=True).stdout


class Completions(support.Case):
    def setUp(self):
        super().setUp()
        (self.folder / 'pipe.conf').touch()
        (self.folder / 'two words.conf').touch()
        (self.folder / 'folder').mkdir()

    def shell(self, *command):
        support.need_command(command[0], 'its completions are tried in it')
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=self.folder,
                              stdin=subprocess.DEVNULL, timeout=60 * support.PATIENCE)
        self.assertEqual('', done.stderr)
        return done.stdout

    def check_offers(self, offers):
        """The same for every shell: offers(line) lists the words that may follow."""
        self.assertLessEqual({'run', 'send', 'plugins', 'completions', 'help'}, set(offers('millrace ')))
        self.assertEqual(['generate'], offers('millrace gen'))
        self.assertEqual(['--log.format', '--log.level', '--log.progress'], offers('millrace --log.'))
        self.assertEqual(['debug'], offers('millrace --log.level de'))
        self.assertEqual(['disabled', 'v1', 'v8'], offers('millrace -t --pipeline.ecs_compatibility '))
        self.assertEqual(['--rate'], offers('millrace generate --ra'))
        self.assertEqual(['filter/grok'], offers('millrace plugins filter/gr'))
        self.assertEqual(['bash', 'fish', 'zsh'], offers('millrace completions '))
        self.assertEqual(['send'], offers('millrace help sen'))
        self.assertEqual(['pipe.conf'], offers('millrace -f pi'))
        self.assertEqual(['folder'], [word.rstrip('/') for word in offers('millrace --path.data ')])

    def test_bash(self):
        script = self.write('script', script_for('bash'))

        def offers(line):
            words = re.findall(r'=|[^\s=]+', line) + ([''] if line[-1] in ' ' else [])
            quoted = ' '.join(f"'{word}'" for word in words)
            return sorted(self.shell('bash', '--norc', '-c', f'source {script}; COMP_WORDS=({quoted}); '
                          'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _millrace; printf "%s\\n" "${COMPREPLY[@]}"').split('\n')[:-1])
        self.check_offers(offers)
        self.assertEqual(['debug'], offers('millrace --log.level=de'))
        self.assertEqual(['auto', 'false', 'true'], offers('millrace --pipeline.ordered='))
        self.assertEqual(['two words.conf'], offers('millrace -f two'))
        self.assertEqual([''], offers('millrace -e inp'))
        registered = self.shell('bash', '--norc', '-c', f'source {script}; complete -p millrace')
        self.assertEqual('complete -F _millrace millrace\n', registered)

    def test_fish(self):
        script = self.write('script', script_for('fish'))
        self.check_offers(lambda line: sorted(word.split('\t')[0] for word in self.shell(
            'fish', '--no-config', '-c', f"source {script}; complete -C '{line}'").splitlines()))

    def test_zsh(self):
        self.write('_millrace', script_for('zsh'))

        def offers(line):
            hits = self.folder / 'hits'
            hits.unlink(missing_ok=True)
            self.shell('zsh', '-f', '-c', f'FOLDER={self.folder} LINE="{line}"\n{ZSH_PROBE}')
            words = {word for text in re.findall(r'^HIT (.*)$', hits.read_text(), re.M) for word in text.split()}
            return sorted(words)
        self.check_offers(offers)

    def test_there_is_no_script_for_other_shells(self):
        told = self.run_to_end('completions', 'tcsh', data=False, status=2)
        self.assertIn("there is no script for 'tcsh'", told.stderr)
        self.run_to_end('completions', data=False, status=2)

    def test_every_flag_of_the_help_is_known_to_each_script(self):
        listed = set(re.findall(r'--([a-z][\w.]*)', self.run_to_end('help', data=False).stdout.split('\nFlags', 1)[1]))
        listed -= {'no'}
        for shell in ('bash', 'fish', 'zsh'):
            script = script_for(shell)
            for flag in listed:
                self.assertRegex(script, rf'(--|-l ){re.escape(flag)}\b', shell)


if __name__ == '__main__':
    unittest.main()
