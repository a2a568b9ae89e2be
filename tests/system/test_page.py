# SPDX-License-Identifier: Apache-2.0
"""The page of the API in a real browser: it loads, its figures move, a dead output is seen at once, fifty plugins fit, keys work, it
can be read at 400 and 1,600 pixels in light and dark, nothing of an event is ever more than text, and no secret is shown."""
import base64
import json
import unittest
import urllib.error
import urllib.request

import browser
import support

HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)>" \' \u2028\u2029 \u202e \x1b[31m &amp; \x00'
SECRETS = ('geheim', 'Bearer xyz', 'abcdefghij1234567890abc', 'topsecret', 'from-the-environment', 'default-of-it')
LIVE = '''input { stdin { id => "lines" codec => json_lines { target => "in" } } }
filter {
  if [in][a] == 1 { mutate { id => "one" add_tag => ["one"] } } else if [in][a] == 2 { drop { id => "two" } } else { mutate { id => "rest" } }
  mutate { id => "last" }
}
output { @OUTPUT@ }'''
DEAD = '''http { id => "dead" url => "http://user:geheim@127.0.0.1:@PORT@/hook/abcdefghij1234567890abc?token=geheim" http_method => "post"
    headers => { "Authorization" => "Bearer xyz" "X-Name" => "${SECRET_OF_TEST}" "X-Other" => "${NOT_SET:default-of-it}" } }'''


class Page(support.Case):
    def serve(self, text, *arguments, stdin=True, env=None):
        config = self.write('pipeline.conf', text)
        self.millrace = self.start('-f', config, '--api.http.port', '9600-9700', *arguments, stdin=stdin, env=env)
        self.look_up()

    def look_up(self):
        """Its address, and that at which it shows events."""
        self.base = 'http://' + self.millrace.wait_for_log(r'API listens .*address="?([^"\s]+:\d+)').group(1)
        self.page = self.run_to_end('tap', '--page', '--pid', self.millrace.pid).stdout.strip()
        self.assertTrue(self.page.startswith(self.base + '/'), self.page)

    def live(self, output, *arguments, **options):
        self.serve(support.fill(LIVE, output=output), *arguments, **options)

    def fetch(self, path, status=200, accept='application/json', **headers):
        if 'tap' in path and not headers:
            headers = {'X-Millrace-Tap': self.page.partition('#tap=')[2]}
        request = urllib.request.Request(self.base + path, headers={'Accept': accept, **headers})
        try:
            with urllib.request.urlopen(request, timeout=30 * support.PATIENCE) as answer:
                self.headers, got, body = answer.headers, answer.status, answer.read()
        except urllib.error.HTTPError as error:
            self.headers, got, body = error.headers, error.code, error.read()
        self.assertEqual(status, got, body)
        return body

    def feed(self, *events):
        for event in events:
            self.millrace.child.stdin.write(json.dumps(event).encode() + b'\n')
        self.millrace.child.stdin.flush()

    def browse(self, width=1600, dark=False, address=None):
        web = browser.Browser(self)
        web.look(width, dark=dark)
        web.open(address or self.page)
        web.wait('document.body.dataset.rounds >= 2 && document.querySelectorAll("#graph .node").length > 0', 'the graph', 60)
        return web

    def quiet(self, web):
        self.assertEqual([], web.console)


class Answers(Page):
    def test_browsers_get_the_page_and_others_json(self):
        self.live('null { }')
        page = self.fetch('/', accept='text/html,application/xhtml+xml').decode()
        self.assertTrue(page.startswith('<!doctype html>'))
        policy = self.headers['Content-Security-Policy']
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn('unsafe', policy)
        self.assertEqual('nosniff', self.headers['X-Content-Type-Options'])
        self.assertNotRegex(page, r'(?i)\son\w+\s*=\s*["\']|https?://(?!www\.w3\.org/)')
        for word in ('innerHTML', 'outerHTML', 'insertAdjacentHTML', 'document.write', 'eval('):
            self.assertNotIn(word, page)
        for accept in ('*/*', 'application/json'):
            self.assertIn('version', json.loads(self.fetch('/', accept=accept)))
        self.assertEqual('nosniff', self.headers['X-Content-Type-Options'])

    def test_the_graph_has_conditions_and_no_secrets(self):
        self.live(support.fill(DEAD, PORT=support.free_port()) + ' elasticsearch { hosts => ["http://u:geheim@127.0.0.1:1"] '
                  'user => "u" password => "topsecret" index => "${SECRET_OF_TEST}" }', env={'SECRET_OF_TEST': 'from-the-environment'})
        text = self.fetch('/_millrace/graph').decode()
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        graph = json.loads(text)['pipelines']['main']
        branch = graph['filters'][0]['if']
        self.assertEqual(['if [in][a] == 1', 'else if [in][a] == 2', 'else'], [arm['text'] for arm in branch])
        self.assertEqual([['one'], ['two'], ['rest']], [arm['steps'] for arm in branch])
        self.assertEqual('last', graph['filters'][1])
        dead = graph['plugins']['dead']['config']
        self.assertEqual({'Authorization': '***', 'X-Name': '${SECRET_OF_TEST}', 'X-Other': '${NOT_SET}'}, dead['headers'])
        self.assertIn('127.0.0.1', dead['url'])

    def test_a_tap_shows_what_outputs_get_and_more_only_where_that_was_said(self):
        self.live('null { id => "away" }')
        self.assertIn('api.tap', json.loads(self.fetch('/_millrace/tap?plugin=one', 403))['error'])
        self.assertIn('is no condition', json.loads(self.fetch('/_millrace/tap?where=%5Ba', 400))['error'])
        self.assertIn('UTF-8', json.loads(self.fetch('/_millrace/tap?where=%FF', 400))['error'])
        self.assertIn('ended', json.loads(self.fetch('/_millrace/tap?session=none', 404))['error'])
        session = json.loads(self.fetch('/_millrace/tap?plugin=away'))['session']
        self.feed({'a': 1, 'text': HOSTILE})
        got = self.fetch(f'/_millrace/tap?session={session}')
        self.assertEqual(HOSTILE, json.loads(got)['events'][0]['event']['in']['text'])
        for raw in ('\u2028', '\u202e', '\x1b', '\x00'):
            self.assertNotIn(raw.encode(), got)
        self.fetch(f'/_millrace/tap?session={session}&close=1')
        self.fetch(f'/_millrace/tap?session={session}', 404)
        for _ in range(8):
            self.fetch('/_millrace/tap?rate=1')
        self.assertIn('too many', json.loads(self.fetch('/_millrace/tap', 503))['error'])
        self.assertEqual(0, self.millrace.stop())
        self.live('null { }', '--api.tap', 'all')
        self.assertIn('session', json.loads(self.fetch('/_millrace/tap?plugin=one')))
        self.millrace.stop()
        self.live('null { }', '--api.tap', 'off')
        self.fetch('/_millrace/tap', 403)

    def test_events_are_for_who_has_the_token_or_the_password(self):
        """Any user of this machine can reach an API without a password: figures are for them, events are not."""
        self.live('null { id => "away" }')
        token = self.page.partition('#tap=')[2]
        self.assertRegex(token, '^[0-9a-f]{32}$')
        self.assertTrue(json.loads(self.fetch('/_millrace/graph'))['tap_token'])
        for given in ('', token[:-1], token + '0', token.upper(), '0' * 32):
            said = json.loads(self.fetch('/_millrace/tap', 403, **{'X-Millrace-Tap': given}))['error']
            self.assertIn('millrace tap --page', said)
        session = json.loads(self.fetch('/_millrace/tap'))['session']
        self.fetch(f'/_millrace/tap?session={session}', 403, **{'X-Other': 'x'})
        self.assertNotIn(token, self.millrace.stderr)
        self.assertNotIn(token.encode(), b''.join(self.fetch(path) for path in ('/', '/metrics', '/_millrace/graph', '/_node/stats')))
        before = self.page
        self.millrace.stop()
        self.live('null { id => "away" }')
        self.assertNotEqual(before, self.page, 'each start has its own')
        self.millrace.stop()
        self.live('null { id => "away" }', '--api.auth.type', 'basic', '--api.auth.basic.username', 'joe', '--api.auth.basic.password', 'x')
        self.assertEqual(self.base + '/', self.page)
        login = {'Authorization': 'Basic ' + base64.b64encode(b'joe:x').decode()}
        self.assertIn('session', json.loads(self.fetch('/_millrace/tap', **login)))
        self.assertFalse(json.loads(self.fetch('/_millrace/graph', **login))['tap_token'])
        self.millrace.stop()
        self.millrace = self.start('-e', 'input { stdin { } } output { null { } }', '--no-api.enabled', stdin=True)
        self.millrace.wait_for_log('pipeline started')
        self.assertIn('api.enabled', self.run_to_end('tap', '--page', '--pid', self.millrace.pid, status=1).stderr)

    def test_stats_say_how_a_destination_is(self):
        server = self.recorder(lambda request: (500, {'error': 'not today'}))
        self.live(f'http {{ id => "to" url => "http://{server.address}/" http_method => "post" }}')
        self.feed({'a': 3})

        def failing():
            to = json.loads(self.fetch('/_node/stats/pipelines'))['pipelines']['main']['plugins']['outputs'][0]['destination']
            return to['failures_in_a_row'] > 0 and to
        to = self.millrace.wait_for(failing, 'a failure', 30)
        self.assertIn(to['state'], ('fails', 'down'))
        self.assertEqual('it takes nothing of what it is sent', to['cause'])
        graph = json.loads(self.fetch('/_millrace/graph'))
        self.assertIn('500', graph['pipelines']['main']['plugins']['to']['failures'][0]['text'])


class InABrowser(Page):
    def test_figures_move_and_a_click_shows_a_plugin(self):
        self.live('null { id => "away" }')
        web = self.browse()
        self.feed(*({'a': n % 3} for n in range(3000)))
        web.wait('document.querySelector(".tile[data-key=in] p").textContent.startsWith("3,000")', 'the sum')
        web.wait('[...document.querySelectorAll("#graph .node")].some(n => n.getAttribute("aria-label").includes("drop two") '
                 '&& n.textContent.includes("1,000 dropped"))', 'what was dropped')
        self.assertEqual(6, web.run('document.querySelectorAll("#graph .node").length'))
        self.assertEqual(['if [in][a] == 1', 'else if [in][a] == 2', 'else'],
                         web.run('[...document.querySelectorAll("#graph .if")].map(t => t.firstChild.textContent)'))
        web.run('[...document.querySelectorAll("#graph .node")].find(n => n.getAttribute("aria-label").includes("one")).dispatchEvent('
                'new MouseEvent("click", {bubbles: true}))')
        panel = web.run('document.getElementById("panel").innerText')
        for word in ('mutate', 'filter one', 'Configuration', 'add_tag', 'Counters', '1,000', 'Last warnings'):
            self.assertIn(word, panel)
        self.quiet(web)

    def test_a_dead_output_is_seen_at_once(self):
        self.live(support.fill(DEAD, PORT=support.free_port()), env={'SECRET_OF_TEST': 'from-the-environment'})
        self.feed(*({'a': 3} for _ in range(50)))
        web = self.browse()
        alert = web.wait('document.querySelector("#alerts button") && document.querySelector("#alerts").innerText', 'the alert', 60)
        self.assertRegex(alert, r'(?s)dead (down|no answer) for .* 50 events wait for http.*connect')
        self.assertEqual('an output does not deliver', web.run('document.getElementById("said").textContent'))
        self.assertEqual(1, web.run('document.querySelectorAll("#graph .node.bad").length'))
        web.run('document.querySelector("#alerts button").click()')
        shown = web.run('document.documentElement.outerHTML')
        for secret in SECRETS:
            self.assertNotIn(secret, shown)
        self.assertIn('${SECRET_OF_TEST}', shown)
        self.quiet(web)

    def test_keys(self):
        self.live('null { id => "away" }')
        web = self.browse()
        focused = 'document.activeElement.getAttribute("aria-label") || document.activeElement.tagName'
        web.press('Tab')
        self.assertIn('input stdin lines', web.run(focused))
        web.press('ArrowDown')
        self.assertIn('filter mutate one', web.run(focused))
        web.press('End')
        self.assertIn('output null away', web.run(focused))
        web.press('ArrowLeft', 'ArrowLeft')
        self.assertIn('input stdin lines', web.run(focused))
        web.press('ArrowRight')
        self.assertIn('filter', web.run(focused))
        ring = web.run('getComputedStyle(document.activeElement.querySelector(".ring")).stroke')
        self.assertNotIn(ring, ('none', 'rgba(0, 0, 0, 0)'))
        web.press('Enter')
        self.assertEqual('H2', web.run('document.activeElement.tagName'))
        self.assertFalse(web.run('document.getElementById("panel").hidden'))
        web.press('Escape')
        self.assertTrue(web.run('document.getElementById("panel").hidden'))
        self.assertIn('filter', web.run(focused))
        self.quiet(web)

    def test_hostile_events_are_text(self):
        self.live('null { id => "away" }')
        web = self.browse()
        web.run('document.getElementById("where").focus()')
        web.type('[in][a] == 1')
        web.press('Enter')
        web.wait('document.getElementById("note").textContent === "waiting for events"', 'the tap')
        self.millrace.wait_for(lambda: web.run('document.getElementById("look").textContent') == 'Stop', 'it looks')
        support.wait_until(lambda: (self.feed({'a': 1, HOSTILE: HOSTILE}, {'a': 3, 'text': 'unwanted'}),
                                    web.run('document.querySelectorAll("#events li").length'))[1], 'an event', 60)
        shown = web.run('document.getElementById("events").innerText')
        self.assertIn('<script>document.title', shown)
        self.assertNotIn('unwanted', shown)
        self.assertEqual(0, web.run('document.querySelectorAll("#events script, #events img").length'))
        self.assertNotIn('owned', web.run('document.title'))
        web.run('document.getElementById("where").value = "[a"; document.getElementById("look").click(); document.getElementById("look").click()')
        web.wait('document.getElementById("note").textContent.includes("is no condition")', 'what is wrong')
        # The condition is refused; and what was asked of a tap that had just been stopped.
        self.assertEqual([line for line in web.console if '400' not in line and 'tap?session=' not in line], [])

    def watch(self, web, **fields):
        for name, value in fields.items():
            web.run(f'document.getElementById("{name}").value = {json.dumps(value)}')
        web.run('document.getElementById("point").dispatchEvent(new Event("change")); document.getElementById("look").click()')
        web.wait('document.getElementById("note").textContent === "waiting for events"', 'the tap')

    def test_without_the_token_it_says_how_to_see_events(self):
        self.live('null { id => "away" }')
        web = self.browse(address=self.base + '/')
        self.assertIn('millrace tap --page', web.run('document.getElementById("note").textContent'))
        self.assertEqual('none', web.run('getComputedStyle(document.getElementById("ask")).display'))
        web.run(f'location.hash = {json.dumps("#" + self.page.partition("#")[2])}')
        web.wait('getComputedStyle(document.getElementById("ask")).display !== "none"', 'the form')
        self.assertEqual('', web.run('location.hash'), 'the token does not stay in the address')
        self.watch(web)
        support.wait_until(lambda: (self.feed({'a': 1}), web.run('document.querySelectorAll("#events li").length'))[1], 'an event', 60)
        self.quiet(web)

    def test_what_a_filter_changes(self):
        self.serve('input { stdin { codec => json_lines } } filter { if [a] == 1 { mutate { id => "change" rename => { "b" => "c" } '
                   'replace => { "d" => "new" } } } else { drop { id => "gone" } } } output { null { id => "away" } }', '--api.tap', 'all')
        web = self.browse()
        self.assertTrue(web.run('document.getElementById("differ").hidden'), 'outputs change nothing')
        web.run('document.getElementById("diff").checked = true')
        self.watch(web, point='change')
        self.assertFalse(web.run('document.getElementById("differ").hidden'))
        support.wait_until(lambda: (self.feed({'a': 1, 'b': '<b>"', 'd': 'old', 'same': 5}), web.run('document.querySelectorAll("#events li").length'))[1],
                           'an event', 60)
        shown = web.run('document.querySelector("#events li").innerText').split('\n')
        for line in ('− b "<b>\\""', '+ c "<b>\\""', '− d "old"', '+ d "new"'):
            self.assertIn(line, shown)
        self.assertRegex(shown[-1], r'^\d unchanged$')
        web.run('document.getElementById("look").click()')
        self.watch(web, point='gone')
        support.wait_until(lambda: (self.feed({'a': 2}), web.run('document.querySelectorAll("#events li").length'))[1], 'an event', 60)
        self.assertIn('dropped', web.run('document.querySelector("#events li").innerText'))
        self.quiet(web)

    def test_events_that_are_no_utf8(self):
        """Bytes that are no character arrive as one that says so, and break neither the answer nor the page."""
        self.serve('input { stdin { codec => line } } output { null { id => "away" } }')
        web = self.browse()
        self.watch(web)

        def fed():
            self.millrace.child.stdin.write(b'bad \xff\xfe \xed\xa0\x80 \xf0\x9f \xc0\xaf cut \xc3\n')
            self.millrace.child.stdin.flush()
            return web.run('document.querySelectorAll("#events li").length')
        support.wait_until(fed, 'an event', 60)
        shown = web.run('document.querySelector("#events li").innerText')
        self.assertIn('bad ', shown)
        self.assertIn(' cut ', shown)
        self.assertTrue(shown.isprintable() or all(letter.isprintable() or letter in '\n\ufffd' for letter in shown), shown)
        self.assertEqual('Stop', web.run('document.getElementById("look").textContent'), 'it looks on')
        self.quiet(web)

    def test_figures_on_the_lines(self):
        self.live('null { id => "away" } null { id => "other" }')
        web = self.browse()
        labels = '[...document.querySelectorAll("#graph .rate")].map(t => t.textContent).filter(Boolean)'
        support.wait_until(lambda: (self.feed(*({'a': n % 3} for n in range(300))), len(web.run(labels)) >= 3)[1], 'an input and two outputs', 60)
        self.assertRegex(' '.join(web.run(labels)), r'^([\d.,]+( [kM])?/s ?)+$')
        self.assertEqual([], web.run('''[...document.querySelectorAll("#graph .rate")].filter(t => { const b = t.getBoundingClientRect();
            return t.textContent && [...document.querySelectorAll("#graph .box")].some(r => { const o = r.getBoundingClientRect();
                return b.left < o.right - 2 && o.left < b.right - 2 && b.top < o.bottom - 2 && o.top < b.bottom - 2; }); }).map(t => t.textContent)'''),
                         'none lies on a plugin')
        self.quiet(web)

    def test_fifty_plugins_at_both_widths_in_light_and_dark(self):
        filters = ''.join(f'if [in][f{n}] =~ "a rather long condition {n}" and [in][g] in ["one", "two"] {{ mutate {{ id => "f{n}" }} }}\n'
                          for n in range(46))
        self.serve(f'input {{ stdin {{ codec => json_lines {{ target => "in" }} }} }} filter {{ {filters} }} '
                   'output { null { id => "a" } null { id => "b" } null { id => "c" } }')
        web = self.browse()
        self.assertEqual(50, web.run('document.querySelectorAll("#graph .node").length'))
        colours = set()
        for width in (1600, 400):
            for dark in (False, True):
                web.look(width, dark=dark)
                web.wait(f'innerWidth === {width} && Math.abs(document.getElementById("graph").viewBox.baseVal.width - '
                         'document.getElementById("graph").parentElement.clientWidth) < 2', 'the layout')
                self.assertEqual(width, web.run('document.documentElement.scrollWidth'), 'nothing sticks out')
                colours.add(web.run('getComputedStyle(document.body).backgroundColor'))
                self.assertEqual([], web.run('''[...document.querySelectorAll("#graph text")].filter(t => { const b = t.getBoundingClientRect();
                    return b.left < -1 || b.right > innerWidth + 1; }).map(t => t.textContent)'''))
                self.assertEqual([], web.run('''(() => { const boxes = [...document.querySelectorAll("#graph .box")].map(b => b.getBoundingClientRect());
                    return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right - 1 && b.left < a.right - 1
                        && a.top < b.bottom - 1 && b.top < a.bottom - 1)).length ? ["overlap"] : []; })()'''))
        self.assertEqual(2, len(colours))
        self.quiet(web)

    def test_several_pipelines_one_is_looked_at(self):
        self.write('settings/pipelines.yml', ''.join(
            f'- pipeline.id: {name}\n  config.string: "input {{ heartbeat {{ interval => 1 id => \'in-{name}\' }} }} output {{ null {{ }} }}"\n'
            for name in ('first', 'second')))
        self.millrace = self.start('--path.settings', self.folder / 'settings', '--api.http.port', '9600-9700')
        self.look_up()
        web = self.browse()
        names = 'document.querySelector("#pipelines [aria-selected=true]").innerText.trim() + [...document.querySelectorAll("#graph .node")].map(n => n.getAttribute("aria-label")).join()'
        self.assertRegex(web.run(names), '^first.*in-first')
        web.run('document.querySelector("#pipelines button").focus()')
        web.press('ArrowRight')
        self.assertRegex(web.run(names), '^second.*in-second')
        self.quiet(web)


if __name__ == '__main__':
    unittest.main()
