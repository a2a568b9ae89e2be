/* SPDX-License-Identifier: Apache-2.0
 *
 * libxml2, loaded when the first xml filter is checked: it brings ICU and the C++ library into the process, a quarter of
 * all that the loader would have to do at each start. Its functions are called as members of `libxml2`.
 */
#ifndef MILLRACE_FILTERS_XML_XML_LIBRARY_H
#define MILLRACE_FILTERS_XML_XML_LIBRARY_H

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "base/error.h"

/* clang-format off */
#define XML_LIBRARY_FUNCTIONS(F)                                                                   \
    F(xmlBufferContent) F(xmlBufferCreate) F(xmlBufferFree) F(xmlBufferLength)                     \
    F(xmlCtxtReadMemory) F(xmlDocGetRootElement) F(xmlFreeDoc) F(xmlFreeNsList)                    \
    F(xmlFreeParserCtxt) F(xmlInitParser) F(xmlNewParserCtxt) F(xmlNodeDump)                       \
    F(xmlNodeListGetString) F(xmlXPathCastNodeToString) F(xmlXPathCompiledEval)                    \
    F(xmlXPathCtxtCompile) F(xmlXPathFreeCompExpr) F(xmlXPathFreeContext)                          \
    F(xmlXPathFreeObject) F(xmlXPathNewContext) F(xmlXPathRegisterNs)
/* clang-format on */

#define XML_LIBRARY_MEMBER(name) __typeof__(&name) name;
struct xml_library {
    XML_LIBRARY_FUNCTIONS(XML_LIBRARY_MEMBER)
    xmlFreeFunc *free_text; /* what its xmlFree points at */
};

/* Filled by the first load, and not changed afterwards. */
extern struct xml_library libxml2;

/* Before anything else; any number of times, on any thread. */
bool xml_library_load(struct error *err);

#endif
