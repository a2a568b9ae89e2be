/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/xml/xml_library.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libxml2.so.2"

struct xml_library libxml2;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;
static char failure[256];

/* Object pointers and function pointers are of one size wherever there is dlsym. */
static bool find(void *library, const char *name, void *function_out)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        snprintf(failure, sizeof failure, LIBRARY " has no %s", name);
    memcpy(function_out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_all(void *library)
{
#define XML_LIBRARY_FIND(name) find(library, #name, &libxml2.name) &&
    return XML_LIBRARY_FUNCTIONS(XML_LIBRARY_FIND) find(library, "xmlFree", &libxml2.free_text);
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        snprintf(failure, sizeof failure, "%s", why ? why : LIBRARY " cannot be loaded");
        return;
    }
    is_loaded = find_all(library);
    if (is_loaded)
        libxml2.xmlInitParser();
    else
        dlclose(library);
}

bool xml_library_load(struct error *err)
{
    pthread_once(&once, load);
    assert(is_loaded || failure[0]);
    return is_loaded ||
           error_set(err, ERROR_CONFIG,
                     "the xml filter needs libxml2 (Debian's package libxml2): %s", failure);
}
