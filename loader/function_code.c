/* function_code.c - see function_code.h. */
#include "function_code.h"

#include "arch.h"

enum { PADDING_MAX = 4096 };

/* What follows the function up to the next start, where it is padding and nothing else: code that no
 * symbol and no FDE tells of may begin with a NOP. */
static uint64_t padding_behind(const struct image *image, uint64_t end, uint64_t next)
{
    uint64_t room = next > end ? next - end : 0;
    const uint8_t *code;

    if (room == 0 || room > PADDING_MAX)
        return 0;
    code = image_bytes_at(image, end, room);
    return code && arch_padding(code, room) == room ? room : 0;
}

const char *function_code_problem(struct functions *functions, const struct image *image,
                                  const struct function *function, uint64_t *size)
{
    uint64_t next = function_next_start(functions, function->address);
    struct arch_prologue prologue;
    enum arch_problem problem;
    const uint8_t *code;

    *size = function->size;
    if (function->signal_frame)
        return arch_problem_text(ARCH_SIGNAL_RETURN);
    code = image_bytes_at(image, function->address, *size);
    if (!code || *size == 0)
        return "nobody says where the function ends";
    problem = arch_prologue_read(code, *size, function->address, &prologue);
    if (problem == ARCH_TOO_SHORT) {
        *size += padding_behind(image, function->address + *size, next);
        problem = arch_prologue_read(code, *size, function->address, &prologue);
    }
    if (problem != ARCH_OK)
        return arch_problem_text(problem);
    /* Its callers would jump into the middle of the jump. */
    if (prologue.jump + prologue.length > next)
        return "another function begins among its first bytes";
    return NULL;
}
