/*
 * entries_nginx.c - how nginx processes a request: replaced or, with -DWRAP, wrapped.
 *
 * Replaced, every request is answered with 201. Wrapped, those with an argument "probe" are with 204,
 * and the others as ever.
 */
#include <hotpatch.h>

#include <stdint.h>

HOTPATCH_MODULE("entries", TEXT);

/* What is used of ngx_string.h. */
struct string {
    size_t length;
    unsigned char *data;
};
intptr_t ngx_http_arg(void *request, const char *name, size_t length, struct string *value);
void ngx_http_finalize_request(void *request, intptr_t status);

#ifndef WRAP

HOTPATCH_REPLACE(void, ngx_http_core_run_phases, (void *request))
{
    ngx_http_finalize_request(request, 201);
}

#else

HOTPATCH_REPLACE(void, ngx_http_process_request, (void *request))
{
    HOTPATCH_ORIGINAL(ngx_http_process_request)(request);
}

HOTPATCH_REPLACE(void, ngx_http_core_run_phases, (void *request))
{
    struct string value;

    if (ngx_http_arg(request, "probe", sizeof("probe") - 1, &value) == 0)
        ngx_http_finalize_request(request, 204);
    else
        HOTPATCH_ORIGINAL(ngx_http_core_run_phases)(request);
}

#endif
