/* A store in a directory of its own, and records to put into it. Each test program includes it
 * once, after cmocka. */
#ifndef CONSILIUM_TESTS_UNIT_STORE_FIXTURE_H
#define CONSILIUM_TESTS_UNIT_STORE_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/record_table.h"
#include "store/row_table.h"
#include "store/stream_table.h"

#define UNUSED __attribute__((unused))

enum { FIXTURE_HEAD_SIZE = 308 };

struct fixture {
    char path[128];
    uint8_t master[KEY_SIZE];
    struct store_options options;
    char problem[STORE_PROBLEM_SIZE];
    struct store *store;
};

static UNUSED struct fixture *fixture_new(void)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    const char *base = getenv("TMPDIR");
    snprintf(fixture->path, sizeof fixture->path, "%s/consilium_store_XXXXXX",
             base != NULL && strlen(base) < 64 ? base : "/tmp");
    assert_non_null(mkdtemp(fixture->path));
    memset(fixture->master, 7, sizeof fixture->master);
    memset(fixture->options.owner.bytes, 9, HASH_SIZE);
    fixture->options.quota = (uint64_t)256 << 20;
    return fixture;
}

static UNUSED void fixture_open(struct fixture *fixture)
{
    err result = store_open(fixture->path, fixture->master, &fixture->options, fixture->problem,
                            &fixture->store);
    if (result != OK) {
        fail_msg("%s: %s", err_name(result), fixture->problem);
    }
}

static UNUSED void fixture_close(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

static UNUSED void fixture_empty(const char *path)
{
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char name[512];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, "items") == 0) {
            fixture_empty(name);
            rmdir(name);
        } else if (entry->d_name[0] != '.') {
            unlink(name);
        }
    }
    closedir(list);
}

static UNUSED void fixture_free(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_empty(fixture->path);
    rmdir(fixture->path);
    free(fixture);
}

static UNUSED struct stream_id fixture_stream(uint8_t scope, uint8_t writer)
{
    struct stream_id id = {.scope.kind = SCOPE_CASE, .generation = 1};
    memset(id.scope.id, scope, HASH_SIZE);
    memset(id.writer.bytes, writer, NODE_ID_SIZE);
    return id;
}

/* A record whose bytes follow from stream and sequence, so that a reader can tell a wrong one. */
struct fixture_record {
    struct stream_id stream;
    struct record_id id;
    struct record_key key;
    uint8_t head[FIXTURE_HEAD_SIZE];
    uint8_t body[1024];
    struct store_op op;
};

static UNUSED void fixture_record(struct fixture_record *record, struct stream_id stream,
                                  uint64_t sequence, size_t body_size)
{
    assert_true(body_size <= sizeof record->body);
    record->stream = stream;
    memset(record->head, (int)(sequence % 251), sizeof record->head);
    memset(record->body, (int)(sequence % 241), sizeof record->body);
    memset(record->key.bytes, (int)(sequence % 239), KEY_SIZE);
    memset(record->id.bytes, 0, HASH_SIZE);
    struct buffer id = buffer_over(record->id.bytes, HASH_SIZE);
    buffer_u8(&id, stream.scope.id[0]);
    buffer_u8(&id, stream.writer.bytes[0]);
    buffer_u64(&id, sequence);
    record->op = (struct store_op){.kind = STORE_PUT};
    record->op.put = (struct store_put){
        .stream = &record->stream,
        .sequence = sequence,
        .id = &record->id,
        .head = {record->head, sizeof record->head},
        .body = {record->body, body_size},
        .key = &record->key,
        .flags = (uint32_t)sequence,
    };
}

static UNUSED err fixture_put(struct fixture *fixture, struct stream_id stream, uint64_t sequence)
{
    struct fixture_record record;
    fixture_record(&record, stream, sequence, 200);
    return store_commit(fixture->store, &record.op, 1, STORE_NORMAL, NULL);
}

static UNUSED err fixture_position(struct fixture *fixture, enum store_op_kind kind,
                                   struct stream_id stream, uint64_t sequence)
{
    struct store_op op = {.kind = kind, .position = {.stream = &stream, .sequence = sequence}};
    return store_commit(fixture->store, &op, 1, STORE_RELEASING, NULL);
}

static UNUSED err fixture_row(struct fixture *fixture, enum store_table table, const char *key,
                              const char *value)
{
    struct store_op op = {.kind = STORE_ROW_PUT,
                          .row = {table, bytes_of_text(key), bytes_of_text(value)}};
    return store_commit(fixture->store, &op, 1, STORE_NORMAL, NULL);
}

#endif
