/* SPDX-License-Identifier: MIT
 *
 * The records of a wave: those of all runs are published in one batch, waited for side by side, and withdrawn when no
 * run needs them any more, whatever happened.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/wave.h"

#define POLLING_LIMIT_MS 2000 /* while the CA is at work on other orders, which are to be looked at */

/* ------------------------------------------------------------------ one set */

/* A record as one run needs it. */
struct need {
    const struct challenge_item *record;
    size_t *place;
};

static int compare_needs(const void *a, const void *b)
{
    const struct need *left = a;
    const struct need *right = b;
    int order = strcmp(left->record->name, right->record->name);

    return order ? order : strcmp(left->record->value, right->record->value);
}

/* The records of all live runs, sorted; yours. */
static struct need *list_needs(struct wave *wave, size_t *out_count)
{
    struct need *needs;
    size_t total = 0;
    size_t count = 0;

    for (size_t i = 0; i < wave->count; i++)
        total += wave->runs[i].records.count;
    needs = mem_calloc(total, sizeof *needs);
    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        if (!run_is_live(run))
            continue;
        run->places = mem_calloc(run->records.count, sizeof *run->places);
        for (size_t k = 0; k < run->records.count; k++)
            needs[count++] = (struct need){&run->records.items[k], &run->places[k]};
    }
    if (count)
        qsort(needs, count, sizeof *needs, compare_needs);
    *out_count = count;
    return needs;
}

/* Put the records of all live runs into one set. */
static enum err_code merge(struct wave *wave, struct err *err)
{
    size_t count;
    AUTO_FREE struct need *needs = list_needs(wave, &count);
    enum err_code code = ERR_OK;

    wave->out = mem_calloc(count, sizeof *wave->out);
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        const struct challenge_item *record = needs[i].record;

        code = challenge_set_add_record(&wave->records, record->name, record->value, err);
        *needs[i].place = wave->records.count - 1;
        wave->out[wave->records.count - 1].needed++;
    }
    return code;
}

/* A record that stands already for one certificate may be published anew for another one; it is not to go with that. */
static void keep_persisted(struct wave *wave, const struct strlist *persisted)
{
    for (size_t i = 0; i < wave->records.count; i++) {
        AUTO_FREE char *pair = mem_printf("%s %s", wave->records.items[i].name, wave->records.items[i].value);

        wave->out[i].is_kept |= strlist_has(persisted, pair);
    }
}

/* ------------------------------------------------------------------ publishing */

/* A run all of whose records are out goes on; one that lacks any has the error of that one. */
static void take_outcomes(struct wave *wave, const struct err *outcomes)
{
    for (size_t i = 0; i < wave->records.count; i++)
        wave->out[i].is_out = outcomes[i].code == ERR_OK;
    for (size_t i = 0; i < wave->count; i++) {
        struct run *run = &wave->runs[i];

        for (size_t k = 0; run_is_live(run) && k < run->records.count; k++)
            if (outcomes[run->places[k]].code != ERR_OK)
                run_fail(run, &outcomes[run->places[k]]);
    }
}

static void fail_with_records(const struct wave *wave, const struct err *why)
{
    for (size_t i = 0; i < wave->count; i++)
        if (wave->runs[i].records.count)
            run_fail(&wave->runs[i], why);
}

static enum err_code publish(struct wave *wave, struct err *err)
{
    AUTO_FREE struct err *outcomes = mem_calloc(wave->records.count, sizeof *outcomes);
    const struct challenge_publish_opts opts = {
        .wait = CHALLENGE_NO_WAIT, .on_timeout = CHALLENGE_TIMEOUT_ROLL_BACK, .outcomes = outcomes};
    struct err why;
    enum err_code code = challenge_publish(wave->engine->challenge, &wave->records, &opts, &why);

    if (code == ERR_OK) {
        take_outcomes(wave, outcomes);
        wave->awaiting = challenge_awaiting_new(wave->engine->challenge, &wave->records);
        return ERR_OK;
    }
    fail_with_records(wave, &why);
    if (code != ERR_CANCELLED)
        return ERR_OK;
    *err = why;
    return code;
}

enum err_code wave_publish(struct wave *wave, struct err *err)
{
    enum err_code code = merge(wave, err);

    if (code == ERR_OK && wave->records.count) {
        wave_tell(wave, "publishing", 0, wave->records.count);
        code = publish(wave, err);
    }
    for (size_t i = 0; i < wave->count; i++) {
        const struct issue_job *job = wave->runs[i].job;

        wave->runs[i].is_shown = wave->runs[i].records.count == 0;
        if (job->persisted && job->challenge == ACME_DNS_PERSIST_01)
            keep_persisted(wave, job->persisted);
    }
    return code;
}

/* ------------------------------------------------------------------ waiting */

static bool is_waiting(const struct run *run)
{
    return run_is_live(run) && !run->is_shown;
}

static void look_at_records(const struct wave *wave, struct run *run)
{
    size_t shown = 0;

    for (size_t k = 0; run_is_live(run) && k < run->records.count; k++) {
        enum challenge_state state = challenge_awaiting_state(wave->awaiting, run->places[k]);
        struct err why;

        shown += state == CHALLENGE_SHOWN;
        if (state != CHALLENGE_FAILED)
            continue;
        (void)challenge_awaiting_explain(wave->awaiting, run->places[k], &why);
        run_fail(run, &why);
    }
    run->is_shown = shown == run->records.count;
}

enum err_code wave_await(struct wave *wave, struct err *err)
{
    size_t waiting = 0;
    size_t polled = 0;
    struct propagation_patience patience;
    enum err_code code;

    for (size_t i = 0; i < wave->count; i++) {
        waiting += is_waiting(&wave->runs[i]);
        polled += run_is_polled(&wave->runs[i]);
    }
    if (waiting == 0 || wave_live(wave) > waiting + polled) /* the rest does not wait for anybody */
        return ERR_OK;
    patience = (struct propagation_patience){.quiet_ms = waiting > 1 ? WAVE_PATIENCE_MS : 0,
                                             .limit_ms = polled ? POLLING_LIMIT_MS : 0};
    code = challenge_await(wave->awaiting, &patience, err);
    for (size_t i = 0; code == ERR_OK && i < wave->count; i++)
        if (is_waiting(&wave->runs[i]))
            look_at_records(wave, &wave->runs[i]);
    return code;
}

/* ------------------------------------------------------------------ afterwards */

void wave_release(struct wave *wave, struct run *run)
{
    bool is_kept = run->job->err.code == ERR_OK && run->job->challenge == ACME_DNS_PERSIST_01;

    if (!run->places)
        return;
    for (size_t k = 0; k < run->records.count; k++) {
        struct out_record *out = &wave->out[run->places[k]];

        out->needed--;
        out->is_kept |= is_kept;
    }
}

void wave_strike_kept(struct wave *wave)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct err err;
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < wave->records.count; i++) {
        if (!wave->out[i].is_out || !wave->out[i].is_kept || wave->out[i].is_noted)
            continue;
        wave->out[i].is_noted = true;
        code = challenge_set_add_record(&set, wave->records.items[i].name, wave->records.items[i].value, &err);
    }
    if (code == ERR_OK && set.count)
        code = challenge_release(wave->engine->challenge, &set, &err);
    if (code != ERR_OK)
        log_line(wave->engine->log, LOG_WARNING, "%s, continuing", err.msg);
}

static bool is_to_go(const struct out_record *out)
{
    return out->is_out && !out->is_kept && out->needed == 0;
}

/* The records that no run needs; empty while they are so few that others will go along with them. */
static enum err_code list_unneeded(const struct wave *wave, enum wave_withdrawal withdrawal, struct challenge_set *set,
                                   struct err *err)
{
    size_t are_out = 0;
    size_t are_to_go = 0;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < wave->records.count; i++) {
        are_out += wave->out[i].is_out;
        are_to_go += is_to_go(&wave->out[i]);
    }
    if (withdrawal == WITHDRAW_MANY && are_to_go * 2 < are_out)
        return ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < wave->records.count; i++)
        if (is_to_go(&wave->out[i]))
            code = challenge_set_add_record(set, wave->records.items[i].name, wave->records.items[i].value, err);
    return code;
}

void wave_withdraw(struct wave *wave, enum wave_withdrawal withdrawal)
{
    AUTO(challenge_set_done) struct challenge_set set = {0};
    struct err err = {.code = ERR_OK};
    enum err_code code = list_unneeded(wave, withdrawal, &set, &err);

    if (code == ERR_OK && set.count) {
        wave_tell(wave, "withdrawing", 0, set.count);
        code = challenge_withdraw(wave->engine->challenge, &set, &err);
    }
    if (code == ERR_CANCELLED) { /* the wish to stop is no reason to leave them */
        wave->is_interrupted = true;
        clock_accept_cancel(wave->engine->clock);
        code = challenge_withdraw(wave->engine->challenge, &set, &err);
    }
    if (code != ERR_OK)
        log_line(wave->engine->log, LOG_WARNING, "%s, continuing", err.msg);
    for (size_t i = 0; set.count && i < wave->records.count; i++)
        wave->out[i].is_out &= !is_to_go(&wave->out[i]);
}
