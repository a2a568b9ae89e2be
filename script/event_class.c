/* SPDX-License-Identifier: Apache-2.0
 *
 * LogStash::Event.
 *
 * A string that event.get returns is the event's own in Logstash: s = event.get("m"); s << "x" changes the event. Here
 * it is a copy, remembered until the call ends (or something reads the whole event), then written back when it differs.
 */
#include <assert.h>

#include "pipeline/program/evaluate.h"
#include "script/vm.h"

static const struct mrb_data_type EVENT_TYPE = {"LogStash::Event", NULL};

mrb_value script_new_event(struct script_vm *vm, struct event *event)
{
    return mrb_obj_value(mrb_data_object_alloc(vm->mrb, vm->event_class, event, &EVENT_TYPE));
}

void script_cut_off(mrb_value event_object)
{
    DATA_PTR(event_object) = NULL;
}

struct event *script_event_of(struct script_vm *vm, mrb_value object)
{
    if (!mrb_data_p(object) || DATA_TYPE(object) != &EVENT_TYPE)
        return NULL;
    if (!DATA_PTR(object))
        script_raise(vm->mrb, "RuntimeError",
                     "this event has left the filter; keep what you need of it (event.to_hash)");
    return DATA_PTR(object);
}

static struct event *self_event(mrb_state *mrb, mrb_value self)
{
    return script_event_of(script_vm_of(mrb), self);
}

static struct event *event_argument(mrb_state *mrb)
{
    mrb_value other;
    mrb_get_args(mrb, "o", &other);
    struct event *event = script_event_of(script_vm_of(mrb), other);
    if (!event)
        mrb_raise(mrb, E_TYPE_ERROR, "expected a LogStash::Event");
    return event;
}

/* ---- strings changed in place ---------------------------------------------------------------------------- */

void script_write_back(struct script_vm *vm)
{
    for (size_t i = 0; i < vm->fetched_count; i++) {
        struct fetched *fetched = &vm->fetched[i];
        struct str now = script_str(fetched->object);
        const struct value *value = event_get(fetched->event, fetched->ref);
        if (!value_is_str(value) || value_as_str(value).ptr != fetched->text.ptr ||
            str_equal(now, fetched->text))
            continue;
        struct value changed = script_to_value(vm, fetched->event->arena, fetched->object);
        fetched->text = value_as_str(&changed);
        event_set(fetched->event, fetched->ref, changed, NULL);
    }
}

/* The object that stands for this string already, when the event still holds it. */
static mrb_value *find_fetched(struct script_vm *vm, const struct event *event,
                               const struct field_ref *ref, struct str text)
{
    for (size_t i = 0; i < vm->fetched_count; i++) {
        struct fetched *fetched = &vm->fetched[i];
        if (fetched->ref == ref && fetched->event == event && fetched->text.ptr == text.ptr)
            return &fetched->object;
    }
    return NULL;
}

static mrb_value fetch_string(struct script_vm *vm, struct event *event,
                              const struct field_ref *ref, struct str text)
{
    mrb_value *known = find_fetched(vm, event, ref, text);
    if (known)
        return *known;
    mrb_value object = script_new_str(vm->mrb, text);
    if (vm->fetched_count < FETCHED_MAX) {
        vm->fetched[vm->fetched_count++] = (struct fetched){event, ref, text, object};
        mrb_ary_push(vm->mrb, vm->roots, object);
    }
    return object;
}

/* ---- fields ---------------------------------------------------------------------------------------------- */

static const struct field_ref *ref_argument(mrb_state *mrb, mrb_value name)
{
    if (mrb_symbol_p(name))
        name = mrb_sym_str(mrb, mrb_symbol(name));
    if (!mrb_string_p(name))
        mrb_raise(mrb, E_TYPE_ERROR, "a field reference must be a string");
    return script_field_ref(script_vm_of(mrb), script_str(name));
}

static mrb_value get(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    const struct field_ref *ref = ref_argument(mrb, mrb_get_arg1(mrb));
    const struct value *value = event_get(event, ref);
    if (value_is_str(value))
        return fetch_string(vm, event, ref, value_as_str(value));
    if (value && (value_type(value) == VALUE_ARRAY || value_type(value) == VALUE_OBJECT))
        script_write_back(vm);
    return script_from_value(vm, event_get(event, ref));
}

static mrb_value set(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    struct error err;
    mrb_value name, object;
    mrb_get_args(mrb, "oo", &name, &object);
    const struct field_ref *ref = ref_argument(mrb, name);
    struct value value = script_to_value(vm, event->arena, object);
    if (!event_set(event, ref, value, &err))
        mrb_raise(mrb, E_RUNTIME_ERROR, err.text);
    return object;
}

static mrb_value remove_field(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    struct value removed;
    const struct field_ref *ref = ref_argument(mrb, mrb_get_arg1(mrb));
    script_write_back(vm);
    return event_remove(event, ref, &removed) ? script_from_value(vm, &removed) : mrb_nil_value();
}

static mrb_value include_p(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self);
    return mrb_bool_value(event_has(event, ref_argument(mrb, mrb_get_arg1(mrb))));
}

static mrb_value tag(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self);
    mrb_value text = mrb_obj_as_string(mrb, mrb_get_arg1(mrb));
    struct value value = script_to_value(script_vm_of(mrb), event->arena, text);
    event_add_tag(event, value_as_str(&value));
    return mrb_nil_value();
}

/* ---- the whole event ------------------------------------------------------------------------------------- */

static mrb_value to_hash(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self);
    script_write_back(script_vm_of(mrb));
    return script_from_value(script_vm_of(mrb), &event->fields);
}

static mrb_value to_hash_with_metadata(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    mrb_value hash = to_hash(mrb, self);
    if (value_object_count(&event->metadata) > 0)
        mrb_hash_set(mrb, hash, mrb_str_new_lit(mrb, "@metadata"),
                     script_from_value(vm, &event->metadata));
    return hash;
}

static mrb_value to_json(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self);
    struct buf buf;
    script_write_back(script_vm_of(mrb));
    buf_init(&buf, SCRIPT_HEAP_MAX);
    bool done = json_encode_event(event, &buf);
    struct str text = arena_dup(event->arena, buf_str(&buf));
    buf_release(&buf); /* before anything can raise */
    if (!done)
        mrb_raise(mrb, E_RUNTIME_ERROR, "event too large for to_json");
    return script_new_str(mrb, text);
}

static mrb_value sprintf_text(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    mrb_value text = mrb_obj_as_string(mrb, mrb_get_arg1(mrb));
    struct template template;
    struct str result;
    script_write_back(vm);
    template_parse(event->arena, arena_dup(event->arena, script_str(text)),
                   vm->env->settings ? vm->env->settings->escape : FIELD_ESCAPE_NONE, &template);
    if (!template_text(&template, event, event->arena, &result))
        mrb_raise(mrb, E_ARGUMENT_ERROR, "bad date pattern in sprintf");
    return script_new_str(mrb, result);
}

static mrb_value cancel(mrb_state *mrb, mrb_value self)
{
    event_cancel(self_event(mrb, self));
    return mrb_nil_value();
}

static mrb_value uncancel(mrb_state *mrb, mrb_value self)
{
    self_event(mrb, self)->cancelled = false;
    return mrb_nil_value();
}

static mrb_value cancelled_p(mrb_state *mrb, mrb_value self)
{
    return mrb_bool_value(self_event(mrb, self)->cancelled);
}

static mrb_value timestamp(mrb_state *mrb, mrb_value self)
{
    struct instant at;
    return event_timestamp(self_event(mrb, self), &at) ? script_new_timestamp(script_vm_of(mrb), at)
                                                       : mrb_nil_value();
}

static mrb_value set_timestamp(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self);
    mrb_value object = mrb_get_arg1(mrb);
    struct instant at;
    if (!script_instant_of(script_vm_of(mrb), object, &at))
        mrb_raise(mrb, E_TYPE_ERROR, "expected a LogStash::Timestamp");
    event_set_timestamp(event, at);
    return object;
}

/* ---- making events --------------------------------------------------------------------------------------- */

/* The object of an event that the running call owns. */
static mrb_value adopt(struct script_vm *vm, struct event *event)
{
    mrb_value object = script_new_event(vm, event);
    mrb_ary_push(vm->mrb, vm->roots, object);
    return object;
}

static mrb_value new_event(mrb_state *mrb, mrb_value class)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct arena *arena = script_arena(vm);
    mrb_value hash = mrb_nil_value();
    (void)class;
    mrb_get_args(mrb, "|o", &hash);
    if (mrb_nil_p(hash))
        return adopt(vm, event_new(arena));
    if (!mrb_hash_p(hash))
        mrb_raise(mrb, E_TYPE_ERROR, "LogStash::Event.new takes a Hash");
    return adopt(vm, event_from_object(arena, script_to_value(vm, arena, hash)));
}

static mrb_value clone_event(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = script_event_of(vm, self);
    script_write_back(vm);
    return adopt(vm, event_clone(script_arena(vm), event));
}

static mrb_value overwrite(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self), *other = event_argument(mrb);
    script_write_back(script_vm_of(mrb));
    struct event *copy = event_clone(event->arena, other);
    event->fields = copy->fields;
    event->metadata = copy->metadata;
    event->cancelled = copy->cancelled;
    return self;
}

static void append_value(struct arena *arena, struct value *into, const struct value *from);

/* Both values in one list, without those that are there already. */
static void append_to_list(struct arena *arena, struct value *into, const struct value *from)
{
    if (value_type(into) != VALUE_ARRAY) {
        struct value list = value_array_new(arena, 2);
        value_array_push(arena, &list, *into);
        *into = list;
    }
    size_t count = value_type(from) == VALUE_ARRAY ? value_array_count(from) : 1;
    for (size_t i = 0; i < count; i++) {
        const struct value *item = value_type(from) == VALUE_ARRAY ? value_array_at(from, i) : from;
        bool there = false;
        for (size_t j = 0; j < value_array_count(into) && !there; j++)
            there = value_equal(value_array_at(into, j), item);
        if (!there)
            value_array_push(arena, into, *item);
    }
}

static void append_object(struct arena *arena, struct value *into, const struct value *from)
{
    for (size_t i = 0; i < value_object_count(from); i++) {
        struct str key;
        const struct value *item = value_object_at(from, i, &key);
        struct value *there = value_object_get(into, key);
        if (str_equal(key, STR("@timestamp")) || str_equal(key, STR("@version")))
            continue;
        if (there)
            append_value(arena, there, item);
        else
            value_object_set(arena, into, key, *item);
    }
}

static void append_value(struct arena *arena, struct value *into, const struct value *from)
{
    if (value_type(into) == VALUE_OBJECT && value_type(from) == VALUE_OBJECT)
        append_object(arena, into, from);
    else if (value_type(into) == VALUE_ARRAY || !value_equal(into, from))
        append_to_list(arena, into, from);
}

static mrb_value append(mrb_state *mrb, mrb_value self)
{
    struct event *event = self_event(mrb, self), *other = event_argument(mrb);
    script_write_back(script_vm_of(mrb));
    struct value copy = value_dup(event->arena, &other->fields);
    append_object(event->arena, &event->fields, &copy);
    return self;
}

/* new_event_block.call(event) */
static mrb_value emit(mrb_state *mrb, mrb_value self)
{
    struct script_vm *vm = script_vm_of(mrb);
    struct event *event = event_argument(mrb);
    (void)self;
    if (!vm->call || !vm->call->more)
        mrb_raise(mrb, E_RUNTIME_ERROR, "events can only be made while an event is filtered");
    script_write_back(vm);
    vm->call->more->emit(vm->call->more, event);
    return mrb_nil_value();
}

/* event["a"] went away with Logstash 5; the message says what to write. */
static mrb_value no_brackets(mrb_state *mrb, mrb_value self)
{
    (void)self;
    mrb_raise(mrb, E_NOMETHOD_ERROR,
              "write event.get('field') and event.set('field', value) in place of event['field']");
}

void script_define_event(struct script_vm *vm)
{
    static const struct {
        const char *name;
        mrb_func_t function;
        mrb_aspec arguments;
    } METHODS[] = {
        {"get", get, MRB_ARGS_REQ(1)},
        {"set", set, MRB_ARGS_REQ(2)},
        {"remove", remove_field, MRB_ARGS_REQ(1)},
        {"include?", include_p, MRB_ARGS_REQ(1)},
        {"tag", tag, MRB_ARGS_REQ(1)},
        {"to_hash", to_hash, MRB_ARGS_NONE()},
        {"to_hash_with_metadata", to_hash_with_metadata, MRB_ARGS_NONE()},
        {"to_json", to_json, MRB_ARGS_OPT(1)},
        {"sprintf", sprintf_text, MRB_ARGS_REQ(1)},
        {"cancel", cancel, MRB_ARGS_NONE()},
        {"uncancel", uncancel, MRB_ARGS_NONE()},
        {"cancelled?", cancelled_p, MRB_ARGS_NONE()},
        {"timestamp", timestamp, MRB_ARGS_NONE()},
        {"timestamp=", set_timestamp, MRB_ARGS_REQ(1)},
        {"clone", clone_event, MRB_ARGS_NONE()},
        {"dup", clone_event, MRB_ARGS_NONE()},
        {"overwrite", overwrite, MRB_ARGS_REQ(1)},
        {"append", append, MRB_ARGS_REQ(1)},
        {"[]", no_brackets, MRB_ARGS_ANY()},
        {"[]=", no_brackets, MRB_ARGS_ANY()},
    };
    mrb_state *mrb = vm->mrb;
    struct RClass *logstash = mrb_define_module(mrb, "LogStash");
    vm->event_class = mrb_define_class_under(mrb, logstash, "Event", mrb->object_class);
    MRB_SET_INSTANCE_TT(vm->event_class, MRB_TT_DATA);
    mrb_define_class_method(mrb, vm->event_class, "new", new_event, MRB_ARGS_OPT(1));
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        mrb_define_method(mrb, vm->event_class, METHODS[i].name, METHODS[i].function,
                          METHODS[i].arguments);
    vm->new_event_block = mrb_obj_value(mrb_proc_new_cfunc(mrb, emit));
    mrb_gc_register(mrb, vm->new_event_block);
}
