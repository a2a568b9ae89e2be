/* SPDX-License-Identifier: Apache-2.0
 *
 * xml: reads XML text in a field, into a value (filters/xml/xml_tree.h) and by XPath expressions. Nothing outside the text is
 * ever read: no external entities, no DTD, no network, and entities of the text's own DTD are not put in. libxml2's own
 * limits hold (256 levels, 10 MB for one text).
 */
#include <assert.h>
#include <ctype.h>

#include "filters/filters.h"
#include "filters/xml/xml_entities.h"
#include "filters/xml/xml_library.h"
#include "filters/xml/xml_tree.h"
#include "pipeline/event/ruby_text.h"

enum { XPATH_STEPS_MAX = 10000000, SOURCE_BYTES_MAX = 256 * 1024 * 1024 };

struct xml_path {
    xmlXPathCompExpr *expression;
    struct field_ref target;
};

struct xml_filter {
    struct field_ref source, target;
    struct option_hash xpath, namespaces;
    struct str parse_options;
    bool store_xml, force_array, force_content, suppress_empty, remove_namespaces;

    const struct plugin_env *env;
    int flags; /* of libxml2 */
    struct xml_path *paths;
    size_t path_count;
    struct counter *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the XML text.",
        OPTION_IN_FIELD(struct xml_filter, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that the whole document goes to; needed with store_xml.",
        OPTION_IN_FIELD(struct xml_filter, target),
    },
    {
        .name = "store_xml",
        .doc = "Put the whole document in the target.",
        OPTION_IN_BOOL(struct xml_filter, store_xml),
        .def = "true",
    },
    {
        .name = "xpath",
        .doc = "XPath expression => field that gets what it finds.",
        OPTION_IN_HASH(struct xml_filter, xpath),
    },
    {
        .name = "force_array",
        .doc = "Make lists also of what is there once.",
        OPTION_IN_BOOL(struct xml_filter, force_array),
        .def = "true",
    },
    {
        .name = "force_content",
        .doc = "Put text under `content` also where it is alone.",
        OPTION_IN_BOOL(struct xml_filter, force_content),
        .def = "false",
    },
    {
        .name = "suppress_empty",
        .doc = "Leave out elements with nothing in them.",
        OPTION_IN_BOOL(struct xml_filter, suppress_empty),
        .def = "true",
    },
    {
        .name = "namespaces",
        .doc = "Prefix => URI, for the expressions. Default: those that the root declares.",
        OPTION_IN_HASH(struct xml_filter, namespaces),
    },
    {
        .name = "remove_namespaces",
        .doc = "Take all namespaces away before the expressions are tried.",
        OPTION_IN_BOOL(struct xml_filter, remove_namespaces),
        .def = "false",
    },
    {
        .name = "parse_options",
        .doc = "Names as of Nokogiri, joined by '|': strict, recover, noblanks, nocdata, …",
        OPTION_IN_STRING(struct xml_filter, parse_options),
    },
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

/* Those that would read from elsewhere, or lift a limit, are taken and do nothing. */
static const struct {
    const char *name;
    int flag;
} PARSE_OPTIONS[] = {
    {"strict", 0},
    {"recover", XML_PARSE_RECOVER},
    {"noent", 0},
    {"dtdload", 0},
    {"dtdattr", 0},
    {"dtdvalid", 0},
    {"noerror", 0},
    {"nowarning", 0},
    {"pedantic", XML_PARSE_PEDANTIC},
    {"noblanks", XML_PARSE_NOBLANKS},
    {"sax1", 0},
    {"xinclude", 0},
    {"nonet", 0},
    {"nodict", XML_PARSE_NODICT},
    {"nsclean", XML_PARSE_NSCLEAN},
    {"nocdata", XML_PARSE_NOCDATA},
    {"noxincnode", 0},
    {"compact", 0},
    {"old10", 0},
    {"nobasefix", 0},
    {"huge", 0},
    {"defaultxml", XML_PARSE_RECOVER},
};

/* no_error is noerror. */
static bool is_parse_option(struct str given, const char *name)
{
    for (size_t i = 0; i < given.len; i++) {
        char c = given.ptr[i];
        if (c != '_' && tolower((unsigned char)c) != *name++)
            return false;
    }
    return *name == '\0';
}

static bool add_parse_option(struct xml_filter *filter, struct str name, struct error *err)
{
    name = str_trim(name);
    for (size_t i = 0; i < sizeof PARSE_OPTIONS / sizeof *PARSE_OPTIONS; i++) {
        if (!is_parse_option(name, PARSE_OPTIONS[i].name))
            continue;
        filter->flags |= PARSE_OPTIONS[i].flag;
        return true;
    }
    return name.len == 0 ||
           error_set(err, ERROR_CONFIG, "parse_options: there is no '%.*s'", STR_FMT(name));
}

static bool read_parse_options(struct xml_filter *filter, struct error *err)
{
    struct str rest = filter->parse_options;
    filter->flags = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    if (!rest.ptr) {
        filter->flags |= XML_PARSE_RECOVER;
        return true;
    }
    for (size_t i = 0, start = 0; i <= rest.len; i++) {
        if (i < rest.len && rest.ptr[i] != '|' && rest.ptr[i] != ',')
            continue;
        if (!add_parse_option(filter, str_make(rest.ptr + start, i - start), err))
            return false;
        start = i + 1;
    }
    return true;
}

static void quiet(void *ctx, xmlErrorPtr err)
{
    (void)ctx;
    (void)err;
}

static void free_paths(struct xml_filter *filter)
{
    for (size_t i = 0; i < filter->path_count; i++)
        libxml2.xmlXPathFreeCompExpr(filter->paths[i].expression);
    filter->path_count = 0;
}

static bool compile_path(struct xml_filter *filter, const struct conf_pair *pair, struct error *err)
{
    struct arena *arena = filter->env->arena;
    struct xml_path *path = &filter->paths[filter->path_count];
    xmlXPathContext *context = libxml2.xmlXPathNewContext(NULL);
    context->error = quiet;
    path->expression =
        libxml2.xmlXPathCtxtCompile(context, (const xmlChar *)arena_cstr(arena, pair->key.text));
    libxml2.xmlXPathFreeContext(context);
    if (!path->expression)
        return error_set_at(err, pair->key.position, "'%.*s' is not an XPath expression",
                            STR_FMT(pair->key.text));
    filter->path_count++;
    return field_ref_parse(arena, pair->value.text, filter->env->settings->escape, &path->target,
                           err);
}

static bool compile(struct xml_filter *filter, const struct plugin_env *env, struct error *err)
{
    filter->env = env;
    filter->paths = arena_zero(env->arena, filter->xpath.count * sizeof *filter->paths);
    if (filter->store_xml && filter->target.text.len == 0)
        return error_set(err, ERROR_CONFIG,
                         "with store_xml (the default) a target is needed; for xpath alone: "
                         "store_xml => false");
    if (!read_parse_options(filter, err))
        return false;
    for (size_t i = 0; i < filter->xpath.count; i++) {
        if (compile_path(filter, &filter->xpath.pairs[i], err))
            continue;
        free_paths(filter);
        return false;
    }
    return true;
}

static bool xml_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct xml_filter copy = *(struct xml_filter *)self;
    bool ok = xml_library_load(err) && compile(&copy, env, err);
    free_paths(&copy);
    return ok;
}

static bool xml_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct xml_filter *filter = self;
    filter->failures = env->counter(env, "failures");
    return xml_library_load(err) && compile(filter, env, err);
}

static void xml_close(void *self)
{
    free_paths(self);
}

/* ---- XPath ---------------------------------------------------------------------------------------- */

static void remove_namespaces(xmlNode *node)
{
    for (; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        node->ns = NULL;
        for (xmlAttr *attribute = node->properties; attribute; attribute = attribute->next)
            attribute->ns = NULL;
        remove_namespaces(node->children);
        libxml2.xmlFreeNsList(node->nsDef);
        node->nsDef = NULL;
    }
}

static void register_namespaces(const struct xml_filter *filter, xmlXPathContext *context,
                                const xmlNode *root, struct arena *arena)
{
    for (size_t i = 0; i < filter->namespaces.count; i++) {
        const struct conf_pair *pair = &filter->namespaces.pairs[i];
        libxml2.xmlXPathRegisterNs(context, (const xmlChar *)arena_cstr(arena, pair->key.text),
                                   (const xmlChar *)arena_cstr(arena, pair->value.text));
    }
    for (const xmlNs *ns = root->nsDef; ns && filter->namespaces.count == 0; ns = ns->next)
        libxml2.xmlXPathRegisterNs(context, ns->prefix ? ns->prefix : (const xmlChar *)"xmlns",
                                   ns->href);
}

/* Elements as XML, attributes and texts as what they hold. */
static struct value node_value(struct arena *arena, xmlDoc *document, xmlNode *node)
{
    if (node->type == XML_ATTRIBUTE_NODE || node->type == XML_NAMESPACE_DECL) {
        xmlChar *text = libxml2.xmlXPathCastNodeToString(node);
        struct value value = value_str_dup(arena, str_from((const char *)text));
        (*libxml2.free_text)(text);
        return value;
    }
    xmlBuffer *buffer = libxml2.xmlBufferCreate();
    libxml2.xmlNodeDump(buffer, document, node, 0, 1);
    struct str text = str_make((const char *)libxml2.xmlBufferContent(buffer),
                               (size_t)libxml2.xmlBufferLength(buffer));
    struct value value = value_str_dup(arena, text);
    libxml2.xmlBufferFree(buffer);
    return value;
}

static void collect(struct arena *arena, xmlDoc *document, const xmlXPathObject *found,
                    struct value *list)
{
    struct value number;
    switch (found->type) {
    case XPATH_NODESET:
        for (int i = 0; found->nodesetval && i < found->nodesetval->nodeNr; i++)
            value_array_push(arena, list,
                             node_value(arena, document, found->nodesetval->nodeTab[i]));
        return;
    case XPATH_BOOLEAN:
        if (found->boolval)
            value_array_push(arena, list, value_str(STR("true")));
        return;
    case XPATH_NUMBER:
        number = value_float(found->floatval);
        value_array_push(arena, list, value_str(ruby_text(arena, &number)));
        return;
    case XPATH_STRING:
        value_array_push(arena, list,
                         value_str_dup(arena, str_from((const char *)found->stringval)));
        return;
    case XPATH_UNDEFINED:
    case XPATH_POINT:
    case XPATH_RANGE:
    case XPATH_LOCATIONSET:
    case XPATH_USERS:
    case XPATH_XSLT_TREE:
        return;
    }
}

/* False when an expression cannot be evaluated: a prefix that is not declared, or too many steps. */
static bool apply_paths(const struct xml_filter *filter, xmlDoc *document, struct event *event,
                        bool *matched_out)
{
    xmlXPathContext *context = libxml2.xmlXPathNewContext(document);
    bool ok = true;
    context->error = quiet;
    context->opLimit = XPATH_STEPS_MAX;
    register_namespaces(filter, context, libxml2.xmlDocGetRootElement(document), event->arena);
    for (size_t i = 0; ok && i < filter->path_count; i++) {
        xmlXPathObject *found = libxml2.xmlXPathCompiledEval(filter->paths[i].expression, context);
        struct value list = value_array_new(event->arena, 1);
        ok = found;
        if (!found)
            break;
        collect(event->arena, document, found, &list);
        libxml2.xmlXPathFreeObject(found);
        size_t count = value_array_count(&list);
        if (count == 0)
            continue;
        *matched_out = true;
        bool alone = count == 1 && !filter->force_array;
        ok = event_set(event, &filter->paths[i].target, alone ? *value_array_at(&list, 0) : list,
                       NULL);
    }
    libxml2.xmlXPathFreeContext(context);
    return ok;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static bool apply_document(const struct xml_filter *filter, xmlDoc *document, bool is_well_formed,
                           struct event *event, bool *matched_out)
{
    xmlNode *root = libxml2.xmlDocGetRootElement(document);
    if (!root)
        return false;
    struct xml_tree_style style = {filter->force_array, filter->force_content,
                                   filter->suppress_empty};
    struct value tree = value_null();
    if (filter->store_xml && is_well_formed)
        tree = xml_tree_value(event->arena, &style, root);
    if (filter->remove_namespaces)
        remove_namespaces(root);
    if (filter->path_count > 0 && !apply_paths(filter, document, event, matched_out))
        return false;
    if (!filter->store_xml)
        return true;
    if (!is_well_formed || !event_set(event, &filter->target, tree, NULL))
        return false;
    *matched_out = true;
    return true;
}

static bool apply_text(const struct xml_filter *filter, struct str text, struct event *event,
                       bool *matched_out)
{
    text = xml_entities_as_text(event->arena, text);
    if (text.len > SOURCE_BYTES_MAX)
        return false;
    xmlParserCtxt *parser = libxml2.xmlNewParserCtxt();
    assert(parser);
    xmlDoc *document =
        libxml2.xmlCtxtReadMemory(parser, text.ptr, (int)text.len, NULL, "UTF-8", filter->flags);
    bool is_well_formed = parser->wellFormed && parser->nsWellFormed;
    bool ok = document && apply_document(filter, document, is_well_formed, event, matched_out);
    libxml2.xmlFreeDoc(document);
    libxml2.xmlFreeParserCtxt(parser);
    return ok;
}

static enum filter_result fail(struct xml_filter *filter, struct event *event)
{
    counter_add(filter->failures, 1);
    event_add_tag(event, STR("_xmlparsefailure"));
    return FILTER_SKIPPED;
}

static enum filter_result xml_apply(void *self, struct event *event, struct event_sink *more)
{
    struct xml_filter *filter = self;
    bool matched = false;
    (void)more;
    const struct value *source = event_get(event, &filter->source);
    if (!source || value_type(source) == VALUE_NULL ||
        (value_type(source) == VALUE_BOOL && !value_as_bool(source)))
        return FILTER_SKIPPED;
    if (value_type(source) == VALUE_ARRAY && value_array_count(source) == 1)
        source = value_array_at(source, 0);
    if (!value_is_str(source))
        return fail(filter, event);
    struct str text = value_as_str(source);
    if (str_trim(text).len == 0)
        return FILTER_SKIPPED;
    if (!apply_text(filter, text, event, &matched))
        return fail(filter, event);
    return matched ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_xml = {
    .plugin =
        {
            .name = "xml",
            .summary = "Reads XML text in a field.",
            .options = OPTIONS,
            .size = sizeof(struct xml_filter),
            .check = xml_check,
        },
    .open = xml_open,
    .apply = xml_apply,
    .close = xml_close,
};
