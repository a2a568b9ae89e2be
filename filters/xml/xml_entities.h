/* SPDX-License-Identifier: Apache-2.0
 *
 * References to entities that nobody has declared, which REXML leaves in the text as they are written and libxml2 refuses.
 */
#ifndef MILLRACE_FILTERS_XML_XML_ENTITIES_H
#define MILLRACE_FILTERS_XML_XML_ENTITIES_H

#include "base/arena.h"
#include "base/str.h"

/* The document with such references written so that a parser reads them as text ("&nbsp;" as "&amp;nbsp;"): the text itself
 * when there are none, or when it declares entities of its own. */
struct str xml_entities_as_text(struct arena *arena, struct str document);

#endif
