/* The rows on disk stay what spec/storage.md says: each is spelled out here byte by byte, compared
 * with what its module writes, and read back from a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "node/rows/ack_row.h"
#include "node/rows/case_row.h"
#include "node/rows/fork_row.h"
#include "node/rows/generation_row.h"
#include "node/rows/held_row.h"
#include "node/rows/items_row.h"
#include "node/rows/mailbox_row.h"
#include "node/rows/missing_row.h"
#include "node/rows/node_row.h"
#include "node/rows/purge_row.h"
#include "node/rows/roster_row.h"
#include "node/rows/stream_state.h"
#include "node/rows/writer_row.h"
#include "protocol/base/hash.h"
#include "tests/unit/store/fixture.h"

/* A text of hexadecimal digits, spaces, and XX*N: the byte XX N times. */
struct spelled {
    uint8_t bytes[2048];
    size_t size;
};

static struct spelled spell(const char *text)
{
    struct spelled spelled = {.size = 0};
    while (*text != '\0') {
        unsigned value = 0, count = 1;
        int used = 0;
        if (*text == ' ') {
            text++;
            continue;
        }
        assert_int_equal(sscanf(text, "%2x%n", &value, &used), 1);
        assert_int_equal(used, 2);
        text += used;
        if (*text == '*' && sscanf(text, "*%u%n", &count, &used) == 1)
            text += used;
        assert_true(spelled.size + count <= sizeof spelled.bytes);
        memset(spelled.bytes + spelled.size, (int)value, count);
        spelled.size += count;
    }
    return spelled;
}

static void assert_spelled(struct bytes bytes, const char *text)
{
    struct spelled spelled = spell(text);
    assert_int_equal(bytes.size, spelled.size);
    if (bytes.size > 0)
        assert_memory_equal(bytes.data, spelled.bytes, bytes.size);
}

static void assert_row(const struct store_op *op, unsigned table, const char *key,
                       const char *value)
{
    assert_int_equal(op->kind, STORE_ROW_PUT);
    assert_int_equal(op->row.table, table);
    assert_spelled(op->row.key, key);
    assert_spelled(op->row.value, value);
}

static struct stream_id a_stream(void)
{
    struct stream_id stream = {.scope.kind = SCOPE_CASE, .generation = 0x01020304};
    memset(stream.scope.id, 0x11, HASH_SIZE);
    memset(stream.writer.bytes, 0x22, NODE_ID_SIZE);
    return stream;
}
#define STREAM "03 11*32 22*16 01020304"

static int set_up(void **state)
{
    struct fixture *fixture = fixture_new();
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_free(*state);
    return 0;
}

static void keep(struct fixture *fixture, const struct store_op *op)
{
    assert_int_equal(store_commit(fixture->store, op, 1, STORE_NORMAL, NULL), OK);
}

/* Puts a row that no release wrote, or that a disk garbled. */
static void keep_spelled(struct fixture *fixture, unsigned table, const char *key,
                         const char *value)
{
    struct spelled k = spell(key), v = spell(value);
    struct store_op op = {.kind = STORE_ROW_PUT};
    op.row = (struct store_row){(enum store_table)table, {k.bytes, k.size}, {v.bytes, v.size}};
    keep(fixture, &op);
}

/* ---- what is missing ---- */

static bool see_missing(void *arg, const struct missing_row *row)
{
    *(struct missing_row *)arg = *row;
    return true;
}

static void a_missing_position(void **state)
{
    struct fixture *fixture = *state;
    struct missing_row row = {
        a_stream(), 0x0506, {{0}}, RECORD_KEYLESS | RECORD_LOST, AUDIENCE_REQUESTER};
    struct missing_row found;
    struct missing_row_bytes memory;
    memset(row.record.bytes, 0x33, HASH_SIZE);
    struct store_op op = missing_row_put(&row, &memory);
    assert_row(&op, 14, STREAM "0000000000000506", "33*32 00000102 02");
    keep(fixture, &op);
    assert_int_equal(missing_row_get(fixture->store, &row.stream, row.sequence, &found), OK);
    assert_true(stream_id_equal(&found.stream, &row.stream) && found.sequence == 0x0506);
    assert_memory_equal(found.record.bytes, row.record.bytes, HASH_SIZE);
    assert_int_equal(found.flags, row.flags);
    assert_int_equal(found.audience, AUDIENCE_REQUESTER);
    memset(&found, 0, sizeof found);
    assert_int_equal(missing_row_scan(fixture->store, see_missing, &found), OK);
    assert_int_equal(found.sequence, 0x0506);
    op = missing_row_delete(&row.stream, row.sequence, &memory);
    keep(fixture, &op);
    assert_int_equal(missing_row_get(fixture->store, &row.stream, row.sequence, &found),
                     ERR_NOT_FOUND);
}

static void a_missing_position_that_is_garbled(void **state)
{
    struct fixture *fixture = *state;
    struct stream_id stream = a_stream();
    struct missing_row row;
    keep_spelled(fixture, 14, STREAM "0000000000000001", "33*32 00000002");
    assert_int_equal(missing_row_get(fixture->store, &stream, 1, &row), ERR_CORRUPT);
    assert_int_equal(missing_row_scan(fixture->store, see_missing, &row), ERR_CORRUPT);
}

static void what_counts_as_missing(void **state)
{
    (void)state;
    assert_true(step_is_missing(RECORD_BARE));
    assert_true(step_is_missing(RECORD_KEYLESS | RECORD_UNSIGNED | RECORD_OWN));
    assert_false(step_is_missing(0));
    assert_false(step_is_missing(RECORD_OWN));
    const uint32_t gone[] = {RECORD_EXPIRED, RECORD_DESTROYED, RECORD_MALFORMED, RECORD_WITHHELD};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_false(step_is_missing(RECORD_BARE | gone[i]));
}

/* ---- streams ---- */

static void the_state_of_a_stream(void **state)
{
    (void)state;
    struct stream_state from = {.tail = 7, .epoch = 9, .flags = 0x0a0b}, to;
    struct store_stream_row row = {.stream = a_stream()};
    uint8_t memory[STREAM_STATE_SIZE];
    memset(from.tail_id.bytes, 0x44, HASH_SIZE);
    struct bytes bytes = stream_state_write(&from, memory);
    assert_spelled(bytes, "0000000000000007 44*32 0000000000000009 00000a0b");
    memcpy(row.state, bytes.data, bytes.size);
    row.state_size = bytes.size;
    assert_int_equal(stream_state_read(&row, &to), OK);
    assert_true(to.tail == 7 && to.epoch == 9 && to.flags == 0x0a0b);
    assert_memory_equal(to.tail_id.bytes, from.tail_id.bytes, HASH_SIZE);
    assert_int_equal(stream_state_tail(&row), 7);
    row.state_size--;
    assert_int_equal(stream_state_read(&row, &to), ERR_CORRUPT);
}

static void what_a_writer_used(void **state)
{
    (void)state;
    struct writer_row_bytes memory;
    struct node_id writer;
    memset(writer.bytes, 0x31, NODE_ID_SIZE);
    struct store_op op = writer_row_put(&writer, 0x0102, &memory);
    assert_int_equal(STORE_TABLE_META, op.row.table);
    assert_spelled(op.row.key, "777269746572 31*16");
    assert_spelled(op.row.value, "0000000000000102");
}

static bool see_ack(void *arg, const struct ack_row *row)
{
    *(uint64_t *)arg += row->durable;
    return true;
}

static void what_a_peer_reported(void **state)
{
    struct fixture *fixture = *state;
    struct ack_row row = {.stream = a_stream(), .durable = 0x0102};
    struct ack_row_bytes memory;
    uint64_t sum = 0;
    memset(row.peer.bytes, 0x55, NODE_ID_SIZE);
    assert_int_equal(ack_row_get(fixture->store, &row.stream, &row.peer), 0);
    struct store_op op = ack_row_put(&row, &memory);
    assert_row(&op, 6, STREAM "55*16", "0000000000000102");
    keep(fixture, &op);
    assert_int_equal(ack_row_get(fixture->store, &row.stream, &row.peer), 0x0102);
    keep_spelled(fixture, 6, "ff*69", "0000000000000001");
    assert_int_equal(ack_row_scan(fixture->store, see_ack, &sum), OK);
    assert_int_equal(sum, 0x0102);
}

static bool see_generation(void *arg, const struct generation_row *row)
{
    *(struct generation_row *)arg = *row;
    return true;
}

static void a_generation(void **state)
{
    struct fixture *fixture = *state;
    struct generation_row row = {a_stream(), {0x0304}, true}, found = {.is_ended = false};
    struct generation_row_bytes memory;
    struct store_op op = generation_row_put(&row, &memory);
    assert_row(&op, 15, STREAM, "0000000000000304 01");
    keep(fixture, &op);
    assert_int_equal(generation_row_scan(fixture->store, see_generation, &found), OK);
    assert_true(stream_id_equal(&found.stream, &row.stream) && found.is_ended);
    assert_int_equal(found.opened_at.ms, 0x0304);
}

/* ---- forks, heads, content ---- */

static bool see_fork(void *arg, const struct fork_row *row)
{
    ((struct fork_row *)arg)[row->sequence] = *row;
    return true;
}

static void forks(void **state)
{
    struct fixture *fixture = *state;
    struct fork_row row = {
        .stream = a_stream(), .sequence = 1, .has_ours = true, .is_posted = true};
    struct fork_row found[3] = {{.sequence = 0}};
    struct fork_row_bytes memory;
    uint8_t list_memory[64];
    struct buffer list = buffer_over(list_memory, sizeof list_memory);
    memset(row.theirs, 0x66, sizeof row.theirs);
    memset(row.ours, 0x77, sizeof row.ours);
    struct store_op op = fork_row_put(&row, &memory);
    assert_row(&op, 2, STREAM "0000000000000001", "66*308 77*308 01");
    keep(fixture, &op);
    keep_spelled(fixture, 2, STREAM "0000000000000002", "88*308");
    assert_int_equal(fork_row_list_get(fixture->store, &list), ERR_NOT_FOUND);
    op = fork_row_list_put(bytes_of_text("list"));
    assert_row(&op, 2, "666f726b73", "6c697374");
    keep(fixture, &op);
    assert_int_equal(fork_row_list_get(fixture->store, &list), OK);
    assert_true(bytes_equal(buffer_bytes(&list), bytes_of_text("list")));
    assert_int_equal(fork_row_scan(fixture->store, see_fork, found), OK);
    assert_int_equal(found[0].sequence, 0); /* the list is none of them */
    assert_true(found[1].has_ours && found[1].is_posted && found[1].ours[307] == 0x77);
    assert_true(!found[2].has_ours && !found[2].is_posted && found[2].theirs[307] == 0x88);
}

static void heads_and_content(void **state)
{
    struct fixture *fixture = *state;
    struct roster_row_bytes memory;
    struct bytes head = bytes_of_text("head");
    struct hash hash = hash_one(CONTEXT_HEAD, head);
    struct head_id id, found;
    uint8_t row_memory[64];
    struct buffer row = buffer_over(row_memory, sizeof row_memory);
    uint32_t count = 0;
    memset(id.bytes, 0x99, HASH_SIZE);
    struct store_op op = roster_row_head_put(5, head, &memory);
    assert_row(&op, 2, "68 0000000000000005", "68656164");
    keep(fixture, &op);
    assert_int_equal(roster_row_head_get(fixture->store, 5, &row), OK);
    assert_true(bytes_equal(buffer_bytes(&row), head));
    assert_false(roster_row_refused_is_here(fixture->store, head));
    op = roster_row_refused_put(head, &memory);
    assert_int_equal(op.row.key.size, 33);
    assert_int_equal(op.row.key.data[0], 'p');
    assert_memory_equal(op.row.key.data + 1, hash.bytes, HASH_SIZE);
    keep(fixture, &op);
    assert_true(roster_row_refused_is_here(fixture->store, head));
    assert_int_equal(roster_row_refused_count(fixture->store, &count), OK);
    assert_int_equal(count, 1);
    assert_int_equal(roster_row_confirmed_get(fixture->store, &found), ERR_NOT_FOUND);
    op = roster_row_confirmed_put(&id);
    assert_row(&op, 2, "63", "99*32");
    keep(fixture, &op);
    assert_int_equal(roster_row_confirmed_get(fixture->store, &found), OK);
    assert_memory_equal(found.bytes, id.bytes, HASH_SIZE);
    op = roster_row_piece_put(3, head, &memory);
    assert_row(&op, 4, "78 0000000000000003", "68656164");
}

/* ---- cases ---- */

static bool see_case(void *arg, struct bytes exported)
{
    *(bool *)arg = bytes_equal(exported, bytes_of_text("exported"));
    return true;
}

static bool see_item(void *arg, const struct item_id *id, const struct items_row *row)
{
    ((struct items_row *)arg)[id->bytes[0] == 0xbb] = *row;
    return true;
}

static bool see_purge(void *arg, const struct purge_row *row)
{
    *(struct purge_row *)arg = *row;
    return true;
}

static void cases(void **state)
{
    struct fixture *fixture = *state;
    struct case_id case_id;
    uint8_t memory[16];
    struct buffer row = buffer_over(memory, sizeof memory);
    bool is_seen = false;
    memset(case_id.bytes, 0xaa, HASH_SIZE);
    struct store_op op = case_row_put(&case_id, bytes_of_text("exported"));
    assert_row(&op, 5, "aa*32", "6578706f72746564");
    keep(fixture, &op);
    assert_int_equal(case_row_get(fixture->store, &case_id, &row), OK);
    assert_int_equal(case_row_scan(fixture->store, see_case, &is_seen), OK);
    assert_true(is_seen);
}

static void items_of_cases(void **state)
{
    struct fixture *fixture = *state;
    struct items_row row = {
        .shape = {.size = 5, .chunk_count = 1}, .state = ITEMS_ROW_HERE, .served_count = 1};
    struct items_row found[2] = {{.served_count = 0}};
    struct item_id id;
    uint8_t memory[ITEMS_ROW_SIZE_MAX];
    memset(row.case_id.bytes, 0xaa, HASH_SIZE);
    memset(row.key.bytes, 0xcc, KEY_SIZE);
    memset(row.served[0].bytes, 0xdd, NODE_ID_SIZE);
    memset(id.bytes, 0xbb, HASH_SIZE);
    struct store_op op = items_row_put(&row, &id, memory);
    assert_row(&op, 9, "bb*32", "aa*32 cc*32 0000000000000005 00000001 03 01 dd*16");
    keep(fixture, &op);
    keep_spelled(fixture, 9, "ee*32", "aa*32 00"); /* garbled, and it still names its case */
    assert_int_equal(items_row_get(fixture->store, &id, &found[0]), OK);
    assert_int_equal(found[0].served_count, 1);
    assert_int_equal(items_row_scan(fixture->store, see_item, found), OK);
    assert_int_equal(found[1].state, ITEMS_ROW_HERE);
    assert_int_equal(found[0].state, 0);
    assert_memory_equal(found[0].case_id.bytes, row.case_id.bytes, HASH_SIZE);
    op = items_row_delete(&id);
    keep(fixture, &op);
    assert_int_equal(items_row_get(fixture->store, &id, &row), ERR_NOT_FOUND);
}

static void announcements_to_purge(void **state)
{
    struct fixture *fixture = *state;
    struct purge_row row = {.scope.kind = SCOPE_BOARD}, found = {.scope.kind = SCOPE_CASE};
    struct purge_row_bytes memory;
    memset(row.scope.id, 0x11, HASH_SIZE);
    memset(row.writer.bytes, 0x22, NODE_ID_SIZE);
    memset(row.case_id.bytes, 0xaa, HASH_SIZE);
    struct store_op op = purge_row_put(&row, &memory);
    char kind[8];
    snprintf(kind, sizeof kind, "%02x ", SCOPE_BOARD);
    char key[64];
    snprintf(key, sizeof key, "%s11*32 22*16 aa*32", kind);
    assert_row(&op, 16, key, "");
    struct hash hash = hash_one(CONTEXT_RETRACTION, op.row.key);
    struct hash name = purge_row_tombstone(&row);
    assert_memory_equal(hash.bytes, name.bytes, HASH_SIZE);
    keep(fixture, &op);
    assert_int_equal(purge_row_scan(fixture->store, see_purge, &found), OK);
    assert_memory_equal(&found, &row, sizeof row);
}

/* ---- custody ---- */

static bool see_mailbox(void *arg, const struct mailbox_key *key, const uint8_t *secret)
{
    *(unsigned *)arg += key->bytes[0] == 0x12 && secret[31] == 0x34;
    return true;
}

static bool see_held(void *arg, uint64_t number, const struct step_held *held)
{
    assert_int_equal(number, 8);
    *(struct step_held *)arg = *held;
    return true;
}

static void custody(void **state)
{
    struct fixture *fixture = *state;
    struct mailbox_key key;
    uint8_t secret[KEY_SIZE], value[HELD_ROW_HEAD_SIZE + 4], memory[HELD_ROW_HEAD_SIZE + 8];
    struct buffer envelope = buffer_over(memory, sizeof memory);
    struct step_held held = {.until = {9}}, found;
    struct held_row_bytes number;
    unsigned count = 0;
    memset(key.bytes, 0x12, KEY_SIZE);
    memset(secret, 0x34, KEY_SIZE);
    struct store_op op = mailbox_row_put(&key, secret);
    assert_row(&op, 17, "12*32", "34*32");
    keep(fixture, &op);
    keep_spelled(fixture, 17, "12*32 00", "34*32");
    assert_int_equal(mailbox_row_scan(fixture->store, see_mailbox, &count), OK);
    assert_int_equal(count, 1);
    memset(held.id.bytes, 0x56, HASH_SIZE);
    memset(held.depositor.bytes, 0x78, NODE_ID_SIZE);
    memset(held.recipient.bytes, 0x9a, NODE_ID_SIZE);
    op = held_row_put(8, &held, bytes_of_text("mail"), value, &number);
    assert_row(&op, 18, "0000000000000008", "56*32 78*16 9a*16 0000000000000009 6d61696c");
    keep(fixture, &op);
    assert_int_equal(held_row_scan(fixture->store, see_held, &found), OK);
    assert_true(found.until.ms == 9 && found.size == 4 && found.recipient.bytes[0] == 0x9a);
    assert_int_equal(held_row_get(fixture->store, 8, &envelope), OK);
    assert_true(bytes_equal(buffer_bytes(&envelope), bytes_of_text("mail")));
    op = held_row_delete(8, &number);
    keep(fixture, &op);
    envelope.size = 0;
    assert_int_equal(held_row_get(fixture->store, 8, &envelope), ERR_NOT_FOUND);
}

/* ---- the node's own ---- */

static void single_values(void **state)
{
    struct fixture *fixture = *state;
    struct node_row_scrub scrub = {.number = 6, .began_at = {7}, .is_complete = true}, found;
    uint8_t memory[NODE_ROW_SCRUB_SIZE], id[NODE_ROW_MARKER_SIZE], id_found[NODE_ROW_MARKER_SIZE];
    assert_int_equal(node_row_scrub_get(fixture->store, &found), ERR_NOT_FOUND);
    struct store_op op = node_row_scrub_put(&scrub, memory);
    assert_row(&op, 1, "7363727562", "0000000000000006 0000000000000007 01");
    keep(fixture, &op);
    assert_int_equal(node_row_scrub_get(fixture->store, &found), OK);
    assert_true(found.number == 6 && found.began_at.ms == 7 && found.is_complete);
    memset(id, 0xbc, sizeof id);
    assert_false(node_row_marker_get(fixture->store, id_found));
    op = node_row_marker_put(id);
    assert_row(&op, 1, "6d61726b6572", "bc*16");
    keep(fixture, &op);
    assert_true(node_row_marker_get(fixture->store, id_found));
    assert_memory_equal(id, id_found, sizeof id);
    assert_false(node_row_rekey_is_due(fixture->store));
    op = node_row_rekey_put();
    assert_row(&op, 1, "6d61696c626f7820736563726574 20 666f72676f7474656e", "31");
    keep(fixture, &op);
    assert_true(node_row_rekey_is_due(fixture->store));
    op = node_row_rekey_delete();
    keep(fixture, &op);
    assert_false(node_row_rekey_is_due(fixture->store));
    op = node_row_barrier();
    keep(fixture, &op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_position_that_is_garbled, set_up, tear_down),
        cmocka_unit_test(what_counts_as_missing),
        cmocka_unit_test(the_state_of_a_stream),
        cmocka_unit_test(what_a_writer_used),
        cmocka_unit_test_setup_teardown(what_a_peer_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(heads_and_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(items_of_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(announcements_to_purge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(custody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(single_values, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
