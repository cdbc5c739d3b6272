/*
 * compare.c - see arch/compare.h. The vocabulary is that of the Intel SDM, volume 2.
 *
 * The object's stream is decoded; the binary's bytes are compared with its bytes but for the relocated fields, and
 * decoded where they differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/compare_step.h"

/* ------------------------------------------------------- results --- */

enum compare_result compare_differs(struct compare_step *step, const char *text)
{
    struct arch_compared *out = step->out;

    out->at = step->object - step->question->begin;
    snprintf(out->reason, sizeof out->reason, "%s", text ? text : "");
    return COMPARE_DIFFERS;
}

enum compare_result compare_refer(struct compare_step *step, enum arch_reference_kind kind,
                                  const struct rel_relocation *relocation, int64_t offset,
                                  uint64_t at)
{
    const struct arch_compare *question = step->question;
    struct arch_reference reference = {
        .kind = kind,
        .symbol = relocation ? relocation->symbol : ARCH_REFERENCE_OWN,
        .offset = offset,
        .at = at,
        .place = step->object,
        .field = question->address + step->binary +
                 (relocation ? relocation->offset - step->object : step->in.field),
    };
    const char *reason = question->refer(&reference, question->context);

    return reason ? compare_differs(step, reason) : COMPARE_EQUAL;
}

static enum compare_result add_run(struct compare_step *step, uint64_t length)
{
    struct arch_compared *out = step->out;
    struct arch_compared_run *last = out->run_count ? &out->runs[out->run_count - 1] : NULL;

    if (last && last->object + last->length == step->object &&
        last->binary + last->length == step->binary) {
        last->length += length;
        return COMPARE_EQUAL;
    }
    if (out->run_count == out->run_capacity) {
        size_t capacity = out->run_capacity ? 2 * out->run_capacity : 4;
        struct arch_compared_run *runs = realloc(out->runs, capacity * sizeof *runs);
        if (!runs)
            return COMPARE_NO_MEMORY;
        out->runs = runs;
        out->run_capacity = capacity;
    }
    out->runs[out->run_count++] = (struct arch_compared_run){step->object, length, step->binary};
    return COMPARE_EQUAL;
}

static enum compare_result add_branch(struct compare_step *step, uint64_t object, uint64_t binary)
{
    if (step->branch_count == step->branch_capacity) {
        size_t capacity = step->branch_capacity ? 2 * step->branch_capacity : 64;
        struct compare_branch *branches = realloc(step->branches, capacity * sizeof *branches);
        if (!branches)
            return COMPARE_NO_MEMORY;
        step->branches = branches;
        step->branch_capacity = capacity;
    }
    step->branches[step->branch_count++] = (struct compare_branch){step->object, object, binary};
    return COMPARE_EQUAL;
}

/* Between two runs lies padding: its first byte and its end are one place. */
bool arch_compared_leads(const struct arch_compared *compared, uint64_t object, uint64_t binary)
{
    size_t low = 0, high = compared->run_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compared->runs[middle].object <= object)
            low = middle + 1;
        else
            high = middle;
    }
    const struct arch_compared_run *run = low > 0 ? &compared->runs[low - 1] : NULL;
    if (run && object - run->object < run->length) {
        if (binary == run->binary + (object - run->object))
            return true;
        if (object != run->object || low < 2)
            return low < 2 && object == run->object && binary <= run->binary;
        run--;
        return binary >= run->binary + run->length && binary <= run[1].binary;
    }
    /* In padding, or at the end. */
    uint64_t from = run ? run->binary + run->length : 0;
    uint64_t to = low < compared->run_count ? compared->runs[low].binary : compared->size;
    return binary >= from && binary <= to;
}

void arch_compared_free(struct arch_compared *compared)
{
    free(compared->runs);
    compared->runs = NULL;
}

/* ------------------------------------------------------- padding --- */

/* Return the length of a NOP, or 0. An instruction begins otherwise than with these bytes in most cases. */
static size_t nop_length(const uint8_t *code, uint64_t size)
{
    struct instruction in;

    if (size == 0 || (code[0] != 0x90 && code[0] != 0x66 && code[0] != 0x0f && code[0] != 0x2e &&
                      code[0] != 0x67 && code[0] != 0x87))
        return 0;
    return instruction_decode(code, size, &in) && in.nop ? in.length : 0;
}

static uint64_t skip_nops(const uint8_t *code, uint64_t at, uint64_t end)
{
    size_t length;

    while (at < end && (length = nop_length(code + at, end - at)) > 0)
        at += length;
    return at;
}

/* Skip the binary's NOPs; false: there are none. */
static bool skip_binary_nops(struct compare_step *step)
{
    const struct arch_compare *question = step->question;
    uint64_t after = skip_nops(question->binary, step->binary, question->binary_size);

    if (after == step->binary)
        return false;
    step->binary = after;
    return true;
}

/* Skip prefixes of the binary's instruction by which the assembler moved a branch away from a boundary
 * (-mbranches-within-32B-boundaries); false: there are none. The processor ignores CS in 64-bit mode. */
static bool skip_binary_prefixes(struct compare_step *step)
{
    enum { CS = 0x2e };
    const struct arch_compare *question = step->question;
    uint64_t after = step->binary;

    if (*object_code_at(step) == CS)
        return false;
    while (after < question->binary_size && question->binary[after] == CS)
        after++;
    if (after == step->binary)
        return false;
    step->binary = after;
    return true;
}

/* ------------------------------------------------------- branches --- */

static bool is_relative_branch(const struct instruction *in)
{
    return in->kind == INSTRUCTION_JUMP || in->kind == INSTRUCTION_CONDITIONAL ||
           in->kind == INSTRUCTION_COUNTED || in->kind == INSTRUCTION_CALL ||
           in->kind == INSTRUCTION_BEGIN;
}

/* Return how many bytes of prefixes a branch has: those before its opcode. */
static unsigned branch_prefixes(const struct instruction *in)
{
    unsigned opcode = in->length - in->field == 1                                            ? 1
                      : in->kind == INSTRUCTION_CONDITIONAL || in->kind == INSTRUCTION_BEGIN ? 2
                                                                                             : 1;

    return in->field - opcode;
}

static bool is_same_branch(const struct instruction *a, const uint8_t *a_code,
                           const struct instruction *b, const uint8_t *b_code)
{
    unsigned prefixes = branch_prefixes(a);

    if (a->kind != b->kind || prefixes != branch_prefixes(b) ||
        memcmp(a_code, b_code, prefixes) != 0)
        return false;
    if (a->kind == INSTRUCTION_CONDITIONAL)
        return (a->opcode & 0x0f) == (b->opcode & 0x0f);
    return a->kind != INSTRUCTION_COUNTED || a->opcode == b->opcode;
}

/* Compare a branch of the object, `relocation` its target's or NULL, with an instruction of the binary. */
static enum compare_result compare_branches(struct compare_step *step,
                                            const struct rel_relocation *relocation,
                                            uint64_t *binary_length)
{
    const struct arch_compare *question = step->question;
    const struct instruction *in = &step->in;
    struct instruction other;
    uint64_t end;

    if (!instruction_decode(binary_code_at(step), binary_room_at(step), &other) ||
        !is_relative_branch(&other) ||
        !is_same_branch(in, object_code_at(step), &other, binary_code_at(step)))
        return compare_differs(step, NULL);
    *binary_length = other.length;
    end = step->binary + other.length;
    uint64_t to = end + (uint64_t)(int64_t)other.relative;
    if (relocation)
        return compare_refer(step, ARCH_REFERENCE_BRANCH, relocation,
                             offset_plus(relocation->addend, (uint64_t)(in->length - in->field)),
                             question->address + to);
    uint64_t object_to = step->object + in->length + (uint64_t)(int64_t)in->relative;
    if (object_to >= question->begin && object_to <= question->end)
        return add_branch(step, object_to, to);
    return compare_refer(step, ARCH_REFERENCE_BRANCH, NULL, (int64_t)object_to,
                         question->address + to);
}

static enum compare_result check_branches(struct compare_step *step)
{
    for (size_t i = 0; i < step->branch_count; i++) {
        const struct compare_branch *branch = &step->branches[i];
        if (arch_compared_leads(step->out, branch->object, branch->binary))
            continue;
        step->object = branch->from;
        return compare_differs(step, "a jump leads to another instruction");
    }
    return COMPARE_EQUAL;
}

/* ------------------------------------------------------- relocated fields --- */

/* Return whether the bytes of both instructions are the same but for the fields. */
static bool same_but_fields(const struct compare_step *step, size_t fields)
{
    const uint8_t *a = object_code_at(step), *b = binary_code_at(step);
    uint64_t at = 0;

    if (binary_room_at(step) < step->in.length)
        return false;
    for (size_t i = 0; i < fields; i++) {
        uint64_t field = step->relocations[i].offset - step->object;
        if (field > at && memcmp(a + at, b + at, field - at) != 0)
            return false;
        at = field + arch_thin(step->relocations[i].type).size;
    }
    return at >= step->in.length || memcmp(a + at, b + at, step->in.length - at) == 0;
}

static bool reference_kind(const struct arch_thin *kind, bool branch, enum arch_reference_kind *out)
{
    static const enum arch_reference_kind kinds[] = {
        [ARCH_THIN_ADDRESS] = ARCH_REFERENCE_ADDRESS,
        [ARCH_THIN_BRANCH] = ARCH_REFERENCE_BRANCH,
        [ARCH_THIN_GOT] = ARCH_REFERENCE_GOT,
        [ARCH_THIN_GOT_BASE] = ARCH_REFERENCE_GOT_BASE,
        [ARCH_THIN_SIZE] = ARCH_REFERENCE_SIZE,
        [ARCH_THIN_TLS_OFFSET] = ARCH_REFERENCE_TLS_OFFSET,
        [ARCH_THIN_TLS_GOT] = ARCH_REFERENCE_TLS_GOT,
        [ARCH_THIN_TLS_PAIR] = ARCH_REFERENCE_TLS_PAIR,
        [ARCH_THIN_TLS_MODULE] = ARCH_REFERENCE_TLS_MODULE,
        [ARCH_THIN_TLS_BLOCK] = ARCH_REFERENCE_TLS_BLOCK,
        [ARCH_THIN_TLS_DESCRIPTOR] = ARCH_REFERENCE_TLS_DESCRIPTOR,
    };

    if (kind->target == ARCH_THIN_UNKNOWN || kind->target == ARCH_THIN_NONE ||
        kind->target == ARCH_THIN_GOT_RELATIVE || kind->target == ARCH_THIN_GOT_OFFSET ||
        kind->target > ARCH_THIN_TLS_DESCRIPTOR || kind->size < 4)
        return false;
    *out = kinds[kind->target];
    if (branch && kind->target == ARCH_THIN_ADDRESS)
        *out = ARCH_REFERENCE_BRANCH;
    if (kind->target == ARCH_THIN_ADDRESS && kind->size == 8 && !kind->relative)
        *out = ARCH_REFERENCE_WORD;
    return true;
}

/* Read a field of the binary as its relocation extends it. */
static uint64_t field_value(const struct arch_thin *kind, const uint8_t *field)
{
    uint64_t value = 0;

    memcpy(&value, field, kind->size);
    if (kind->size == 4 && !kind->zero)
        value = (uint64_t)(int64_t)(int32_t)value;
    return value;
}

/* The field of an instruction of the same shape. */
static enum compare_result compare_field(struct compare_step *step,
                                         const struct rel_relocation *relocation)
{
    struct arch_thin kind = arch_thin(relocation->type);
    uint64_t field = relocation->offset - step->object;
    enum arch_reference_kind reference;

    if (kind.target == ARCH_THIN_NONE || kind.target == ARCH_THIN_TLS_DESCRIPTOR_CALL)
        return COMPARE_EQUAL;
    if (field + kind.size > step->in.length ||
        !reference_kind(&kind, is_relative_branch(&step->in), &reference))
        return compare_differs(step, "a relocation of the object is of a kind that is not known");
    uint64_t value = field_value(&kind, binary_code_at(step) + field);
    if (!kind.relative)
        return compare_refer(step, reference, relocation, relocation->addend, value);
    /* Counted from the end of the instruction, as the processor does. */
    return compare_refer(step, reference, relocation,
                         offset_plus(relocation->addend, step->in.length - field),
                         value + step->question->address + step->binary + step->in.length);
}

static enum compare_result compare_fields(struct compare_step *step, size_t fields)
{
    for (size_t i = 0; i < fields; i++) {
        enum compare_result result = compare_field(step, &step->relocations[i]);
        if (result != COMPARE_EQUAL)
            return result;
    }
    return COMPARE_EQUAL;
}

/* Return how many relocations lie in the instruction. */
static size_t count_fields(const struct compare_step *step)
{
    size_t count = 0;

    while (count < step->relocation_count &&
           step->relocations[count].offset < step->object + step->in.length)
        count++;
    return count;
}

/* ------------------------------------------------------- one instruction --- */

static enum compare_result step_over_both(struct compare_step *step, uint64_t object_length,
                                          uint64_t binary_length, size_t used)
{
    enum compare_result result =
        add_run(step, object_length < binary_length ? object_length : binary_length);

    step->object += object_length;
    step->binary += binary_length;
    if (used > 0) /* there may be none */
        step->relocations += used;
    step->relocation_count -= used;
    return result;
}

/* An instruction that refers to memory of its own section, without a relocation. */
static enum compare_result compare_own_reference(struct compare_step *step)
{
    const struct arch_compare *question = step->question;
    const struct instruction *in = &step->in;
    int32_t relative;

    if (binary_room_at(step) < in->length ||
        memcmp(object_code_at(step), binary_code_at(step), in->field) != 0 ||
        memcmp(object_code_at(step) + in->field + 4, binary_code_at(step) + in->field + 4,
               in->length - in->field - 4u) != 0)
        return compare_differs(step, NULL);
    memcpy(&relative, binary_code_at(step) + in->field, sizeof relative);
    uint64_t object_to = step->object + in->length + (uint64_t)(int64_t)in->relative;
    uint64_t to = step->binary + in->length + (uint64_t)(int64_t)relative;
    if (object_to >= question->begin && object_to < question->end)
        return add_branch(step, object_to, to);
    return compare_refer(step, ARCH_REFERENCE_ADDRESS, NULL, (int64_t)object_to,
                         question->address + to);
}

static enum compare_result compare_plain(struct compare_step *step)
{
    const struct instruction *in = &step->in;
    uint64_t length = in->length;
    enum compare_result result = COMPARE_EQUAL;

    if (is_relative_branch(in))
        result = compare_branches(step, NULL, &length);
    else if (in->kind == INSTRUCTION_DATA)
        result = compare_own_reference(step);
    else if (binary_room_at(step) < length ||
             memcmp(object_code_at(step), binary_code_at(step), length) != 0)
        result = compare_differs(step, NULL);
    return result == COMPARE_EQUAL ? step_over_both(step, in->length, length, 0) : result;
}

static enum compare_result compare_with_fields(struct compare_step *step, size_t fields)
{
    const struct instruction *in = &step->in;
    uint64_t length = 0;
    size_t used = 0;
    enum compare_result result;

    if (same_but_fields(step, fields)) {
        result = compare_fields(step, fields);
        return result == COMPARE_EQUAL ? step_over_both(step, in->length, in->length, fields)
                                       : result;
    }
    if (is_relative_branch(in) && fields == 1) {
        result = compare_branches(step, step->relocations, &length);
        return result == COMPARE_EQUAL ? step_over_both(step, in->length, length, fields) : result;
    }
    result = compare_relaxed(step, &length, &used);
    return result == COMPARE_EQUAL ? step_over_both(step, length, length, used) : result;
}

/* Compare one instruction; where it differs, the binary may have padding before it. */
static enum compare_result compare_instruction(struct compare_step *step)
{
    const struct arch_compare *question = step->question;
    enum compare_result result;

    if (!instruction_decode(object_code_at(step), question->end - step->object, &step->in))
        return compare_differs(step, "the object has bytes that are no instruction");
    size_t fields = count_fields(step);
    if (fields > 0 && step->relocations->offset < step->object)
        return compare_differs(step, "a relocation of the object lies in no instruction");
    if (step->in.nop && fields == 0) {
        step->object += step->in.length;
        return COMPARE_EQUAL;
    }
    if (step->binary >= question->binary_size)
        return compare_differs(step, "the function ends here in the binary");
    do
        result = fields ? compare_with_fields(step, fields) : compare_plain(step);
    while (result == COMPARE_DIFFERS && (skip_binary_nops(step) || skip_binary_prefixes(step)));
    return result;
}

static enum compare_result compare_stream(struct compare_step *step)
{
    const struct arch_compare *question = step->question;
    enum compare_result result = COMPARE_EQUAL;

    while (step->object < question->end && result == COMPARE_EQUAL)
        result = compare_instruction(step);
    if (result == COMPARE_DIFFERS && !step->out->reason[0])
        compare_print(step, step->out->reason, sizeof step->out->reason);
    if (result != COMPARE_EQUAL)
        return result;
    if (!question->unsized)
        skip_binary_nops(step);
    step->out->size = step->binary;
    if (step->binary < question->binary_size && !question->unsized)
        return compare_differs(step, "the function goes on in the binary");
    return check_branches(step);
}

int arch_compare(const struct arch_compare *question, struct arch_compared *out)
{
    struct compare_step step = {
        .question = question,
        .out = out,
        .object = question->begin,
        .relocations = question->relocations,
        .relocation_count = question->relocation_count,
    };

    *out = (struct arch_compared){0};
    enum compare_result result = compare_stream(&step);
    free(step.branches);
    out->equal = result == COMPARE_EQUAL;
    return result == COMPARE_NO_MEMORY ? -1 : 0;
}
