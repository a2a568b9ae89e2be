#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Photographs the page of the API for the documents: page_pictures.py FOLDER. Two pipelines run, one of them with an output
whose server is not there."""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

import browser
import support

LINES = ''.join(f'echo user={user} card=4111-{n} level={level} status={status};' for n, (user, level, status) in enumerate(
    [('anna', 'INFO', 200)] * 9 + [('bob', 'ERROR', 503)] * 3 + [('health', 'INFO', 204)] * 2))
PIPELINE = '''input {
  beats { id => "agents" port => @PORT@ host => "127.0.0.1" }
  exec { id => "gateway" interval => 1 command => "@LINES@" codec => line }
}
filter {
  kv { id => "parse" }
  if [user] == "health" {
    drop { id => "probes" }
  } else if [level] == "ERROR" and [status] {
    mutate { id => "alarm" add_tag => ["alarm"] convert => { "status" => "integer" } }
  }
  mutate { id => "mask" gsub => ["card", "\\d", "*"] remove_field => ["message", "event", "process"] }
}
output {
  if "alarm" in [tags] {
    http { id => "pager" url => "http://127.0.0.1:@DEAD@/alerts" http_method => "post" format => "json" }
  }
  file { id => "archive" path => "@OUT@" codec => json_lines }
}
'''
ROUNDS = 16


class Pictures(support.Case):
    def runTest(self):
        folder = pathlib.Path(sys.argv[1])
        folder.mkdir(parents=True, exist_ok=True)
        config = self.write('shop.conf', support.fill(PIPELINE, port=support.free_port(), dead=support.free_port(), lines=LINES,
                                                      out=self.folder / 'out'))
        self.write('logstash.yml', 'node.name: web-1\n')
        millrace = self.start('-f', config, '--path.settings', self.folder, '--api.http.port', '9600-9700', '--node.name', 'web-1', '-w', '2')
        millrace.wait_for_log(r'API listens ')
        web = browser.Browser(self)
        web.look(1400, 800)
        web.open(self.run_to_end('tap', '--page').stdout.strip())
        web.wait(f'document.body.dataset.rounds >= {ROUNDS} && document.querySelectorAll("#alerts button").length === 1', 'figures', 120)
        self.shoot(web, folder / 'page.png')
        web.run('document.querySelector("#alerts button").click()')
        web.look(1400, 800, dark=True)
        web.wait('document.getElementById("graph").viewBox.baseVal.width < 1000', 'the panel')
        self.shoot(web, folder / 'page-dark.png')
        web.press('Escape')
        web.look(400, 900)
        web.wait('document.getElementById("graph").viewBox.baseVal.width < 400', 'the narrow layout')
        web.run('document.activeElement.blur(); scrollTo(0, 0)')
        self.shoot(web, folder / 'page-narrow.png')

    @staticmethod
    def shoot(web, path):
        web.picture(path)
        if shutil.which('pngquant'):
            os.system(f'pngquant --force --output {path} 64 {path}')


if __name__ == '__main__':
    sys.exit(not unittest.TextTestRunner().run(Pictures()).wasSuccessful())
