/* SPDX-License-Identifier: Apache-2.0
 *
 * netflow: export packets of NetFlow 5 and 9 and of IPFIX, an event for each flow. A packet is what arrives at once. Data
 * sets of 9 and IPFIX are laid out by templates that came before; one without is dropped with a line in the log. Unlike in
 * Logstash a field that nobody knows is passed over, and its template is good for the others.
 */
#include <assert.h>

#include "codecs/codecs.h"
#include "codecs/netflow/netflow_templates.h"
#include "codecs/netflow/netflow_value.h"

enum {
    HEADER5_BYTES = 24,
    RECORD5_BYTES = 48,
    HEADER9_BYTES = 20,
    HEADER10_BYTES = 16,
    SET_HEADER_BYTES = 4,
    DATA_SET_FIRST = 256,
    ENTERPRISE_BIT = 0x8000,
};

struct netflow_codec {
    int64_t cache_ttl;
    struct field_ref target;
    bool include_flowset_id;
    struct option_array versions;

    const struct plugin_env *env;
    struct netflow_templates templates;
    bool accepts[11]; /* by version */
    struct log_limit log_limit;
};

static const struct option netflow_options[] = {
    {
        .name = "cache_ttl",
        .doc = "Seconds for which a template is good.",
        OPTION_IN_INT(struct netflow_codec, cache_ttl),
        .min = 1,
        .max = 1e9,
        .def = "4000",
    },
    {
        .name = "cache_save_path",
        .doc = "Folder in which templates would be kept over a restart.",
        .note = "exporters send their templates again, mostly every minute or so",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "target",
        .doc = "Field that the fields of a flow go below.",
        OPTION_IN_FIELD(struct netflow_codec, target),
        .def = "netflow",
    },
    {
        .name = "include_flowset_id",
        .doc = "Set flowset_id for IPFIX as well.",
        OPTION_IN_BOOL(struct netflow_codec, include_flowset_id),
        .def = "false",
    },
    {
        .name = "versions",
        .doc = "Versions that are read: 5, 9 and 10, which is IPFIX.",
        OPTION_IN_ARRAY(struct netflow_codec, versions),
        .def = "[ 5, 9, 10 ]",
    },
    {
        .name = "netflow_definitions",
        .doc = "A YAML file with fields of NetFlow 9.",
        .note = "the fields are built in; rename them with filter 'mutate'",
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    {
        .name = "ipfix_definitions",
        .doc = "A YAML file with fields of IPFIX.",
        .note = "the fields are built in; rename them with filter 'mutate'",
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    OPTION_END,
};

static bool netflow_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct netflow_codec *netflow = self;
    (void)env;
    memset(netflow->accepts, 0, sizeof netflow->accepts);
    for (size_t i = 0; i < netflow->versions.count; i++) {
        int64_t version;
        struct str text = netflow->versions.items[i].text;
        if (!str_to_int(text, &version) || (version != 5 && version != 9 && version != 10))
            return error_set(err, ERROR_CONFIG, "versions: '%.*s' is not one of 5, 9 and 10",
                             STR_FMT(text));
        netflow->accepts[version] = true;
    }
    return true;
}

static bool netflow_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct netflow_codec *netflow = self;
    netflow->env = env;
    netflow->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    netflow_templates_init(&netflow->templates);
    return netflow_check(self, env, err);
}

static void netflow_close(void *self)
{
    struct netflow_codec *netflow = self;
    netflow_templates_release(&netflow->templates);
}

static void say(struct netflow_codec *netflow, const char *what, int64_t number)
{
    uint64_t suppressed;
    if (log_limit_allow(&netflow->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(netflow->env->log, "netflow", what, LOG_INT("number", number),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* ---- bytes and times ------------------------------------------------------------------------------ */

/* Takes at most `len` bytes off *bytes. */
static struct str take(struct str *bytes, size_t len)
{
    struct str taken = str_make(bytes->ptr, len < bytes->len ? len : bytes->len);
    *bytes = str_from_offset(*bytes, taken.len);
    return taken;
}

static uint64_t take_number(struct str *bytes, size_t len)
{
    return netflow_number(take(bytes, len));
}

struct packet {
    struct netflow_codec *netflow;
    struct event_sink *sink;
    unsigned version;
    int64_t uptime, seconds, nanoseconds;
    uint32_t sequence, source;
    struct value header; /* what each event of the packet has below the target */
};

/* *_switched counts milliseconds of the exporter's uptime. The microseconds carry into the seconds upwards only: what
 * Logstash computes, up to a second more than it was. */
static struct value switched_time(const struct packet *packet, int64_t at_uptime)
{
    int64_t millis = packet->uptime - at_uptime;
    int64_t whole = millis / 1000 - (millis % 1000 < 0), part = millis - whole * 1000;
    int64_t micros =
        packet->version == 5 ? packet->nanoseconds / 1000 - part * 1000 : 1000000 - part * 1000;
    if (micros < 0)
        micros += 1000000;
    return netflow_time_text(packet->sink->arena, packet->seconds - whole, micros);
}

static void set(struct packet *packet, struct value *fields, const char *name, struct value value)
{
    value_object_set(packet->sink->arena, fields, str_from(name), value);
}

static void set_number(struct packet *packet, struct value *fields, const char *name,
                       uint64_t number)
{
    set(packet, fields, name, value_int((int64_t)number));
}

static struct value begin_flow(struct packet *packet)
{
    return value_dup_shared(packet->sink->arena, &packet->header);
}

static void emit_flow(struct packet *packet, struct value fields)
{
    struct event *event = event_new(packet->sink->arena);
    uint32_t nanoseconds = (uint32_t)(packet->nanoseconds / 1000 * 1000 % 1000000000);
    event_set_timestamp(event, (struct instant){packet->seconds, nanoseconds});
    (void)event_set(event, &packet->netflow->target, fields, NULL);
    packet->sink->emit(packet->sink, event);
}

/* ---- version 5 ------------------------------------------------------------------------------------ */

static const struct {
    const char *name; /* NULL: padding */
    unsigned char len, kind;
} RECORD5[] = {
    {"ipv4_src_addr", 4, NETFLOW_IP4},  {"ipv4_dst_addr", 4, NETFLOW_IP4},
    {"ipv4_next_hop", 4, NETFLOW_IP4},  {"input_snmp", 2, NETFLOW_UINT},
    {"output_snmp", 2, NETFLOW_UINT},   {"in_pkts", 4, NETFLOW_UINT},
    {"in_bytes", 4, NETFLOW_UINT},      {"first_switched", 4, NETFLOW_UINT},
    {"last_switched", 4, NETFLOW_UINT}, {"l4_src_port", 2, NETFLOW_UINT},
    {"l4_dst_port", 2, NETFLOW_UINT},   {NULL, 1, NETFLOW_SKIP},
    {"tcp_flags", 1, NETFLOW_UINT},     {"protocol", 1, NETFLOW_UINT},
    {"src_tos", 1, NETFLOW_UINT},       {"src_as", 2, NETFLOW_UINT},
    {"dst_as", 2, NETFLOW_UINT},        {"src_mask", 1, NETFLOW_UINT},
    {"dst_mask", 1, NETFLOW_UINT},      {NULL, 2, NETFLOW_SKIP},
};

static void decode_record5(struct packet *packet, struct str record)
{
    struct value fields = begin_flow(packet);
    for (size_t i = 0; i < sizeof RECORD5 / sizeof *RECORD5; i++) {
        struct str bytes = take(&record, RECORD5[i].len);
        const char *name = RECORD5[i].name;
        if (name && str_ends_with(str_from(name), STR("_switched")))
            set(packet, &fields, name, switched_time(packet, (int64_t)netflow_number(bytes)));
        else if (name)
            set(packet, &fields, name,
                netflow_value(packet->sink->arena, (enum netflow_kind)RECORD5[i].kind, bytes));
    }
    emit_flow(packet, fields);
}

static void decode5(struct packet *packet, struct str bytes)
{
    enum { FLOWS_MAX = 30 };
    struct str header = take(&bytes, HEADER5_BYTES);
    (void)take_number(&header, 2);
    uint64_t flows = take_number(&header, 2);
    packet->uptime = (int64_t)take_number(&header, 4);
    packet->seconds = (int64_t)take_number(&header, 4);
    packet->nanoseconds = (int64_t)take_number(&header, 4);
    set_number(packet, &packet->header, "version", 5);
    set_number(packet, &packet->header, "flow_seq_num", take_number(&header, 4));
    set_number(packet, &packet->header, "engine_type", take_number(&header, 1));
    set_number(packet, &packet->header, "engine_id", take_number(&header, 1));
    uint64_t sampling = take_number(&header, 2);
    set_number(packet, &packet->header, "sampling_algorithm", sampling >> 14);
    set_number(packet, &packet->header, "sampling_interval", sampling & 0x3FFF);
    set_number(packet, &packet->header, "flow_records", flows);
    if (flows == 0 || flows > FLOWS_MAX || bytes.len < flows * RECORD5_BYTES) {
        say(packet->netflow, "a NetFlow 5 packet is cut or has a wrong number of flows",
            (int64_t)flows);
        return;
    }
    for (uint64_t i = 0; i < flows; i++)
        decode_record5(packet, take(&bytes, RECORD5_BYTES));
}

/* ---- templates ------------------------------------------------------------------------------------ */

struct layout {
    struct netflow_layout fields[NETFLOW_FIELDS_MAX];
    size_t count;
    bool fits;
};

static void add_field(struct packet *packet, struct layout *layout,
                      const struct netflow_field *field, uint16_t type, uint16_t length)
{
    layout->fits = layout->fits && layout->count < NETFLOW_FIELDS_MAX;
    if (!layout->fits)
        return;
    if (!field)
        say(packet->netflow, "a template has a field that is not known; it is passed over", type);
    layout->fields[layout->count++] = (struct netflow_layout){
        length, field ? field->kind : NETFLOW_SKIP, field ? field->name : NULL};
}

static void take_fields9(struct packet *packet, struct str bytes, struct layout *layout)
{
    while (bytes.len >= 4) {
        uint16_t type = (uint16_t)take_number(&bytes, 2);
        uint16_t length = (uint16_t)take_number(&bytes, 2);
        add_field(packet, layout, netflow9_field(type), type, length);
    }
}

static void take_scopes9(struct packet *packet, struct str bytes, struct layout *layout)
{
    static const struct netflow_field SCOPES[] = {
        {0, 1, NETFLOW_UINT, "scope_system"},    {0, 2, NETFLOW_UINT, "scope_interface"},
        {0, 3, NETFLOW_UINT, "scope_line_card"}, {0, 4, NETFLOW_UINT, "scope_netflow_cache"},
        {0, 5, NETFLOW_UINT, "scope_template"},
    };
    while (bytes.len >= 4) {
        uint16_t type = (uint16_t)take_number(&bytes, 2);
        uint16_t length = (uint16_t)take_number(&bytes, 2);
        bool known = type >= 1 && type <= sizeof SCOPES / sizeof *SCOPES;
        if (length > 0) /* the whole system is a scope of no bytes */
            add_field(packet, layout, known ? &SCOPES[type - 1] : NULL, type, length);
    }
}

/* False when the bytes end before the fields do. */
static bool take_fields10(struct packet *packet, struct str *bytes, uint64_t count,
                          struct layout *layout)
{
    for (uint64_t i = 0; i < count; i++) {
        if (bytes->len < 4)
            return false;
        uint16_t type = (uint16_t)take_number(bytes, 2);
        uint16_t length = (uint16_t)take_number(bytes, 2);
        uint32_t enterprise = 0;
        if (type & ENTERPRISE_BIT && bytes->len < 4)
            return false;
        if (type & ENTERPRISE_BIT)
            enterprise = (uint32_t)take_number(bytes, 4);
        type &= (uint16_t)~ENTERPRISE_BIT;
        add_field(packet, layout, ipfix_field(enterprise, type), type, length);
    }
    return true;
}

static void keep_template(struct packet *packet, uint16_t id, const struct layout *layout)
{
    struct netflow_codec *netflow = packet->netflow;
    if (!layout->fits || layout->count == 0 || id < DATA_SET_FIRST) {
        say(netflow, "a template is not taken", id);
        return;
    }
    netflow_templates_set(&netflow->templates,
                          (struct netflow_key){packet->version, packet->source, id}, layout->fields,
                          layout->count, netflow->env->now().seconds + netflow->cache_ttl);
}

static void decode_templates9(struct packet *packet, struct str bytes, bool options)
{
    struct layout *layout = arena_alloc(packet->sink->arena, sizeof *layout);
    while (bytes.len >= (options ? 6 : 4)) {
        uint16_t id = (uint16_t)take_number(&bytes, 2);
        uint64_t first = take_number(&bytes, 2);
        uint64_t second = options ? take_number(&bytes, 2) : 0;
        layout->count = 0;
        layout->fits = (options ? first + second : first * 4) <= bytes.len;
        if (!layout->fits || (id == 0 && first == 0))
            return; /* cut, or padding */
        if (options)
            take_scopes9(packet, take(&bytes, first), layout);
        take_fields9(packet, take(&bytes, options ? second : first * 4), layout);
        keep_template(packet, id, layout);
        if (options)
            return; /* one in a set; what follows is padding */
    }
}

static void decode_templates10(struct packet *packet, struct str bytes, bool options)
{
    struct layout *layout = arena_alloc(packet->sink->arena, sizeof *layout);
    while (bytes.len >= (options ? 6 : 4)) {
        uint16_t id = (uint16_t)take_number(&bytes, 2);
        uint64_t count = take_number(&bytes, 2);
        if (options)
            (void)take_number(&bytes, 2); /* how many of them are scopes */
        layout->count = 0;
        layout->fits = true;
        if (count == 0 || !take_fields10(packet, &bytes, count, layout))
            return; /* padding, a withdrawal, or cut */
        keep_template(packet, id, layout);
    }
}

/* ---- data sets ------------------------------------------------------------------------------------ */

static struct value field_value(struct packet *packet, const struct netflow_layout *field,
                                struct str bytes)
{
    struct str name = str_from(field->name);
    struct value value;
    if (packet->version == 9 && str_ends_with(name, STR("_switched")))
        return switched_time(packet, (int64_t)(netflow_number(bytes) & UINT32_MAX));
    if (packet->version == 10 && netflow_flow_time(packet->sink->arena, name, bytes, &value))
        return value;
    return netflow_value(packet->sink->arena, (enum netflow_kind)field->kind, bytes);
}

/* The bytes of a field; false when they are not all there. */
static bool take_field(const struct netflow_layout *field, struct str *bytes, struct str *out)
{
    uint64_t length = field->length;
    if (length == NETFLOW_VARIABLE) {
        length = take_number(bytes, 1);
        if (length == UINT8_MAX)
            length = take_number(bytes, 2);
    }
    if (bytes->len < length)
        return false;
    *out = take(bytes, length);
    return true;
}

static bool decode_flow(struct packet *packet, const struct netflow_template *template,
                        uint16_t set_id, struct str *bytes)
{
    struct value fields = begin_flow(packet);
    if (packet->version == 9 || packet->netflow->include_flowset_id)
        set_number(packet, &fields, "flowset_id", set_id);
    for (size_t i = 0; i < template->count; i++) {
        const struct netflow_layout *field = &template->fields[i];
        struct str value;
        if (!take_field(field, bytes, &value))
            return false;
        if (field->name)
            set(packet, &fields, field->name, field_value(packet, field, value));
    }
    emit_flow(packet, fields);
    return true;
}

static void decode_data(struct packet *packet, uint16_t set_id, struct str bytes)
{
    struct netflow_codec *netflow = packet->netflow;
    struct netflow_key key = {packet->version, packet->source, set_id};
    const struct netflow_template *template =
        netflow_templates_get(&netflow->templates, key, netflow->env->now().seconds);
    if (!template || template->min_bytes == 0) {
        say(netflow, "flows are dropped: their template has not come yet", set_id);
        return;
    }
    while (bytes.len >= template->min_bytes && decode_flow(packet, template, set_id, &bytes))
        ; /* what is left is padding */
}

static void decode_sets(struct packet *packet, struct str bytes)
{
    unsigned templates = packet->version == 9 ? 0 : 2;
    while (bytes.len > SET_HEADER_BYTES) {
        uint16_t id = (uint16_t)take_number(&bytes, 2);
        uint64_t length = take_number(&bytes, 2);
        if (length <= SET_HEADER_BYTES || length - SET_HEADER_BYTES > bytes.len) {
            if (length != 0)
                say(packet->netflow, "a packet is cut, or a set of it has a wrong length", id);
            return;
        }
        struct str set = take(&bytes, length - SET_HEADER_BYTES);
        if (id >= DATA_SET_FIRST)
            decode_data(packet, id, set);
        else if (id != templates && id != templates + 1)
            say(packet->netflow, "a set is of no known kind", id);
        else if (packet->version == 9)
            decode_templates9(packet, set, id != templates);
        else
            decode_templates10(packet, set, id != templates);
    }
}

static void decode9(struct packet *packet, struct str bytes)
{
    struct str header = take(&bytes, HEADER9_BYTES);
    (void)take_number(&header, 4);
    packet->uptime = (int64_t)take_number(&header, 4);
    packet->seconds = (int64_t)take_number(&header, 4);
    packet->sequence = (uint32_t)take_number(&header, 4);
    packet->source = (uint32_t)take_number(&header, 4);
    set_number(packet, &packet->header, "version", 9);
    set_number(packet, &packet->header, "flow_seq_num", packet->sequence);
    decode_sets(packet, bytes);
}

static void decode10(struct packet *packet, struct str bytes)
{
    struct str header = take(&bytes, HEADER10_BYTES);
    (void)take_number(&header, 2);
    uint64_t length = take_number(&header, 2);
    packet->seconds = (int64_t)take_number(&header, 4);
    packet->sequence = (uint32_t)take_number(&header, 4);
    packet->source = (uint32_t)take_number(&header, 4);
    set_number(packet, &packet->header, "version", 10);
    if (length >= HEADER10_BYTES && length - HEADER10_BYTES < bytes.len)
        bytes.len = (size_t)length - HEADER10_BYTES;
    decode_sets(packet, bytes);
}

static void netflow_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct netflow_codec *netflow = self;
    struct str head = bytes;
    uint64_t version = take_number(&head, 2);
    size_t header = version == 5 ? HEADER5_BYTES : version == 9 ? HEADER9_BYTES : HEADER10_BYTES;
    if (version >= sizeof netflow->accepts || !netflow->accepts[version] || bytes.len < header) {
        say(netflow, "a packet is too short or of a version that is not read", (int64_t)version);
        return;
    }
    struct packet packet = {.netflow = netflow, .sink = sink, .version = (unsigned)version};
    packet.header = value_object_new(sink->arena, 8);
    assert(version == 5 || version == 9 || version == 10);
    if (version == 5)
        decode5(&packet, bytes);
    else if (version == 9)
        decode9(&packet, bytes);
    else
        decode10(&packet, bytes);
}

const struct codec codec_netflow = {
    .plugin = {.name = "netflow",
               .summary = "flows of NetFlow 5 and 9 and of IPFIX",
               .options = netflow_options,
               .size = sizeof(struct netflow_codec),
               .check = netflow_check},
    .open = netflow_open,
    .decode = netflow_decode,
    .close = netflow_close,
};
