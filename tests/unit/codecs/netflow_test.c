/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets of NetFlow and IPFIX, written out byte by byte.
 */
#include "codecs/netflow/netflow_fields.h"
#include "codecs/netflow/netflow_templates.h"
#include "tests/unit/codecs/fixture.h"
#include "tests/unit/codecs/suites.h"

static struct instant clock_2024(void)
{
    return (struct instant){1709210096, 0};
}

static const struct {
    const char *options;
    struct str packet;
    const char *out;
} PACKETS[] = {
    {"",
     STR_INIT("\x00\x05\x00\x01\x00\x01\x86\xa0\x65\xe0\x79\xf0\x1d\xcd\x65\x00\x00\x00\x00\x07"
              "\x01\x02\x40\x64\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x00\x00\x00\x00\x01\x00\x02"
              "\x00\x00\x00\x03\x00\x00\x00\x04\x00\x01\x82\xb8\x00\x01\x86\x9f\x00\x50\x01\xbb"
              "\x00\x1b\x06\x00\x00\x01\x00\x02\x18\x10\x00\x00"),
     "{\"netflow\":{\"version\":5,\"flow_seq_num\":7,\"engine_type\":1,\"engine_id\":2,\"sampling_"
     "algorithm\":1,\"sampling_interval\":100,\"flow_records\":1,\"ipv4_src_addr\":\"10.0.0.1\","
     "\"ipv4_dst_addr\":\"10.0.0.2\",\"ipv4_next_hop\":\"0.0.0.0\",\"input_snmp\":1,\"output_"
     "snmp\":2,\"in_pkts\":3,\"in_bytes\":4,\"first_switched\":\"2024-02-29T12:34:55.500Z\",\"last_"
     "switched\":\"2024-02-29T12:34:56.499Z\",\"l4_src_port\":80,\"l4_dst_port\":443,\"tcp_flags\":"
     "27,\"protocol\":6,\"src_tos\":0,\"src_as\":1,\"dst_as\":2,\"src_mask\":24,\"dst_mask\":16}}"
     "\n"},
    {"",
     STR_INIT("\x00\x09\x00\x01\x00\x01\x86\xa0\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x2a"
              "\x01\x00\x00\x25\x0a\x00\x00\x01\x00\x01\x82\xb8\xff\xff\xff\xff\xff\xff\xff\xff"
              "\x01\x02\x03\xaa\xbb\xcc\x42\x03\x00\x00\x50\x00\x01\x00\x00\x51\x40"),
     ""},
    {"target => '[a][b]'",
     STR_INIT("\x00\x09\x00\x02\x00\x01\x86\xa0\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x2a"
              "\x00\x00\x00\x28\x01\x00\x00\x08\x00\x08\x00\x04\x00\x15\x00\x04\x00\x01\x00\x08"
              "\x00\x38\x00\x06\x00\x59\x00\x01\x00\x5f\x00\x04\xfd\xe8\x00\x02\x00\xc9\x00\x04"
              "\x01\x00\x00\x28\x0a\x00\x00\x01\x00\x01\x82\xb8\xff\xff\xff\xff\xff\xff\xff\xff"
              "\x01\x02\x03\xaa\xbb\xcc\x42\x03\x00\x00\x50\x00\x01\x00\x00\x51\x40\x00\x00\x00"),
     "{\"a\":{\"b\":{\"version\":9,\"flow_seq_num\":7,\"flowset_id\":256,\"ipv4_src_addr\":\"10.0."
     "0.1\",\"last_switched\":\"2024-02-29T12:34:56.000Z\",\"in_bytes\":18446744073709551615,\"in_"
     "src_mac\":\"01:02:03:aa:bb:cc\",\"forwarding_status\":{\"status\":1,\"reason\":2},"
     "\"application_id\":\"3..80\",\"mpls_label_stack_octets\":{\"label\":5,\"experimental\":0,"
     "\"bottom_of_"
     "stack\":1,\"ttl\":64}}}}\n"},
    {"",
     STR_INIT("\x00\x09\x00\x02\x00\x01\x86\xa0\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x2a"
              "\x00\x01\x00\x14\x01\x01\x00\x04\x00\x04\x00\x01\x00\x04\x00\x29\x00\x02\x00\x00"
              "\x01\x01\x00\x0c\x00\x00\x00\x09\x01\xf4\x00\x00"),
     "{\"netflow\":{\"version\":9,\"flow_seq_num\":7,\"flowset_id\":257,\"scope_system\":9,\"total_"
     "pkts_exp\":500}}\n"},
    {"",
     STR_INIT("\x00\x09\x00\x02\x00\x01\x86\xa0\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x2a"
              "\x00\x01\x00\x14\x01\x01\x00\x04\x00\x04\x00\x01\x00\x00\x00\x29\x00\x02\x00\x00"
              "\x01\x01\x00\x06\x01\xf4"),
     "{\"netflow\":{\"version\":9,\"flow_seq_num\":7,\"flowset_id\":257,\"total_pkts_exp\":500}}"
     "\n"},
    {"include_flowset_id => true",
     STR_INIT("\x00\x0a\x00\x8b\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x05\x00\x02\x00\x24"
              "\x01\x2c\x00\x06\x00\x98\x00\x08\x00\x9a\x00\x08\x00\x1b\x00\x10\x00\x52\xff\xff"
              "\x80\x07\x00\x04\x00\x0f\x42\x3f\x00\x04\x00\x01\x01\x2c\x00\x57\x00\x00\x01\x8d"
              "\xf4\xdc\x54\x95\xe9\x8a\xf8\x70\x80\x00\x00\x00\x20\x01\x0d\xb8\x00\x00\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x00\x01\x04\x65\x74\x68\x30\x01\x02\x03\x04\x11\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x83\xaa\x7e\x80\x00\x08\x5f\x98\x00\x00\x00\x00\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x00\x01\xe9\x01\x02\x03\x04\x06"),
     "{\"netflow\":{\"version\":10,\"flowset_id\":300,\"flowStartMilliseconds\":\"2024-02-29T12:34:"
     "56.789Z\",\"flowStartMicroseconds\":\"2024-02-29T12:34:56.500Z\",\"sourceIPv6Address\":"
     "\"2001:db8::1\",\"interfaceName\":\"eth0\",\"protocolIdentifier\":17}}\n{\"netflow\":{"
     "\"version\":10,\"flowset_id\":300,\"flowStartMilliseconds\":\"1970-01-01T00:00:00.000Z\","
     "\"flowStartMicroseconds\":\"1970-01-01T00:00:00.000127768Z\",\"sourceIPv6Address\":\"::\","
     "\"interfaceName\":\"\xC3\xA9\",\"protocolIdentifier\":6}}\n"},
    {"versions => [9]",
     STR_INIT("\x00\x0a\x00\x8b\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x05\x00\x02\x00\x24"
              "\x01\x2c\x00\x06\x00\x98\x00\x08\x00\x9a\x00\x08\x00\x1b\x00\x10\x00\x52\xff\xff"
              "\x80\x07\x00\x04\x00\x0f\x42\x3f\x00\x04\x00\x01\x01\x2c\x00\x57\x00\x00\x01\x8d"
              "\xf4\xdc\x54\x95\xe9\x8a\xf8\x70\x80\x00\x00\x00\x20\x01\x0d\xb8\x00\x00\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x00\x01\x04\x65\x74\x68\x30\x01\x02\x03\x04\x11\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x83\xaa\x7e\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
              "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\x00\x01\x78\x01\x02\x03\x04\x06"),
     ""},
    {"",
     STR_INIT("\x00\x05\x00\x01\x00\x01\x86\xa0\x65\xe0\x79\xf0\x1d\xcd\x65\x00\x00\x00\x00\x07"
              "\x01\x02\x40\x64\x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x00\x00\x00\x00\x01\x00\x02"
              "\x00\x00\x00\x03\x00\x00\x00\x04\x00\x01\x82\xb8\x00\x01\x86\x9f\x00\x50\x01\xbb"
              "\x00\x1b\x06\x00\x00\x01\x00\x02\x18\x10\x00"),
     ""},
    {"",
     STR_INIT("\x00\x09\x00\x02\x00\x01\x86\xa0\x65\xe0\x79\xf0\x00\x00\x00\x07\x00\x00\x00\x2a"
              "\x00\x00\x00\x28\x01\x00\x00\x08\x00\x08\x00\x04\x00\x15\x00\x04\x00\x01\x00\x08"
              "\x00\x38\x00\x06\x00\x59\x00\x01\x00\x5f\x00\x04\xfd\xe8\x00\x02\x00\xc9\x00\x04"
              "\x01\x00\x00\x28\x0a\x00\x00\x01\x00\x01\x82\xb8\xff\xff\xff\xff\xff\xff\xff\xff"
              "\x01\x02\x03\xaa\xbb\xcc\x42\x03\x00\x00\x50\x00\x01\x00\x00\x51"),
     ""},
    {"", STR_INIT("\x00\x05"), ""},
};

START_TEST(flows_become_events)
{
    struct fixture fixture = {.env.now = clock_2024};
    fixture_open(&fixture, &codec_netflow, PACKETS[_i].options);
    fixture_feed(&fixture, PACKETS[_i].packet);
    ck_assert_str_eq(fixture_take(&fixture), PACKETS[_i].out);
    fixture_close(&fixture);
}
END_TEST

START_TEST(templates_go_after_their_time)
{
    static const struct netflow_layout FIELDS[] = {{4, NETFLOW_UINT, "a"}, {65535, 0, NULL}};
    struct netflow_templates templates;
    struct netflow_key key = {9, 1, 256};
    netflow_templates_init(&templates);
    netflow_templates_set(&templates, key, FIELDS, 2, 100);
    ck_assert_uint_eq(netflow_templates_get(&templates, key, 100)->min_bytes, 5);
    ck_assert_ptr_null(netflow_templates_get(&templates, key, 101));
    netflow_templates_set(&templates, key, FIELDS, 1, 200);
    ck_assert_uint_eq(netflow_templates_get(&templates, key, 101)->count, 1);
    key.source = 2;
    ck_assert_ptr_null(netflow_templates_get(&templates, key, 0));
    netflow_templates_release(&templates);
}
END_TEST

START_TEST(fields_are_found)
{
    ck_assert_str_eq(netflow9_field(1)->name, "in_bytes");
    ck_assert_ptr_null(netflow9_field(65000));
    ck_assert_str_eq(ipfix_field(0, 8)->name, "sourceIPv4Address");
    ck_assert_ptr_nonnull(ipfix_field(29305, 1));
    ck_assert_ptr_null(ipfix_field(1, 1));
    for (uint32_t type = 0; type <= UINT16_MAX; type++) {
        const struct netflow_field *field = ipfix_field(0, (uint16_t)type);
        ck_assert(!field || (field->type == type && (field->name || field->kind == NETFLOW_SKIP)));
    }
}
END_TEST

Suite *netflow_suite(void)
{
    Suite *suite = suite_create("netflow");
    TCase *cases = tcase_create("netflow");
    tcase_add_loop_test(cases, flows_become_events, 0, sizeof PACKETS / sizeof *PACKETS);
    tcase_add_test(cases, templates_go_after_their_time);
    tcase_add_test(cases, fields_are_found);
    suite_add_tcase(suite, cases);
    return suite;
}
