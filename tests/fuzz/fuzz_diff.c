/*
 * fuzz_diff.c - whatever a diff and a source hold: no crash, no byte read beyond them; what was applied can be taken back,
 * and the line marks of the result hold all its lines.
 *
 * The first zero byte parts the diff from the source.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/diff_apply.h"
#include "cli/build/diff_read.h"
#include "cli/build/hunk_lines.h"
#include "cli/build/line_marks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply(const struct diff_file *file, const char *text, size_t size)
{
    size_t out_size, failed, marked_size;
    bool ambiguous;
    char *out, *marked;
    struct hunk_lines lines;

    diff_strip(file->old_path ? file->old_path : "", 1);
    if (diff_apply(file, text, size, true, &out, &out_size, &failed, &ambiguous, NULL) == 0)
        free(out);
    if (diff_apply(file, text, size, false, &out, &out_size, &failed, &ambiguous, NULL) != 0) {
        if (failed >= file->hunk_count)
            abort();
        return;
    }
    marked = line_marks_add(text, size, out, out_size, &marked_size);
    if (marked_size < out_size)
        abort();
    free(marked);
    marked = hunk_lines_mark(&lines, 0, text, size, out, out_size, &marked_size);
    if (marked_size < out_size)
        abort();
    hunk_lines_free(&lines);
    free(marked);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t diff_size = zero ? (size_t)(zero - data) : size;
    size_t text_size = zero ? size - diff_size - 1 : 0;
    char *diff_text = malloc(diff_size + 1), *text = malloc(text_size + 1);
    struct refusal why = {0};
    struct diff diff;

    if (!diff_text || !text)
        abort();
    memcpy(diff_text, data, diff_size);
    memcpy(text, zero ? zero + 1 : data, text_size);
    if (diff_read(&diff, diff_text, diff_size, "diff", &why) == 0) {
        for (size_t i = 0; i < diff.file_count; i++)
            apply(&diff.files[i], text, text_size);
        diff_free(&diff);
    } else if (!why.count) {
        abort();
    }
    refusal_clear(&why);
    free(diff_text);
    free(text);
    return 0;
}
