# SPDX-License-Identifier: Apache-2.0
"""Every command and every pipeline of README.md and docs/ is run, and what they show compared; links lead somewhere.
documents.py says what a block is. The blocks of a page are one session: in their order, in one folder that has
deploy/, docs/ and build/millrace as the project has. With MILLRACE_DOCS_WRITE=1 what the pages show is written anew."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import documents
import search_stub
import support

WRITE = bool(os.environ.get('MILLRACE_DOCS_WRITE'))
LANGUAGES = ('sh', 'console', 'logstash', 'json', 'yaml', 'text', 'ini', 'ruby', 'xml', 'dockerfile')
ELSEWHERE = re.compile(r'^(?:https?|mailto):')
# Ports that documents write out, and of a pipeline's own. While a page is run each is another, free one, so that pages do
# not wait for each other; where a page starts no server itself, a stand-in for Elasticsearch or the alert sink is there.
PORT = re.compile(r'\b(127\.0\.0\.1|localhost):(\d{4,5})\b(?!:\d)')
PIPELINE_WITH_PORT = '-f deploy/pipelines/payment.conf'
STAND_INS = ('9200', '9093')
SECONDS = 60


def commands(text):
    """(command, what it prints) of a console block."""
    for part in re.split(r'^\$ ', text, flags=re.M)[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while count < len(lines) and lines[count].startswith('> '):
            count += 1
        yield lines[0] + ''.join(line[2:] for line in lines[1:count]), ''.join(lines[count:])


def as_pattern(shown, numbers_differ):
    """A regular expression for what a block shows."""
    shown = re.sub(r'\d{4}-\d\d-\d\dT[\d:.,]+Z?', '\0', shown)
    parts = re.split(r'(^…\n|…|\0|\d[\d,.]*)' if numbers_differ else r'(^…\n|…|\0)', shown, flags=re.M)
    meant = {'…\n': r'(?:.*\n)*', '…': '.*', '\0': r'\d{4}-\d\d-\d\dT[\d:.,]+Z?'}
    return ''.join(re.escape(part) if number % 2 == 0 else meant.get(part, r'\d[\d,.]*') for number, part in enumerate(parts))


class Session(support.Case):
    """One page."""

    def setUp(self):
        super().setUp()
        self.place = self.folder / 'place'
        (self.place / 'build').mkdir(parents=True)
        (self.place / 'build/millrace').symlink_to(support.BINARY)
        for name in ('deploy', 'docs', 'bench', 'README.md'):
            (self.place / name).symlink_to(support.ROOT / name)
        self.environment = {**os.environ, 'HOME': str(self.folder), 'XDG_STATE_HOME': str(self.folder / 'state'),
                            'PATH': f'{self.place}/build:{os.environ["PATH"]}'}
        self.background, self.ports = [], {}

    def serve_ports(self, text):
        for port in {match[2] for match in PORT.finditer(text)} | {'5044'}:
            if port in STAND_INS and f'--listen 127.0.0.1:{port}' not in text:
                stand_in = search_stub.SearchStub()
                self.addCleanup(stand_in.close)
                self.ports[port] = stand_in.port
            else:
                self.ports[port] = support.free_port()

    def with_ports(self, command):
        if PIPELINE_WITH_PORT in command and '-t ' not in command and '--listen-at' not in command:
            command = command.replace(PIPELINE_WITH_PORT, f'{PIPELINE_WITH_PORT} --listen-at 5044:127.0.0.1:5044')
        return PORT.sub(lambda match: f'{match[1]}:{self.ports[match[2]]}', command)

    def as_written(self, output):
        """What was printed, with the ports that the page has, and without where this is."""
        for written, port in self.ports.items():
            output = re.sub(rf'\b{port}\b', written, output)
        output = output.replace(str(self.place), '.')
        return output if not output or output.endswith('\n') else output + '\n'

    def shell(self, command):
        done = subprocess.run(['sh', '-c', self.with_ports(command)], cwd=self.place, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS * support.PATIENCE)
        output = done.stdout.decode('utf-8', 'replace')
        if support.SANITIZER_REPORT.search(output):
            self.fail(f'a sanitizer reported:\n{output[-8000:]}')
        return done.returncode, self.as_written(output)

    def stay(self, block, command):
        """Starts what stays; it belongs to the session until the page ends."""
        path = self.folder / f'background.{len(self.background)}'
        with open(path, 'wb') as output:
            child = subprocess.Popen(['sh', '-c', f'exec {self.with_ports(command)}'], cwd=self.place, env=self.environment,
                                     stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        self.background.append((child, path, command))

        def is_ready():
            said = path.read_text('utf-8', 'replace')
            if block.argument not in said and child.poll() is not None:
                raise AssertionError(f'it ended with {child.returncode}:\n{said}')
            return block.argument in said
        support.wait_until(is_ready, f"'{block.argument}' of {command}")

    def end_background(self, check=True):
        while self.background:
            child, path, command = self.background.pop()
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            status = child.wait(SECONDS)
            if check:
                self.assertEqual(0, status, f'{command}\n{path.read_text("utf-8", "replace")}')

    def do_sh(self, block):
        if block.kind == 'background':
            self.stay(block, block.text.strip())
            return
        status, output = self.shell(f'set -e\n{block.text}')
        self.assertEqual(0, status, output)

    def do_console(self, block):
        shown = ''
        for command, wanted in commands(block.text):
            _, output = self.shell(command)
            prompt = '$ ' + command.replace('\n', '\n> ', command.count('\n') - 1)
            if WRITE and '…' not in wanted:
                shown += prompt + output
                continue
            shown += prompt + wanted
            if not re.fullmatch(as_pattern(wanted, block.kind == 'numbers differ'), output):
                self.assertEqual(wanted, output, command)
        return shown

    def do_logstash(self, block):
        text = f'{block.argument} {{\n{block.text}}}\n' if block.kind == 'part' else block.text
        pipeline = self.write('pipeline.conf', text)
        status, output = self.shell(f'PSEUDONYM_KEY=x GEOIP_DATABASE=/dev/null millrace -t -f {pipeline}')
        self.assertEqual(1 if block.kind == 'refused' else 0, status, output)

    def do(self, block):
        if block.kind == 'not run':
            return None
        if block.kind == 'tested by':
            said = (support.ROOT / block.argument).read_text('utf-8')
            for line in block.text.split('\n'):
                words = line.split('#')[0].strip()
                self.assertTrue(not words or words in said, f'{block.argument} does not name: {words}')
            return None
        if block.kind == 'saved as' or block.kind == 'refused' and block.argument:
            path = self.place / block.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, 'utf-8')
        run = getattr(self, f'do_{block.language}', None)
        return run(block) if run else None

    def run_page(self, page):
        written = {}
        content = page.read_text('utf-8')
        listed = list(documents.blocks(page))
        runnable = ''.join(block.text for block in listed if block.kind not in ('not run', 'tested by'))
        self.serve_ports(runnable)
        self.addCleanup(self.end_background, False)
        for block in listed:
            with self.subTest(f'{documents.name_of(page)}:{block.line}'):
                result = self.do(block)
                if WRITE and result is not None:
                    written[block] = result
        self.end_background()
        for block in sorted(written, key=lambda block: -block.start):
            content = content[:block.start] + written[block] + content[block.end:]
        if written:
            page.write_text(content, 'utf-8')


class Pages(unittest.TestCase):
    maxDiff = 4000

    def each(self):
        for page in documents.pages():
            yield page, documents.name_of(page)

    def test_every_block_says_what_it_is(self):
        for page, name in self.each():
            for block in documents.blocks(page):
                self.assertIn(block.language, LANGUAGES, f'{name}:{block.line}')

    def test_no_block_is_indented_only(self):
        for page, name in self.each():
            text = documents.FENCE.sub('', page.read_text('utf-8'))
            self.assertNotRegex(text, r'\n\n    \S', f'{name}: a block needs a fence that says what it is')

    def test_blocks_are_what_the_files_say(self):
        for page, name in self.each():
            if WRITE:
                documents.write(page)
            for block in documents.blocks(page):
                wanted = documents.wanted(block)
                if wanted is not None:
                    self.assertEqual(wanted, block.text, f'{name}:{block.line} is old: run ./dev docs')

    def test_the_picture_of_a_terminal_is_what_is_printed(self):
        kept = support.ROOT / 'docs/pictures/terminal.svg'
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder) / 'terminal.svg'
            subprocess.run([sys.executable, support.ROOT / 'docs/pictures/terminal.py', support.BINARY, made], check=True,
                           timeout=SECONDS * support.PATIENCE)
            self.assertEqual(made.read_text('utf-8'), kept.read_text('utf-8'), 'the picture is old: run ./dev docs')

    def test_the_readme_is_short(self):
        self.assertLessEqual(len((support.ROOT / 'README.md').read_text('utf-8').splitlines()), 150)

    def test_links_lead_somewhere(self):
        pages = [*self.each(), (support.ROOT / 'CONTRIBUTING.md', 'CONTRIBUTING.md'), (support.ROOT / 'bench/README.md', 'bench/README.md')]
        for page, name in pages:
            for line, target in documents.links(page):
                if ELSEWHERE.match(target):
                    continue
                path, _, anchor = target.partition('#')
                found = (page.parent / path).resolve() if path else page
                self.assertTrue(found.exists(), f'{name}:{line}: {target} is not there')
                self.assertTrue(found.is_relative_to(support.ROOT), f'{name}:{line}: {target} is outside')
                if anchor:
                    self.assertIn(anchor, list(documents.anchors(found)), f'{name}:{line}: {target}')

    def test_every_page_is_linked_from_another(self):
        linked = {(page.parent / target.partition('#')[0]).resolve() for page, _ in self.each()
                  for _, target in documents.links(page) if not ELSEWHERE.match(target)}
        for page, name in self.each():
            self.assertTrue(name == 'README.md' or page in linked, f'no page leads to {name}')


def add_test(page):
    def test(self):
        self.run_page(page)
    setattr(Session, 'test_' + re.sub(r'\W+', '_', documents.name_of(page)[:-len('.md')]).lower(), test)


for one_page in documents.pages():
    add_test(one_page)


if __name__ == '__main__':
    unittest.main()
