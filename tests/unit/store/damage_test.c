/* Goal: a value that was changed on the disk is never taken for a good one, wherever it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <lmdb.h>

#include "tests/unit/store/fixture.h"

static uint8_t memory[STORE_RECORD_SIZE_MAX];

/* Opens data.mdb beside the store's back and hands out one table. */
struct raw {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_cursor *cursor;
};

static struct raw raw_open(const struct fixture *fixture, const char *table)
{
    struct raw raw;
    assert_int_equal(mdb_env_create(&raw.env), 0);
    assert_int_equal(mdb_env_set_maxdbs(raw.env, 8), 0);
    assert_int_equal(mdb_env_set_mapsize(raw.env, (size_t)64 << 20), 0);
    assert_int_equal(mdb_env_open(raw.env, fixture->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(raw.env, NULL, 0, &raw.txn), 0);
    assert_int_equal(mdb_dbi_open(raw.txn, table, 0, &raw.table), 0);
    assert_int_equal(mdb_cursor_open(raw.txn, raw.table, &raw.cursor), 0);
    return raw;
}

static void raw_close(struct raw *raw)
{
    assert_int_equal(mdb_txn_commit(raw->txn), 0);
    mdb_env_close(raw->env);
}

/* Flips one bit in every value of the table. */
static void damage(const struct fixture *fixture, const char *table, size_t offset)
{
    struct raw raw = raw_open(fixture, table);
    MDB_val key;
    MDB_val value;
    uint8_t copy[4096];
    while (mdb_cursor_get(raw.cursor, &key, &value, MDB_NEXT) == 0) {
        assert_true(value.mv_size <= sizeof copy);
        if (value.mv_size == 0) {
            continue;
        }
        size_t size = value.mv_size;
        memcpy(copy, value.mv_data, size);
        copy[offset % size] ^= 0x10;
        value = (MDB_val){size, copy};
        assert_int_equal(mdb_cursor_put(raw.cursor, &key, &value, MDB_CURRENT), 0);
    }
    raw_close(&raw);
}

static struct fixture *with_two_records(void)
{
    struct fixture *fixture = fixture_new();
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 1), OK);
    assert_int_equal(fixture_put(fixture, fixture_stream(1, 1), 2), OK);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_CASE, "row", "value"), OK);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_CASE, "other", "thing"), OK);
    fixture_close(fixture);
    return fixture;
}

static void a_changed_record_does_not_open(void **state) /* (S-4) */
{
    (void)state;
    for (size_t offset = 0; offset < 600; offset += 97) {
        struct fixture *fixture = with_two_records();
        struct stream_id stream = fixture_stream(1, 1);
        struct store_record record;
        uint64_t last;
        damage(fixture, "records", offset);
        fixture_open(fixture);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record),
                         ERR_CORRUPT);
        assert_int_equal(record_table_nth(fixture->store, 1, memory, &record), ERR_CORRUPT);
        assert_int_equal(store_verify(fixture->store, 0, 10, &last), ERR_CORRUPT);
        assert_int_equal(last, 1);
        fixture_close(fixture);
        fixture->options.verify = true;
        struct store *store = NULL;
        assert_int_equal(
            store_open(fixture->path, fixture->master, &fixture->options, fixture->problem, &store),
            ERR_CORRUPT);
        assert_non_null(strstr(fixture->problem, "a record"));
        fixture_free(fixture);
    }
}

static void a_changed_cell_or_position_or_stream_or_row_does_not_open(void **state)
{
    (void)state;
    for (size_t offset = 0; offset < 97; offset += 4) {
        struct fixture *fixture = with_two_records();
        struct stream_id stream = fixture_stream(1, 1);
        struct store_record record;
        damage(fixture, "positions", offset);
        fixture_open(fixture);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record),
                         ERR_CORRUPT);
        fixture_close(fixture);
        damage(fixture, "positions", offset); /* back */
        damage(fixture, "cells", offset);
        fixture_open(fixture);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record),
                         ERR_CORRUPT);
        assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
        fixture_close(fixture);
        damage(fixture, "cells", offset); /* back */
        damage(fixture, "streams", offset);
        fixture_open(fixture);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record),
                         ERR_CORRUPT);
        fixture_free(fixture);
    }
    struct fixture *fixture = with_two_records();
    uint8_t out[64];
    struct buffer buffer = buffer_over(out, sizeof out);
    damage(fixture, "rows", 30);
    struct store *store = NULL;
    assert_int_equal(
        store_open(fixture->path, fixture->master, &fixture->options, fixture->problem, &store),
        ERR_CORRUPT);
    damage(fixture, "rows", 30);
    fixture_open(fixture);
    assert_int_equal(row_table_get(fixture->store, STORE_TABLE_CASE, bytes_of_text("row"), &buffer),
                     OK);
    fixture_free(fixture);
}

/* Exchanges the first two values of a table. */
static void swap_values(const struct fixture *fixture, const char *table)
{
    struct raw raw = raw_open(fixture, table);
    MDB_val keys[2];
    MDB_val values[2];
    uint8_t copies[2][1024];
    uint8_t names[2][64];
    for (size_t i = 0; i < 2; i += 1) {
        assert_int_equal(mdb_cursor_get(raw.cursor, &keys[i], &values[i], MDB_NEXT), 0);
        memcpy(copies[i], values[i].mv_data, values[i].mv_size);
        memcpy(names[i], keys[i].mv_data, keys[i].mv_size);
        keys[i].mv_data = names[i];
    }
    for (size_t i = 0; i < 2; i += 1) {
        MDB_val value = {values[1 - i].mv_size, copies[1 - i]};
        assert_int_equal(mdb_put(raw.txn, raw.table, &keys[i], &value, 0), 0);
    }
    raw_close(&raw);
}

static void a_value_moved_to_another_key_does_not_open_there(void **state) /* (S-4) */
{
    (void)state;
    const char *tables[] = {"records", "cells", "positions", "ids"};
    for (size_t i = 0; i < 4; i += 1) {
        struct fixture *fixture = with_two_records();
        struct stream_id stream = fixture_stream(1, 1);
        struct store_record record;
        struct fixture_record put;
        swap_values(fixture, tables[i]);
        fixture_open(fixture);
        fixture_record(&put, stream, 1, 200);
        bool is_position = strcmp(tables[i], "positions") == 0;
        assert_int_equal(record_table_find(fixture->store, &put.id, memory, &record),
                         is_position ? OK : ERR_CORRUPT);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record),
                         strcmp(tables[i], "ids") == 0 ? OK : ERR_CORRUPT);
        fixture_free(fixture);
    }
    struct fixture *fixture = with_two_records();
    uint8_t out[64];
    struct buffer buffer = buffer_over(out, sizeof out);
    swap_values(fixture, "rows"); /* the case table has the lowest number */
    fixture_open(fixture);
    assert_int_equal(row_table_get(fixture->store, STORE_TABLE_CASE, bytes_of_text("row"), &buffer),
                     ERR_CORRUPT);
    fixture_free(fixture);
}

static void one_bad_record_does_not_hide_the_others(void **state)
{
    (void)state;
    struct fixture *fixture = with_two_records();
    struct stream_id stream = fixture_stream(1, 1);
    fixture_open(fixture);
    assert_int_equal(fixture_put(fixture, stream, 3), OK);
    fixture_close(fixture);
    struct raw raw = raw_open(fixture, "records");
    size_t number = 2;
    MDB_val key = {sizeof number, &number};
    MDB_val value;
    uint8_t copy[1024];
    assert_int_equal(mdb_cursor_get(raw.cursor, &key, &value, MDB_SET), 0);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[60] ^= 1;
    value.mv_data = copy;
    assert_int_equal(mdb_put(raw.txn, raw.table, &key, &value, 0), 0);
    raw_close(&raw);

    struct store_record records[4];
    struct store_page page = {
        .records = records, .record_max = 4, .memory = memory, .memory_size = sizeof memory};
    fixture_open(fixture);
    assert_int_equal(record_table_range(fixture->store, &stream, 1, &page), OK);
    assert_int_equal(page.record_count, 1);
    assert_int_equal(record_table_range(fixture->store, &stream, 2, &page), ERR_CORRUPT);
    assert_int_equal(record_table_range(fixture->store, &stream, 3, &page), OK);
    assert_int_equal(page.record_count, 1);
    /* and can be dropped only as a whole, but its key can always be destroyed */
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 2), OK);
    fixture_free(fixture);
}

/* ---- mending (S-14) ---- */

/* The record as it was put, put anew. */
static err mend(struct fixture *fixture, uint64_t sequence, uint64_t number)
{
    struct fixture_record put;
    fixture_record(&put, fixture_stream(1, 1), sequence, 200);
    put.op.kind = STORE_MEND;
    put.op.put.number = number;
    return store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL);
}

static void what_is_damaged_says_where_it_stood_and_is_mended(void **state)
{
    (void)state;
    const char *tables[] = {"records", "cells", "positions", "ids"};
    for (size_t i = 0; i < 4; i += 1) {
        struct fixture *fixture = with_two_records();
        struct stream_id stream = fixture_stream(1, 1);
        struct fixture_record put;
        struct store_damage known;
        struct store_record record;
        uint64_t last = 0;
        damage(fixture, tables[i], 7);
        fixture_open(fixture);
        fixture_record(&put, stream, 1, 200);
        for (uint64_t number = 1; number <= 2; number += 1) {
            assert_int_equal(store_verify(fixture->store, 0, 10, &last), ERR_CORRUPT);
            assert_int_equal(last, number);
            assert_int_equal(store_damage(fixture->store, number, &known), OK);
            assert_true(stream_id_equal(&known.stream, &stream));
            assert_int_equal(known.sequence, number);
            assert_int_equal(known.has_id, i > 0);
            assert_int_equal(mend(fixture, number, i > 1 ? number : 0), OK);
        }
        assert_int_equal(store_verify(fixture->store, 0, 10, &last), OK);
        assert_int_equal(record_table_find(fixture->store, &put.id, memory, &record), OK);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
        assert_true(record.has_body && record.has_key && record.flags == 1);
        assert_memory_equal(record.body.data, put.body, 200);
        assert_memory_equal(record.key.bytes, put.key.bytes, KEY_SIZE);
        fixture_free(fixture);
    }
}

/* By its index, when neither it nor its cell opens. */
static void where_it_stood_is_known_with_record_and_cell_lost(void **state)
{
    (void)state;
    struct fixture *fixture = with_two_records();
    struct store_damage known;
    damage(fixture, "records", 7);
    damage(fixture, "cells", 7);
    fixture_open(fixture);
    assert_int_equal(store_damage(fixture->store, 2, &known), OK);
    assert_int_equal(known.sequence, 2);
    assert_false(known.has_id);
    assert_int_equal(store_damage(fixture->store, 3, &known), ERR_NOT_FOUND);
    assert_int_equal(mend(fixture, 2, 0), OK);
    assert_int_equal(mend(fixture, 3, 0), ERR_NOT_FOUND);
    assert_int_equal(mend(fixture, 3, 3), ERR_NOT_FOUND);
    assert_int_equal(mend(fixture, 1, 2), ERR_INVALID); /* another stands there */
    fixture_free(fixture);
}

static void what_was_destroyed_stays_so_when_it_is_mended(void **state) /* (S-6) */
{
    (void)state;
    for (size_t i = 0; i < 2; i += 1) {
        struct fixture *fixture = with_two_records();
        struct stream_id stream = fixture_stream(1, 1);
        struct store_record record;
        if (i == 0) {
            fixture_open(fixture);
            assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
            fixture_close(fixture);
            damage(fixture, "records", 7);
            fixture_open(fixture);
        } else { /* it is lost first */
            damage(fixture, "records", 7);
            damage(fixture, "cells", 7);
            fixture_open(fixture);
            assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
        }
        assert_int_equal(mend(fixture, 1, 0), OK);
        assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
        assert_true(record.destroyed && !record.has_body && !record.has_key);
        assert_int_equal(record.head.data[0], 1);
        fixture_free(fixture);
    }
}

/* (S-2) */
static void a_store_whose_disk_failed_opens_with_damaged_records(void **state)
{
    (void)state;
    struct fixture *fixture = with_two_records();
    struct store *store = NULL;
    char path[256];
    snprintf(path, sizeof path, "%s/failed", fixture->path);
    for (int i = 0; i < 2; i += 1) {
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        close(fd);
        damage(fixture, i == 0 ? "records" : "streams", 7);
        err result =
            store_open(fixture->path, fixture->master, &fixture->options, fixture->problem, &store);
        assert_int_equal(result, i == 0 ? OK : ERR_CORRUPT);
        if (result == OK) {
            store_close(store);
        }
    }
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_record_does_not_open),
        cmocka_unit_test(a_changed_cell_or_position_or_stream_or_row_does_not_open),
        cmocka_unit_test(a_value_moved_to_another_key_does_not_open_there),
        cmocka_unit_test(one_bad_record_does_not_hide_the_others),
        cmocka_unit_test(what_is_damaged_says_where_it_stood_and_is_mended),
        cmocka_unit_test(where_it_stood_is_known_with_record_and_cell_lost),
        cmocka_unit_test(what_was_destroyed_stays_so_when_it_is_mended),
        cmocka_unit_test(a_store_whose_disk_failed_opens_with_damaged_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
