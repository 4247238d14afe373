/* A record as it is shown: what speaks against its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/views/view_json.h"
#include "tests/harness/network.h"

enum { A, B };

#define HOUR FEDERATION_HOUR_MS

/* Stores a record of B's at A, with this time. */
static void put(struct network *network, struct record_header *header, uint64_t time_ms,
                uint32_t flags)
{
    static uint8_t memory[RECORD_SIZE_MAX], content[256];
    struct record_secrets secrets = {.sign_secret = network->houses[B].sign_secret};
    struct buffer out = buffer_over(memory, sizeof memory), body = buffer_over(content, 256);
    struct record_id id;
    struct statement statement = {.kind = KIND_AUDIT_HEAD};
    header->sequence++;
    header->time.ms = time_ms;
    assert_int_equal(OK, statement_write(&statement, &body));
    assert_int_equal(OK, record_seal(header, buffer_bytes(&body), &secrets, &out, &id));
    header->previous = id;
    struct store_op op = {.kind = STORE_PUT};
    op.put = (struct store_put){.stream = &header->stream,
                                .sequence = header->sequence,
                                .id = &id,
                                .head = {memory, RECORD_BARE_SIZE},
                                .body = {memory + RECORD_BARE_SIZE, out.size - RECORD_BARE_SIZE},
                                .flags = flags};
    assert_int_equal(
        OK, store_commit(runtime_store(network->houses[A].runtime), &op, 1, STORE_NORMAL, NULL));
}

static const char *doubt(struct network *network, const struct record_header *header,
                         uint64_t sequence)
{
    static char said[16];
    struct runtime *runtime = network->houses[A].runtime;
    struct stored_record_memory *memory = stored_record_memory_new();
    struct stored_record record;
    assert_int_equal(
        OK, stored_record_at(runtime_store(runtime), &header->stream, sequence, memory, &record));
    json_t *json = view_json_record(runtime, &record);
    const char *text = json_string_value(json_object_get(json, "time_doubt"));
    (void)snprintf(said, sizeof said, "%s", text == NULL ? "none" : text);
    json_decref(json);
    stored_record_memory_free(memory);
    return said;
}

/* (T-31) */
static void what_speaks_against_a_time_is_shown(void **state)
{
    struct network *network = network_new_in_touch();
    const struct roster *roster = runtime_roster(network->houses[A].runtime);
    uint64_t now = runtime_wall().ms;
    struct record_header header = {.federation = roster_federation(roster),
                                   .stream = {scope_federation(), network->houses[B].node, 9},
                                   .audience = AUDIENCE_CLEAR,
                                   .previous = {{1}},
                                   .head = roster_current_id(roster)};
    (void)state;
    put(network, &header, now, 0);
    put(network, &header, now - CLOCK_SKEW_MS_MAX, 0); /* clocks differ that much */
    put(network, &header, now - HOUR, 0);
    put(network, &header, now + 400 * 24 * HOUR, RECORD_AHEAD);
    put(network, &header, now, 0); /* right again: nobody went back */
    assert_string_equal("none", doubt(network, &header, 1));
    assert_string_equal("none", doubt(network, &header, 2));
    assert_string_equal("earlier", doubt(network, &header, 3));
    assert_string_equal("ahead", doubt(network, &header, 4));
    assert_string_equal("none", doubt(network, &header, 5));
    network_free(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_speaks_against_a_time_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
