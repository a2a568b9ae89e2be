# SPDX-License-Identifier: Apache-2.0
"""docs/reference/ is what the option tables say; ./dev docs writes it anew. The grok and plugins commands."""
import json
import re
import subprocess
import unittest

import support

REFERENCE = support.ROOT / 'docs/reference'


def output_of(*arguments, status=0, stdin=''):
    done = subprocess.run([support.BINARY, *arguments], input=stdin, capture_output=True, text=True)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def plugins():
    """SECTION/NAME of everything that is built in."""
    section = None
    for line in output_of('plugins').splitlines():
        if line.startswith('  '):
            yield f'{section}/{line.split()[0]}'
        else:
            section = line[:-1]


class Reference(support.Case):
    def test_every_plugin_has_its_page_as_its_table_is(self):
        named = list(plugins())
        self.assertGreater(len(named), 20)
        for plugin in named:
            page = REFERENCE / f'{plugin}.md'
            self.assertTrue(page.exists(), f'{page} is missing: run ./dev docs')
            self.assertEqual(output_of('plugins', '--markdown', plugin), page.read_text(), f'{page} is old: run ./dev docs')

    def test_the_page_of_grok_patterns_is_as_their_tables_are(self):
        page = REFERENCE / 'grok-patterns.md'
        self.assertEqual(output_of('grok', '--list', '--markdown'), page.read_text(), f'{page} is old: run ./dev docs')

    def test_there_is_no_page_without_a_plugin(self):
        pages = {str(page.relative_to(REFERENCE).with_suffix('')) for page in REFERENCE.glob('*/*.md')}
        self.assertEqual(set(plugins()), pages)

    def test_every_option_has_a_description(self):
        for plugin in plugins():
            for row in re.findall(r'^\| `(.*)$', output_of('plugins', '--markdown', plugin), re.M):
                cells = re.split(r'(?<!\\)\|', row)
                self.assertGreater(len(cells[3].strip()), 3, f'{plugin}: {row}')


def blocks(page):
    """(language, text) of each fenced block."""
    return re.findall(r'^```(\w+)\n(.*?)^```$', page, re.M | re.S)


class Examples(support.Case):
    """Every page opens with an example, and it does what the page says."""

    def test_every_page_opens_with_one(self):
        for plugin in plugins():
            page = (REFERENCE / f'{plugin}.md').read_text()
            self.assertRegex(page, r'\A# [^\n]+\n\n[^\n]*\n\n```logstash\n', f'{plugin} has no example in cmd/examples.c')

    def test_every_configuration_is_taken(self):
        for plugin in plugins():
            language, config = blocks((REFERENCE / f'{plugin}.md').read_text())[0]
            self.assertEqual('logstash', language)
            rest = '' if config.startswith('input') else 'input { generator { count => 1 } } '
            done = subprocess.run([support.BINARY, '-t', '-e', rest + config], capture_output=True, text=True, cwd=self.folder)
            if plugin in ('filter/useragent',) and 'uap-core' in done.stderr:
                continue  # a file of the system that need not be there
            if plugin == 'input/lumberjack' and "'/etc/millrace/server.pem': No such file" in done.stderr:
                continue  # it is always TLS, and the certificate is the user's
            self.assertEqual(0, done.returncode, plugin + done.stderr)

    def test_events_become_what_is_shown(self):
        shown = 0
        for plugin in plugins():
            (_, config), *rest = blocks((REFERENCE / f'{plugin}.md').read_text())
            if not rest:
                continue
            (_, given), (_, expected) = rest
            shown += 1
            if plugin.startswith('filter'):
                config = 'input { stdin { codec => json_lines } } ' + config
            out = self.run_to_end('-e', config + ' output { stdout { codec => json_lines } }', stdin=given.encode())
            events = [json.loads(line) for line in out.stdout.splitlines()]
            self.assertEqual(1, len(events), plugin)
            for name in ('@timestamp', '@version', 'host', 'event'):
                events[0].pop(name, None)
            self.assertEqual(json.loads(expected), events[0], plugin)
        self.assertGreater(shown, 30)


class Compatibility(support.Case):
    def test_the_page_is_as_the_table_is(self):
        self.assertEqual(output_of('plugins', '--compatibility'), (support.ROOT / 'docs/compatibility.md').read_text(),
                         'docs/compatibility.md is old: run ./dev docs')

    def test_it_counts_every_bundled_plugin_and_links_what_is_here(self):
        page = output_of('plugins', '--compatibility')
        rows = re.findall(r'^\| (?:\[)?`(\w+)`.* \| (whole|with differences|planned|no) \|', page, re.M)
        counts = [int(number) for number in re.search(r'bundles (\d+) .*\n(\d+) are here whole, (\d+) .* (\d+) are planned and (\d+)', page).groups()]
        self.assertEqual(counts[0], len(rows))
        self.assertEqual(counts[1:], [sum(state == name for _, state in rows) for name in ('whole', 'with differences', 'planned', 'no')])
        for link in re.findall(r'\]\((reference/[^)]*)\)', page):
            self.assertTrue((support.ROOT / 'docs' / link).exists(), link)

    def test_what_is_not_here_says_the_same_everywhere(self):
        page = output_of('plugins', '--compatibility')
        advice = re.search(r'^\| `jms` \| no \|  \|  \| (.*) \|$', page, re.M)[1]
        self.assertIn(advice, subprocess.run([support.BINARY, 'plugins', 'jms'], capture_output=True, text=True).stderr)
        self.assertIn(advice, subprocess.run([support.BINARY, '-t', '-e', 'input { jms { } }'], capture_output=True, text=True).stderr)


class AbsentPlugins(unittest.TestCase):
    """What Logstash has and millrace has not: what to do instead, never by what is not there either."""
    NAMES = {'input': 'tcp udp http syslog jdbc redis s3 pipeline', 'filter': 'aggregate elapsed metrics http jdbc_streaming',
             'output': 'tcp email redis s3 pipeline', 'codec': 'gzip_lines es_bulk'}

    def test_each_says_what_to_do_instead(self):
        there = set(plugins())
        for section, names in self.NAMES.items():
            for name in names.split():
                if f'{section}/{name}' in there:
                    continue
                text = f'{section} {{ {name} {{ }} }}' if section != 'codec' else f'input {{ stdin {{ codec => {name} }} }}'
                done = subprocess.run([support.BINARY, '-t', '-e', text], capture_output=True, text=True)
                self.assertEqual(1, done.returncode)
                advice = re.search(rf"{section} '{name}' is not supported: (.+)", done.stderr)
                self.assertTrue(advice, done.stderr)
                for kind, other in re.findall(r"(input|filter|output|codec) '(\w+)'", advice[1]):
                    self.assertIn(f'{kind}/{other}', there, advice[0])


class GrokCommand(support.Case):
    def test_a_match_shows_what_was_captured(self):
        shown = output_of('grok', '%{IP:client} %{NUMBER:bytes:int}', '10.0.0.1 17')
        self.assertRegex(shown, r'^match: bytes 0\.\.11 of 11, [1-9]\d* steps\n')
        self.assertIn('client = 10.0.0.1\n', shown)
        self.assertIn('bytes  = 17 (int)\n', shown)

    def test_a_failure_names_the_piece_that_stopped_it(self):
        shown = output_of('grok', '%{IP:client} %{WORD:verb} %{NUMBER:bytes}', '10.0.0.1 GET x', status=1)
        self.assertEqual(['  stopped by  %{NUMBER:bytes}',
                          '  behind      %{IP:client} %{WORD:verb} ',
                          '  text        10.0.0.1 GET x',
                          '                           ^ byte 13 of 14'], shown.splitlines()[1:])

    def test_a_failure_is_followed_into_patterns(self):
        line = '127.0.0.1 - kim [10/Oct/2000:13:5x:36 -0700] "GET / HTTP/1.0" 200 26 "-" "x"'
        shown = output_of('grok', '%{COMBINEDAPACHELOG}', line, status=1)
        self.assertEqual(['  stopped by  %{MINUTE}',
                          '  inside      … %{HTTPD_COMMONLOG} %{HTTPDATE:timestamp} %{TIME}',
                          '  behind      %{HOUR}:',
                          f'  text        {line[:62]}…',
                          '                                              ^ byte 32 of 76'], shown.splitlines()[1:])

    def test_a_failure_is_followed_into_the_alternative_that_got_furthest(self):
        shown = output_of('grok', '%{NAGIOSLOGLINE}', '[1709539200] HOST ALERT: web01;DOWN;HARD;x;t', status=1)
        self.assertIn('  stopped by  %{INT:[nagios][log][attempt]:int}\n  inside      %{NAGIOSLOGLINE} %{NAGIOS_HOST_ALERT}\n',
                      shown)
        shown = output_of('grok', 'x(?:ab%{INT}|ab(?:c%{WORD:w}|d))', 'xabc-', status=1)
        self.assertIn('  stopped by  %{WORD:w}\n', shown)

    def test_the_list_has_both_sets(self):
        names = output_of('grok', '--list').split()
        self.assertLessEqual({'COMBINEDAPACHELOG', 'CISCOFW106100', 'ZEEK_CONN(ecs)', 'NAGIOSLOGLINE'}, set(names))
        self.assertGreater(len(names), 400)

    def test_steps_grow_with_what_is_tried(self):
        steps = [int(re.match(r'no match, (\d+) steps', output_of('grok', '^(a+)+$', 'a' * count + 'b', status=1)).group(1))
                 for count in (8, 12)]
        self.assertGreater(steps[1], 8 * steps[0])
        shown = output_of('grok', '^(a+)+$', 'a' * 40 + 'b', status=1)
        self.assertIn('given up, more than 10000000 steps\n', shown)

    def test_no_line_is_wider_than_a_terminal_and_nothing_steers_it(self):
        shown = output_of('grok', '%{WORD}' + ' %{WORD:x}' * 20 + ' %{INT:n}', ' é\x1b[2Jx' * 40 + ' ' + 'w ' * 90, status=1)
        self.assertLessEqual(max(len(line) for line in shown.splitlines()), 80)
        self.assertNotIn('\x1b', shown + output_of('grok', '%{GREEDYDATA:x}', 'a\x1b[2J\x9b1mb'))

    def test_lines_of_standard_input(self):
        shown = output_of('grok', '^%{INT:n}$', stdin='12\n13\nx\n', status=1)
        self.assertEqual(2, shown.count('match: bytes'))

    def test_an_unknown_pattern_is_refused(self):
        output_of('grok', '%{NOSUCH}', 'x', status=1)


if __name__ == '__main__':
    unittest.main()
