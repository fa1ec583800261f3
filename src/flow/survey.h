/* SPDX-License-Identifier: MIT
 *
 * Looking at many names side by side.  Each name goes its way as far as what is known tells it; what it would have to
 * know next is noted; then all that was noted is asked for at once, and each name goes on.  A round costs one round
 * trip, whatever the number of names.  Internal to flow/.
 */
#ifndef ACME_DME_FLOW_SURVEY_H
#define ACME_DME_FLOW_SURVEY_H

#include "flow/engine.h"
#include "util/strmap.h"

/* "Noted, to be asked for": whoever gets this from a function below hands it on untouched and is called again after the
 * next survey_ask(). */
#define NOT_YET ERR_DECLINED

struct sight; /* what the servers of a zone say about a name */

struct survey {
    struct challenge *c;
    struct sight **sights;
    size_t sight_count;
    size_t known; /* of them; the rest is to be asked for */
    struct strmap sights_by_place;
    struct zone **outside; /* zones that are hosted elsewhere */
    size_t outside_count;
    struct zone_search **searches;
    size_t search_count;
    struct strmap searches_by_name;
    uint64_t number; /* of siblings, see survey_sibling(); 0: not drawn yet */
};

void survey_done(struct survey *survey);

/* *out is the survey's.  Errors: NOT_YET. */
enum err_code survey_look(struct survey *survey, struct zone *zone, const char *name,
                          const struct authority_view **out) MUST_USE;

/* Ask for all that was noted.  When nobody can tell, the API's word stands.  Errors: ERR_CANCELLED. */
enum err_code survey_ask(struct survey *survey, struct err *err) MUST_USE;

/* A zone that is hosted elsewhere; the survey's. */
struct zone *survey_outside(struct survey *survey, const char *name);
/* The search for the zone of a name; the survey's. */
struct zone_search *survey_search(struct survey *survey, const char *name);
/* A name below `parent` that nobody can have made; NULL: it would be too long.  Errors: ERR_INTERNAL. */
enum err_code survey_sibling(struct survey *survey, const char *parent, char **out, struct err *err) MUST_USE;

#endif
