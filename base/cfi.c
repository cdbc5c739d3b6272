/* cfi.c - see cfi.h. */
#include "base/cfi.h"

#include "base/cfi_expression.h"
#include "base/cfi_reader.h"

enum {
    TABLE_VERSION = 1,
    TABLE_ENCODING = 0x3b, /* DW_EH_PE_datarel | DW_EH_PE_sdata4: pairs that can be searched */
    AUGMENTATION_MAX = 16,
    PROGRAM_STEPS_MAX = 4096,
    SAVED_STATES = 8
};

#define ENTRY_SIZE_MAX (UINT64_C(1) << 24)

/* The rule that gives a register of the caller. */
enum rule {
    RULE_SAME,
    RULE_UNDEFINED,
    RULE_OFFSET,     /* saved at CFA + value */
    RULE_VALUE,      /* is CFA + value */
    RULE_REGISTER,   /* is in register `value` */
    RULE_EXPRESSION, /* saved where the expression says */
    RULE_VALUE_EXPRESSION
};

struct cfi_rules {
    uint8_t rule[CFI_REGISTERS];
    uint64_t value[CFI_REGISTERS]; /* address of an expression */
    uint32_t length[CFI_REGISTERS];
    uint64_t cfa_register, cfa_offset;
    uint64_t cfa_expression; /* 0: register and offset */
    uint32_t cfa_length;
};

struct cfi_entry {
    uint64_t begin, end; /* after the length field */
    uint64_t id_at;      /* address of the CIE pointer */
    uint64_t cie;        /* 0: the entry is a CIE */
};

struct description {
    uint64_t code_factor;
    int64_t data_factor;
    uint64_t return_column;
    uint8_t pointer_encoding;
    bool signal;
    uint64_t initial, initial_end; /* programs */
    uint64_t program, program_end;
    struct cfi_function function;
};

/* ---- the search table ---- */

struct search_table {
    uint64_t entries, count, base;
};

static bool table_open(const struct cfi_memory *memory, uint64_t at, struct search_table *table)
{
    struct cfi_reader reader;
    uint8_t version, frame_encoding, count_encoding, encoding;

    cfi_reader_begin(&reader, memory, at, at + 64);
    version = (uint8_t)cfi_unsigned(&reader, 1);
    frame_encoding = (uint8_t)cfi_unsigned(&reader, 1);
    count_encoding = (uint8_t)cfi_unsigned(&reader, 1);
    encoding = (uint8_t)cfi_unsigned(&reader, 1);
    cfi_pointer(&reader, frame_encoding, at);
    table->count = cfi_pointer(&reader, count_encoding, at);
    table->entries = reader.at;
    table->base = at;
    return !reader.failed && version == TABLE_VERSION && encoding == TABLE_ENCODING &&
           count_encoding != CFI_PE_OMIT && table->count <= UINT32_MAX;
}

static bool search_table_entry(const struct cfi_memory *memory, const struct search_table *table,
                               uint64_t index, uint64_t *start, uint64_t *fde)
{
    int32_t pair[2];

    if (!memory->read(memory->context, table->entries + index * sizeof(pair), pair, sizeof(pair)))
        return false;
    *start = table->base + (uint64_t)(int64_t)pair[0];
    *fde = table->base + (uint64_t)(int64_t)pair[1];
    return true;
}

uint64_t cfi_find(const struct cfi_memory *memory, uint64_t table_at, uint64_t pc)
{
    struct search_table table;
    uint64_t low = 0, high, found = 0, start, fde;

    if (!table_open(memory, table_at, &table))
        return 0;
    high = table.count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (!search_table_entry(memory, &table, middle, &start, &fde))
            return 0;
        if (start <= pc) {
            found = fde;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return found;
}

/* ---- entries ---- */

static bool entry_open(const struct cfi_memory *memory, uint64_t at, struct cfi_entry *entry)
{
    struct cfi_reader reader;
    uint64_t size;
    uint32_t id;

    cfi_reader_begin(&reader, memory, at, at + 24);
    size = cfi_unsigned(&reader, 4);
    if (size == UINT32_MAX)
        size = cfi_unsigned(&reader, 8);
    entry->id_at = reader.at;
    id = (uint32_t)cfi_unsigned(&reader, 4); /* 4 bytes in .eh_frame, however long the length is */
    entry->begin = reader.at;
    entry->end = entry->id_at + size;
    entry->cie = id ? entry->id_at - id : 0;
    return !reader.failed && size >= 4 && size <= ENTRY_SIZE_MAX;
}

static bool read_augmentation(struct cfi_reader *reader, const char *letters,
                              struct description *out, bool *sized)
{
    uint64_t size = 0, end;

    *sized = letters[0] == 'z';
    if (!letters[0])
        return true;
    if (!*sized)
        return false;
    size = cfi_uleb(reader);
    end = reader->at + size;
    for (const char *letter = letters + 1; *letter && !reader->failed; letter++)
        switch (*letter) {
        case 'R':
            out->pointer_encoding = (uint8_t)cfi_unsigned(reader, 1);
            break;
        case 'P': /* the personality routine */
            cfi_pointer(reader, (uint8_t)(cfi_unsigned(reader, 1) & ~CFI_PE_INDIRECT), 0);
            break;
        case 'L':
            cfi_unsigned(reader, 1);
            break;
        case 'S':
            out->signal = true;
            break;
        default: /* unknown letter: later ones cannot be read; the size gives their end */
            letter = "S";
            break;
        }
    if (end < reader->at || end > reader->end)
        return false;
    reader->at = end;
    return !reader->failed;
}

static bool read_cie(const struct cfi_memory *memory, uint64_t at, struct description *out,
                     bool *sized)
{
    char letters[AUGMENTATION_MAX];
    struct cfi_reader reader;
    struct cfi_entry entry;
    uint8_t version;
    size_t count = 0;

    if (!entry_open(memory, at, &entry) || entry.cie)
        return false;
    cfi_reader_begin(&reader, memory, entry.begin, entry.end);
    version = (uint8_t)cfi_unsigned(&reader, 1);
    do
        letters[count] = (char)cfi_unsigned(&reader, 1);
    while (letters[count] && ++count < sizeof(letters));
    if (count == sizeof(letters) || (version != 1 && version != 3))
        return false;
    out->code_factor = cfi_uleb(&reader);
    out->data_factor = cfi_sleb(&reader);
    out->return_column = version == 1 ? cfi_unsigned(&reader, 1) : cfi_uleb(&reader);
    if (!read_augmentation(&reader, letters, out, sized) || reader.failed)
        return false;
    out->initial = reader.at;
    out->initial_end = entry.end;
    return out->return_column < CFI_REGISTERS;
}

static bool parse_fde(const struct cfi_memory *memory, uint64_t at, struct description *out)
{
    struct cfi_reader reader;
    struct cfi_entry entry;
    uint64_t size;
    bool sized;

    if (!entry_open(memory, at, &entry) || !entry.cie || !read_cie(memory, entry.cie, out, &sized))
        return false;
    cfi_reader_begin(&reader, memory, entry.begin, entry.end);
    out->function.start = cfi_pointer(&reader, out->pointer_encoding, 0);
    size = cfi_pointer(&reader, out->pointer_encoding & CFI_PE_FORMAT, 0);
    out->function.end = out->function.start + size;
    if (sized)
        cfi_skip(&reader, cfi_uleb(&reader));
    out->program = reader.at;
    out->program_end = entry.end;
    return !reader.failed;
}

/* ---- programs ---- */

struct run {
    struct cfi_reader reader;
    const struct description *description;
    const struct cfi_rules *initial; /* NULL while the CIE's program runs */
    struct cfi_rules saved[SAVED_STATES];
    unsigned depth;
    uint64_t location, pc;
    bool failed;
};

static void set_rule(struct cfi_rules *now, uint64_t number, enum rule rule, uint64_t value)
{
    if (number >= CFI_REGISTERS)
        return; /* a vector register: not asked for */
    now->rule[number] = (uint8_t)rule;
    now->value[number] = value;
}

static uint64_t scaled(struct run *run, uint64_t value)
{
    return value * (uint64_t)run->description->data_factor;
}

static void advance_location(struct run *run, uint64_t delta)
{
    run->location += delta * run->description->code_factor;
}

static void set_expression(struct run *run, struct cfi_rules *now, enum rule rule)
{
    uint64_t number = cfi_uleb(&run->reader), length = cfi_uleb(&run->reader);

    set_rule(now, number, rule, run->reader.at);
    if (number < CFI_REGISTERS)
        now->length[number] = (uint32_t)length;
    cfi_skip(&run->reader, length);
}

static void define_cfa(struct cfi_rules *now, uint64_t number, uint64_t offset)
{
    now->cfa_register = number;
    now->cfa_offset = offset;
    now->cfa_expression = 0;
}

static void restore_rule(struct run *run, struct cfi_rules *now, uint64_t number)
{
    if (!run->initial)
        run->failed = true;
    else if (number < CFI_REGISTERS) {
        now->rule[number] = run->initial->rule[number];
        now->value[number] = run->initial->value[number];
        now->length[number] = run->initial->length[number];
    }
}

static void remember(struct run *run, const struct cfi_rules *now)
{
    if (run->depth == SAVED_STATES)
        run->failed = true;
    else
        run->saved[run->depth++] = *now;
}

/* Restore a saved state, with the CFA: compilers mean it so. */
static void recall(struct run *run, struct cfi_rules *now)
{
    if (run->depth == 0)
        run->failed = true;
    else
        *now = run->saved[--run->depth];
}

static void run_cfa(struct run *run, struct cfi_rules *now, unsigned operation)
{
    struct cfi_reader *reader = &run->reader;
    uint64_t number;

    switch (operation) {
    case 0x0c: /* DW_CFA_def_cfa */
        number = cfi_uleb(reader);
        define_cfa(now, number, cfi_uleb(reader));
        break;
    case 0x0d: /* DW_CFA_def_cfa_register */
        define_cfa(now, cfi_uleb(reader), now->cfa_offset);
        break;
    case 0x0e: /* DW_CFA_def_cfa_offset */
        define_cfa(now, now->cfa_register, cfi_uleb(reader));
        break;
    case 0x0f: /* DW_CFA_def_cfa_expression */
        now->cfa_length = (uint32_t)cfi_uleb(reader);
        now->cfa_expression = reader->at;
        cfi_skip(reader, now->cfa_length);
        break;
    case 0x12: /* DW_CFA_def_cfa_sf */
        number = cfi_uleb(reader);
        define_cfa(now, number, scaled(run, (uint64_t)cfi_sleb(reader)));
        break;
    default: /* DW_CFA_def_cfa_offset_sf */
        define_cfa(now, now->cfa_register, scaled(run, (uint64_t)cfi_sleb(reader)));
    }
}

static void run_register(struct run *run, struct cfi_rules *now, unsigned operation)
{
    struct cfi_reader *reader = &run->reader;
    uint64_t number = cfi_uleb(reader);

    switch (operation) {
    case 0x05: /* DW_CFA_offset_extended */
        set_rule(now, number, RULE_OFFSET, scaled(run, cfi_uleb(reader)));
        break;
    case 0x06: /* DW_CFA_restore_extended */
        restore_rule(run, now, number);
        break;
    case 0x07: /* DW_CFA_undefined */
        set_rule(now, number, RULE_UNDEFINED, 0);
        break;
    case 0x08: /* DW_CFA_same_value */
        set_rule(now, number, RULE_SAME, 0);
        break;
    case 0x09: /* DW_CFA_register */
        set_rule(now, number, RULE_REGISTER, cfi_uleb(reader));
        break;
    case 0x11: /* DW_CFA_offset_extended_sf */
        set_rule(now, number, RULE_OFFSET, scaled(run, (uint64_t)cfi_sleb(reader)));
        break;
    case 0x14: /* DW_CFA_val_offset */
        set_rule(now, number, RULE_VALUE, scaled(run, cfi_uleb(reader)));
        break;
    case 0x15: /* DW_CFA_val_offset_sf */
        set_rule(now, number, RULE_VALUE, scaled(run, (uint64_t)cfi_sleb(reader)));
        break;
    default: /* DW_CFA_GNU_negative_offset_extended */
        set_rule(now, number, RULE_OFFSET, 0 - scaled(run, cfi_uleb(reader)));
    }
}

static void run_extended(struct run *run, struct cfi_rules *now, unsigned operation)
{
    switch (operation) {
    case 0x00: /* DW_CFA_nop */
        break;
    case 0x01: /* DW_CFA_set_loc */
        run->location = cfi_pointer(&run->reader, run->description->pointer_encoding, 0);
        break;
    case 0x02: /* DW_CFA_advance_loc1, 2, 4 */
    case 0x03:
    case 0x04:
        advance_location(run, cfi_unsigned(&run->reader, (size_t)1 << (operation - 2)));
        break;
    case 0x0a: /* DW_CFA_remember_state */
        remember(run, now);
        break;
    case 0x0b: /* DW_CFA_restore_state */
        recall(run, now);
        break;
    case 0x10: /* DW_CFA_expression */
        set_expression(run, now, RULE_EXPRESSION);
        break;
    case 0x16: /* DW_CFA_val_expression */
        set_expression(run, now, RULE_VALUE_EXPRESSION);
        break;
    case 0x2e: /* DW_CFA_GNU_args_size */
        cfi_uleb(&run->reader);
        break;
    default:
        if ((operation >= 0x0c && operation <= 0x0f) || operation == 0x12 || operation == 0x13)
            run_cfa(run, now, operation);
        else if ((operation >= 0x05 && operation <= 0x09) || operation == 0x11 ||
                 operation == 0x14 || operation == 0x15 || operation == 0x2f)
            run_register(run, now, operation);
        else
            run->failed = true;
    }
}

static void run_instruction(struct run *run, struct cfi_rules *now)
{
    unsigned byte = (unsigned)cfi_unsigned(&run->reader, 1), low = byte & 0x3f;

    switch (byte >> 6) {
    case 1: /* DW_CFA_advance_loc */
        advance_location(run, low);
        break;
    case 2: /* DW_CFA_offset */
        set_rule(now, low, RULE_OFFSET, scaled(run, cfi_uleb(&run->reader)));
        break;
    case 3: /* DW_CFA_restore */
        restore_rule(run, now, low);
        break;
    default:
        run_extended(run, now, byte);
    }
}

/* Run the program up to the row for run->pc. */
static bool run_program(struct run *run, struct cfi_rules *now)
{
    for (unsigned steps = 0; run->reader.at < run->reader.end; steps++) {
        struct cfi_rules before = *now;

        run_instruction(run, now);
        if (run->failed || run->reader.failed || steps == PROGRAM_STEPS_MAX)
            return false;
        if (run->location > run->pc) {
            *now = before;
            return true;
        }
    }
    return true;
}

static bool find_registers(const struct cfi_memory *memory, const struct description *description,
                           uint64_t pc, struct cfi_rules *now)
{
    struct cfi_rules initial;
    struct run run = {.description = description, .pc = UINT64_MAX};

    *now = (struct cfi_rules){.cfa_register = CFI_REGISTERS};
    cfi_reader_begin(&run.reader, memory, description->initial, description->initial_end);
    if (!run_program(&run, now))
        return false;
    initial = *now;
    run.initial = &initial;
    run.location = description->function.start;
    run.pc = pc;
    cfi_reader_begin(&run.reader, memory, description->program, description->program_end);
    return run_program(&run, now);
}

/* ---- the step ---- */

static bool find_cfa(const struct cfi_memory *memory, const struct cfi_rules *rules,
                     const struct cfi_frame *frame, uint64_t *cfa)
{
    if (rules->cfa_expression)
        return cfi_evaluate(memory, frame, rules->cfa_expression,
                            rules->cfa_expression + rules->cfa_length, NULL, cfa);
    if (rules->cfa_register >= CFI_REGISTERS || !(frame->known >> rules->cfa_register & 1))
        return false;
    *cfa = frame->value[rules->cfa_register] + rules->cfa_offset;
    return true;
}

static bool load_word(const struct cfi_memory *memory, uint64_t address, uint64_t *value)
{
    return memory->read(memory->context, address, value, sizeof(*value));
}

/* Find the value of a register. Return false if its memory cannot be read. */
static bool find_value(const struct cfi_memory *memory, const struct cfi_rules *rules,
                       const struct cfi_frame *frame, uint64_t cfa, unsigned number,
                       struct cfi_frame *caller)
{
    uint64_t at = rules->value[number], end = at + rules->length[number], value = 0;
    bool known = true, read = true;

    switch ((enum rule)rules->rule[number]) {
    case RULE_SAME:
        known = frame->known >> number & 1;
        value = frame->value[number];
        break;
    case RULE_UNDEFINED:
        known = false;
        break;
    case RULE_OFFSET:
        read = load_word(memory, cfa + at, &value);
        break;
    case RULE_VALUE:
        value = cfa + at;
        break;
    case RULE_REGISTER:
        known = at < CFI_REGISTERS && frame->known >> at & 1;
        value = known ? frame->value[at] : 0;
        break;
    case RULE_EXPRESSION:
        read =
            cfi_evaluate(memory, frame, at, end, &cfa, &value) && load_word(memory, value, &value);
        break;
    case RULE_VALUE_EXPRESSION:
        read = cfi_evaluate(memory, frame, at, end, &cfa, &value);
        break;
    }
    caller->value[number] = known ? value : 0;
    caller->known |= known ? UINT32_C(1) << number : 0;
    return read;
}

/* Mark registers unknown that a callee may write, unless a rule gives their place: they are not the caller's any
 * more. */
static void forget_scratch(const struct cfi_rules *rules, const struct description *description,
                           struct cfi_frame *caller)
{
    for (unsigned i = 0; i < CFI_REGISTERS && !description->signal; i++)
        if (rules->rule[i] == RULE_SAME && !(cfi_machine.kept >> i & 1) && i != cfi_machine.pc)
            caller->known &= ~(UINT32_C(1) << i);
}

static enum cfi_result finish_frame(const struct description *description,
                                    const struct cfi_rules *rules, struct cfi_frame *caller)
{
    unsigned column = (unsigned)description->return_column;

    if (rules->rule[column] == RULE_UNDEFINED)
        return CFI_END;
    if (rules->rule[column] == RULE_SAME || !(caller->known >> column & 1))
        return CFI_DAMAGED;
    if (caller->value[column] == 0)
        return CFI_END;
    caller->value[cfi_machine.pc] = caller->value[column];
    caller->known |= 1U << cfi_machine.pc;
    caller->signal = description->signal;
    return CFI_OK;
}

enum cfi_result cfi_step(const struct cfi_memory *memory, uint64_t table, struct cfi_frame *frame,
                         struct cfi_function *function)
{
    /* A return address may lie at the end of its function: the call is before it. */
    uint64_t pc = frame->value[cfi_machine.pc] - (frame->signal ? 0 : 1);
    struct description description = {0};
    struct cfi_frame caller = {0};
    struct cfi_rules rules;
    enum cfi_result result;
    uint64_t fde = cfi_find(memory, table, pc), cfa;

    if (!fde)
        return CFI_NO_FDE;
    if (!parse_fde(memory, fde, &description))
        return CFI_DAMAGED;
    if (pc < description.function.start || pc >= description.function.end)
        return CFI_NO_FDE;
    if (function)
        *function = description.function;
    if (!find_registers(memory, &description, pc, &rules) || !find_cfa(memory, &rules, frame, &cfa))
        return CFI_DAMAGED;
    for (unsigned i = 0; i < CFI_REGISTERS; i++)
        if (!find_value(memory, &rules, frame, cfa, i, &caller))
            return CFI_DAMAGED;
    if (rules.rule[cfi_machine.sp] == RULE_SAME)
        caller.value[cfi_machine.sp] = cfa;
    caller.known |= 1U << cfi_machine.sp;
    forget_scratch(&rules, &description, &caller);
    result = finish_frame(&description, &rules, &caller);
    if (result == CFI_OK)
        *frame = caller;
    return result;
}
