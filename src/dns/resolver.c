/* SPDX-License-Identifier: MIT */
#include "dns/resolver.h"

#include "dns/wire.h"

/* A resolver ends each question itself; this much more is waited for it before it counts as broken. */
#define GRACE_MS 5000

void resolver_free(struct resolver *resolver)
{
    if (resolver)
        resolver->free(resolver);
}

void resolver_cancel(struct resolver *resolver)
{
    struct dns_answer answer;

    if (resolver->cancel) {
        resolver->cancel(resolver);
        return;
    }
    while (resolver->next(resolver, GRACE_MS, &answer) == ERR_OK)
        dns_answer_done(&answer);
}

enum err_code resolver_ask(struct resolver *resolver, const struct dns_question *question, struct dns_answer *out,
                           struct err *err)
{
    struct dns_answer answer;
    enum err_code code;

    resolver->start(resolver, question);
    code = resolver->next(resolver, question->timeout_ms + GRACE_MS, &answer);
    if (code == ERR_CANCELLED) {
        resolver_cancel(resolver);
        return err_set(err, code, "interrupted while asking DNS for %s \"%s\"", dns_type_name(question->type),
                       question->name);
    }
    if (code != ERR_OK) {
        resolver_cancel(resolver);
        return err_set(err, ERR_INTERNAL, "the resolver lost the question for %s \"%s\"", dns_type_name(question->type),
                       question->name);
    }
    if (answer.result != ERR_OK) {
        code = answer.result;
        if (err)
            *err = answer.err;
        dns_answer_done(&answer);
        return code;
    }
    *out = answer;
    return ERR_OK;
}
