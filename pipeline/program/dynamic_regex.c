/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/dynamic_regex.h"

#include <assert.h>

#include "pipeline/program/evaluate.h"

bool dynamic_regex_open(struct dynamic_regex *self, struct arena *arena, struct str text,
                        enum field_escape escape, bool dynamic, struct error *err)
{
    *self = (struct dynamic_regex){.is_dynamic = dynamic && str_find(text, STR("%{")) != SIZE_MAX};
    buf_init(&self->compiled, DYNAMIC_REGEX_MAX_BYTES);
    if (self->is_dynamic) {
        template_parse(arena, text, escape, &self->text);
        return true;
    }
    self->regex = regex_compile(text, 0, err);
    return self->regex != NULL;
}

void dynamic_regex_close(struct dynamic_regex *self)
{
    regex_free(self->regex);
    self->regex = NULL;
    buf_release(&self->compiled);
}

const struct regex *dynamic_regex_for(struct dynamic_regex *self, const struct event *event)
{
    struct str text;
    if (!self->is_dynamic) {
        assert(self->regex);
        return self->regex;
    }
    if (!template_text(&self->text, event, event->arena, &text) ||
        text.len > DYNAMIC_REGEX_MAX_BYTES)
        return NULL;
    if (self->regex && str_equal(text, buf_str(&self->compiled)))
        return self->regex;
    regex_free(self->regex);
    self->regex = regex_compile(text, 0, NULL);
    self->compiled.len = 0;
    bool kept = buf_append_str(&self->compiled, text);
    assert(kept);
    (void)kept;
    return self->regex;
}
