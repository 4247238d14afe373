/* One core with two others, and the shell's part of custody: for the tests of what is held for
 * others, left with others and collected (spec/custody.md). */
#ifndef CONSILIUM_TESTS_UNIT_PROTOCOL_CUSTODY_ROOM_H
#define CONSILIUM_TESTS_UNIT_PROTOCOL_CUSTODY_ROOM_H

#include "protocol/consult/mirror.h"
#include "protocol/link/frame_custody.h"
#include "protocol/link/letter.h"
#include "protocol/record/mailbox.h"
#include "tests/unit/protocol/lone_said.h"

enum { TWO = 2, THREE = 3, HELD = 600, ROOM = FRAME_SIZE_MAX };
#define DAYS(n) ((uint64_t)(n)*24 * FEDERATION_HOUR_MS)

/* The shell's part: an envelope is the key it is sealed to, then the letter. */
static struct desk {
    struct mailbox_key made;
    unsigned made_count, held, let_go, fetched, forgotten;
    err keeps;
    bool has_lost_secret;
    uint8_t envelope[ROOM];
    size_t envelope_size;
    uint64_t number;
    struct frame_record letter;
    uint8_t letter_bytes[ROOM];
} desk;

static LONE_UNUSED void answer(struct lone *lone, const struct effect *effect, err verdict,
                               struct bytes letter)
{
    struct lone_parcel *parcel = calloc(1, sizeof *parcel);
    struct lone_parcel **end = &lone->first;
    assert_non_null(parcel);
    parcel->memory = malloc(letter.size + 1);
    memcpy(parcel->memory, letter.data == NULL ? (const uint8_t *)"" : letter.data, letter.size);
    parcel->event = lone_event(lone, EVENT_CUSTODY);
    parcel->event.custody = effect->custody;
    parcel->event.link = effect->link;
    parcel->event.token = effect->token;
    parcel->event.verdict = verdict;
    if (effect->custody == CUSTODY_MAILBOX)
        parcel->event.mailbox = desk.made;
    else
        parcel->event.letter = (struct bytes){parcel->memory, letter.size};
    while (*end != NULL)
        end = &(*end)->next;
    *end = parcel;
}

static LONE_UNUSED void enclose(struct lone *lone, const struct effect *effect)
{
    struct buffer out = buffer_over(desk.envelope, sizeof desk.envelope);
    struct letter letter;
    buffer_put(&out, effect->enclose.to.bytes, KEY_SIZE);
    buffer_put(&out, effect->enclose.letter.data, effect->enclose.letter.size);
    desk.envelope_size = out.size;
    memcpy(desk.letter_bytes, effect->enclose.letter.data, effect->enclose.letter.size);
    assert_int_equal(
        letter_read((struct bytes){desk.letter_bytes, effect->enclose.letter.size}, &letter), OK);
    desk.letter = letter.record;
    answer(lone, effect, OK, buffer_bytes(&out));
}

static LONE_UNUSED void perform(struct lone *lone, const struct effect *effect)
{
    struct bytes envelope = effect->envelope;
    switch (effect->custody) {
    case CUSTODY_MAILBOX:
        desk.made.bytes[0] = (uint8_t)(0x50 + desk.made_count++);
        answer(lone, effect, desk.keeps, BYTES_NONE);
        break;
    case CUSTODY_FORGET:
        desk.forgotten++;
        break;
    case CUSTODY_ENCLOSE:
        enclose(lone, effect);
        break;
    case CUSTODY_OPEN:
        if (desk.has_lost_secret || envelope.size <= KEY_SIZE ||
            memcmp(envelope.data, desk.made.bytes, KEY_SIZE) != 0)
            answer(lone, effect, ERR_BAD_KEY, BYTES_NONE);
        else
            answer(lone, effect, OK,
                   (struct bytes){envelope.data + KEY_SIZE, envelope.size - KEY_SIZE});
        break;
    case CUSTODY_HOLD:
        desk.held++;
        desk.number = effect->token.value;
        answer(lone, effect, desk.keeps, BYTES_NONE);
        break;
    case CUSTODY_LET_GO:
        desk.let_go++;
        break;
    case CUSTODY_FETCH:
        desk.fetched++;
        answer(lone, effect, OK, bytes_of_text("what was left"));
        break;
    }
}

/* Hospital `who` publishes a mailbox key. */
static LONE_UNUSED void publish(struct lone *lone, uint32_t who)
{
    uint8_t content_memory[64], body_memory[128], memory[1024];
    struct buffer content = buffer_over(content_memory, sizeof content_memory);
    struct buffer body = buffer_over(body_memory, sizeof body_memory);
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct mailbox mailbox = {{{0xb0, (uint8_t)who}}};
    struct statement statement = {.kind = KIND_MAILBOX_KEY};
    struct scope scope = scope_federation();
    assert_int_equal(mailbox_write(&mailbox, &content), OK);
    statement.content = buffer_bytes(&content);
    assert_int_equal(statement_write(&statement, &body), OK);
    struct record_header header = lone_header(lone, who, &scope);
    frame_records_begin(&frame);
    assert_true(lone_record(lone, who, &header, buffer_bytes(&body), &frame));
    frame_records_end(&frame, 1);
    lone_hear(lone, who, buffer_bytes(&frame));
}

static LONE_UNUSED void leave_link(struct lone *lone, uint32_t who)
{
    struct event event = lone_event(lone, EVENT_LINK_DOWN);
    event.link.value = who;
    lone_give(lone, &event);
}

static LONE_UNUSED void take_head(struct lone *lone)
{
    struct event event = lone_event(lone, EVENT_ROSTER);
    assert_int_equal(federation_draft(&lone->federation), OK);
    assert_int_equal(federation_take(&lone->federation), OK);
    lone_give(lone, &event);
}

static LONE_UNUSED int given_a_core_that_others_joined_just_now(void **state)
{
    desk = (struct desk){.keeps = OK};
    struct lone *lone = lone_new_holding(HELD);
    lone->on_custody = perform;
    lone_meet(lone, TWO);
    lone_meet(lone, THREE);
    publish(lone, THREE);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    *state = lone;
    return 0;
}

static LONE_UNUSED int given_a_core_with_two_others(void **state)
{
    int failed = given_a_core_that_others_joined_just_now(state);
    lone_tick(*state, DAYS(4)); /* past the cooling-off */
    return failed;
}

static LONE_UNUSED int then_it_ends(void **state)
{
    lone_free(*state);
    return 0;
}

/* Two gives an envelope, if it was asked for one; sealed to the last key that we made. */
static LONE_UNUSED void give_envelope(struct lone *lone, uint64_t number, struct bytes letter)
{
    static uint8_t envelope[ROOM], memory[ROOM];
    struct buffer sealed = buffer_over(envelope, sizeof envelope);
    struct buffer out = buffer_over(memory, sizeof memory);
    buffer_put(&sealed, desk.made.bytes, KEY_SIZE);
    buffer_put(&sealed, letter.data, letter.size);
    frame_custody_envelope_write(&out,
                                 &(struct frame_custody_envelope){number, buffer_bytes(&sealed)});
    lone_hear(lone, TWO, buffer_bytes(&out));
}

static LONE_UNUSED size_t collects(struct lone *lone)
{
    leave_link(lone, THREE);
    lone->counts = (struct lone_counts){.sent = 0};
    for (int i = 0; i < 100 && lone->counts.sent_types[FRAME_CUSTODY_COLLECT] == 0; i++)
        lone_tick(lone, 60000);
    return lone->counts.sent_types[FRAME_CUSTODY_COLLECT];
}

#define CUSTODY(name)                                                                              \
    cmocka_unit_test_setup_teardown(name, given_a_core_with_two_others, then_it_ends)

#endif
