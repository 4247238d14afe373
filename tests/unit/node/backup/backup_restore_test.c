/* Goal: a backup is put back as it was made, with a mark that makes the node learn before it
 * writes; one that is too old, altered, or another institution's is not, and nothing is
 * overwritten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/backup/backup.h"
#include "node/backup/backup_keys.h"
#include "node/backup/backup_restore.h"
#include "node/os/file.h"
#include "node/rows/node_row.h"
#include "node/runtime/clock.h"
#include "store/record_table.h"
#include "store/store.h"

#define DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

struct site {
    char home[64];
    char data[96];   /* what is backed up */
    char backup[96]; /* where to */
    char fresh[96];  /* where it is put back */
    char problem[BACKUP_PROBLEM_SIZE];
    struct secure_arena *secrets;
    struct identity identity;
    struct backup_watch watch;
    struct backup_manifest manifest;
};

static const struct passphrase_source nobody = {.fd = -1};

/* A store with one record, which is not what its name says. */
static void fill(struct site *site)
{
    char path[128];
    uint8_t head[308] = {1};
    struct stream_id stream = {.scope.kind = SCOPE_CASE, .generation = 1};
    struct record_id id = {{7}};
    struct store *store;
    struct store_op op = {.kind = STORE_PUT};
    const struct store_options options = {.owner = {{3}}};
    snprintf(path, sizeof path, "%s/tumors", site->data);
    assert_int_equal(store_open(path, site->identity.store_key, &options, site->problem, &store),
                     OK);
    op.put.stream = &stream;
    op.put.sequence = 1;
    op.put.id = &id;
    op.put.head = (struct bytes){head, sizeof head};
    assert_int_equal(store_commit(store, &op, 1, STORE_NORMAL, NULL), OK);
    store_close(store);
}

static int setup(void **state)
{
    struct site *site = calloc(1, sizeof *site);
    snprintf(site->home, sizeof site->home, "/tmp/consilium_backup_XXXXXX");
    assert_non_null(mkdtemp(site->home));
    snprintf(site->data, sizeof site->data, "%s/data", site->home);
    snprintf(site->backup, sizeof site->backup, "%s/backup", site->home);
    snprintf(site->fresh, sizeof site->fresh, "%s/fresh", site->home);
    assert_int_equal(secure_arena_new(64 * 1024, &site->secrets), OK);
    assert_int_equal(identity_make(site->data, "Lakeside Hospital", NULL, site->problem), OK);
    assert_int_equal(
        identity_open(site->data, &nobody, site->secrets, &site->identity, site->problem), OK);
    fill(site);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    struct site *site = *state;
    backup_files_remove_tree(site->home);
    secure_arena_free(site->secrets);
    free(site);
    return 0;
}

static void given_a_backup(struct site *site)
{
    err result = backup_make(site->data, &site->identity, site->backup, &site->watch,
                             &site->manifest, site->problem);
    if (result != OK)
        fail_msg("%s: %s", err_name(result), site->problem);
}

static void given_the_keys(struct site *site)
{
    static const char *const names[] = {"identity.key", "store.key"};
    assert_int_equal(mkdir(site->fresh, 0700), 0);
    for (size_t i = 0; i < 2; i++) {
        char from[128], to[128];
        snprintf(from, sizeof from, "%s/%s", site->data, names[i]);
        snprintf(to, sizeof to, "%s/%s", site->fresh, names[i]);
        assert_int_equal(backup_files_copy(from, to, true, &site->watch), OK);
    }
}

static err put_back(struct site *site, bool is_old_fine)
{
    const struct backup_restore restore = {.from = site->backup,
                                           .data = site->fresh,
                                           .source = &nobody,
                                           .is_old_fine = is_old_fine,
                                           .watch = &site->watch};
    return backup_restore(&restore, site->secrets, &site->manifest, site->problem);
}

static void assert_refused(struct site *site, err wanted, const char *words)
{
    err result = put_back(site, false);
    if (result != wanted || strstr(site->problem, words) == NULL)
        fail_msg("%s: %s", err_name(result), site->problem);
    char path[128];
    snprintf(path, sizeof path, "%s/tumors", site->fresh);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/restoring", site->fresh);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* The same backup, as if it had been made then. */
static void given_an_age(struct site *site, uint64_t age_ms)
{
    char path[128];
    snprintf(path, sizeof path, "%s/backup", site->backup);
    assert_int_equal(unlink(path), 0);
    site->manifest.made_at.ms = clock_wall().ms - age_ms;
    assert_int_equal(backup_manifest_write(&site->manifest, site->identity.store_key, path), OK);
}

static void it_is_put_back_with_the_mark_and_a_scrub_that_is_due(void **state)
{
    struct site *site = *state;
    struct node_row_restored restored;
    struct node_row_scrub scrub;
    struct wall made_at;
    struct store *store;
    char path[128];
    uint8_t memory[STORE_RECORD_SIZE_MAX];
    struct store_record record;
    given_a_backup(site);
    given_the_keys(site);
    struct wall made = site->manifest.made_at;
    assert_int_equal(put_back(site, false), OK);
    assert_true(backup_last_read(site->fresh, &made_at));
    assert_int_equal(made_at.ms, made.ms);
    snprintf(path, sizeof path, "%s/tumors", site->fresh);
    const struct store_options options = {.owner = {{3}}};
    assert_int_equal(store_open(path, site->identity.store_key, &options, site->problem, &store),
                     OK);
    assert_int_equal(record_table_nth(store, 1, memory, &record), OK);
    assert_true(node_row_restored_get(store, &restored));
    assert_int_equal(restored.made_at.ms, made.ms);
    assert_int_equal(node_row_scrub_get(store, &scrub), OK);
    assert_false(scrub.is_complete);
    store_close(store);
    /* the original is no restored store */
    snprintf(path, sizeof path, "%s/tumors", site->data);
    assert_int_equal(store_open(path, site->identity.store_key, &options, site->problem, &store),
                     OK);
    assert_false(node_row_restored_get(store, &restored));
    store_close(store);
}

static void damage_is_counted_and_does_not_stop_a_backup(void **state)
{
    struct site *site = *state;
    given_a_backup(site);
    assert_int_equal(site->manifest.store_count, 1);
    assert_int_equal(site->manifest.stores[0].count.records, 1);
    assert_int_equal(site->manifest.stores[0].count.damaged, 1);
    struct backup_manifest read;
    char path[128];
    snprintf(path, sizeof path, "%s/backup", site->backup);
    assert_int_equal(backup_manifest_read(path, &read), OK);
    assert_int_equal(read.stores[0].count.damaged, 1);
    assert_string_equal(read.institution, "Lakeside Hospital");
}

static void one_of_thirty_days_is_refused_unless_it_is_wanted(void **state)
{
    struct site *site = *state;
    given_a_backup(site);
    given_the_keys(site);
    given_an_age(site, 30 * DAY_MS + 1000);
    assert_refused(site, ERR_EXPIRED, "is 30 days old; erasure receipts promise");
    assert_int_equal(put_back(site, true), OK);
}

static void one_of_almost_thirty_days_is_fine(void **state)
{
    struct site *site = *state;
    given_a_backup(site);
    given_the_keys(site);
    given_an_age(site, 30 * DAY_MS - 60 * 1000);
    assert_int_equal(put_back(site, false), OK);
}

static void a_date_that_somebody_wrote_is_no_date(void **state)
{
    struct site *site = *state;
    uint8_t other[KEY_SIZE] = {1};
    char path[128];
    given_a_backup(site);
    given_the_keys(site);
    snprintf(path, sizeof path, "%s/backup", site->backup);
    assert_int_equal(backup_manifest_prove(path, site->identity.store_key), OK);
    assert_int_equal(unlink(path), 0);
    site->manifest.made_at = clock_wall();
    assert_int_equal(backup_manifest_write(&site->manifest, other, path), OK);
    assert_refused(site, ERR_BAD_KEY, "was altered");
}

static void a_store_outside_of_the_backup_is_not_named(void **state)
{
    struct site *site = *state;
    char path[128];
    given_a_backup(site);
    given_the_keys(site);
    snprintf(path, sizeof path, "%s/backup", site->backup);
    assert_int_equal(unlink(path), 0);
    snprintf(site->manifest.stores[0].name, BACKUP_NAME_SIZE, "../data/tumors");
    assert_int_equal(backup_manifest_write(&site->manifest, site->identity.store_key, path), OK);
    assert_refused(site, ERR_MALFORMED, "required format");
}

static void what_a_directory_holds_is_not_overwritten(void **state)
{
    struct site *site = *state;
    char path[128];
    given_a_backup(site);
    given_the_keys(site);
    snprintf(path, sizeof path, "%s/clinicians", site->fresh);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(site, ERR_EXISTS, "holds \"clinicians\" already");
    assert_int_equal(backup_make(site->data, &site->identity, site->backup, &site->watch,
                                 &site->manifest, site->problem),
                     ERR_EXISTS);
    snprintf(path, sizeof path, "%s.part", site->backup);
    backup_files_remove_tree(site->backup);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(backup_make(site->data, &site->identity, site->backup, &site->watch,
                                 &site->manifest, site->problem),
                     ERR_EXISTS);
    assert_non_null(strstr(site->problem, "did not end"));
    assert_int_equal(access(path, F_OK), 0);
}

static void another_institutions_keys_do_not_put_it_back(void **state)
{
    struct site *site = *state;
    given_a_backup(site);
    assert_int_equal(identity_make(site->fresh, "Other", NULL, site->problem), OK);
    assert_refused(site, ERR_BAD_KEY, "another institution");
}

static void the_file_of_keys_gives_the_same_keys_back_sealed(void **state)
{
    struct site *site = *state;
    const struct bytes words = bytes_of_text("a long passphrase");
    const struct bytes wrong = bytes_of_text("a wrong passphrase");
    const struct passphrase_source known = {.known = &words, .fd = -1};
    struct identity identity;
    char path[128];
    snprintf(path, sizeof path, "%s/keys", site->home);
    assert_int_equal(mkdir(site->fresh, 0700), 0);
    assert_int_equal(backup_keys_write(&site->identity, &words, path, site->secrets, site->problem),
                     OK);
    assert_int_equal(backup_keys_write(&site->identity, &words, path, site->secrets, site->problem),
                     ERR_EXISTS);
    assert_int_equal(backup_keys_restore(path, &wrong, site->fresh, site->secrets, site->problem),
                     ERR_PASSPHRASE);
    assert_int_equal(backup_keys_restore(path, &words, site->fresh, site->secrets, site->problem),
                     OK);
    assert_true(identity_is_sealed(site->fresh));
    assert_int_equal(identity_open(site->fresh, &known, site->secrets, &identity, site->problem),
                     OK);
    assert_string_equal(identity.name, site->identity.name);
    assert_true(ID_EQUAL(identity.node_id, site->identity.node_id));
    assert_memory_equal(identity.sign_secret, site->identity.sign_secret, 64);
    assert_memory_equal(identity.transport_secret, site->identity.transport_secret, KEY_SIZE);
    assert_memory_equal(identity.store_key, site->identity.store_key, KEY_SIZE);
}

#define AT_A_SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_A_SITE(it_is_put_back_with_the_mark_and_a_scrub_that_is_due),
        AT_A_SITE(damage_is_counted_and_does_not_stop_a_backup),
        AT_A_SITE(one_of_thirty_days_is_refused_unless_it_is_wanted),
        AT_A_SITE(one_of_almost_thirty_days_is_fine),
        AT_A_SITE(a_date_that_somebody_wrote_is_no_date),
        AT_A_SITE(a_store_outside_of_the_backup_is_not_named),
        AT_A_SITE(what_a_directory_holds_is_not_overwritten),
        AT_A_SITE(another_institutions_keys_do_not_put_it_back),
        AT_A_SITE(the_file_of_keys_gives_the_same_keys_back_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
