/* thin_write.c - see thin_write.h. */
#include "cli/build/thin_write.h"

#include "base/refusal.h"

int thin_compose(void **bytes, size_t *size, const struct selection *selection,
                 const struct thin_meta *meta, struct refusal *why)
{
    (void)selection;
    (void)meta;
    *bytes = NULL;
    *size = 0;
    return refuse(why, HP_LATER, "thin objects cannot be written yet");
}

int thin_write(const char *path, const struct selection *selection, const struct thin_meta *meta,
               struct refusal *why)
{
    void *bytes;
    size_t size;

    (void)path;
    return thin_compose(&bytes, &size, selection, meta, why);
}
