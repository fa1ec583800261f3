/* SPDX-License-Identifier: MIT
 *
 * libyaml gives events: "mapping begins", "scalar", "mapping ends".  read_node() gets the event that begins a
 * node and reads on to the one that ends it; depth and number of nodes are bounded.
 */
#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config/input.h"
#include "util/mem.h"
#include "util/secret.h"

struct reader {
    yaml_parser_t parser;
    struct config_input input;
    size_t depth;
    size_t nodes;
    struct config_report *report;
};

/* ------------------------------------------------------------------ events */

static struct config_place mark_place(const struct reader *r, const yaml_mark_t *mark)
{
    return (struct config_place){CONFIG_FILE, r->input.file, mark->line + 1, mark->column + 1};
}

/* libyaml says what its scanner missed; people want to know what to change. */
static const char *advice(const char *problem)
{
    static const struct {
        const char *problem;
        const char *advice;
    } table[] = {
        {"mapping values are not allowed in this context",
         "There is a second \": \" in the line, or the line above lacks its \":\"; put a value that contains "
         "\": \" in "
         "quotes."},
        {"could not find expected ':'", "Each key needs a \":\" with a space after it."},
        {"did not find expected key",
         "Check that the line is indented as its neighbours are, and that quotes are closed."},
        {"found unexpected end of stream", "A quote is opened and not closed."},
        {"did not find expected ',' or '}'", "A \"{\" is opened and not closed, or a \",\" is missing."},
        {"did not find expected ',' or ']'", "A \"[\" is opened and not closed, or a \",\" is missing."},
        {"block sequence entries are not allowed in this context", "A list's \"- \" begins on a line of its own."},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].problem, problem) == 0)
            return table[i].advice;
    }
    return NULL;
}

static void report_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "unknown reason";
    struct config_place at = mark_place(r, &p->problem_mark);

    if (p->error == YAML_READER_ERROR)
        at = config_input_place(&r->input, p->problem_offset);
    else if (p->problem_mark.index == 0 && p->context_mark.index != 0)
        at = mark_place(r, &p->context_mark);
    if (p->error != YAML_READER_ERROR && config_input_has_tab(&r->input, at.line)) {
        config_report_problem(r->report, &at, "the line is indented with a tab, which YAML does not allow");
        config_report_hint(r->report, "Indent with spaces.");
        return;
    }
    if (p->context && p->context_mark.line + 1 != at.line)
        config_report_problem(r->report, &at, "not valid YAML: %s, %s that began in line %zu", problem, p->context,
                              p->context_mark.line + 1);
    else
        config_report_problem(r->report, &at, "not valid YAML: %s%s%s", problem, p->context ? ", " : "",
                              p->context ? p->context : "");
    if (advice(problem))
        config_report_hint(r->report, "%s", advice(problem));
}

/* The next event; false when the syntax is wrong, which was reported then. */
static bool next_event(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    report_syntax(r);
    return false;
}

/* Scalars may be secrets. */
static void event_done(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        secret_wipe(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

/* ------------------------------------------------------------------ nodes */

static bool read_node(struct reader *r, yaml_event_t *begin, struct yaml_tree *out);

static bool is_null(const char *text, yaml_scalar_style_t style)
{
    return style == YAML_PLAIN_SCALAR_STYLE && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
                                                strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
}

/* Anchors and tags of any node.  Their text isn't shown: a secret that begins with "&" or "!" looks like one.
 */
static void check_decoration(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    struct config_place at = mark_place(r, &event->start_mark);

    if (anchor) {
        config_report_problem(r->report, &at, "anchors (\"&name\") are not supported");
        config_report_hint(r->report, "Put a value that begins with \"&\" in quotes; write repeated values out.");
    }
    if (tag) {
        config_report_problem(r->report, &at, "tags (\"!name\") are not supported");
        config_report_hint(r->report, "Put a value that begins with \"!\" in quotes.");
    }
}

static void read_scalar(struct reader *r, const yaml_event_t *event, struct yaml_tree *out)
{
    check_decoration(r, event, event->data.scalar.anchor, event->data.scalar.tag);
    out->text = mem_strndup((const char *)event->data.scalar.value, event->data.scalar.length);
    out->len = event->data.scalar.length;
    out->kind = is_null(out->text, event->data.scalar.style) ? YAML_TREE_NULL : YAML_TREE_SCALAR;
}

/* Room for one more item; the result is valid until the next call. */
static struct yaml_tree *add_item(struct yaml_tree *out)
{
    out->items = mem_grow(out->items, out->count, sizeof *out->items);
    out->items[out->count] = (struct yaml_tree){.kind = YAML_TREE_NULL};
    return &out->items[out->count++];
}

static bool read_list(struct reader *r, struct yaml_tree *out)
{
    for (;;) {
        yaml_event_t event;
        bool good;

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            event_done(&event);
            return true;
        }
        good = read_node(r, &event, add_item(out));
        event_done(&event);
        if (!good)
            return false;
    }
}

/* Check the key of the newest item against the others and against what no key may be. */
static void check_key(struct reader *r, const struct yaml_tree *map, struct yaml_tree *item)
{
    struct config_place at = yaml_tree_key_place(item, r->input.file);
    size_t first = 0;

    if (strcmp(item->key, "<<") == 0) {
        config_report_problem(r->report, &at, "merge keys (\"<<\") are not supported");
        config_report_hint(r->report, "Write the values out.");
        item->kind = YAML_TREE_BAD;
        return;
    }
    while (strcmp(map->items[first].key, item->key) != 0)
        first++;
    if (&map->items[first] != item) {
        char AUTO_FREE *quoted = config_quote(item->key);

        config_report_problem(r->report, &at, "key %s is there twice; the first is in line %zu", quoted,
                              map->items[first].key_line);
        item->kind = YAML_TREE_BAD;
    }
}

/* The key that `event` begins, into `item`; one that can't be a key leaves "" and a problem. */
static bool read_key(struct reader *r, yaml_event_t *event, struct yaml_tree *item)
{
    struct yaml_tree key = {.kind = YAML_TREE_NULL};
    struct config_place at = mark_place(r, &event->start_mark);
    bool good = read_node(r, event, &key);

    item->key_line = key.line;
    item->key_column = key.column;
    if (good && key.kind != YAML_TREE_BAD && (!key.text || !*key.text || strlen(key.text) != key.len)) {
        config_report_problem(r->report, &at, "a key must be plain text");
        key.kind = YAML_TREE_BAD;
    }
    if (key.kind == YAML_TREE_BAD || !good || !key.text) {
        item->key = mem_strdup("");
    } else {
        item->key = key.text;
        key.text = NULL;
        key.len = 0;
    }
    yaml_tree_done(&key);
    return good;
}

static bool read_pair(struct reader *r, yaml_event_t *key_event, struct yaml_tree *out)
{
    struct yaml_tree *item = add_item(out);
    yaml_event_t event;
    bool good;

    if (!read_key(r, key_event, item) || !next_event(r, &event))
        return false;
    good = read_node(r, &event, item);
    event_done(&event);
    if (!good)
        return false;
    if (!*item->key)
        item->kind = YAML_TREE_BAD;
    else
        check_key(r, out, item);
    return true;
}

static bool read_map(struct reader *r, struct yaml_tree *out)
{
    for (;;) {
        yaml_event_t event;
        bool good = true;

        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT) {
            event_done(&event);
            return true;
        }
        if (out->count == YAML_TREE_KEYS_MAX) {
            struct config_place at = mark_place(r, &event.start_mark);
            config_report_problem(r->report, &at, "more than %d keys in one place", YAML_TREE_KEYS_MAX);
            good = false;
        }
        good = good && read_pair(r, &event, out);
        event_done(&event);
        if (!good)
            return false;
    }
}

/* A list or a mapping, one level deeper. */
static bool read_collection(struct reader *r, const yaml_event_t *begin, struct yaml_tree *out)
{
    bool is_map = begin->type == YAML_MAPPING_START_EVENT;
    bool good;

    if (is_map)
        check_decoration(r, begin, begin->data.mapping_start.anchor, begin->data.mapping_start.tag);
    else
        check_decoration(r, begin, begin->data.sequence_start.anchor, begin->data.sequence_start.tag);
    if (++r->depth > YAML_TREE_DEPTH_MAX) {
        struct config_place at = mark_place(r, &begin->start_mark);
        config_report_problem(r->report, &at, "nested more than %d levels deep", YAML_TREE_DEPTH_MAX);
        return false;
    }
    out->kind = is_map ? YAML_TREE_MAP : YAML_TREE_LIST;
    good = is_map ? read_map(r, out) : read_list(r, out);
    r->depth--;
    return good;
}

/* The node that `begin` begins; false ends the parse, and a problem was reported. */
static bool read_node(struct reader *r, yaml_event_t *begin, struct yaml_tree *out)
{
    struct config_place at = mark_place(r, &begin->start_mark);

    out->line = at.line;
    out->column = at.column;
    if (++r->nodes > YAML_TREE_NODES_MAX) {
        config_report_problem(r->report, &at, "more than %d values in one file", YAML_TREE_NODES_MAX);
        return false;
    }
    if (begin->type == YAML_ALIAS_EVENT) {
        config_report_problem(r->report, &at, "aliases (\"*name\") are not supported");
        config_report_hint(r->report, "Put a value that begins with \"*\" in quotes; write repeated values out.");
        out->kind = YAML_TREE_BAD;
        return true;
    }
    if (begin->type == YAML_SCALAR_EVENT) {
        read_scalar(r, begin, out);
        return true;
    }
    return read_collection(r, begin, out);
}

/* ------------------------------------------------------------------ documents */

/* What follows the first document: its end, then the end of the stream. */
static bool read_end(struct reader *r)
{
    bool is_end = false;

    for (size_t i = 0; i < 2; i++) {
        yaml_event_t event;

        if (!next_event(r, &event))
            return false;
        is_end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT) {
            struct config_place at = mark_place(r, &event.start_mark);
            config_report_problem(r->report, &at, "a second document begins here; a file holds one");
        }
        event_done(&event);
    }
    return is_end;
}

/* Stream start, document start, the root node, the end; a stream without a document is an empty mapping. */
static bool read_stream(struct reader *r, struct yaml_tree *out)
{
    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        bool good;

        if (!next_event(r, &event))
            return false;
        type = event.type;
        if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT) {
            event_done(&event);
            continue;
        }
        good = type == YAML_STREAM_END_EVENT || read_node(r, &event, out);
        event_done(&event);
        if (type == YAML_STREAM_END_EVENT || out->kind == YAML_TREE_NULL)
            out->kind = YAML_TREE_MAP;
        return good && (type == YAML_STREAM_END_EVENT || read_end(r));
    }
}

struct yaml_tree *yaml_tree_parse(const char *file, const char *text, size_t len, struct config_report *report)
{
    struct reader r = {.input = {file, text, len}, .report = report};
    struct yaml_tree *tree;
    bool good;

    if (!config_input_is_readable(&r.input, report))
        return NULL;
    if (!yaml_parser_initialize(&r.parser)) {
        config_report_error(report, ERR_INTERNAL, NULL, "libyaml does not start");
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.input.text, r.input.len);
    tree = mem_zalloc(sizeof *tree);
    tree->line = tree->column = 1;
    good = read_stream(&r, tree);
    yaml_parser_delete(&r.parser);
    if (!good) {
        yaml_tree_free(tree);
        return NULL;
    }
    return tree;
}
