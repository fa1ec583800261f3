/* SPDX-License-Identifier: MIT */
#include "flow/survey.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"

#define DOH_MS 5000
#define DOH_SIDE_BY_SIDE 100

struct sight {
    struct zone *zone;
    char *name;
    struct authority_view view;
    bool is_seen;
    size_t zone_place; /* among the zones of the round in which it is asked for; SIZE_MAX: its own is silent */
};

void survey_done(struct survey *survey)
{
    for (size_t i = 0; i < survey->sight_count; i++) {
        free(survey->sights[i]->name);
        authority_view_done(&survey->sights[i]->view);
        free(survey->sights[i]);
    }
    for (size_t i = 0; i < survey->outside_count; i++) {
        zone_content_done(survey->outside[i]);
        free(survey->outside[i]);
    }
    for (size_t i = 0; i < survey->search_count; i++) {
        zone_search_done(survey->searches[i]);
        free(survey->searches[i]);
    }
    free(survey->sights);
    free(survey->outside);
    free(survey->searches);
    strmap_done(&survey->sights_by_place);
    strmap_done(&survey->searches_by_name);
}

/* ------------------------------------------------------------------ what is kept */

/* A zone that was looked at as one hosted elsewhere may turn out to be ours.  Then DNS Made Easy names its servers, and
 * what could not be seen before is looked at again. */
enum err_code survey_look(struct survey *survey, struct zone *zone, const char *name, const struct authority_view **out)
{
    AUTO_FREE char *place = mem_printf("%s%s %s", zone->account ? "" : "outside ", zone->name, name);
    size_t i = 0;

    if (strmap_find(&survey->sights_by_place, place, &i)) {
        *out = &survey->sights[i]->view;
        return i < survey->known ? ERR_OK : NOT_YET;
    }
    (void)strmap_add(&survey->sights_by_place, place, survey->sight_count);
    survey->sights = mem_grow(survey->sights, survey->sight_count, sizeof(struct sight *));
    survey->sights[survey->sight_count] = mem_zalloc(sizeof(struct sight));
    *survey->sights[survey->sight_count++] = (struct sight){
        .zone = zone, .name = mem_strdup(name), .view = {.kind = AUTHORITY_HERE}};
    return NOT_YET;
}

struct zone *survey_outside(struct survey *survey, const char *name)
{
    struct zone *zone;

    for (size_t i = 0; i < survey->outside_count; i++)
        if (strcmp(survey->outside[i]->name, name) == 0)
            return survey->outside[i];
    zone = mem_zalloc(sizeof *zone);
    zone->name = mem_strdup(name);
    survey->outside = mem_grow(survey->outside, survey->outside_count, sizeof(struct zone *));
    survey->outside[survey->outside_count++] = zone;
    return zone;
}

struct zone_search *survey_search(struct survey *survey, const char *name)
{
    struct zone_search *search;
    size_t i = 0;

    if (strmap_find(&survey->searches_by_name, name, &i))
        return survey->searches[i];
    (void)strmap_add(&survey->searches_by_name, name, survey->search_count);
    search = mem_zalloc(sizeof *search);
    search->name = mem_strdup(name);
    survey->searches = mem_grow(survey->searches, survey->search_count, sizeof(struct zone_search *));
    survey->searches[survey->search_count++] = search;
    return search;
}

enum err_code survey_sibling(struct survey *survey, const char *parent, char **out, struct err *err)
{
    AUTO_FREE char *sibling = NULL;

    if (!survey->number) {
        enum err_code code = platform_random(&survey->number, sizeof survey->number, err);
        if (code != ERR_OK)
            return code;
    }
    sibling = mem_printf("_acme-dme-%016" PRIx64 ".%s", survey->number, parent);
    if (strlen(sibling) > DNS_NAME_MAX) {
        *out = NULL;
        return ERR_OK;
    }
    *out = sibling;
    sibling = NULL;
    return ERR_OK;
}

/* ------------------------------------------------------------------ the zones' own servers */

static bool is_silence(enum err_code code)
{
    return code == ERR_TIMEOUT || code == ERR_NETWORK;
}

static void note_failure(struct survey *survey, const struct sight *sight, const struct err *why)
{
    sight->zone->is_silent = sight->zone->is_silent || is_silence(why->code);
    log_line(survey->c->opts.log, LOG_INFO, "the servers of zone \"%s\" could not be asked about \"%s\": %s",
             sight->zone->name, sight->name, why->msg);
}

/* Find the servers of all zones in which something is to be asked, once each.  Errors: ERR_CANCELLED. */
static enum err_code find_servers(struct survey *survey, struct zone_servers_list *zones, struct err *err)
{
    for (size_t i = survey->known; i < survey->sight_count; i++) {
        struct sight *sight = survey->sights[i];

        sight->zone_place = sight->zone->is_silent ? SIZE_MAX : zone_servers_want(zones, sight->zone);
    }
    return servers_of_zones(survey->c, zones->items, zones->count, err);
}

/* A question for each sight whose zone has servers that answer. */
static size_t make_queries(struct survey *survey, const struct zone_servers_list *zones,
                           struct authority_query *queries, struct sight **sights)
{
    struct err silence;
    size_t count = 0;

    (void)err_set(&silence, ERR_TIMEOUT, "they did not answer before");
    for (size_t i = survey->known; i < survey->sight_count; i++) {
        struct sight *sight = survey->sights[i];
        const struct err *why = sight->zone_place < zones->count ? &zones->items[sight->zone_place].err : &silence;

        if (why->code != ERR_OK) {
            note_failure(survey, sight, why);
            continue;
        }
        sights[count] = sight;
        queries[count++] = (struct authority_query){
            .servers = &sight->zone->servers, .zone = sight->zone->name, .name = sight->name};
    }
    return count;
}

static void take_views(struct survey *survey, struct authority_query *queries, struct sight **sights, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (queries[i].err.code == ERR_OK) {
            sights[i]->view = queries[i].view;
            sights[i]->is_seen = true;
        } else {
            note_failure(survey, sights[i], &queries[i].err);
        }
    }
}

static enum err_code ask_servers(struct survey *survey, struct err *err)
{
    size_t open = survey->sight_count - survey->known;
    AUTO_FREE struct authority_query *queries = mem_calloc(open, sizeof *queries);
    AUTO_FREE struct sight **sights = mem_calloc(open, sizeof(struct sight *));
    AUTO(zone_servers_list_done) struct zone_servers_list zones = {NULL, 0};
    enum err_code code = find_servers(survey, &zones, err);
    size_t count;

    if (code != ERR_OK)
        return code;
    count = make_queries(survey, &zones, queries, sights);
    if (!count)
        return ERR_OK;
    code = authority_look_all(survey->c->opts.direct, queries, count, err);
    if (code == ERR_OK)
        take_views(survey, queries, sights, count);
    return code;
}

/* ------------------------------------------------------------------ DNS over HTTPS */

/* Without port 53: a DoH server is asked for the CNAME.  It may remember a "no" for a while, which is why
 * propagation_wait_doh() prefers the other ones; and why, where there is only one, it is not asked. */
static bool can_ask_doh(const struct challenge *c)
{
    return c->opts.doh_mode != CHALLENGE_DOH_NEVER && c->opts.doh_count > 1;
}

static void take_alias(const struct dns_answer *answer, struct sight *sight)
{
    for (size_t i = 0; answer->result == ERR_OK && i < answer->answer_count; i++) {
        if (answer->answers[i].type == DNS_CNAME && strcmp(answer->answers[i].owner, sight->name) == 0) {
            sight->view.kind = AUTHORITY_ALIAS;
            sight->view.target = mem_strdup(answer->answers[i].text);
            break;
        }
    }
    sight->is_seen = true;
}

/* Some of them at a time: HTTP has no line in which any number of questions could wait.  Errors: ERR_CANCELLED. */
static enum err_code ask_doh_some(struct survey *survey, struct sight *const *sights, size_t count, struct err *err)
{
    struct dns_question questions[DOH_SIDE_BY_SIDE] = {{.name = NULL}};
    struct dns_answer answers[DOH_SIDE_BY_SIDE];
    enum err_code code;

    for (size_t i = 0; i < count; i++)
        questions[i] = (struct dns_question){.name = sights[i]->name, .type = DNS_CNAME, .timeout_ms = DOH_MS};
    code = resolver_ask_all(survey->c->opts.doh[0], questions, count, answers, err);
    if (code != ERR_OK && code != ERR_CANCELLED)
        return ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < count; i++) {
        take_alias(&answers[i], sights[i]);
        dns_answer_done(&answers[i]);
    }
    return code;
}

static enum err_code ask_doh(struct survey *survey, struct err *err)
{
    struct sight *sights[DOH_SIDE_BY_SIDE];
    size_t count = 0;
    enum err_code code = ERR_OK;

    for (size_t i = survey->known; i < survey->sight_count && code == ERR_OK; i++) {
        if (!survey->sights[i]->is_seen)
            sights[count++] = survey->sights[i];
        if (count == DOH_SIDE_BY_SIDE || (count && i + 1 == survey->sight_count)) {
            code = ask_doh_some(survey, sights, count, err);
            count = 0;
        }
    }
    return code;
}

/* ------------------------------------------------------------------ a round */

enum err_code survey_ask(struct survey *survey, struct err *err)
{
    const struct challenge_opts *opts = &survey->c->opts;
    bool is_doh_only = opts->doh_mode == CHALLENGE_DOH_ALWAYS && opts->doh_count;
    enum err_code code = is_doh_only ? ERR_OK : ask_servers(survey, err);

    if (code == ERR_OK && can_ask_doh(survey->c))
        code = ask_doh(survey, err);
    if (code == ERR_OK)
        survey->known = survey->sight_count;
    return code;
}
