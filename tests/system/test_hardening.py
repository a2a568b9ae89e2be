# SPDX-License-Identifier: Apache-2.0
"""What makes an attack on the process harder: how the program is built, what its service may do, who may read its files and
its memory, and what it says of masks that do not hold."""
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess
import unittest

import certificates
import support

SANITIZED = 'MILLRACE_SANITIZED' in os.environ
UNITS = sorted((support.ROOT / 'deploy/systemd').glob('*.service'))
PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO = 2, 3, 0x6474e551, 0x6474e552
DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_RPATH, DT_TEXTREL, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 1, 5, 6, 15, 22, 24, 29, 30, 0x6ffffffb


class Elf:
    """The program headers, the dynamic section and the names of dynamic symbols of a 64-bit little-endian file."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        assert self.data[:6] == b'\x7fELF\x02\x01', 'a 64-bit little-endian ELF file'
        self.type = struct.unpack_from('<H', self.data, 16)[0]
        start, = struct.unpack_from('<Q', self.data, 32)
        size, count = struct.unpack_from('<HH', self.data, 54)
        self.segments = [struct.unpack_from('<IIQQQQQQ', self.data, start + i * size) for i in range(count)]
        _, _, offset, _, _, length, *_ = self.segment(PT_DYNAMIC)
        entries = [struct.unpack_from('<qQ', self.data, at) for at in range(offset, offset + length, 16)]
        self.dynamic = dict(entries)
        self.needed = {self.string(value) for tag, value in entries if tag == DT_NEEDED}

    def segment(self, kind):
        found = [segment for segment in self.segments if segment[0] == kind]
        return found[0] if found else None

    def offset(self, address):
        for kind, _, offset, virtual, _, length, *_ in self.segments:
            if kind == 1 and virtual <= address < virtual + length:
                return offset + address - virtual
        raise AssertionError(f'no segment has {address:#x}')

    def string(self, index):
        start = self.offset(self.dynamic[DT_STRTAB]) + index
        return self.data[start:self.data.index(b'\0', start)].decode()

    def symbols(self):
        """Of the text between the symbol table and the end of the strings: every name that is there."""
        strings = self.offset(self.dynamic[DT_STRTAB])
        end = strings + self.dynamic[10]
        return {name.decode() for name in self.data[strings:end].split(b'\0')}


class Program(unittest.TestCase):
    def test_it_is_hardened(self):
        if SANITIZED:
            return  # sanitizers bring their own
        elf = Elf(support.BINARY)
        self.assertEqual(3, elf.type, 'position independent')
        self.assertIsNotNone(elf.segment(PT_INTERP))
        self.assertTrue(elf.dynamic.get(DT_FLAGS_1, 0) & 0x08000000, 'an executable that is position independent')
        self.assertIsNotNone(elf.segment(PT_GNU_RELRO))
        now = DT_BIND_NOW in elf.dynamic or elf.dynamic.get(DT_FLAGS, 0) & 8 or elf.dynamic.get(DT_FLAGS_1, 0) & 1
        self.assertTrue(now, 'everything is bound at the start, so that RELRO covers all of it')
        self.assertFalse(elf.segment(PT_GNU_STACK)[1] & 1, 'no code on the stack')
        for tag in (DT_RPATH, DT_RUNPATH, DT_TEXTREL):
            self.assertNotIn(tag, elf.dynamic)
        symbols = elf.symbols()
        self.assertIn('__stack_chk_fail', symbols)
        for name in ('__memcpy_chk', '__snprintf_chk', '__vsnprintf_chk'):
            self.assertIn(name, symbols)

    def test_only_what_updates_must_reach_at_once_is_shared(self):
        # each library more is time at every start (docs/install.md has the list of what is linked in)
        if SANITIZED:
            return
        self.assertEqual({'libcrypto.so.3', 'libssl.so.3', 'libc.so.6', 'libm.so.6'},
                         Elf(support.BINARY).needed - {'ld-linux-x86-64.so.2'})

    def test_no_segment_is_writable_and_executable(self):
        for kind, flags, *_ in Elf(support.BINARY).segments:
            self.assertFalse(kind == 1 and flags & 1 and flags & 2)


class Units(unittest.TestCase):
    def test_their_sandbox_is_tight(self):
        support.need_command('systemd-analyze', 'it judges the units')
        self.assertEqual(2, len(UNITS))
        for unit in UNITS:
            done = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', unit], capture_output=True, text=True)
            level = re.search(r'Overall exposure level for \S+: ([\d.]+)', done.stdout)
            if not level:
                self.skipTest(f'systemd-analyze cannot judge a file here: {done.stderr.strip()[:200]}')
            self.assertLessEqual(float(level[1]), 2.0, unit.name)


class Secrets(support.Case):
    def test_memory_is_private(self):
        if SANITIZED:
            return
        millrace = self.start('-e', 'input { heartbeat { } } output { null { } }')
        millrace.wait_for_log('pipeline started')
        limits = pathlib.Path(f'/proc/{millrace.pid}/limits').read_text()
        self.assertRegex(limits, r'Max core file size +0 +0 ')
        millrace.signal(signal.SIGTERM)
        self.assertEqual(0, millrace.wait())

    def test_core_dumps_can_be_asked_for(self):
        before = resource.getrlimit(resource.RLIMIT_CORE)
        millrace = self.start('-e', 'input { heartbeat { } } output { null { } }', env={'MILLRACE_CORE_DUMPS': '1'})
        millrace.wait_for_log('pipeline started')
        shown = re.search(r'Max core file size +(\S+)', pathlib.Path(f'/proc/{millrace.pid}/limits').read_text())[1]
        self.assertEqual('unlimited' if before[0] == resource.RLIM_INFINITY else str(before[0]), shown)
        millrace.signal(signal.SIGTERM)
        self.assertEqual(0, millrace.wait())

    def test_a_key_that_everyone_can_read_is_refused(self):
        authority = certificates.Authority(self.folder)
        pair = authority.issue('server')
        said = 'everyone on this machine may read it (mode 0644): chmod 600'
        files = f'ssl_certificate => "{pair.certificate}" ssl_key => "{pair.key}"'
        client = f'output {{ http {{ url => "https://127.0.0.1:1" http_method => post {files} }} }}'
        server = f'input {{ tcp {{ port => {support.free_port()} host => "127.0.0.1" ssl_enabled => true {files} }} }} output {{ null {{ }} }}'
        pair.key.chmod(0o644)
        for pipeline in (client, server):
            done = self.run_to_end('-e', pipeline, status=1)
            self.assertIn(said, done.stderr)
        pair.key.chmod(0o640)
        done = subprocess.run([support.BINARY, '-t', '-e', client], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)


class Masks(support.Case):
    def warnings(self, filters, *flags):
        done = subprocess.run([support.BINARY, '-t', '-e', f'filter {{ {filters} }}', *flags], capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return re.findall(r'warning: (.*is masked.*)', done.stderr)

    def test_an_original_that_stays_is_said(self):
        json, mask = 'json { source => "message" }', 'mutate { gsub => [ "user", "(.).*", "\\1***" ] }'
        self.assertEqual(['[user] is masked, but its original stays in [message] and [event][original]: '
                          'add remove_field => ["message", "[event][original]"] to the filter \'json\' on line 1'],
                         self.warnings(f'{json} {mask}'))
        self.assertIn('stays in [message]: add remove_field => ["message"] ',
                      self.warnings(f'{json} {mask}', '--pipeline.ecs_compatibility', 'disabled')[0])
        for reader in ('grok { match => { "message" => "%{WORD:user}" } }', 'dissect { mapping => { "message" => "%{user} %{x}" } }',
                       'kv { }', 'csv { }', 'json { source => "[event][original]" }'):
            for masking in (mask, 'fingerprint { source => ["user"] target => "user" }', 'mutate { replace => { "user" => "MASKED" } }'):
                self.assertEqual(1, len(self.warnings(f'if [a] {{ {reader} }} {masking}')), f'{reader} {masking}')

    def test_what_is_taken_care_of_is_not(self):
        json, mask = 'json { source => "message" }', 'mutate { gsub => [ "user", "(.).*", "\\1***" ] }'
        both = '"message", "[event][original]"'
        for filters in (f'json {{ source => "message" remove_field => [ {both} ] }} {mask}', f'{json} {mask} mutate {{ remove_field => [ {both} ] }}',
                        f'{json} {mask} mutate {{ remove_field => [ "[message]", "event" ] }}', f'{json} {mask} prune {{ whitelist_names => [ "user" ] }}',
                        f'{json} {mask} ruby {{ code => "event.remove(\'message\'); event.remove(\'[event][original]\')" }}', mask, json,
                        f'{json} mutate {{ gsub => [ "user", " ", "_" ] }}',
                        f'json {{ source => "body" }} {mask}', 'mutate { gsub => [ "message", "[0-9]", "**" ] }'):
            self.assertEqual([], self.warnings(filters), filters)

    def test_the_payment_pipeline_has_one(self):
        done = subprocess.run([support.BINARY, '-t', '-f', support.ROOT / 'deploy/pipelines/payment.conf'], capture_output=True, text=True)
        self.assertEqual((0, 'Configuration OK\n'), (done.returncode, done.stdout))
        self.assertIn('[userId] is masked, but its original stays in [message] and [event][original]: add remove_field => ["message", '
                      '"[event][original]"] to the filter \'json\' on line 10', done.stderr)


class Files(support.Case):
    def test_maps_of_events_are_private(self):
        path = self.folder / 'maps'
        self.run_to_end('-e', f'''input {{ stdin {{ }} }} output {{ null {{ }} }}
            filter {{ aggregate {{ task_id => "%{{message}}" code => "map['secret'] = 1" aggregate_maps_path => "{path}" }} }}''', stdin=b'a\n')
        self.assertEqual(0o600, path.stat().st_mode & 0o777)


if __name__ == '__main__':
    unittest.main()
