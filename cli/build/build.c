/* build.c - see build.h. */
#include "cli/build/build.h"

#include <stdlib.h>
#include <string.h>

int build_open(struct build **out, const struct build_options *options, struct refusal *why)
{
    *out = NULL;
    return refuse(why, HP_LATER, "hotpatch cannot build for %s", options->target);
}

void build_close(struct build *build)
{
    (void)build;
}

bool build_stale(const struct build *build)
{
    (void)build;
    return false;
}

int build_sources(struct build *build, bool headers, void (*each)(const char *path, void *context),
                  void *context, struct refusal *why)
{
    (void)build;
    (void)headers;
    (void)each;
    (void)context;
    return refuse(why, HP_LATER, "hotpatch cannot list sources");
}

int build_patch(struct build *build, const struct edit *edit, const struct build_output *output,
                struct build_result *result, struct refusal *why)
{
    (void)build;
    (void)edit;
    memset(result, 0, sizeof(*result));
    return refuse(why, HP_LATER, "hotpatch cannot build %s", output->path);
}

void build_result_free(struct build_result *result)
{
    for (size_t i = 0; i < result->function_count; i++) {
        free(result->functions[i].name);
        free(result->functions[i].source);
        free(result->functions[i].why);
    }
    for (size_t i = 0; i < result->note_count; i++)
        free(result->notes[i]);
    free(result->functions);
    free(result->notes);
    free(result->compiler_words);
    memset(result, 0, sizeof(*result));
}
