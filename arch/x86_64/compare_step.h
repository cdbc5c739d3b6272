/*
 * compare_step.h - one step of a comparison: for the files compare*.c alone.
 */
#ifndef HOTPATCH_COMPARE_STEP_H
#define HOTPATCH_COMPARE_STEP_H

#include "arch/compare.h"
#include "arch/x86_64/decode.h"

/* A branch within the function, to be checked when both streams have been read. */
struct compare_branch {
    uint64_t from, object; /* offsets in the section */
    uint64_t binary;       /* offset from the function's first byte; negative wraps */
};

struct compare_step {
    const struct arch_compare *question;
    struct arch_compared *out;
    uint64_t object;                          /* offset of the next instruction in the section */
    uint64_t binary;                          /* likewise, from the function's first byte */
    struct instruction in;                    /* the object's */
    const struct rel_relocation *relocations; /* of the instructions that are not yet read */
    size_t relocation_count;
    struct compare_branch *branches;
    size_t branch_count, branch_capacity;
};

enum compare_result { COMPARE_EQUAL, COMPARE_DIFFERS, COMPARE_NO_MEMORY };

/* Add without overflow: the object may have any numbers. */
static inline int64_t offset_plus(int64_t offset, uint64_t more)
{
    return (int64_t)((uint64_t)offset + more);
}

static inline const uint8_t *object_code_at(const struct compare_step *step)
{
    return step->question->object + step->object;
}

static inline const uint8_t *binary_code_at(const struct compare_step *step)
{
    return step->question->binary + step->binary;
}

static inline uint64_t binary_room_at(const struct compare_step *step)
{
    return step->question->binary_room - step->binary;
}

/* Record what differs, and return COMPARE_DIFFERS. `text` NULL: both instructions, which are put into words when there is
 * no padding before them. */
enum compare_result compare_differs(struct compare_step *step, const char *text);

/*
 * The linker may have rewritten the object's instruction, or with a thread-local's address this one and the next. If
 * so, ask the caller for the symbol and find how many bytes both have: `length`, and how many relocations: `used`.
 * COMPARE_DIFFERS with `length` 0: it is no rewritten form.
 */
enum compare_result compare_relaxed(struct compare_step *step, uint64_t *length, size_t *used);

/* Write the instructions at both places: "mov rax, rbx". */
void compare_print(const struct compare_step *step, char *text, size_t size);

/* Ask the caller whether the symbol + offset of a relocation is what the binary has at `at`. */
enum compare_result compare_refer(struct compare_step *step, enum arch_reference_kind kind,
                                  const struct rel_relocation *relocation, int64_t offset,
                                  uint64_t at);

#endif
