/* entry_bytes.c - see entry_bytes.h. */
#include "loader/text/entry_bytes.h"

#include <stdio.h>
#include <string.h>

#include "base/refusal.h"
#include "loader/text/damage.h"
#include "loader/text/text_poke.h"

POKE_BARE void entry_bytes_read(uintptr_t at, struct entry_bytes *out, size_t size)
{
    out->at = at;
    out->size = size < ARCH_PROLOGUE_BYTES ? size : ARCH_PROLOGUE_BYTES;
    for (size_t i = 0; i < out->size; i++)
        out->bytes[i] = *(const volatile uint8_t *)(at + i);
}

int entry_bytes_refuse(const struct entry_bytes *found, enum arch_foreign kind, size_t first,
                       struct site_problem *why)
{
    unsigned long long at = found->at + first;
    char jump[ARCH_FOREIGN_TEXT];

    if (kind == ARCH_FOREIGN_TRAP)
        return site_refuse(why, HP_BREAKPOINT,
                           "an int3 lies at 0x%llx: a breakpoint or a uprobe is set there", at);
    if (kind == ARCH_FOREIGN_JUMP) {
        arch_foreign_jump_text(found->bytes, found->size, found->at, jump);
        return site_refuse(why, HP_BREAKPOINT, "%s lies at 0x%llx: another tool has hooked it",
                           jump, (unsigned long long)found->at);
    }
    return site_refuse(why, HP_HOST_OWNED,
                       "somebody else has changed the function's first bytes, at 0x%llx", at);
}

int entry_bytes_check(const uint8_t *expected, uintptr_t at, size_t size, struct site_problem *why)
{
    struct entry_bytes found;
    enum arch_foreign kind;
    size_t first = 0;

    entry_bytes_read(at, &found, size);
    kind = arch_foreign(found.bytes, found.size, expected, expected, found.size, &first);
    return kind == ARCH_FOREIGN_NONE ? 0 : entry_bytes_refuse(&found, kind, first, why);
}

int entry_bytes_refuse_damage(const struct damage *damage, struct site_problem *why)
{
    char text[200];

    damage_text(damage, text, sizeof(text));
    return site_refuse(why, damage->kind == ARCH_FOREIGN_OTHER ? HP_HOST_OWNED : HP_BREAKPOINT,
                       "%s", text);
}
