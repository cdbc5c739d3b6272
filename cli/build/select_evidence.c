/* select_evidence.c - see select_evidence.h. */
#include "cli/build/select_evidence.h"

#include <string.h>

bool select_evidence(const struct binary *binary, const struct baseline_symbol *evidence,
                     bool external, struct symbol_choice *choice)
{
    memset(choice, 0, sizeof(*choice));
    if (evidence->conflict)
        return false;
    if (evidence->has_tls) {
        choice->kind = CHOICE_TLS;
        choice->at = (uint64_t)evidence->tls;
        return true;
    }
    choice->has_call = evidence->has_call;
    choice->call = evidence->call;
    /* The word holds what the dynamic linker chose, which may be another object's definition. */
    if (evidence->has_got && (external || !evidence->has_address)) {
        choice->kind = CHOICE_HOST_GOT;
        choice->at = evidence->got;
        return true;
    }
    choice->kind = CHOICE_HOST;
    choice->at = evidence->has_address ? evidence->address : evidence->call;
    return evidence->has_address ||
           (evidence->has_call && !binary_is_stub(binary, evidence->call, &(uint64_t){0}));
}

void select_host_function(struct selecting *selecting, uint32_t unit, uint32_t entity,
                          struct symbol_choice *choice)
{
    const struct placing_unit *of = &selecting->units[unit];
    struct baseline_symbol evidence =
        host_symbol(&of->compare, of->compare.states[entity].match - 1);

    memset(choice, 0, sizeof(*choice));
    choice->kind = CHOICE_HOST;
    choice->at = of->functions[entity].host;
    if (evidence.conflict)
        return;
    choice->has_call = evidence.has_call;
    choice->call = evidence.call;
    if (!evidence.has_got || binary_is_program(selecting->binary))
        return;
    choice->kind = CHOICE_HOST_GOT;
    choice->at = evidence.got;
    if (!choice->has_call) {
        choice->has_call = true;
        choice->call = of->functions[entity].host;
    }
}
