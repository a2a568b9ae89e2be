/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml_tree.h"

#include <assert.h>

#include "filters/xml/xml_library.h"

static const struct str CONTENT =
    STR_INIT("content"); /* the name of an element's text, never forced to be a list */

static struct str text_of(const xmlChar *text)
{
    return str_from((const char *)text);
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* The name as it is written, with its prefix. */
static struct str written_name(struct arena *arena, const xmlNs *ns, const xmlChar *name)
{
    if (!ns || !ns->prefix)
        return arena_dup(arena, text_of(name));
    return arena_printf(arena, "%s:%s", (const char *)ns->prefix, (const char *)name);
}

static bool has_attributes(const xmlNode *element)
{
    return element->properties || element->nsDef;
}

/* Declarations of namespaces are attributes like others. */
static void put_attributes(struct arena *arena, const xmlNode *element, struct value *out)
{
    for (const xmlNs *ns = element->nsDef; ns; ns = ns->next) {
        struct str name =
            ns->prefix ? arena_printf(arena, "xmlns:%s", (const char *)ns->prefix) : STR("xmlns");
        value_object_set(arena, out, name, value_str_dup(arena, text_of(ns->href)));
    }
    for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
        xmlChar *text = libxml2.xmlNodeListGetString(element->doc, attribute->children, 1);
        value_object_set(arena, out, written_name(arena, attribute->ns, attribute->name),
                         value_str_dup(arena, text_of(text)));
        (*libxml2.free_text)(text);
    }
}

/* Without anything but white space. */
static bool is_empty(const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return true;
    case VALUE_STRING:
        return str_trim(value_as_str(value)).len == 0;
    case VALUE_ARRAY:
        return value_array_count(value) == 0;
    case VALUE_OBJECT:
        return value_object_count(value) == 0;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        break;
    }
    return false;
}

static struct value list_of(struct arena *arena, struct value first)
{
    struct value list = value_array_new(arena, 2);
    value_array_push(arena, &list, first);
    return list;
}

/* A name that is there already becomes a list. */
static void join(struct arena *arena, struct value *object, struct str name, struct value item,
                 bool force_array)
{
    struct value *old = value_object_get(object, name);
    if (old && value_type(old) == VALUE_ARRAY) {
        value_array_push(arena, old, item);
    } else if (old) {
        struct value list = list_of(arena, *old);
        value_array_push(arena, &list, item);
        value_object_set(arena, object, name, list);
    } else {
        bool in_list = force_array || value_type(&item) == VALUE_ARRAY;
        value_object_set(arena, object, name, in_list ? list_of(arena, item) : item);
    }
}

/* Of an element that holds no others. Blank text is an empty object, where it has no attributes; no text at all is what
 * its attributes are. */
static struct value only_text(struct arena *arena, const struct xml_tree_style *style,
                              const xmlNode *element, struct value attributes)
{
    struct str text = STR("");
    for (const xmlNode *node = element->children; node; node = node->next)
        if (is_text(node))
            text = text.len == 0
                       ? arena_dup(arena, text_of(node->content))
                       : arena_printf(arena, "%.*s%s", STR_FMT(text), (const char *)node->content);
    bool blank = str_trim(text).len == 0, alone = !has_attributes(element);
    if (blank && alone)
        return attributes;
    if (alone && !style->force_content)
        return value_str(text);
    join(arena, &attributes, CONTENT, value_str(text), false);
    return attributes;
}

static bool has_text(const xmlNode *element)
{
    for (const xmlNode *node = element->children; node; node = node->next)
        if (is_text(node))
            return true;
    return false;
}

/* Text between elements, when there is more of it than white space. */
static void put_mixed_text(struct arena *arena, const xmlNode *element, struct value *out)
{
    struct value texts = value_array_new(arena, 2);
    bool blank = true;
    for (const xmlNode *node = element->children; node; node = node->next) {
        if (!is_text(node))
            continue;
        blank &= str_trim(text_of(node->content)).len == 0;
        value_array_push(arena, &texts, value_str_dup(arena, text_of(node->content)));
    }
    if (blank)
        return;
    value_object_set(arena, out, CONTENT,
                     value_array_count(&texts) == 1 ? *value_array_at(&texts, 0) : texts);
}

/* Recursion is as deep as the parser allows: 256 levels. */
struct value xml_tree_value(struct arena *arena, const struct xml_tree_style *style,
                            const xmlNode *element)
{
    assert(element->type == XML_ELEMENT_NODE);
    struct value result = value_object_new(arena, 4);
    bool has_elements = false;
    put_attributes(arena, element, &result);
    for (const xmlNode *node = element->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        has_elements = true;
        struct value child = xml_tree_value(arena, style, node);
        if (style->suppress_empty && is_empty(&child) && !has_attributes(element))
            continue;
        struct str name = arena_dup(arena, text_of(node->name));
        join(arena, &result, name, child, style->force_array && !str_equal(name, CONTENT));
    }
    if (!has_elements && has_text(element))
        return only_text(arena, style, element, result);
    if (has_elements)
        put_mixed_text(arena, element, &result);
    if (style->suppress_empty && value_type(&result) == VALUE_OBJECT && is_empty(&result))
        return value_null();
    return result;
}
