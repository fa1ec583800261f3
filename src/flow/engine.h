/* SPDX-License-Identifier: MIT
 *
 * What the files of the engine share.  Internal to flow/.
 */
#ifndef ACME_DME_FLOW_ENGINE_H
#define ACME_DME_FLOW_ENGINE_H

#include "flow/challenge.h"
#include "util/strmap.h"

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
    size_t first;   /* scratch of batch_sort() */
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

/* Zones that the API could not be asked for. */
struct zone_failures {
    struct strmap places; /* of zones in `items` */
    struct err *items;
    size_t count;
    size_t in_a_row;
};

struct challenge {
    struct challenge_opts opts;
    struct published_list published; /* since the last challenge_awaiting_new() */
    struct zone **zones;
    size_t zone_count;
    struct strmap absent;          /* zone names that no account has */
    struct strmap recalled;        /* "<account> <name>" of the remembered zones that were looked for */
    struct zone_failures failures; /* see zones_forgive() */
    bool *refused;                 /* one an account: its key is no good, don't ask again */
    struct err refusal;            /* the first of an account, or ERR_OK */
    char *leaving;                 /* a zone that is on its way out of an account; NULL: none was met */
    struct err leaving_err;
};

/* One record on its way: what was asked for, where it is, what the journal says. */
struct placement {
    char *asked; /* as in the set */
    char *name;  /* CNAME followed */
    char *value;
    struct zone *zone;          /* borrowed from the engine */
    struct journal_entry entry; /* entry.id NULL: not in the journal */
    int64_t record_id;          /* 0: not known */
    bool may_appear;            /* its creation was asked for and never answered, or what denies it may not be the API:
                                   not there now need not mean never */
    bool may_exist;             /* with record_id 0: it is not certain that there is no such record */
    bool is_removed;            /* the API has it no more, and will not bring it */
    struct err *outcome;        /* of publishing; borrowed; NULL where nobody asks */
    size_t order;               /* when it was added to its batch */
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

/* Some of the records of a batch; zero-initialised is empty. */
struct picks {
    struct placement **items;
    size_t count;
};

void picks_add(struct picks *picks, struct placement *placement);
void picks_all(struct picks *picks, const struct batch *batch);
size_t picks_run(const struct picks *picks, size_t first); /* as batch_run() */
void picks_done(struct picks *picks);

/* group.c: the records of one zone, which go to the API together; those of all zones side by side. */
struct group {
    struct placement *items; /* of a batch */
    size_t count;
    struct err err; /* what keeps its records from being deleted */
};

struct groups {
    struct group *items;
    size_t count;
};

/* Sorts the batch, which must stay as it is from then on. */
void groups_init(struct groups *groups, struct batch *batch);
void groups_done(struct groups *groups);
/* How many requests it takes to create, or to delete, the records of that account. */
size_t groups_requests(const struct groups *groups, const struct challenge_account *account);
/* Create the records that have no id and no error in *outcome: they get one of both; ERR_NOT_FOUND: the zone's id is
 * gone.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code groups_create(struct challenge *c, struct groups *groups, struct err *err) MUST_USE;
/* Delete, in groups without an error, the records that have an id.  `is_removed` is set for those that are gone.  A
 * group's error: the first of its records; ERR_NOT_FOUND: a record or the zone is gone.  Errors: ERR_CANCELLED,
 * ERR_INTERNAL. */
enum err_code groups_delete(struct challenge *c, struct groups *groups, struct err *err) MUST_USE;

/* locate.c: zones of record names, CNAMEs followed. */
struct location {
    const char *asked;    /* borrowed */
    char *name;           /* out: where it leads */
    struct zone *zone;    /* out: the engine's; NULL: not found */
    struct err err;       /* out: ERR_OK, or why not: ERR_ZONE, ERR_DNS and those of dme_zone_find() */
    struct strlist trail; /* the way so far, for loops and for messages */
};

void locations_done(struct location *items, size_t count); /* all but the array itself */

enum locate_mode { LOCATE_EACH, LOCATE_OR_STOP };

/* Locate all, side by side; with LOCATE_OR_STOP only until one can't be: then others without an error may have no zone.
 * Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code locate_all(struct challenge *c, struct location *items, size_t count, enum locate_mode mode,
                         struct err *err) MUST_USE;

/* One.  *out_name is the caller's, *out_zone the engine's.  Errors: ERR_CANCELLED and as above. */
enum err_code locate(struct challenge *c, const char *asked, char **out_name, struct zone **out_zone,
                     struct err *err) MUST_USE;

/* zones.c: zones that are known, remembered or asked for. */
struct zone *zones_known(struct challenge *c, const char *name); /* longest that holds `name`; NULL */
/* Exactly this zone, in any account that may have it.  Accounts that refuse to answer don't keep the others from being
 * asked.  Errors: ERR_NOT_FOUND, those of dme_zone_find(). */
enum err_code zones_want(struct challenge *c, const char *zone_name, struct zone **out, struct err *err) MUST_USE;
/* A failure to ask the API for a zone is not repeated for each of its names, until this is called. */
void zones_forgive(struct challenge *c);
/* Why an account could not be asked, as the zone of `name`, which was not found, may be in it; ERR_OK: all could. */
enum err_code zones_refusal(const struct challenge *c, const char *name, struct err *err) MUST_USE;
struct zone *zones_add(struct challenge *c, const struct challenge_account *account, const char *name, int64_t id,
                       enum zone_origin origin);
/* The API denied the zone's id: forget it everywhere. */
void zones_forget(struct challenge *c, struct zone *zone);

/* propose.c: the zone that holds a name, proposed and asked for.  One search is for one name. */
struct zone_search {
    char *name;
    char *cut; /* where DNS says that the zone begins; NULL: it does not tell */
    struct strlist tried;
    bool is_begun;
};

void zone_search_done(struct zone_search *search);
/* What the configuration and DNS propose; only the first time.  Errors: ERR_NOT_FOUND, ERR_CANCELLED, those of
 * dme_zone_find(). */
enum err_code zone_search_likely(struct challenge *c, struct zone_search *search, struct zone **out,
                                 struct err *err) MUST_USE;
/* Every suffix, longest first.  Errors: ERR_ZONE (lists what was tried), those of dme_zone_find(). */
enum err_code zone_search_suffixes(struct challenge *c, struct zone_search *search, struct zone **out,
                                   struct err *err) MUST_USE;

/* servers.c: the servers that are asked for a zone's records, found once for each zone; borrowed from the zone.
 * Errors: ERR_DNS, ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code servers_of_zone(struct challenge *c, struct zone *zone, const struct dns_servers **out,
                              struct err *err) MUST_USE;

/* The same for many zones side by side. */
struct zone_servers {
    struct zone *zone;
    struct err err; /* out: ERR_OK, or why zone->servers is empty */
};

/* Errors: ERR_CANCELLED. */
enum err_code servers_of_zones(struct challenge *c, struct zone_servers *items, size_t count, struct err *err) MUST_USE;

/* `propagation.nameservers` as servers; each address is its own name. */
void servers_from_override(const struct strlist *nameservers, struct dns_servers *out);

/* awaiting.c: the records of a batch are noted for who waits for them; the zones are borrowed. */
void published_note(struct published_list *list, const struct batch *batch);
void published_done(struct published_list *list);

/* servers.c: zones, each once, whose servers are found side by side. */
struct zone_servers_list {
    struct zone_servers *items;
    size_t count;
};

/* The zone's place in the list, where it is added when it is not there. */
size_t zone_servers_want(struct zone_servers_list *list, struct zone *zone);
void zone_servers_list_done(struct zone_servers_list *list);

/* await.c: is it silence that another way may get around? */
bool await_is_silence(enum err_code code);
/* Is there another way, and leave to take it? */
bool await_may_ask_doh(const struct challenge *c);
/* The DNS over HTTPS servers that are asked for records: the first one was asked for CNAMEs and may remember that there
 * was nothing. */
struct resolver *const *await_doh(const struct challenge *c, size_t *out_count);

/* await.c: wait until the batch shows everywhere; `time_limit_ms` is what is left of that of the options. */
enum err_code await_batch(struct challenge *c, const struct batch *batch, const struct challenge_publish_opts *publish,
                          int64_t time_limit_ms, struct err *err) MUST_USE;

/* What the caller's options mean for the wait. */
void await_adapt(const struct challenge_publish_opts *publish, int64_t time_limit_ms, struct propagation_opts *opts);

/* awaiting.c: the same for the batch alone, each record by itself: those that don't show have an error in *outcome.
 * Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code await_each(struct challenge *c, const struct batch *batch, const struct challenge_publish_opts *publish,
                         int64_t time_limit_ms, struct err *err) MUST_USE;

/* remove.c: delete every record of the batch and strike it out of the journal; ids that are not known or not fresh
 * are looked up by name and value first.  A zone that fails does not keep the others from being done; the first error
 * is returned. */
enum err_code remove_batch(struct challenge *c, struct batch *batch, struct err *err) MUST_USE;

/* journal.c: a placement for a journal entry, with its zone if an account of ours still has it; false if none has. */
bool recall_placement(struct challenge *c, const struct journal_entry *entry, struct placement *out);
/* Was the entry written by a call of the run that calls us now?  Never, when the system can't tell runs apart. */
bool is_entry_of_run(const struct challenge *c, const struct journal_entry *entry);
/* Write the entries of records; nothing happens without a store. */
enum err_code record_intent(struct challenge *c, const struct picks *picks, struct err *err) MUST_USE;
enum err_code record_published(struct challenge *c, const struct picks *picks, struct err *err) MUST_USE;
enum err_code record_removed(struct challenge *c, const struct picks *picks, struct err *err) MUST_USE;

/* journal.c: entries by the name that was asked for, and by that of the record. */
struct journal_index {
    const struct journal_list *journal; /* borrowed */
    struct journal_name *names;
    size_t count;
};

void journal_index_init(struct journal_index *index, const struct journal_list *journal);
void journal_index_done(struct journal_index *index);
/* The first entry of that name, in the order of the journal, and those after it; NULL: no more.  `at` is the place. */
const struct journal_entry *journal_index_find(const struct journal_index *index, const char *name, size_t *at);
const struct journal_entry *journal_index_next(const struct journal_index *index, const char *name, size_t *at);

/* undo.c: withdraw what this call created, of all of the batch (or of what failed in it), to the end, whoever wishes to
 * stop.  The error that brought us here stays the error that is reported; what is left is in the log.
 * Errors: those of remove_batch(); ERR_CANCELLED: somebody wished to stop. */
enum err_code undo(struct challenge *c, struct batch *batch) MUST_USE;

#endif
