# SPDX-License-Identifier: Apache-2.0
"""What real pipeline files do that once was refused, lost or badly explained; a line for each."""
import json
import os
import socket
import subprocess
import unittest

import mmdb
import support

TEMPLATE = 'input { stdin { codec => json_lines } } filter { %s } output { stdout { codec => json_lines } }'


class RealFiles(support.Case):
    def events(self, filters, *events, flags=()):
        lines = ''.join(json.dumps(event) + '\n' for event in events).encode()
        done = self.run_to_end('-w', '1', '--pipeline.ecs_compatibility', 'disabled', *map(str, flags), '-e', TEMPLATE % filters, stdin=lines)
        return done.json_lines()

    def checked(self, filters, status=0, *arguments):
        return self.run_to_end('-t', *arguments, '-e', TEMPLATE % filters, status=status).stderr

    def test_no_expression_is_too_large(self):
        uris = ' '.join('%%{URI:u%d}' % n for n in range(8))
        self.checked('grok { match => { "message" => "%s" } }' % uris.replace('%%', '%'))
        words = '|'.join(f'word{n}end' for n in range(3000))
        event, = self.events('if [m] =~ /%s/ { mutate { add_tag => "found" } }' % words, {'m': 'a word2999end b'})
        self.assertEqual(['found'], event['tags'])

    def test_a_dictionary_of_3000_keys(self):
        path = self.write('d.yml', ''.join(f'"key{n}-": "val{n}"\n' for n in range(3000)))
        expected = [('key2999-', 'val2999'), ('a key7- b key1234-', 'a val7 b val1234'), ('key7', None)]
        for options, cases in (('exact => false', expected), ('exact => true', expected[:1]), ('regex => true', expected[:1])):
            events = self.events(f'translate {{ source => "m" target => "t" dictionary_path => "{path}" {options} }}', *({'m': m} for m, _ in cases))
            self.assertEqual([value for _, value in cases], [event.get('t') for event in events], options)

    def test_split_of_many_items(self):
        events = self.events('split { field => "items" }', {'items': list(range(100000))})
        self.assertEqual(list(range(100000)), [event['items'] for event in events])

    def test_a_float_beyond_64_bits_as_an_integer(self):
        event, = self.events('ruby { code => "event.set(%q(i), (1.5e19).to_i.to_s)" }', {'a': 1})
        self.assertEqual('15000000000000000000', event['i'])

    def test_a_rename_of_what_is_not_there_does_nothing_wherever_it_goes(self):
        event, = self.events('mutate { rename => { "[nope]" => "[event]action]" } uppercase => ["a"] add_tag => "ok" }', {'a': 'x'})
        self.assertEqual(('X', ['ok']), (event['a'], event['tags']))

    def test_user_without_password_runs_without_authentication(self):
        self.run_to_end('-t', '-e', 'input { stdin { } } output { elasticsearch { hosts => "localhost:9" user => "u" } }')

    def test_dissect_of_more_than_256_fields(self):
        fields, values = ' '.join('%%{f%d}' % n for n in range(300)).replace('%%', '%'), ' '.join(f'v{n}' for n in range(300))
        event, = self.events('dissect { mapping => { "m" => "%s" } }' % fields, {'m': values})
        self.assertEqual(('v0', 'v299'), (event['f0'], event['f299']))

    def test_a_typo_in_a_field_name_hurts_its_own_pattern(self):
        filters = 'grok { match => { "m" => ["^a %{WORD:[x][method]]}", "^b %{WORD:[x][method]}"] } }'
        self.assertIn('is not', self.checked(filters))
        good, = self.events(filters, {'m': 'b GET'})
        self.assertEqual({'method': 'GET'}, good['x'])

    def test_a_typo_in_a_dissected_field_hurts_its_own_template(self):
        filters = 'dissect { mapping => { "m" => "a %{x} %{[y][z]]}" "n" => "%{o}" } convert_datatype => { "k" => "int" } } dissect { mapping => { "m" => "b %{x}" } }'
        self.assertIn("'[y][z]]' is not a field reference", self.checked(filters))
        broken, fine = self.events(filters, {'m': 'a 1 2', 'n': 'never', 'k': '5'}, {'m': 'b 1', 'n': 'seen', 'k': '5'})
        self.assertEqual(('1', None, '5', ['_dissectfailure'] * 1), (broken['x'], broken.get('o'), broken['k'], broken['tags'][:1]))
        self.assertEqual(('1', 'seen', 5), (fine['x'], fine['o'], fine['k']))

    def test_patterns_of_the_home_need_no_name(self):
        (self.folder / 'home' / 'patterns').mkdir(parents=True)
        self.write('home/patterns/ours', 'ORDERNUMBER O-%{POSINT}\nPOSINT [0-9]{3}\n')
        home = {'LOGSTASH_HOME': str(self.folder / 'home')}
        filters = 'grok { match => { "m" => "^%{ORDERNUMBER:order}$" } }'
        self.assertIn('ORDERNUMBER', self.run_to_end('-t', '-e', TEMPLATE % filters, status=1, env={'LOGSTASH_HOME': '/nowhere'}).stderr)
        for wanted, more in (('O-123', ''), (None, 'pattern_definitions => { "POSINT" => "[a-z]+" }')):
            done = self.run_to_end('-e', TEMPLATE % filters.replace(' } }', ' } %s }' % more), stdin=b'{"m":"O-123"}\n', env=home)
            self.assertEqual([wanted], [event.get('order') for event in done.json_lines()])
        tried = subprocess.run([support.BINARY, 'grok', '^%{ORDERNUMBER:order}$', 'O-123'], capture_output=True, text=True, env=os.environ | home)
        self.assertEqual((0, True), (tried.returncode, 'O-123' in tried.stdout), tried.stderr)

    def test_a_patterns_dir_that_is_not_there_is_no_error(self):
        """Real files name the folder of an image. What is missing then is a pattern, if it is used."""
        grok = 'grok { patterns_dir => ["%s"] match => { "m" => "^%%{%s:order}$" } }'
        away = self.checked(grok % (self.folder / 'away', 'INT'))
        self.assertIn(f"patterns_dir: '{self.folder}/away' names no file", away)
        self.assertEqual(1, away.count('names no file'), away)
        event, = self.events(grok % (self.folder / 'away', 'INT'), {'m': '12'})
        self.assertEqual('12', event['order'])
        refused = self.run_to_end('-t', '-e', TEMPLATE % grok % (self.folder / 'away', 'ORDERNUMBER'), status=1).stderr
        self.assertIn('names no file', refused)
        self.assertIn('ORDERNUMBER', refused)
        lines = 'input { stdin { codec => multiline { patterns_dir => "%s" pattern => "^%%{INT}" what => previous } } } output { null { } }'
        self.assertEqual(1, self.run_to_end('-t', '-e', lines % (self.folder / 'away')).stderr.count('names no file'))

    def test_a_patterns_dir_may_be_a_glob(self):
        (self.folder / 'odd [x]' / 'more').mkdir(parents=True)
        self.write('odd [x]/ours.grok', 'ORDERNUMBER O-%{POSINT}\n')
        self.write('odd [x]/other.txt', 'ORDERNUMBER other\n')
        (self.folder / 'plain').mkdir()
        self.write('plain/ours.grok', 'ORDERNUMBER O-%{POSINT}\n')
        grok = 'grok { patterns_dir => ["%s"] %s match => { "m" => "^%%{ORDERNUMBER:order}$" } }'
        self.run_to_end('-t', '-e', TEMPLATE % grok % (self.folder / 'pl*', ''), status=1)  # folders are passed over
        for path, more in (('odd [x]', 'patterns_files_glob => "*.{grok,none}"'), ('odd [x]/ours.grok', ''), ('plain', ''),
                           ('pl*/*.{none,grok}', '')):
            event, = self.events(grok % (self.folder / path, more), {'m': 'O-12'})
            self.assertEqual('O-12', event.get('order'), path)

    def test_elastic_agent_is_beats_under_another_name(self):
        said = self.run_to_end('-t', '-e', 'input { elastic_agent { port => 5055 ssl => false } }').stderr
        self.assertIn('ssl_enabled', said)

    def test_geoip_without_a_database_starts_and_tags(self):
        event, = self.events('geoip { source => "ip" target => "g" }', {'ip': '8.8.8.8'})
        self.assertIn('_geoip_expired_database', event.get('tags', ['_geoip_expired_database']))

    def test_where_geoip_looks_for_a_database(self):
        """The setting (a folder, or a file of the type that is wanted) before path.data; City before Country; the option before all."""
        folder, data = self.folder / 'geo', self.folder / 'data'
        folder.mkdir()
        data.mkdir()
        def database(path, name, kind='GeoLite2-City'):
            record = {'autonomous_system_number': 7} if kind == 'GeoLite2-ASN' else {'country': {'names': {'en': name}}, 'location': {'latitude': 1.0}}
            return mmdb.write(path, {'1.2.3.0/24': record}, kind)
        def found(setting, options=''):
            event, = self.events('geoip { source => "ip" target => "g" %s }' % options, {'ip': '1.2.3.4'},
                                 flags=['--path.data', data, *(['--geoip.database', setting] if setting else [])])
            return event['g'].get('country_name', event['g'].get('asn'))
        database(data / 'GeoLite2-City.mmdb', 'data')
        self.assertEqual('data', found(None))
        self.assertEqual('data', found(folder))
        database(folder / 'GeoLite2-Country.mmdb', 'country', 'GeoLite2-Country')
        self.assertEqual('data', found(folder), 'a City database of a later folder comes before a Country one')
        database(folder / 'GeoLite2-City.mmdb', 'folder')
        self.assertEqual('folder', found(folder))
        asn = database(self.folder / 'numbers.mmdb', '', 'GeoLite2-ASN')
        self.assertEqual('data', found(asn))
        self.assertEqual(7, found(asn, 'default_database_type => "ASN"'))
        self.assertEqual('folder', found(asn, 'database => "%s"' % (folder / 'GeoLite2-City.mmdb')))

    def test_packing_an_address_is_no_input_or_output(self):
        event, = self.events('ruby { init => "require %q(socket)" code => "event.set(%q(t), Socket.sockaddr_in(80, %q(127.0.0.1)).unpack(%q(n n C4)))" }',
                             {'a': 1})
        self.assertEqual([socket.AF_INET, 80, 127, 0, 0, 1], event['t'])
        said = self.run_to_end('-e', TEMPLATE % 'ruby { code => "Socket.tcp(%q(h), 1)" }', stdin=b'{}\n').stderr
        self.assertIn('would hold up', said)

    def test_a_field_with_a_variable_says_what_became_of_its_brackets(self):
        for given, status in (('[customMsgAtts][${WHICH}]', 1), ('[[customMsgAtts][${WHICH}]]', 0)):
            done = self.run_to_end('-t', '-e', TEMPLATE % f'geoip {{ source => "{given}" target => "g" }}', status=status, env={'WHICH': 'dummy'})
            self.assertEqual(status, done.stderr.count("a text in [ ] is a list, as in Logstash, and 'customMsgAtts][dummy' is left"))

    def test_a_mutate_that_fails_is_in_the_log(self):
        filters = 'mutate { id => "shape" convert => { "n" => "float" } } mutate { rename => { "n" => "a][b" } tag_on_failure => "mine" }'
        done = self.run_to_end('-w', '1', '-e', TEMPLATE % filters, stdin=b'{"n":"-"}\n{"n":"-"}\n')
        self.assertEqual([['_mutate_error', 'mine']] * 2, [event['tags'] for event in done.json_lines()])
        self.assertRegex(done.stderr, r'WARN.*plugin=shape operation=convert field=n tag=_mutate_error')
        self.assertRegex(done.stderr, r'WARN.*operation=rename field=n tag=mine')

    def test_what_init_and_register_raise_fails_in_a_check(self):
        script = self.write('s.rb', 'def register(params)\n raise "no such table"\nend\ndef filter(event)\n [event]\nend\n')
        for filters in ('ruby { init => "raise %q(no such table)" code => "1" }', f'ruby {{ path => "{script}" }}'):
            said = self.checked(filters, 1)
            self.assertIn('no such table', said)

    def test_a_script_may_look_for_files_when_it_starts(self):
        self.write('one.txt', '1')
        event, = self.events('ruby { init => "@files = Dir.glob(%%q(%s/*.txt)).size" code => "event.set(%%q(n), @files)" }' % self.folder, {'a': 1})
        self.assertEqual(1, event['n'])

    def test_the_reason_is_not_cut_off(self):
        pattern = '(?<ts>' + r'\\d{4}/' * 60 + ' request:'
        said = self.checked('grok { match => { "message" => "%s" } }' % pattern, 1)
        self.assertRegex(said, r'(?i)parenthes|closing|\)')

    def test_a_plugin_that_is_missing_has_advice_or_near_names(self):
        for name in ('rest', 'logfmt', 'anonymize'):
            said = self.checked(name + ' { }', 1)
            self.assertRegex(said, r'use |did you mean|write ', name)


if __name__ == '__main__':
    unittest.main()
