/*
 * origin.c - see origin.h.
 *
 *       file                             copy
 *       +---------------------+          +---------------------+
 *       | header, e_phoff ----+--,       | header, e_phoff ----+--------,
 *       | program headers   <-+--'       | (unused)            |        |
 *       | .dynstr, ...        |          | (unused), ...       |        |
 *       | DT_STRTAB, DT_NEEDED|          | DT_STRTAB, DT_NEEDED|--,     |
 *       +---------------------+          +---------------------+  |     |
 *                                        | program headers, +1 | <+-----'
 *                                        | .dynstr             | <'
 *                                        | expanded strings    |
 *                                        +---------------------+ one read-only PT_LOAD, above all others
 *
 * ld.so finds program headers at e_phoff and strings at DT_STRTAB; section headers go on telling of the old places, whose
 * bytes stay.
 */
#include "elf/origin.h"

#include <stdlib.h>
#include <string.h>

#include "elf/dynamic.h"
#include "elf/image_parts.h"

/* A hostile file has any number of entries that share one long string. */
enum { STRING_MAX = 64 << 10, EXPANDED_MAX = 16 << 20 };

/* ------------------------------------------------------- text --- */

/* Return the length of the token that begins at `text`; 0: there is none. */
static size_t token_length(const char *text)
{
    static const char braced[] = "${ORIGIN}", bare[] = "$ORIGIN";

    if (strncmp(text, braced, sizeof braced - 1) == 0)
        return sizeof braced - 1;
    return strncmp(text, bare, sizeof bare - 1) == 0 ? sizeof bare - 1 : 0;
}

static size_t count_tokens(const char *text)
{
    size_t count = 0;

    for (const char *at = strchr(text, '$'); at; at = strchr(at + 1, '$'))
        count += token_length(at) > 0;
    return count;
}

/* Without its NUL. */
static size_t expanded_length(const char *text, const char *origin)
{
    return strlen(text) + count_tokens(text) * strlen(origin);
}

static char *expand_to(char *out, const char *text, const char *origin)
{
    while (*text) {
        size_t token = token_length(text);

        if (token == 0) {
            *out++ = *text++;
            continue;
        }
        memcpy(out, origin, strlen(origin));
        out += strlen(origin);
        text += token;
    }
    *out = '\0';
    return out + 1;
}

char *origin_expand(const char *text, const char *origin)
{
    char *expanded = malloc(expanded_length(text, origin) + 1);

    if (expanded)
        expand_to(expanded, text, origin);
    return expanded;
}

/* ------------------------------------------------------- the dynamic section --- */

static Elf64_Dyn entry_get(const struct image *image, size_t i)
{
    Elf64_Dyn entry;

    memcpy(&entry, image->dynamic.bytes + i * sizeof entry, sizeof entry);
    return entry;
}

/* Return the string of an entry in which ld.so expands the token; NULL: it has none. */
static const char *expanded_string(const struct image *image, const Elf64_Dyn *entry)
{
    const char *text = NULL;

    switch (entry->d_tag) {
    case DT_NEEDED:
    case DT_RPATH:
    case DT_RUNPATH:
    case DT_FILTER:
    case DT_AUXILIARY:
        text = image_dynamic_string(image, entry->d_un.d_val);
        break;
    default:
        break;
    }
    return text && strnlen(text, STRING_MAX) < STRING_MAX && count_tokens(text) > 0 ? text : NULL;
}

bool image_names_origin(const struct image *image)
{
    for (size_t i = 0; i < image->dynamic.count; i++) {
        Elf64_Dyn entry = entry_get(image, i);
        if (expanded_string(image, &entry))
            return true;
    }
    return false;
}

static size_t expanded_size(const struct image *image, const char *origin)
{
    size_t size = 0;

    for (size_t i = 0; i < image->dynamic.count && size <= EXPANDED_MAX; i++) {
        Elf64_Dyn entry = entry_get(image, i);
        const char *text = expanded_string(image, &entry);
        if (text)
            size += expanded_length(text, origin) + 1;
    }
    return size;
}

/* ------------------------------------------------------- the copy --- */

struct plan {
    const struct image *image;
    const char *origin;
    Elf64_Ehdr header;
    uint64_t offset, address; /* of the new PT_LOAD */
    size_t headers_size;      /* of its program headers */
    size_t expanded;          /* of the expanded strings */
    size_t size;              /* of all of it */
};

static uint64_t page_up(uint64_t value)
{
    return (value + IMAGE_PAGE - 1) & ~(IMAGE_PAGE - 1);
}

static void make_origin_plan(struct plan *plan)
{
    const struct image *image = plan->image;
    uint64_t end = 0;

    memcpy(&plan->header, image->bytes, sizeof plan->header);
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        if (segment->address + segment->memory_size > end)
            end = segment->address + segment->memory_size;
    }
    plan->offset = page_up(image->size);
    plan->address = page_up(end);
    plan->headers_size = (plan->header.e_phnum + 1u) * sizeof(Elf64_Phdr);
    plan->expanded = expanded_size(image, plan->origin);
    plan->size = plan->headers_size + image->dynsym.strings.size + plan->expanded;
}

/* PT_LOADs ascend: the new one comes after the last of them. */
static void write_headers(const struct plan *plan, uint8_t *out)
{
    const uint8_t *from = plan->image->bytes + plan->header.e_phoff;
    Elf64_Phdr added = {
        .p_type = PT_LOAD,
        .p_flags = PF_R,
        .p_offset = plan->offset,
        .p_vaddr = plan->address,
        .p_paddr = plan->address,
        .p_filesz = plan->size,
        .p_memsz = plan->size,
        .p_align = IMAGE_PAGE,
    };
    size_t last = 0;

    for (size_t i = 0; i < plan->header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, from + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD)
            last = i;
    }
    for (size_t i = 0; i < plan->header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, from + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_PHDR) {
            segment.p_offset = plan->offset;
            segment.p_vaddr = segment.p_paddr = plan->address;
            segment.p_filesz = segment.p_memsz = plan->headers_size;
        }
        memcpy(out, &segment, sizeof segment);
        out += sizeof segment;
        if (i == last) {
            memcpy(out, &added, sizeof added);
            out += sizeof added;
        }
    }
}

static void write_entry(const struct plan *plan, uint8_t *bytes, size_t i, const Elf64_Dyn *entry)
{
    size_t at = (size_t)(plan->image->dynamic.bytes - plan->image->bytes) + i * sizeof *entry;

    memcpy(bytes + at, entry, sizeof *entry);
}

static void write_dynamic(const struct plan *plan, uint8_t *bytes)
{
    const struct strings *strings = &plan->image->dynsym.strings;
    uint64_t address = plan->address + plan->headers_size;
    char *begin = (char *)bytes + plan->offset + plan->headers_size, *next = begin + strings->size;

    if (strings->size > 0)
        memcpy(begin, strings->bytes, strings->size);
    for (size_t i = 0; i < plan->image->dynamic.count; i++) {
        Elf64_Dyn entry = entry_get(plan->image, i);
        const char *text = expanded_string(plan->image, &entry);
        if (entry.d_tag == DT_STRTAB)
            entry.d_un.d_ptr = address;
        else if (entry.d_tag == DT_STRSZ)
            entry.d_un.d_val = plan->size - plan->headers_size;
        else if (!text)
            continue;
        if (text) {
            entry.d_un.d_val = (uint64_t)(next - begin);
            next = expand_to(next, text, plan->origin);
        }
        write_entry(plan, bytes, i, &entry);
    }
}

int image_expand_origin(const struct image *image, const char *origin, void **out, size_t *size,
                        struct elf_error *error)
{
    struct plan plan = {.image = image, .origin = origin};
    uint8_t *bytes;

    *out = NULL;
    make_origin_plan(&plan);
    if (plan.header.e_phnum >= PN_XNUM - 1)
        return elf_fail(error, ELF_DAMAGED, "there is no room for one more program header");
    if (plan.expanded > EXPANDED_MAX)
        return elf_fail(error, ELF_DAMAGED, "what it needs takes too much room");
    bytes = calloc(1, plan.offset + plan.size);
    if (!bytes)
        return elf_fail(error, ELF_NO_MEMORY, "no memory for a copy of %llu bytes",
                        (unsigned long long)(plan.offset + plan.size));
    memcpy(bytes, image->bytes, image->size);
    write_headers(&plan, bytes + plan.offset);
    write_dynamic(&plan, bytes);
    plan.header.e_phoff = plan.offset;
    plan.header.e_phnum++;
    memcpy(bytes, &plan.header, sizeof plan.header);
    *out = bytes;
    *size = plan.offset + plan.size;
    return 0;
}
