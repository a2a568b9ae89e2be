# SPDX-License-Identifier: Apache-2.0
"""libs/build.sh: a library is fetched and built once, then used without apt; a failed build leaves nothing that counts.
apt and dpkg-source are stood in for."""
import os
import pathlib
import subprocess
import unittest

import support

BUILD = support.ROOT / 'libs' / 'build.sh'
RECIPE = """NAME=thing
VERSION=1.0
SUITE=trixie
TOOLS=sh
build_library() {
    mkdir "$prefix/lib"
    cp made "$prefix/lib/libthing.a"
}
"""
APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
case "$*" in
indextargets*) echo 'http://other.example bookworm-security main'; echo 'http://mirror.example/debian bookworm main' ;;
*source*) touch thing_1.0-2.dsc ;;
esac
"""
APT_CACHE = '#!/bin/sh\nprintf "Package: thing\\nVersion: 0.9-7\\n\\nPackage: thing\\nVersion: 1.0-1\\n\\nVersion: 1.0-2\\n"\n'
DPKG_SOURCE = '#!/bin/sh\nmkdir "$4"\necho "$3" >"$4/made"\n'


class Build(support.Case):
    def setUp(self):
        super().setUp()
        for name, text in (('apt-get', APT_GET), ('apt-cache', APT_CACHE), ('dpkg-source', DPKG_SOURCE)):
            self.write(f'bin/{name}', text).chmod(0o755)
        self.recipe = self.write('thing.sh', RECIPE)
        self.calls = self.folder / 'calls'

    def build(self, *files):
        env = dict(os.environ, PATH=f'{self.folder}/bin:{os.environ["PATH"]}', CALLS=str(self.calls),
                   MILLRACE_LIBS=str(self.folder / 'libs'))
        env.pop('MILLRACE_DEBIAN_MIRROR', None)
        return subprocess.run([BUILD, self.recipe, *files], env=env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60 * support.PATIENCE)

    def test_it_is_built_once(self):
        first = self.build()
        self.assertEqual(0, first.returncode, first.stderr)
        made = (pathlib.Path(first.stdout.strip()) / 'lib/libthing.a').read_text()
        self.assertIn('thing_1.0-2.dsc', made)
        asked = self.calls.read_text()
        self.assertIn('thing=1.0-2', asked)
        again = self.build()
        self.assertEqual((0, first.stdout), (again.returncode, again.stdout))
        self.assertEqual(asked, self.calls.read_text())

    def test_sources_come_from_the_mirror_of_this_machine(self):
        self.write('bin/apt-get', APT_GET.replace('touch', 'cat "$(dirname "$PWD")/apt/debian.sources" >>"$CALLS"; touch'))
        self.build()
        self.assertIn('URIs: http://mirror.example/debian\nSuites: trixie\n', self.calls.read_text())

    def test_a_changed_recipe_is_built_anew_from_what_is_there(self):
        first = self.build()
        asked = self.calls.read_text()
        self.recipe.write_text(RECIPE + '# changed\n')
        second = self.build()
        self.assertEqual(0, second.returncode, second.stderr)
        self.assertNotEqual(first.stdout, second.stdout)
        self.assertEqual(asked, self.calls.read_text())

    def test_a_build_that_fails_is_told_and_tried_again(self):
        self.recipe.write_text(RECIPE.replace('cp made', 'echo no compiler here; cp nothing'))
        for _ in range(2):
            done = self.build()
            self.assertNotEqual(0, done.returncode)
            self.assertIn('no compiler here', done.stderr)
            self.assertIn('cannot build thing 1.0', done.stderr)
            self.assertEqual('', done.stdout)


if __name__ == '__main__':
    unittest.main()
