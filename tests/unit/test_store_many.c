/* SPDX-License-Identifier: MIT
 *
 * Orders, records and generations of many certificates that are written together: each has an outcome of its own, and
 * whatever fails or kills, each is whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_disk.h"
#include "fixture.h"
#include "store/certs.h"
#include "store_place.h"
#include "test.h"

#define MANY 40 /* of two files each: enough to be synced by one call */
#define KILLS 15
#define FAILING 4711

static const struct certificate_access ours = {.key_mode = 0};

static char *name_of(size_t i)
{
    return mem_printf("many-%zu", i);
}

/* ------------------------------------------------------------------ records */

/* Those of MANY certificates. */
struct records {
    struct certificate_record all[MANY];
    struct certificate_record *list[MANY];
    struct err outcomes[MANY];
};

static void records_init(struct records *r, int64_t generation)
{
    for (size_t i = 0; i < MANY; i++) {
        char AUTO_FREE *name = name_of(i);

        r->all[i] = (struct certificate_record){.name = mem_strdup(name), .generation = generation};
        strlist_add(&r->all[i].domains, "example.com");
        r->list[i] = &r->all[i];
    }
}

static void records_done(struct records *r)
{
    for (size_t i = 0; i < MANY; i++)
        certificate_record_done(&r->all[i]);
}

/* 0: there is no record. */
static int64_t generation_on_disk(const struct place *p, size_t i)
{
    struct certificate_record got = {.generation = 0};
    char AUTO_FREE *name = name_of(i);
    int64_t generation = certificate_load(p->store, name, &got, NULL) == ERR_OK ? got.generation : 0;

    certificate_record_done(&got);
    return generation;
}

TEST(records_are_saved_together_and_one_that_can_not_be_keeps_no_other)
{
    struct place p;
    struct records r;

    place_init(&p);
    records_init(&r, 1);
    strlist_done(&r.all[3].domains);
    r.all[7].name[0] = '.';
    certificate_save_all(p.store, r.list, MANY, r.outcomes);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(r.outcomes[i].code, i == 3 ? ERR_INTERNAL : i == 7 ? ERR_USAGE : ERR_OK);
        assert_int_equal(generation_on_disk(&p, i), i != 3 && i != 7);
    }
    certificate_save_all(p.store, NULL, 0, NULL);
    records_done(&r);
    place_done(&p);
}

/* The first write, of all together, fails; then they go one by one, and some of these fail, too. */
TEST(where_the_disk_fails_those_are_told_whose_records_are_not_there)
{
    struct place p;
    struct records r;

    place_init(&p);
    records_init(&r, 1);
    certificate_save_all(p.store, r.list, MANY, r.outcomes);
    records_done(&r);
    records_init(&r, 2);
    fake_disk_fail(FAKE_DISK_FULL, "renewal", 0, 4);
    certificate_save_all(p.store, r.list, MANY, r.outcomes);
    fake_disk_heal();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(r.outcomes[i].code, i < 3 ? ERR_IO : ERR_OK);
        if (i >= 3)
            assert_int_equal(generation_on_disk(&p, i), 2);
        else
            assert_in_range(generation_on_disk(&p, i), 1, 2);
    }
    records_done(&r);
    place_done(&p);
}

TEST(names_are_those_of_all_records_and_sorted_as_names)
{
    static const char *const names[] = {"a", "a-b", "b.example.com"};
    struct place p;
    struct strlist AUTO_STRLIST got = {NULL, 0};

    place_init(&p);
    assert_int_equal(certificate_names(p.store, &got, NULL), ERR_OK);
    assert_int_equal(got.count, 0);
    for (size_t i = ARRAY_LEN(names); i-- > 0;) {
        struct certificate_record record = {.name = (char *)(uintptr_t)names[i]};

        strlist_add(&record.domains, "example.com");
        assert_int_equal(certificate_save(p.store, &record, NULL), ERR_OK);
        strlist_done(&record.domains);
    }
    assert_int_equal(certificate_names(p.store, &got, NULL), ERR_OK);
    assert_int_equal(got.count, ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(got.items[i], names[i]);
    place_done(&p);
}

/* ------------------------------------------------------------------ orders */

struct many_orders {
    struct order_record all[MANY];
    struct err outcomes[MANY];
};

static char *key_of(size_t i, int number)
{
    return mem_printf("-----BEGIN PRIVATE KEY-----\n%zu-%d\n-----END PRIVATE KEY-----\n", i, number);
}

static void orders_init(struct many_orders *o, int number)
{
    for (size_t i = 0; i < MANY; i++) {
        o->all[i] = (struct order_record){.name = name_of(i),
                                          .url = mem_printf("https://ca.example/order/%d", number),
                                          .directory = mem_strdup("https://ca.example/dir"),
                                          .profile = mem_strdup(""),
                                          .key_pem = key_of(i, number)};
        strlist_add(&o->all[i].domains, "example.com");
    }
}

static void orders_done(struct many_orders *o)
{
    for (size_t i = 0; i < MANY; i++)
        order_record_done(&o->all[i]);
}

/* The number of the order that is stored, whose key is its own; 0: there is none. */
static int order_on_disk(const struct place *p, size_t i)
{
    struct order_record got = {.created_ms = 0};
    char AUTO_FREE *name = name_of(i);
    int number = 0;

    if (order_load(p->store, name, &got, NULL) == ERR_OK) {
        char AUTO_FREE *key = NULL;

        number = got.url[strlen(got.url) - 1] - '0';
        key = key_of(i, number);
        assert_string_equal(got.key_pem, key);
    }
    order_record_done(&got);
    return number;
}

TEST(orders_are_saved_together_each_with_its_key)
{
    struct place p;
    struct many_orders o;
    char *dir;

    place_init(&p);
    orders_init(&o, 1);
    o.all[5].name[0] = '.';
    order_save_all(p.store, o.all, MANY, o.outcomes);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(o.outcomes[i].code, i == 5 ? ERR_USAGE : ERR_OK);
        assert_int_equal(order_on_disk(&p, i), i != 5);
    }
    orders_done(&o);
    orders_init(&o, 2);
    order_save_all(p.store, o.all, MANY, o.outcomes);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(order_on_disk(&p, i), 2);
    dir = fixture_path(p.dir, "orders");
    assert_int_equal(fixture_count(dir), 2 * MANY + MANY - 1); /* and the keys that others took the place of */
    free(dir);
    orders_done(&o);
    place_done(&p);
}

/* From change `first` of the disk on `count` go wrong, with orders that may take the place of others. */
static void save_with_fault(struct place *p, enum fake_disk_fault fault, size_t first, size_t count, int number)
{
    struct many_orders o;

    orders_init(&o, number);
    fake_disk_fail(fault, "orders", first, count);
    order_save_all(p->store, o.all, MANY, o.outcomes);
    fake_disk_heal();
    for (size_t i = 0; i < MANY; i++) {
        int stored = order_on_disk(p, i);

        if (o.outcomes[i].code == ERR_OK)
            assert_int_equal(stored, number);
    }
    orders_done(&o);
}

TEST(no_fault_of_the_disk_mixes_orders_that_are_saved_together)
{
    for (int fault = FAKE_DISK_FULL; fault < FAKE_DISK_KILL; fault++)
        for (size_t n = 0; n < 4; n++) {
            struct place p;

            place_init(&p);
            save_with_fault(&p, (enum fake_disk_fault)fault, n, 1 + n % 3, 1);
            save_with_fault(&p, FAKE_DISK_FINE, 0, 0, 1);
            if (n == 0) /* keys of other orders are copied first */
                save_with_fault(&p, (enum fake_disk_fault)fault, MANY - 1, 3, 2);
            place_done(&p);
        }
}

/* ------------------------------------------------------------------ generations */

/* Files of MANY certificates that hold one number. */
struct goods {
    struct strlist names;
    char *text;
    struct certificate_file files[2];
    struct certificate_install installs[MANY];
};

static void goods_init(struct goods *g, int number)
{
    *g = (struct goods){.text = mem_printf("%06d%*s", number, 5000, "")};
    g->files[0] = (struct certificate_file){
        .name = "cert.pem", .data = g->text, .len = strlen(g->text), .kind = CERTIFICATE_FILE_PUBLIC};
    g->files[1] = g->files[0];
    g->files[1].name = "privkey.pem";
    g->files[1].kind = CERTIFICATE_FILE_SECRET;
    for (size_t i = 0; i < MANY; i++) {
        strlist_add_take(&g->names, name_of(i));
        g->installs[i] = (struct certificate_install){.name = g->names.items[i],
                                                      .files = g->files,
                                                      .count = ARRAY_LEN(g->files),
                                                      .access = &ours,
                                                      .generation = FAILING};
    }
}

static void goods_done(struct goods *g)
{
    strlist_done(&g->names);
    free(g->text);
}

static bool install_number(struct store *store, int number)
{
    struct goods g;
    bool is_well = true;

    goods_init(&g, number);
    certificate_install_all(store, g.installs, MANY);
    for (size_t i = 0; i < MANY; i++) {
        if (g.installs[i].err.code == ERR_OK)
            continue;
        print_error("%s\n", g.installs[i].err.msg);
        is_well = false;
    }
    goods_done(&g);
    return is_well;
}

static int install_numbers(const char *text)
{
    return place_work(text, install_number);
}

static void install(struct store *store, int number)
{
    assert_true(install_number(store, number));
}

/* What a reader finds, who opens the directory once; 0: there is none. */
static int number_in_use(const struct place *p, size_t i)
{
    char AUTO_FREE *name = name_of(i);
    char AUTO_FREE *link = certificate_dir(p->store, name);
    int numbers[2];

    if (!platform_file_exists(link))
        return 0;
    for (size_t k = 0; k < ARRAY_LEN(numbers); k++) {
        struct buf AUTO_BUF text = BUF_INIT(10000);

        assert_int_equal(certificate_read(p->store, name, k ? "privkey.pem" : "cert.pem", &text, NULL), ERR_OK);
        assert_int_equal(text.len, 5006);
        numbers[k] = (int)strtol(buf_cstr(&text), NULL, 10);
    }
    assert_int_equal(numbers[0], numbers[1]);
    return numbers[0];
}

static size_t generations(const struct place *p, size_t i)
{
    char AUTO_FREE *name = name_of(i);
    char AUTO_FREE *dir = mem_printf("%s/archive/%s", p->dir, name);

    return fixture_count(dir);
}

TEST(generations_are_installed_together_and_one_that_can_not_be_keeps_no_other)
{
    struct place p;
    struct goods g;

    place_init(&p);
    goods_init(&g, 1);
    g.installs[3].name = "../www";
    g.installs[7].count = 0;
    certificate_install_all(p.store, g.installs, MANY);
    for (size_t i = 0; i < MANY; i++) {
        bool is_good = i != 3 && i != 7;

        assert_int_equal(g.installs[i].err.code, is_good ? ERR_OK : i == 3 ? ERR_USAGE : ERR_INTERNAL);
        assert_int_equal(g.installs[i].generation, is_good ? 1 : FAILING);
        assert_int_equal(number_in_use(&p, i), is_good);
    }
    certificate_install_all(p.store, NULL, 0);
    goods_done(&g);
    place_done(&p);
}

TEST(what_stands_where_a_link_should_be_fails_that_certificate_alone)
{
    struct place p;
    struct goods g;
    char AUTO_FREE *name = name_of(9);
    char *link;

    place_init(&p);
    install(p.store, 1);
    link = certificate_dir(p.store, name);
    assert_int_equal(platform_file_remove(link, NULL), ERR_OK);
    fixture_write(link, "precious");
    goods_init(&g, 2);
    certificate_install_all(p.store, g.installs, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(g.installs[i].err.code, i == 9 ? ERR_IO : ERR_OK);
        assert_int_equal(g.installs[i].generation, i == 9 ? FAILING : 2);
        if (i != 9)
            assert_int_equal(number_in_use(&p, i), 2);
    }
    free(link);
    goods_done(&g);
    place_done(&p);
}

struct faulty {
    struct place *place;
    enum fixture_call call;
    int errnum;
};

static int install_with_fault(void *context)
{
    const struct faulty *f = context;
    struct goods g;

    if (!fixture_fail(f->call, f->errnum))
        return CHILD_CANNOT;
    goods_init(&g, 2);
    certificate_install_all(f->place->store, g.installs, MANY);
    for (size_t i = 0; i < MANY; i++)
        CHILD_CHECK(g.installs[i].err.code == ERR_IO && g.installs[i].generation == FAILING);
    goods_done(&g);
    return CHILD_OK;
}

TEST(a_failing_disk_leaves_all_old_generations_in_use)
{
    static const struct {
        enum fixture_call call;
        int errnum;
    } faults[] = {
        {CALL_WRITE, ENOSPC}, {CALL_SYNCFS, EIO}, {CALL_FSYNC, EIO}, {CALL_RENAME_NEW, ENOSPC}, {CALL_RENAME, EROFS},
    };
    struct place p;

    fixture_needs(FIXTURE_FAULTS);
    place_init(&p);
    install(p.store, 1);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct faulty f = {.place = &p, .call = faults[i].call, .errnum = faults[i].errnum};

        fixture_in_child(install_with_fault, &f);
        for (size_t k = 0; k < MANY; k++) {
            assert_int_equal(number_in_use(&p, k), 1);
            /* Where renaming fails, what was written can't be hidden before it is removed. */
            assert_in_range(generations(&p, k), 1, faults[i].call == CALL_RENAME ? 2 : 1);
        }
    }
    install(p.store, 3);
    for (size_t k = 0; k < MANY; k++)
        assert_int_equal(number_in_use(&p, k), 3);
    place_done(&p);
}

TEST(wherever_it_is_killed_each_link_leads_to_a_whole_generation)
{
    struct place p;
    int last[MANY] = {0};

    place_init(&p);
    install(p.store, 1);
    for (int i = 0; i < KILLS; i++) {
        place_kill_at_work(&p, install_numbers, 100 * (i + 1), 5000 + i * 7919 % 60000);
        for (size_t k = 0; k < MANY; k++) {
            int number = number_in_use(&p, k);

            if (number < last[k] || number == 0)
                fail_msg("%d after %d", number, last[k]);
            last[k] = number;
        }
    }
    install(p.store, 999999);
    for (size_t k = 0; k < MANY; k++) {
        char AUTO_FREE *name = name_of(k);

        assert_int_equal(number_in_use(&p, k), 999999);
        assert_int_equal(certificate_prune(p.store, name, 1, NULL), ERR_OK);
        assert_int_equal(generations(&p, k), 1);
    }
    place_done(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_saved_together_and_one_that_can_not_be_keeps_no_other),
        cmocka_unit_test(where_the_disk_fails_those_are_told_whose_records_are_not_there),
        cmocka_unit_test(names_are_those_of_all_records_and_sorted_as_names),
        cmocka_unit_test(orders_are_saved_together_each_with_its_key),
        cmocka_unit_test(no_fault_of_the_disk_mixes_orders_that_are_saved_together),
        cmocka_unit_test(generations_are_installed_together_and_one_that_can_not_be_keeps_no_other),
        cmocka_unit_test(what_stands_where_a_link_should_be_fails_that_certificate_alone),
        cmocka_unit_test(a_failing_disk_leaves_all_old_generations_in_use),
        cmocka_unit_test(wherever_it_is_killed_each_link_leads_to_a_whole_generation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
