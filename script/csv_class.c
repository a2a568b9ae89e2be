/* SPDX-License-Identifier: Apache-2.0
 *
 * One row of CSV for Ruby's CSV class; the rest of it is in prelude/csv.rb.
 */
#include "base/text/csv_line.h"
#include "script/library.h"

static mrb_value from_row(mrb_state *mrb, const struct csv_row *row)
{
    mrb_value list = mrb_ary_new_capa(mrb, (mrb_int)row->count);
    int ai = mrb_gc_arena_save(mrb);
    for (size_t i = 0; i < row->count; i++) {
        bool is_text = row->values[i].ptr != NULL;
        mrb_ary_push(mrb, list, is_text ? script_new_str(mrb, row->values[i]) : mrb_nil_value());
        mrb_gc_arena_restore(mrb, ai);
    }
    return list;
}

/* CSV.__row(text, separator, quote): nil for an empty text. */
static mrb_value read_row(mrb_state *mrb, mrb_value self)
{
    struct arena *arena = script_arena(script_vm_of(mrb));
    mrb_value text, separator, quote;
    mrb_get_args(mrb, "SSS", &text, &separator, &quote);
    struct csv_style style = {arena_dup(arena, script_str(separator)),
                              arena_dup(arena, script_str(quote))};
    struct csv_row row = {0};
    struct error err = {.text = ""};
    if (style.separator.len == 0 || style.quote.len == 0)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "col_sep and quote_char must not be empty");
    switch (csv_line_parse(arena, &style, arena_dup(arena, script_str(text)), &row, &err)) {
    case CSV_ROW:
        return from_row(mrb, &row);
    case CSV_NO_ROW:
        return mrb_nil_value();
    case CSV_MALFORMED:
        break;
    }
    mrb_raisef(mrb, mrb_class_get_under(mrb, mrb_class_ptr(self), "MalformedCSVError"), "%s",
               err.text);
}

void script_define_csv(struct script_vm *vm)
{
    struct RClass *csv = mrb_define_class(vm->mrb, "CSV", vm->mrb->object_class);
    mrb_define_class_method(vm->mrb, csv, "__row", read_row, MRB_ARGS_REQ(3));
}
