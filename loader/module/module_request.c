/* module_request.c - see module_request.h. */
#include "loader/module/module_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "loader/slots/module_state.h"

static int keep_replacements(struct module *module, const struct request *load)
{
    module->replace = calloc(load->replace_count + 1, sizeof(*module->replace));
    for (size_t i = 0; module->replace && i < load->replace_count; i++) {
        struct request_replace *to = &module->replace[module->replace_count++];

        to->name = text_copy(load->replace[i].name);
        to->symbol = text_copy(load->replace[i].symbol);
        if (!to->name || !to->symbol)
            return -1;
    }
    return module->replace ? 0 : -1;
}

static int keep_places(struct module *module, const struct request *load)
{
    module->places = calloc(load->place_count + 1, sizeof(*module->places));
    for (size_t i = 0; module->places && i < load->place_count; i++) {
        const struct request_place *from = &load->places[i];
        struct request_place *to = &module->places[module->place_count++];

        to->object = text_copy(from->object);
        to->build_id = text_copy(from->build_id);
        to->offset = from->offset;
        to->target = text_copy(from->target);
        if (!to->object || !to->build_id || !to->target)
            return -1;
    }
    return module->places ? 0 : -1;
}

int module_keep_request(struct module *module, const struct request *load)
{
    module->asked = load;
    module->no_hits = load->no_hits;
    return keep_replacements(module, load) == 0 && keep_places(module, load) == 0 ? 0 : -1;
}

bool module_same_request(const struct module *a, const struct module *b)
{
    if (a->replace_count != b->replace_count || a->place_count != b->place_count)
        return false;
    for (size_t i = 0; i < a->replace_count; i++)
        if (!text_same(a->replace[i].name, b->replace[i].name) ||
            !text_same(a->replace[i].symbol, b->replace[i].symbol))
            return false;
    for (size_t i = 0; i < a->place_count; i++)
        if (!text_same(a->places[i].object, b->places[i].object) ||
            !text_same(a->places[i].build_id, b->places[i].build_id) ||
            !text_same(a->places[i].target, b->places[i].target) ||
            a->places[i].offset != b->places[i].offset)
            return false;
    return true;
}

void module_repeat_request(const struct module *module, struct request *load)
{
    load->verb = REQUEST_LOAD;
    load->path = module->path;
    load->no_hits |= module->no_hits;
    load->replace_count = module->replace_count;
    memcpy(load->replace, module->replace, module->replace_count * sizeof(*module->replace));
    load->place_count = module->place_count;
    memcpy(load->places, module->places, module->place_count * sizeof(*module->places));
}

void module_free_request(struct module *module)
{
    for (size_t i = 0; i < module->replace_count; i++) {
        free((char *)module->replace[i].name);
        free((char *)module->replace[i].symbol);
    }
    for (size_t i = 0; i < module->place_count; i++) {
        free((char *)module->places[i].object);
        free((char *)module->places[i].build_id);
        free((char *)module->places[i].target);
    }
    free(module->replace);
    free(module->places);
}
