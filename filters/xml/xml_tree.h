/* SPDX-License-Identifier: Apache-2.0
 *
 * An element as a value, in the form of Ruby's XmlSimple: attributes and children by name, text alone as text, text
 * beside them under `content`.
 */
#ifndef MILLRACE_FILTERS_XML_XML_TREE_H
#define MILLRACE_FILTERS_XML_XML_TREE_H

#include <libxml/tree.h>

#include "pipeline/event/value.h"

struct xml_tree_style {
    bool force_array;    /* a child is a list even when it is alone */
    bool force_content;  /* text is under `content` even when it is alone */
    bool suppress_empty; /* elements without anything in them are left out */
};

struct value xml_tree_value(struct arena *arena, const struct xml_tree_style *style,
                            const xmlNode *element);

#endif
