/* Goal: what was destroyed is gone: at once for everyone who asks the store, and after a rekey also
 * for whoever has the disk and the master key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "store/disk/keyring.h"
#include "store/disk/row_codec.h"
#include "tests/unit/store/fixture.h"

static uint8_t memory[STORE_RECORD_SIZE_MAX];

static int setup(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_free(*state);
    return 0;
}

static void a_destroyed_record_keeps_its_place_and_signature(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct store_record record;
    assert_int_equal(fixture_put(fixture, stream, 1), OK);
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 2), ERR_NOT_FOUND);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(record_table_get(fixture->store, &stream, 1, memory, &record), OK);
    assert_true(record.destroyed && !record.has_body && !record.has_key);
    assert_int_equal(record.head.size, FIXTURE_HEAD_SIZE);
    assert_int_equal(record.head.data[0], 1);
    assert_int_equal(record.body.size, 0);
}

static void erased_never_comes_back(void **state) /* (S-6) */
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct fixture_record put;
    assert_int_equal(fixture_put(fixture, stream, 1), OK);
    fixture_record(&put, stream, 1, 100);
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 1), OK);
    struct store_op fill = {.kind = STORE_FILL,
                            .fill = {.stream = &stream, .sequence = 1, .key = &put.key}};
    assert_int_equal(store_commit(fixture->store, &fill, 1, STORE_NORMAL, NULL), ERR_DESTROYED);

    /* dropped altogether, and then sent again by somebody who still has it */
    struct store_op ops[2] = {{.kind = STORE_TOMBSTONE}, {.kind = STORE_DROP}};
    ops[0].tombstone.kind = STORE_TOMBSTONE_RECORD;
    memcpy(ops[0].tombstone.id, put.id.bytes, HASH_SIZE);
    ops[0].tombstone.erased_at.ms = 12345;
    ops[1].position = (struct store_position){.stream = &stream, .sequence = 1};
    assert_int_equal(store_commit(fixture->store, ops, 2, STORE_RELEASING, NULL), OK);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL), ERR_DESTROYED);
    struct wall erased_at;
    assert_true(
        row_table_tombstone(fixture->store, STORE_TOMBSTONE_RECORD, put.id.bytes, &erased_at));
    assert_int_equal(erased_at.ms, 12345);
    assert_false(row_table_tombstone(fixture->store, STORE_TOMBSTONE_CASE, put.id.bytes, NULL));
    put.op.put.body = BYTES_NONE;
    put.op.put.key = NULL;
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL), OK);
    put.op = (struct store_op){.kind = STORE_FILL,
                               .fill = {.stream = &stream, .sequence = 1, .key = &put.key}};
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL), ERR_DESTROYED);
}

/* ---- the thief ---- */

struct image {
    uint8_t *bytes;
    size_t size;
};

static struct image read_file(const struct fixture *fixture, const char *name)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    struct image image = {NULL, 0};
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return image;
    }
    assert_int_equal(fstat(fd, &info), 0);
    image.bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(image.bytes);
    assert_int_equal(read(fd, image.bytes, (size_t)info.st_size), info.st_size);
    image.size = (size_t)info.st_size;
    close(fd);
    return image;
}

static size_t occurrences(struct image image, const void *needle, size_t size)
{
    size_t count = 0;
    for (const uint8_t *at = image.bytes; image.size > 0;) {
        at = memmem(at, (size_t)(image.bytes + image.size - at), needle, size);
        if (at == NULL) {
            break;
        }
        count += 1;
        at += 1;
    }
    return count;
}

/* Every copy of a sealed key cell that lies anywhere in data.mdb, old pages too, opened with every
 * epoch key that the disk and the master key give. */
static size_t openings(struct fixture *fixture, uint64_t number)
{
    size_t count = 0;
    struct store thief = {.directory = {.fd = open(fixture->path, O_RDONLY | O_DIRECTORY)}};
    thief.keys = seal_keys_new(fixture->master);
    assert_int_equal(keyring_open(thief.directory.fd, thief.keys, false, &thief.keyring), OK);
    struct image data = read_file(fixture, "data.mdb");
    struct row_codec_cell cell = {.has_key = true};
    size_t size = row_codec_cell_size(&cell);
    for (size_t i = 0; i + size <= data.size; i += 2) {
        struct bytes candidate = {data.bytes + i, size};
        if (row_codec_cell_open(&thief, number, candidate, &cell) == OK && cell.has_key) {
            count += 1;
        }
    }
    free(data.bytes);
    keyring_close(&thief.keyring);
    seal_keys_free(thief.keys);
    close(thief.directory.fd);
    return count;
}

static void count_done(void *arg, const struct store_done *done)
{
    size_t *count = arg;
    assert_int_equal(done->token, 4711);
    assert_int_equal(done->result, OK);
    *count += 1;
}

static void rekey(struct fixture *fixture)
{
    size_t count = 0;
    assert_int_equal(store_rekey(fixture->store, 4711), OK);
    while (count == 0) {
        store_drain(fixture->store, count_done, &count);
        usleep(1000);
    }
}

static void until_rekeyed(struct fixture *fixture)
{
    struct store_usage usage = {.rekeying = true};
    while (usage.rekeying) {
        assert_int_equal(store_usage(fixture->store, &usage), OK);
        usleep(1000);
    }
}

static void after_a_rekey_no_old_page_gives_a_destroyed_key(void **state) /* (S-7) */
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    for (uint64_t i = 1; i <= 40; i += 1) {
        assert_int_equal(fixture_put(fixture, stream, i), OK);
    }
    assert_int_equal(fixture_row(fixture, STORE_TABLE_ITEM, "item", "key of an item"), OK);
    assert_int_equal(fixture_position(fixture, STORE_DESTROY, stream, 40), OK);
    struct image keyring = read_file(fixture, "keyring.0");
    assert_true(keyring.size > 0);
    fixture_close(fixture);
    /* the test can fail: with the old epoch key an old page still gives it */
    assert_true(openings(fixture, 40) > 0);
    assert_true(openings(fixture, 39) > 0);

    fixture_open(fixture);
    until_rekeyed(fixture); /* nobody had asked for it (S-12) */
    struct store_usage usage;
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_int_equal(usage.epoch, 2);
    assert_false(usage.rekeying);
    struct image slots[2] = {read_file(fixture, "keyring.0"), read_file(fixture, "keyring.1")};
    assert_true((slots[0].size == 0) != (slots[1].size == 0)); /* the other one is gone */
    free(slots[0].bytes);
    free(slots[1].bytes);
    fixture_close(fixture);
    const char *names[] = {"data.mdb", "keyring.0", "keyring.1", "ballast"};
    for (size_t i = 0; i < 4; i += 1) {
        struct image image = read_file(fixture, names[i]);
        assert_int_equal(occurrences(image, keyring.bytes + 12, keyring.size - 12), 0);
        free(image.bytes);
    }
    assert_int_equal(openings(fixture, 40), 0);
    assert_true(openings(fixture, 39) > 0);
    free(keyring.bytes);

    fixture_open(fixture);
    struct store_record record;
    uint8_t out[32];
    struct buffer buffer = buffer_over(out, sizeof out);
    for (uint64_t i = 1; i < 40; i += 1) {
        assert_int_equal(record_table_get(fixture->store, &stream, i, memory, &record), OK);
        assert_true(record.has_key);
        assert_int_equal(record.key.bytes[0], i);
    }
    assert_int_equal(
        row_table_get(fixture->store, STORE_TABLE_ITEM, bytes_of_text("item"), &buffer), OK);
    assert_memory_equal(out, "key of an item", 14);
}

/* A value over half a page lies in pages of its own, and is put in anew rather than written over.
 */
static void a_rekey_loses_no_row_whatever_its_size(void **state)
{
    enum { ROW_COUNT = 300 };
    struct fixture *fixture = *state;
    static uint8_t value[8000], found[STORE_ROW_SIZE_MAX];
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint8_t name[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        struct store_op op = {.kind = STORE_ROW_PUT};
        memset(value, (int)(i & 0xff), sizeof value);
        op.row = (struct store_row){
            STORE_TABLE_ROSTER, {name, sizeof name}, {value, i % 3 == 0 ? 8000 : 40 + i}};
        assert_int_equal(store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL), OK);
    }
    rekey(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint8_t name[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
        struct buffer buffer = buffer_over(found, sizeof found);
        assert_int_equal(row_table_get(fixture->store, STORE_TABLE_ROSTER,
                                       (struct bytes){name, sizeof name}, &buffer),
                         OK);
        assert_int_equal(buffer.size, i % 3 == 0 ? 8000 : 40 + i);
        assert_int_equal(found[0], i & 0xff);
    }
}

/* With so many records that a rekey takes several steps. */
static void fill_stream(struct fixture *fixture, const struct stream_id *stream)
{
    static struct fixture_record put[500];
    static struct store_op ops[500];
    for (uint64_t block = 0; block < 20; block += 1) {
        for (uint64_t i = 0; i < 500; i += 1) {
            fixture_record(&put[i], *stream, block * 500 + i + 1, 10);
            ops[i] = put[i].op;
        }
        assert_int_equal(store_commit(fixture->store, ops, 500, STORE_NORMAL, NULL), OK);
    }
}

static void a_rekey_cut_short_goes_on_at_the_next_open(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct store_usage usage;
    fill_stream(fixture, &stream);
    assert_int_equal(store_rekey(fixture->store, 1), OK);
    assert_int_equal(store_rekey(fixture->store, 2), ERR_BUSY);
    fixture_close(fixture); /* after a few steps at most */
    fixture_open(fixture);
    for (int i = 0; i < 10000; i += 1) {
        assert_int_equal(store_usage(fixture->store, &usage), OK);
        if (!usage.rekeying) {
            break;
        }
        usleep(1000);
    }
    assert_false(usage.rekeying);
    fixture->options.verify = true;
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    assert_false(usage.rekeying);
    assert_true(usage.epoch <= 2);
}

/* Whether the second is refused or the first has just ended, two have been when all is quiet. */
static void what_is_destroyed_during_a_rekey_is_forgotten_too(void **state) /* (S-7) */
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    struct store_usage usage = {.rekeying = true};
    char next[256];
    snprintf(next, sizeof next, "%s/keyring.1", fixture->path);
    fill_stream(fixture, &stream);
    assert_int_equal(store_rekey(fixture->store, 1), OK);
    while (access(next, F_OK) != 0) { /* until it has begun */
        usleep(100);
    }
    err result = store_rekey(fixture->store, 2);
    assert_true(result == ERR_BUSY || result == OK);
    while (usage.rekeying) {
        assert_int_equal(store_usage(fixture->store, &usage), OK);
        usleep(1000);
    }
    assert_int_equal(usage.epoch, 3);
}

static uint32_t epoch_when_quiet(struct fixture *fixture)
{
    struct store_usage usage;
    fixture_open(fixture);
    until_rekeyed(fixture);
    assert_int_equal(store_usage(fixture->store, &usage), OK);
    fixture_close(fixture);
    return usage.epoch;
}

/* Killed when the tombstone is durable, before anybody asked for a new key. */
static void who_dies_between_tombstone_and_rekey_rekeys_at_the_next_open(void **state) /* (S-12) */
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(1, 1);
    assert_int_equal(fixture_put(fixture, stream, 1), OK);
    fixture_close(fixture);
    assert_int_equal(epoch_when_quiet(fixture), 1); /* nothing was destroyed yet */
    pid_t child = fork();
    if (child == 0) {
        struct store_op op = {.kind = STORE_TOMBSTONE,
                              .tombstone = {.kind = STORE_TOMBSTONE_CASE, .id = {7}}};
        fixture_open(fixture);
        _exit(store_commit(fixture->store, &op, 1, STORE_RELEASING, NULL) == OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(epoch_when_quiet(fixture), 2);
    assert_int_equal(epoch_when_quiet(fixture), 2); /* once */
    fixture_open(fixture);
}

static void no_plain_key_id_or_text_stands_on_the_disk(void **state) /* (S-3) */
{
    struct fixture *fixture = *state;
    struct stream_id stream = fixture_stream(0xa5, 0x5b);
    struct fixture_record put;
    fixture_record(&put, stream, 3, 600);
    for (size_t i = 0; i < HASH_SIZE; i += 1) {
        put.id.bytes[i] = (uint8_t)(200 + i);
        put.key.bytes[i] = (uint8_t)(100 + i);
        put.head[i] = (uint8_t)(50 + i);
        put.body[i] = (uint8_t)(150 + i);
    }
    assert_int_equal(store_commit(fixture->store, &put.op, 1, STORE_NORMAL, NULL), OK);
    assert_int_equal(fixture_row(fixture, STORE_TABLE_DRAFT, "draft of somebody",
                                 "a patient with a rare disease"),
                     OK);
    fixture_close(fixture);
    const char *names[] = {"data.mdb", "keyring.0", "lock", "lock.mdb"};
    for (size_t i = 0; i < 4; i += 1) {
        struct image image = read_file(fixture, names[i]);
        assert_int_equal(occurrences(image, put.id.bytes, 16), 0);
        assert_int_equal(occurrences(image, put.key.bytes, 16), 0);
        assert_int_equal(occurrences(image, put.head, 16), 0);
        assert_int_equal(occurrences(image, put.body, 16), 0);
        assert_int_equal(occurrences(image, stream.scope.id, 16), 0);
        assert_int_equal(occurrences(image, stream.writer.bytes, 16), 0);
        assert_int_equal(occurrences(image, "draft of somebody", 17), 0);
        assert_int_equal(occurrences(image, "rare disease", 12), 0);
        assert_int_equal(occurrences(image, fixture->master, KEY_SIZE), 0);
        free(image.bytes);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_destroyed_record_keeps_its_place_and_signature),
        TEST(erased_never_comes_back),
        TEST(after_a_rekey_no_old_page_gives_a_destroyed_key),
        TEST(a_rekey_loses_no_row_whatever_its_size),
        TEST(a_rekey_cut_short_goes_on_at_the_next_open),
        TEST(what_is_destroyed_during_a_rekey_is_forgotten_too),
        TEST(who_dies_between_tombstone_and_rekey_rekeys_at_the_next_open),
        TEST(no_plain_key_id_or_text_stands_on_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
