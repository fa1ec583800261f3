/* SPDX-License-Identifier: MIT
 *
 * What the files of the engine share.  Internal to flow/.
 */
#ifndef ACME_DME_FLOW_ENGINE_H
#define ACME_DME_FLOW_ENGINE_H

#include "flow/challenge.h"

enum zone_origin { ZONE_FROM_API, ZONE_REMEMBERED };

/* A zone that was found, for the life of the engine. */
struct zone {
    const struct challenge_account *account;
    char *name;
    int64_t id;
    struct dns_servers api_servers; /* as DNS Made Easy names them; may be empty */
    struct dns_servers servers;     /* to be asked, see servers_of_zone(); empty until then */
    char *unseen;                   /* why the DNS shows no server of the zone; NULL: it does, or nobody can say */
    enum zone_origin origin;
    bool is_gone;   /* the API denied the id; placements may still point here */
    bool is_silent; /* the servers did not answer; asking them for each name would take for ever */
};

void zone_content_done(struct zone *zone); /* all but the struct itself */

/* What was published and is to be waited for later. */
struct published {
    char *asked; /* as in the set */
    char *name;  /* CNAME followed */
    char *value;
    struct zone *zone; /* borrowed from the engine */
};

struct published_list {
    struct published *items;
    size_t count;
};

struct challenge {
    struct challenge_opts opts;
    struct published_list published; /* since the last challenge_awaiting_new() */
    struct zone **zones;
    size_t zone_count;
    struct strlist absent; /* zone names that no account has */
    bool *refused;         /* one an account: its key is no good, don't ask again */
    struct err refusal;    /* the first of an account, or ERR_OK */
};

/* One record on its way: what was asked for, where it is, what the journal says. */
struct placement {
    char *asked;               /* as in the set */
    char *name;                /* CNAME followed */
    char *value;
    struct zone *zone;         /* borrowed from the engine */
    struct journal_entry entry; /* entry.id NULL: not in the journal */
    int64_t record_id;         /* 0: not known */
    bool may_appear;           /* its creation was asked for and never answered, or what denies it may not be the API:
                                  not there now need not mean never */
    bool may_exist;            /* with record_id 0: it is not certain that there is no such record */
    bool is_removed;           /* the API has it no more, and will not bring it */
    enum placement_age { PLACEMENT_NEW, PLACEMENT_KNOWN } age; /* known: journalled before this call */
};

struct batch {
    struct placement *items; /* those of one zone side by side, see batch_sort() */
    size_t count;
};

void batch_add_take(struct batch *batch, struct placement *placement_take);
void batch_done(struct batch *batch);
void placement_done(struct placement *p);
/* Bring records of one zone together; the order is otherwise kept. */
void batch_sort(struct batch *batch);
/* Number of records from `first` on that share its zone. */
size_t batch_run(const struct batch *batch, size_t first);

/* locate.c: the zone of a record name, CNAMEs followed.  *out_name is the caller's, *out_zone the engine's.
 * Errors: ERR_ZONE, ERR_DNS, ERR_CANCELLED and those of dme_zone_find(). */
enum err_code locate(struct challenge *c, const char *asked, char **out_name, struct zone **out_zone, struct err *err)
    MUST_USE;

/* zones.c: zones that are known, remembered or asked for. */
struct zone *zones_known(struct challenge *c, const char *name); /* longest that holds `name`; NULL */
/* Exactly this zone, in any account that may have it.  Accounts that refuse to answer don't keep the others from being
 * asked.  Errors: ERR_NOT_FOUND, those of dme_zone_find(). */
enum err_code zones_want(struct challenge *c, const char *zone_name, struct zone **out, struct err *err) MUST_USE;
/* Why an account could not be asked, as a zone that was not found may be in it; ERR_OK: all could. */
enum err_code zones_refusal(const struct challenge *c, struct err *err) MUST_USE;
struct zone *zones_add(struct challenge *c, const struct challenge_account *account, const char *name, int64_t id,
                       enum zone_origin origin);
/* The API denied the zone's id: forget it everywhere. */
void zones_forget(struct challenge *c, struct zone *zone);

/* propose.c: the zone that holds a name, proposed and asked for.  One search is for one name. */
struct zone_search {
    const char *name;
    char *cut;            /* where DNS says that the zone begins; NULL: it does not tell */
    struct strlist tried;
};

void zone_search_done(struct zone_search *search);
/* What the configuration and DNS propose.  Errors: ERR_NOT_FOUND, ERR_CANCELLED, those of dme_zone_find(). */
enum err_code zone_search_likely(struct challenge *c, struct zone_search *search, struct zone **out, struct err *err)
    MUST_USE;
/* Every suffix, longest first.  Errors: ERR_ZONE (lists what was tried), those of dme_zone_find(). */
enum err_code zone_search_suffixes(struct challenge *c, struct zone_search *search, struct zone **out, struct err *err)
    MUST_USE;

/* servers.c: the servers that are asked for a zone's records, found once for each zone; borrowed from the zone.
 * Errors: ERR_DNS, ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code servers_of_zone(struct challenge *c, struct zone *zone, const struct dns_servers **out, struct err *err)
    MUST_USE;

/* Those of a zone that need not be ours, as the public sees it.  Errors: as servers_of_zone(). */
enum err_code servers_of_cut(struct challenge *c, const char *cut, struct dns_servers *out, struct err *err) MUST_USE;

/* `propagation.nameservers` as servers; each address is its own name. */
void servers_from_override(const struct strlist *nameservers, struct dns_servers *out);

/* awaiting.c: records that were published without waiting are noted for who waits for them. */
void published_note(struct challenge *c, const struct batch *batch);
void published_done(struct published_list *list);

/* await.c: is it silence that another way may get around? */
bool await_is_silence(enum err_code code);
/* The DNS over HTTPS servers that are asked for records: the first one was asked for CNAMEs and may remember that there
 * was nothing. */
struct resolver *const *await_doh(const struct challenge *c, size_t *out_count);

/* await.c: wait until the batch, and what `run_set` of the options names of this run, shows everywhere;
 * `time_limit_ms` is what is left of that of the options. */
enum err_code await_batch(struct challenge *c, const struct batch *batch, const struct challenge_publish_opts *publish,
                          int64_t time_limit_ms, struct err *err) MUST_USE;

/* remove.c: delete every record of the batch and strike it out of the journal; ids that are not known or not fresh
 * are looked up by name and value first.  A zone that fails does not keep the others from being done; the first error
 * is returned. */
enum err_code remove_batch(struct challenge *c, struct batch *batch, struct err *err) MUST_USE;

/* journal.c: a placement for a journal entry, with its zone if an account of ours still has it; false if none has. */
bool recall_placement(struct challenge *c, const struct journal_entry *entry, struct placement *out);
/* Was the entry written by a call of the run that calls us now?  Never, when the system can't tell runs apart. */
bool is_entry_of_run(const struct challenge *c, const struct journal_entry *entry);
/* Write the entries of `count` placements; nothing happens without a store. */
enum err_code record_intent(struct challenge *c, struct placement *items, size_t count, struct err *err) MUST_USE;
enum err_code record_published(struct challenge *c, struct placement *items, size_t count, struct err *err) MUST_USE;
enum err_code record_removed(struct challenge *c, struct placement *items, size_t count, struct err *err) MUST_USE;

#endif
