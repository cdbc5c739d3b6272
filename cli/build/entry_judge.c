/* entry_judge.c - see entry_judge.h. */
#include "cli/build/entry_judge.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/debug/file_functions.h"

/* A function of this size has room for any jump behind its first instruction. */
enum { LONG_ENOUGH = 32 };

struct entry_judge {
    const char *path;
    bool opened, failed;
    struct file_image file;
    struct file_functions functions;
};

struct entry_judge *entry_judge_new(const char *path)
{
    struct entry_judge *judge = calloc(1, sizeof(*judge));

    if (judge)
        judge->path = path;
    return judge;
}

void entry_judge_free(struct entry_judge *judge)
{
    if (judge && judge->opened) {
        file_functions_close(&judge->functions);
        file_image_close(&judge->file);
    }
    free(judge);
}

/* What cannot be read is left to the process. */
static bool target_read(struct entry_judge *judge)
{
    struct refusal ignored = {0};

    if (!judge->opened) {
        judge->opened = true;
        judge->failed =
            file_image_copy(&judge->file, judge->path, 0, &ignored) != 0 ||
            file_functions_open(&judge->functions, &judge->file, judge->path, &ignored) != 0;
        refusal_clear(&ignored);
    }
    return !judge->failed;
}

bool entry_judge_refuses(struct entry_judge *judge, uint64_t address, uint64_t size, char *text,
                         size_t room)
{
    struct function function;
    struct function_code code;

    if (!judge || !judge->path || size >= LONG_ENOUGH || !target_read(judge) ||
        !file_function_at(&judge->functions, address, &function))
        return false;
    file_function_code(&judge->functions, &function, &code);
    if (code.problem)
        snprintf(text, room, "%s", code.problem);
    return code.problem != NULL;
}
