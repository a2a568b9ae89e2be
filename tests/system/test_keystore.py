# SPDX-License-Identifier: Apache-2.0
"""`millrace keystore`, and what pipelines take from it."""
import os
import pty
import select
import subprocess
import unittest

import support

PIPELINE = 'input { stdin { } } filter { mutate { add_field => { "got" => "${ES_PWD:nothing}" } } } output { stdout { codec => line { format => "%{got}" } } }'


class Keystore(support.Case):
    def setUp(self):
        super().setUp()
        self.settings = self.folder / 'settings'
        self.settings.mkdir()
        self.file = self.settings / 'millrace.keystore'

    def run_it(self, *words, given='', status=0, **env):
        clean = {key: value for key, value in os.environ.items() if not key.endswith('_KEYSTORE_PASS')}
        done = subprocess.run([support.BINARY, *words, '--path.settings', self.settings], input=given, capture_output=True, text=True,
                              env={**clean, **env}, timeout=60 * support.PATIENCE)
        self.assertEqual(status, done.returncode, done.stderr)
        return done

    def keystore(self, *words, **more):
        return self.run_it('keystore', *words, **more)

    def got(self, **env):
        return self.run_it('--log.level', 'error', '--path.data', self.folder / 'data', '-e', PIPELINE, given='x\n', **env).stdout.strip()

    def test_a_secret_comes_before_the_environment(self):
        self.assertEqual('nothing', self.got())
        self.assertIn('made without a password', self.keystore('create').stderr)
        self.keystore('add', 'ES_PWD', 'other', given='from the keystore\nsecond\n')
        self.assertEqual('es_pwd\nother\n', self.keystore('list').stdout)
        self.assertEqual('from the keystore', self.got(ES_PWD='from the environment'))
        self.keystore('remove', 'es_pwd')
        self.assertEqual('from the environment', self.got(ES_PWD='from the environment'))
        self.assertEqual(0o600, self.file.stat().st_mode & 0o777)
        self.assertEqual(['millrace.keystore'], os.listdir(self.settings))

    def test_a_password(self):
        secret = {'MILLRACE_KEYSTORE_PASS': 'open sesame'}
        self.assertEqual('', self.keystore('create', **secret).stderr)
        self.keystore('add', 'ES_PWD', given='geheim\n', LOGSTASH_KEYSTORE_PASS='open sesame')
        self.assertEqual('geheim', self.got(**secret))
        for env in ({}, {'MILLRACE_KEYSTORE_PASS': 'wrong'}):
            done = self.run_it('-t', '-e', PIPELINE, status=1, **env)
            self.assertIn(f"keystore '{self.file}': the ", done.stderr)
            self.assertNotIn('geheim', done.stderr)
            self.keystore('list', status=1, **env)

    def test_settings_files(self):
        """logstash.yml and pipelines.yml, before the environment; also the default of a name that is nowhere."""
        self.keystore('create')
        self.keystore('add', 'PIPELINE_ID', 'TEXT', given='from_keystore\ninput { stdin { } } output { stdout { codec => line { format => "kept" } } }\n')
        (self.settings / 'logstash.yml').write_text('node.name: "${TEXT_OF_NOBODY:node}"\nlog.level: "${LEVEL}"\n')
        (self.settings / 'pipelines.yml').write_text('- pipeline.id: "${PIPELINE_ID}"\n  config.string: "${TEXT}"\n')
        done = self.run_it('--path.data', self.folder / 'data', given='x\n', LEVEL='info', PIPELINE_ID='from_environment')
        self.assertEqual('kept', done.stdout.strip())
        self.assertIn('pipeline=from_keystore', done.stderr)
        self.keystore('remove', 'PIPELINE_ID')
        done = self.run_it('--path.data', self.folder / 'data', given='x\n', LEVEL='info', PIPELINE_ID='from_environment')
        self.assertIn('pipeline=from_environment', done.stderr)
        self.file.write_bytes(b'noise')
        done = self.run_it('--path.data', self.folder / 'data', given='x\n', LEVEL='info', PIPELINE_ID='x', TEXT='y', status=1)
        self.assertIn(f"keystore '{self.file}'", done.stderr)

    def test_what_is_there_is_not_overwritten(self):
        self.keystore('create')
        self.keystore('add', 'A', given='1\n')
        self.assertIn('is there already', self.keystore('create', status=1).stderr)
        self.assertEqual('a\n', self.keystore('list').stdout)
        self.keystore('create', '--force')
        self.assertEqual('', self.keystore('list').stdout)

    def test_what_is_wrong_is_said(self):
        for words, status, wanted in ((('list',), 1, "'millrace keystore create' makes it"), (('add',), 2, 'add needs the name of a secret'),
                                      (('list', 'x'), 2, 'list takes no names'), (('steal',), 2, 'expected create, add, list or remove, found steal')):
            self.assertIn(wanted, self.keystore(*words, status=status).stderr)
        self.keystore('create')
        self.assertIn("there is no 'A'", self.keystore('remove', 'A', status=1).stderr)
        self.assertIn("'a-b' cannot be a name", self.keystore('add', 'a-b', given='x\n', status=1).stderr)
        self.assertIn("no value was given for 'A'", self.keystore('add', 'A', status=1).stderr)
        self.file.chmod(0o644)
        self.assertIn('everyone on this machine may read it', self.run_it('-t', '-e', PIPELINE, status=1).stderr)

    def test_a_typed_value_is_not_shown(self):
        self.keystore('create')
        ours, theirs = pty.openpty()
        child = subprocess.Popen([support.BINARY, 'keystore', 'add', 'ES_PWD', '--path.settings', self.settings], stdin=theirs, stdout=theirs,
                                 stderr=theirs)
        os.close(theirs)
        self.addCleanup(child.kill)
        shown = b''
        while b'value of ES_PWD: ' not in shown:
            self.assertTrue(select.select([ours], [], [], 60 * support.PATIENCE)[0], shown)
            shown += os.read(ours, 1000)
        os.write(ours, b'geheim\n')
        while True:
            self.assertTrue(select.select([ours], [], [], 60 * support.PATIENCE)[0], shown)
            try:
                part = os.read(ours, 1000)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        self.assertEqual(0, child.wait(60 * support.PATIENCE))
        os.close(ours)
        self.assertNotIn(b'geheim', shown)
        self.assertEqual('geheim', self.got())


if __name__ == '__main__':
    unittest.main()
