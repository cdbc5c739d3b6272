/* unwind_references.c - see unwind_references.h. The format is that of the LSB, "Exception Frames". */
#include "cli/build/unwind_references.h"

#include <string.h>

/* One record: a CIE, which has the identifier 0, or an FDE, whose identifier is the distance back to its CIE. */
struct unwind_record {
    uint64_t begin, end;
    uint32_t id;
};

static bool record_at(const struct rel_section *section, uint64_t at, struct unwind_record *out)
{
    uint32_t length;

    if (!section->bytes || section->size < 8 || at > section->size - 8)
        return false;
    memcpy(&length, section->bytes + at, sizeof(length));
    memcpy(&out->id, section->bytes + at + 4, sizeof(out->id));
    out->begin = at;
    out->end = at + 4 + length;
    return length >= 4 && length < UINT32_MAX && out->end <= section->size;
}

static bool is_to(const struct object_view *view, const struct object_reference *reference,
                  uint32_t code)
{
    return view->object->symbols[reference->symbol].section == code;
}

static void visit_record(const struct object_view *view, const struct section_view *frames,
                         const struct unwind_record *record, uint32_t code,
                         unwind_reference_visit *each, void *context)
{
    for (size_t i = object_view_reference_from(frames, record->begin);
         i < frames->reference_count && frames->references[i].offset < record->end; i++) {
        if (!is_to(view, &frames->references[i], code))
            each(&frames->references[i], context);
    }
}

static void visit_frames(const struct object_view *view, uint32_t section, uint32_t code,
                         unwind_reference_visit *each, void *context)
{
    const struct rel_section *bytes = &view->object->sections[section];
    const struct section_view *frames = &view->sections[section];
    struct unwind_record record, cie;

    for (uint64_t at = 0; record_at(bytes, at, &record); at = record.end) {
        size_t first = object_view_reference_from(frames, at);

        if (!record.id || first == frames->reference_count ||
            frames->references[first].offset >= record.end ||
            !is_to(view, &frames->references[first], code))
            continue;
        visit_record(view, frames, &record, code, each, context);
        if (record.id <= at + 4 && record_at(bytes, at + 4 - record.id, &cie))
            visit_record(view, frames, &cie, code, each, context);
    }
}

void unwind_references(const struct object_view *view, uint32_t code, unwind_reference_visit *each,
                       void *context)
{
    for (uint32_t i = 1; i < view->object->section_count; i++) {
        if (section_is_unwind(&view->object->sections[i]))
            visit_frames(view, i, code, each, context);
    }
}
