/* damage.c - see damage.h. */
#include "loader/text/damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/text/text_poke.h"

enum { CODE_PAGE = 4096 };

/* The words that are compared, apart from the data that is needed only where a word differs. */
struct watched {
    uintptr_t at;
    uint64_t written;
    uint64_t mask; /* the bytes that are compared */
};

struct owner {
    struct damage *damage;
    struct damage_piece piece;
};

static struct watched *watched;
static struct owner *owners;
static size_t count, capacity;
static bool any; /* the bytes of some site have been found to differ */

static int grow_pieces(void)
{
    size_t more = capacity ? 2 * capacity : 64;
    struct watched *all = realloc(watched, more * sizeof(*all));
    struct owner *their;

    if (!all)
        return -1;
    watched = all;
    their = realloc(owners, more * sizeof(*their));
    if (!their)
        return -1;
    owners = their;
    capacity = more;
    return 0;
}

int damage_watch(struct damage *damage, const struct damage_piece *piece)
{
    if (count == capacity && grow_pieces() != 0)
        return -1;
    watched[count] = (struct watched){
        .at = piece->at,
        .mask = piece->size == DAMAGE_BYTES ? UINT64_MAX : (UINT64_C(1) << 8 * piece->size) - 1};
    memcpy(&watched[count].written, piece->written, sizeof(piece->written));
    watched[count].written &= watched[count].mask;
    owners[count] = (struct owner){damage, *piece};
    damage->index[damage->count++] = count++;
    return 0;
}

/* Remove the piece at `index`. The last piece takes its place. */
static void remove_at(size_t index)
{
    struct damage *relocated = owners[--count].damage;

    watched[index] = watched[count];
    owners[index] = owners[count];
    for (size_t i = 0; i < relocated->count; i++)
        if (relocated->index[i] == count)
            relocated->index[i] = index;
}

void damage_unwatch(struct damage *damage)
{
    while (damage->count > 0) {
        size_t index = damage->index[--damage->count];

        remove_at(index);
    }
    *damage = (struct damage){0};
}

POKE_BARE static void read_found_bytes(uintptr_t at, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = *(const volatile uint8_t *)(at + i);
}

/* Return whether the eight bytes at the address are as written. Bytes beyond the end of the page, which need not be
 * mapped, are not read; they do not count. */
POKE_BARE static bool is_as_written(const struct watched *piece)
{
    uint64_t now = 0;

    if ((piece->at & (CODE_PAGE - 1)) <= CODE_PAGE - sizeof(now))
        memcpy(&now, (const void *)piece->at, sizeof(now));
    else
        for (size_t i = 0; i < sizeof(now) && piece->mask >> 8 * i; i++)
            now |= (uint64_t) * (const volatile uint8_t *)(piece->at + i) << 8 * i;
    return (now & piece->mask) == piece->written;
}

static void note_damage(const struct owner *owner)
{
    const struct damage_piece *piece = &owner->piece;
    struct damage *damage = owner->damage;
    struct damage now = *damage;

    now.piece = *piece;
    now.found_size = CODE_PAGE - (piece->at & (CODE_PAGE - 1));
    if (now.found_size > DAMAGE_BYTES)
        now.found_size = DAMAGE_BYTES;
    if (now.found_size < piece->size)
        now.found_size = piece->size;
    read_found_bytes(piece->at, now.found, now.found_size);
    now.kind = arch_foreign(now.found, now.found_size, piece->written, piece->original, piece->size,
                            &now.first);
    if (now.kind > damage->kind)
        *damage = now;
}

enum arch_foreign damage_look_at(struct damage *damage)
{
    damage->kind = ARCH_FOREIGN_NONE;
    for (size_t i = 0; i < damage->count; i++)
        if (!is_as_written(&watched[damage->index[i]]))
            note_damage(&owners[damage->index[i]]);
    any |= damage->kind != ARCH_FOREIGN_NONE;
    return damage->kind;
}

size_t damage_look(void)
{
    size_t sites = 0;

    for (size_t i = 0; any && i < count; i++)
        owners[i].damage->kind = ARCH_FOREIGN_NONE;
    any = false;
    for (size_t i = 0; i < count; i++) {
        struct damage *damage;

        if (is_as_written(&watched[i]))
            continue;
        damage = owners[i].damage;
        sites -= damage->kind != ARCH_FOREIGN_NONE;
        note_damage(&owners[i]);
        sites += damage->kind != ARCH_FOREIGN_NONE;
        any = true;
    }
    return sites;
}

bool damage_is_first_byte(const struct damage *damage)
{
    return damage->kind == ARCH_FOREIGN_ORIGINAL && damage->first == 0 &&
           memcmp(damage->found + 1, damage->piece.written + 1, damage->piece.size - 1) == 0;
}

void damage_bytes_text(const uint8_t *bytes, size_t size, char text[DAMAGE_BYTES_TEXT])
{
    *text = '\0';
    for (size_t i = 0; i < size && i < DAMAGE_BYTES; i++)
        snprintf(text + 3 * i, 4, i + 1 < size ? "%02x " : "%02x", bytes[i]);
}

const char *damage_by(const struct damage *damage)
{
    switch (damage->kind) {
    case ARCH_FOREIGN_ORIGINAL:
        return "uprobe";
    case ARCH_FOREIGN_TRAP:
        return "breakpoint";
    case ARCH_FOREIGN_JUMP:
        return "jump";
    default:
        return "unknown";
    }
}

void damage_text(const struct damage *damage, char *text, size_t size)
{
    unsigned long long at = damage->piece.at + damage->first;
    char found[DAMAGE_BYTES_TEXT], jump[ARCH_FOREIGN_TEXT];

    damage_bytes_text(damage->found, damage->piece.size, found);
    switch (damage->kind) {
    case ARCH_FOREIGN_ORIGINAL:
        snprintf(
            text, size,
            "the file's own byte %02x is back at 0x%llx: restored, as when a uprobe is removed",
            damage->found[damage->first], at);
        break;
    case ARCH_FOREIGN_TRAP:
        snprintf(text, size, "an int3 lies at 0x%llx: a breakpoint or a uprobe", at);
        break;
    case ARCH_FOREIGN_JUMP:
        arch_foreign_jump_text(damage->found, damage->found_size, damage->piece.at, jump);
        snprintf(text, size, "%s of another tool lies at 0x%llx (%s)", jump,
                 (unsigned long long)damage->piece.at, found);
        break;
    default:
        snprintf(text, size, "another tool has written at 0x%llx (%s)", at, found);
        break;
    }
}
