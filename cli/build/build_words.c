/* build_words.c - see build_words.h. */
#include "cli/build/build_words.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

static bool has_failed(const struct build_run *run, const struct compile_task *task)
{
    return task->overlay == &run->new_view && !task->result;
}

/* Give the view the texts as they were written. Return false if it is not there then, or is no other. */
static bool take_marks_away(struct build_run *run)
{
    struct refusal ignored = {0};
    bool any = false, made;

    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_file *file = run->steps[i].file;
        const struct overlay_file *marked = overlay_find(&run->new_view, run->steps[i].real);

        if (!file->new_text || !marked || marked->size == file->new_size)
            continue;
        overlay_change(&run->new_view, run->steps[i].real, file->new_text, file->new_size);
        any = true;
    }
    if (!any)
        return false;
    overlay_clear(&run->new_view);
    made = overlay_make(&run->new_view, &ignored) == 0;
    refusal_clear(&ignored);
    return made;
}

/* Take what came of the text without marks: the failure, or the object, which the marks kept from being made. */
static void take_again(struct compile_task *task, struct compile_task *again)
{
    compile_tasks_free(task, 1);
    task->plain |= again->result != NULL;
    task->result = again->result;
    task->words = again->words;
    task->why = again->why;
    again->result = NULL;
    again->words = NULL;
    memset(&again->why, 0, sizeof(again->why));
}

void build_say_true_lines(struct build_run *run, struct compile_task *tasks, size_t count)
{
    struct compile_task *again = allocate((count + 1) * sizeof(*again));
    size_t *places = allocate((count + 1) * sizeof(*places)), failed = 0;

    for (size_t i = 0; i < count; i++) {
        if (!has_failed(run, &tasks[i]))
            continue;
        again[failed] = (struct compile_task){
            .file = tasks[i].file, .line = tasks[i].line, .overlay = tasks[i].overlay};
        places[failed++] = i;
    }
    if (failed && take_marks_away(run)) {
        compile_tasks(&run->build->place, again, failed);
        for (size_t i = 0; i < failed; i++)
            take_again(&tasks[places[i]], &again[i]);
        compile_tasks_free(again, failed);
    }
    free(places);
    free(again);
}

void build_take_words(struct build_run *run, const struct compile_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *before = run->result->compiler_words;

        if (!tasks[i].words)
            continue;
        run->result->compiler_words = format_text("%s%s", before ? before : "", tasks[i].words);
        free(before);
    }
}
