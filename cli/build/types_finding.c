/* types_finding.c - see types_finding.h. */
#include "cli/build/types_finding.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

#define USERS_SHOWN 4

struct types_finding *types_finding_add(struct types_findings *findings, char *text)
{
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->list[i].text, text) == 0) {
            free(text);
            return &findings->list[i];
        }
    if (findings->count == findings->capacity) {
        findings->capacity = findings->capacity ? 2 * findings->capacity : 8;
        findings->list = reallocate(findings->list, findings->capacity * sizeof(*findings->list));
    }
    findings->list[findings->count] =
        (struct types_finding){.text = text, .users = format_text("%s", "")};
    return &findings->list[findings->count++];
}

void types_finding_user(struct types_finding *finding, char *user)
{
    char *whole;

    if (!strstr(finding->users, user) && finding->user_count++ < USERS_SHOWN) {
        whole = format_text("%s%s%s", finding->users, *finding->users ? ", " : "", user);
        free(finding->users);
        finding->users = whole;
    }
    free(user);
}

char *types_finding_users(const struct types_finding *finding)
{
    if (finding->user_count > USERS_SHOWN)
        return format_text("%s and %zu more", finding->users, finding->user_count - USERS_SHOWN);
    return format_text("%s", finding->users);
}

void types_findings_free(struct types_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i].text);
        free(findings->list[i].users);
    }
    free(findings->list);
    *findings = (struct types_findings){0};
}
