/*
 * function_code.c - see function_code.h.
 *
 * A short jump comes before every other technique: no thread can be in the middle of it, and it leaves
 * no trap. (A long one over a single instruction in one word is no worse, and comes before a short one that a
 * removed uprobe would leave as a broken instruction.) A long jump must not lie where other code jumps to: a trap would stay there, which ends a
 * process that blocks SIGTRAP or takes it for itself.
 */
#include "resolve/function_code.h"

#include <stdio.h>

#include "arch/arch.h"
#include "base/slot_names.h"
#include "base/utf8.h"
#include "elf/image_bytes.h"

enum { PADDING_MAX = 4096, WORD = 8 };

/* What follows the function up to the next start, where it is padding and nothing else: code that no
 * symbol and no FDE tells of may begin with a NOP. */
static uint64_t padding_behind(const struct code_view *view, uint64_t end, uint64_t next)
{
    uint64_t room = next > end ? next - end : 0;
    uint8_t copy[PADDING_MAX];

    if (room == 0 || room > sizeof(copy) || !code_copy(view, end, copy, room))
        return 0;
    return arch_padding(copy, room) == room ? room : 0;
}

static const char *jumped_into(const struct code_view *view, const struct arch_prologue *prologue,
                               struct function_code *out)
{
    uint64_t site, target;
    struct function from;
    char name[100];

    if (!view->callers ||
        !arch_callers_surely_jump_into(view->callers, prologue->jump + 1,
                                       prologue->jump + prologue->written, &site, &target))
        return NULL;
    if (!function_around(view->functions, site, &from) || !from.name) {
        snprintf(out->text, sizeof(out->text), "code at 0x%llx jumps into its first %u bytes",
                 (unsigned long long)site, prologue->written);
        return out->text;
    }
    utf8_fit(name, sizeof(name), from.name);
    snprintf(out->text, sizeof(out->text), "%s (at 0x%llx) jumps into its first %u bytes", name,
             (unsigned long long)site, prologue->written);
    return out->text;
}

static const char *check_neighbours(const struct code_view *view,
                                    const struct arch_prologue *prologue, uint64_t next,
                                    struct function_code *out)
{
    /* Its callers would jump into the middle of the jump. */
    if (prologue->jump + prologue->length > next)
        return "another function begins among its first bytes";
    return jumped_into(view, prologue, out);
}

/* Where the first instruction goes to padding that is in reach. */
static bool read_short(const struct code_view *view, const uint8_t *code,
                       const struct function *function, uint64_t next, struct function_code *out)
{
    struct arch_prologue prologue;
    uint64_t low, high;

    if (arch_prologue_read_short(code, out->size, function->address, &prologue) != ARCH_OK ||
        check_neighbours(view, &prologue, next, out))
        return false;
    arch_pad_window(&prologue, &low, &high);
    padding_find(view, function->address, low, high, &out->padding);
    return out->padding.count > 0;
}

static const char *long_technique(const struct arch_prologue *prologue)
{
    bool aligned = prologue->jump % WORD + prologue->written <= WORD;

    if (prologue->count == 1)
        return aligned ? TECHNIQUE_ALIGNED : TECHNIQUE_SINGLE;
    return aligned ? TECHNIQUE_ALIGNED_PUNNED : TECHNIQUE_PUNNED;
}

/* A pad with which a removed uprobe leaves the old code running. */
static bool has_safe_pad(const struct padding *padding, const struct function *function,
                         struct arch_prologue prologue)
{
    for (size_t i = 0; i < padding->count; i++)
        for (int at = padding->gaps[i].begin; at + ARCH_LONG_BYTES <= padding->gaps[i].end; at++) {
            uint8_t jump[ARCH_SHORT_BYTES], trap;
            bool faults;

            prologue.pad = function->address + (uint64_t)(int64_t)at;
            arch_short_bytes(&prologue, jump);
            if (arch_survives_restore(&prologue, jump, sizeof(jump), &trap, &faults))
                return true;
        }
    return false;
}

/* As site.c chooses: what is stored whole and safe beside uprobes comes before a short jump that is not. */
static bool is_better_long(const uint8_t *code, const struct function *function,
                           const struct function_code *of)
{
    struct arch_prologue by_long, by_short;

    return !of->no_long &&
           arch_prologue_read(code, of->size, function->address, &by_long) == ARCH_OK &&
           arch_stored_whole(&by_long) && arch_stub_guard(&by_long) &&
           arch_prologue_read_short(code, of->size, function->address, &by_short) == ARCH_OK &&
           !has_safe_pad(&of->padding, function, by_short);
}

static const char *read_long(const struct code_view *view, const uint8_t *code,
                             const struct function *function, uint64_t next,
                             struct function_code *out)
{
    struct arch_prologue prologue;
    enum arch_problem problem = arch_prologue_read(code, out->size, function->address, &prologue);
    const char *text;

    if (problem == ARCH_TOO_SHORT) {
        out->size += padding_behind(view, function->address + out->size, next);
        problem = arch_prologue_read(code, out->size, function->address, &prologue);
    }
    if (problem != ARCH_OK)
        return arch_problem_text(problem);
    text = check_neighbours(view, &prologue, next, out);
    if (!text)
        out->technique = long_technique(&prologue);
    return text;
}

void function_code_read(const struct code_view *view, const struct function *function,
                        struct function_code *out)
{
    uint64_t next = function_next_start(view->functions, function->address);
    const uint8_t *code;
    bool is_short;

    *out = (struct function_code){.size = function->size};
    if (function->signal_frame) {
        out->problem = arch_problem_text(ARCH_SIGNAL_RETURN);
        return;
    }
    code = image_bytes_at(view->image, function->address, out->size);
    if (!code || out->size == 0) {
        out->problem = "nobody says where the function ends";
        return;
    }
    is_short = read_short(view, code, function, next, out);
    out->problem = read_long(view, code, function, next, out);
    out->no_long = out->problem != NULL;
    if (is_short) {
        out->problem = NULL;
        out->technique = is_better_long(code, function, out) ? TECHNIQUE_ALIGNED : TECHNIQUE_SHORT;
    }
}
