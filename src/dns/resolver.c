/* SPDX-License-Identifier: MIT */
#include "dns/resolver.h"

#include <string.h>

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

static int64_t longest_ms(const struct dns_question *questions, size_t count)
{
    int64_t longest = 0;

    for (size_t i = 0; i < count; i++)
        longest = questions[i].timeout_ms > longest ? questions[i].timeout_ms : longest;
    return longest;
}

/* An answer's tag is the place it goes to.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
static enum err_code collect(struct resolver *resolver, size_t count, int64_t patience_ms, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct dns_answer answer;
        enum err_code code = resolver->next(resolver, patience_ms, &answer);

        if (code == ERR_CANCELLED)
            return err_set(err, code, "interrupted while asking DNS");
        if (code != ERR_OK)
            return err_set(err, ERR_INTERNAL, "the resolver lost %zu of %zu questions", count - i, count);
        struct dns_answer *place = answer.tag;
        *place = answer;
        place->tag = NULL;
    }
    return ERR_OK;
}

enum err_code resolver_ask_all(struct resolver *resolver, const struct dns_question *questions, size_t count,
                               struct dns_answer *out, struct err *err)
{
    /* Questions wait for those before them at the same server. */
    int64_t patience_ms = longest_ms(questions, count) * 2 + GRACE_MS;
    enum err_code code;

    memset(out, 0, count * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        struct dns_question question = questions[i];

        question.tag = &out[i];
        resolver->start(resolver, &question);
    }
    code = collect(resolver, count, patience_ms, err);
    if (code == ERR_OK)
        return ERR_OK;
    resolver_cancel(resolver);
    for (size_t i = 0; i < count; i++)
        dns_answer_done(&out[i]);
    return code;
}
