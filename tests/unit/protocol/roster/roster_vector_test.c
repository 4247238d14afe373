/* The bytes of spec/roster.md: a small federation made from known keys, value by value as in
 * tests/vectors/roster.txt. A value that differs is printed as the line that would fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base/fingerprint.h"
#include "protocol/base/merkle.h"
#include "protocol/roster/inclusion.h"
#include "protocol/roster/invitation.h"
#include "protocol/roster/join.h"
#include "protocol/roster/roster_export.h"
#include "tests/harness/federation.h"

enum { VECTORS_SIZE_MAX = 1 << 20, VALUE_SIZE_MAX = 32 * 1024 };

struct vectors {
    char *text;
    struct federation society;
    uint8_t founding[HEAD_SIZE_MAX];
    struct bytes founding_head;
};

static int opened(void **state)
{
    struct vectors *v = malloc(sizeof *v);
    assert_non_null(v);
    v->text = calloc(1, VECTORS_SIZE_MAX);
    assert_non_null(v->text);
    FILE *file = fopen(TEST_SOURCE_DIR "/tests/vectors/roster.txt", "rb");
    assert_non_null(file);
    assert_true(fread(v->text, 1, VECTORS_SIZE_MAX - 1, file) > 0);
    fclose(file);

    /* epoch 1: three officers, two hospitals; epoch 2: one cut, one admission, one key change */
    struct federation *f = &v->society;
    federation_found(f, roster_plan_small(), 2);
    memcpy(v->founding, f->signed_head.data, f->signed_head.size);
    v->founding_head = (struct bytes){v->founding, f->signed_head.size};
    struct cut cut = {.stream = {scope_federation(), federation_node(9), 1},
                      .sequence = 7,
                      .record = {{0xcc, 1}}};
    struct member two = federation_member(2, 1), three = federation_member(3, 2);
    uint8_t public_key[32], secret[64], message[MEMBER_KEYS_MESSAGE_SIZE];
    struct federation_id id = roster_federation(&f->roster);
    federation_key(2, 2, public_key, secret);
    two.sign_key = federation_member(102, 1).sign_key;
    two.keys_since_epoch = 2;
    two.keys_signed = true;
    member_keys_message(&id, &two, message);
    hash_sign(CONTEXT_MEMBER_KEYS, (struct bytes){message, sizeof message}, secret,
              &two.keys_signature);
    three.endpoint_count = 1;
    three.endpoints[0] = bytes_of_text("tcp://hospital.example.org:4400");
    federation_put_cut(f, &cut);
    federation_put_member(f, &two);
    federation_put_member(f, &three);
    assert_int_equal(federation_draft(f), OK);
    assert_int_equal(roster_apply(&f->roster, f->signed_head, &f->delta, f->now), OK);
    *state = v;
    return 0;
}

static int closed(void **state)
{
    struct vectors *v = *state;
    federation_end(&v->society);
    free(v->text);
    free(v);
    return 0;
}

static const char *line_of(const struct vectors *v, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = v->text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return line + length + 1;
    }
    return "";
}

static bool fits(const struct vectors *v, const char *key, struct bytes value)
{
    static char hex[2 * VALUE_SIZE_MAX + 1];
    assert_true(value.size <= VALUE_SIZE_MAX);
    ids_to_hex(value, hex);
    const char *line = line_of(v, key);
    size_t length = strcspn(line, "\n");
    if (length == strlen(hex) && strncmp(line, hex, length) == 0)
        return true;
    printf("%s=%s\n", key, hex);
    return false;
}

#define FITS(key, value) assert_true(fits(v, key, value))

static struct bytes leaf(struct hash *hashes, uint8_t i)
{
    hashes[i] = merkle_leaf((struct bytes){&i, 1});
    return ID_BYTES(hashes[i]);
}

static void merkle_roots_are_as_written(void **state)
{
    const struct vectors *v = *state;
    struct hash hashes[5];
    struct merkle merkle;
    merkle_begin(&merkle);
    struct hash root = merkle_root(&merkle);
    FITS("merkle_root_of_none", ID_BYTES(root));
    for (uint8_t i = 0; i < 5; i++) {
        char key[32];
        snprintf(key, sizeof key, "merkle_leaf_%u", i);
        FITS(key, leaf(hashes, i));
        merkle_add(&merkle, &hashes[i]);
        root = merkle_root(&merkle);
        snprintf(key, sizeof key, "merkle_root_of_%u", i + 1u);
        FITS(key, ID_BYTES(root));
    }
}

static void the_roster_is_as_written(void **state)
{
    const struct vectors *v = *state;
    const struct roster *roster = &v->society.roster;
    struct federation_id federation = roster_federation(roster);
    struct head_id id = roster_current_id(roster);
    const struct roster_head *head = roster_current_head(roster);
    FITS("member_1", roster_packed(roster, roster_at(roster, 0)));
    FITS("member_2", roster_packed(roster, roster_at(roster, 1)));
    FITS("member_3", roster_packed(roster, roster_at(roster, 2)));
    FITS("settings", roster_settings_packed(roster));
    FITS("transport_list", roster_transport_list(roster));
    FITS("cuts", roster_cuts(roster));
    FITS("members_root", ID_BYTES(head->members_root));
    FITS("settings_hash", ID_BYTES(head->settings_hash));
    FITS("transport_hash", ID_BYTES(head->transport_hash));
    FITS("cuts_hash", ID_BYTES(head->cuts_hash));
    FITS("founding_head", v->founding_head);
    FITS("federation", ID_BYTES(federation));
    FITS("second_head", v->society.signed_head);
    FITS("second_head_id", ID_BYTES(id));
    char print[FINGERPRINT_TEXT_SIZE];
    struct hash hash;
    memcpy(hash.bytes, federation.bytes, HASH_SIZE);
    fingerprint_write(&hash, print);
    FITS("federation_fingerprint_text", bytes_of_text(print));
}

static void what_travels_is_as_written(void **state)
{
    struct vectors *v = *state;
    static uint8_t memory[VALUE_SIZE_MAX];
    struct roster *roster = &v->society.roster;
    struct buffer part = buffer_over(memory, sizeof memory);
    size_t offset = 0;
    assert_true(delta_part_write(&v->society.delta, 0, &offset, &part));
    FITS("delta_part", buffer_bytes(&part));

    struct node_id two = federation_node(2);
    struct buffer proof = buffer_over(memory, sizeof memory);
    assert_int_equal(inclusion_write(roster, &two, &proof), OK);
    FITS("inclusion", buffer_bytes(&proof));

    struct buffer file = buffer_over(memory, sizeof memory);
    struct federation_id federation = roster_federation(roster);
    struct invitation invitation;
    invitation_begin(&file, &federation, &two, 2);
    invitation_add_head(&file, v->founding_head);
    invitation_add_head(&file, v->society.signed_head);
    invitation_end(&file, roster);
    FITS("invitation", buffer_bytes(&file));
    assert_int_equal(invitation_read(buffer_bytes(&file), &invitation), OK);
    struct hash hash = invitation_fingerprint(&invitation);
    FITS("invitation_fingerprint", ID_BYTES(hash));

    struct buffer state_bytes = buffer_over(memory, sizeof memory);
    roster_export_write(roster, &state_bytes);
    FITS("export", buffer_bytes(&state_bytes));
}

static void a_request_is_as_written(void **state)
{
    const struct vectors *v = *state;
    uint8_t memory[JOIN_REQUEST_SIZE_MAX], secret[64];
    struct member member = federation_member(4, 1);
    struct join_request request = {
        .node_id = member.node_id,
        .name = member.name,
        .country = {'D', 'E'},
        .transport_key = member.transport_key,
        .endpoint_count = 1,
        .endpoints = {bytes_of_text("tcp://hospital.example.org:4400")},
        .tag_count = 1,
        .tags = {bytes_of_text("hematology/bmt")},
        .time = {FEDERATION_START_MS},
    };
    federation_key(4, 2, request.sign_key.bytes, secret);
    struct buffer all = buffer_over(memory, sizeof memory);
    assert_int_equal(join_write(&all, &request, secret), OK);
    FITS("join_request", buffer_bytes(&all));
    struct hash hash = join_fingerprint(buffer_bytes(&all));
    FITS("join_fingerprint", ID_BYTES(hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merkle_roots_are_as_written),
        cmocka_unit_test(the_roster_is_as_written),
        cmocka_unit_test(what_travels_is_as_written),
        cmocka_unit_test(a_request_is_as_written),
    };
    return cmocka_run_group_tests(tests, opened, closed);
}
