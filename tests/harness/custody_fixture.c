#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/custody_fixture.h"

struct service service;

void answer(struct single *single, const struct effect *effect, err verdict, struct bytes letter)
{
    struct event event = single_event(single, EVENT_CUSTODY);
    event.custody = effect->custody;
    event.link = effect->link;
    event.token = effect->token;
    event.verdict = verdict;
    if (effect->custody == CUSTODY_MAILBOX)
        event.mailbox = service.made;
    else
        event.letter = letter;
    interpreter_answer(&single->interpreter, &event);
}

static void enclose(struct single *single, const struct effect *effect)
{
    struct buffer out = buffer_over(service.envelope, sizeof service.envelope);
    struct sealed_message letter;
    buffer_put(&out, effect->enclose.to.bytes, KEY_SIZE);
    buffer_put(&out, effect->enclose.letter.data, effect->enclose.letter.size);
    service.envelope_size = out.size;
    memcpy(service.letter_bytes, effect->enclose.letter.data, effect->enclose.letter.size);
    assert_int_equal(
        sealed_message_read((struct bytes){service.letter_bytes, effect->enclose.letter.size},
                            &letter),
        OK);
    service.letter = letter.record;
    answer(single, effect, OK, buffer_bytes(&out));
}

static void perform(struct single *single, const struct effect *effect)
{
    struct bytes envelope = effect->envelope;
    switch (effect->custody) {
    case CUSTODY_MAILBOX:
        service.made.bytes[0] = (uint8_t)(0x50 + service.made_count++);
        answer(single, effect, service.keeps, BYTES_NONE);
        break;
    case CUSTODY_FORGET:
        service.forgotten++;
        break;
    case CUSTODY_ENCLOSE:
        enclose(single, effect);
        break;
    case CUSTODY_OPEN:
        if (service.has_lost_secret || envelope.size <= KEY_SIZE ||
            memcmp(envelope.data, service.made.bytes, KEY_SIZE) != 0)
            answer(single, effect, ERR_BAD_KEY, BYTES_NONE);
        else
            answer(single, effect, OK,
                   (struct bytes){envelope.data + KEY_SIZE, envelope.size - KEY_SIZE});
        break;
    case CUSTODY_HOLD:
        service.held++;
        service.number = effect->token.value;
        answer(single, effect, service.keeps, BYTES_NONE);
        break;
    case CUSTODY_LET_GO:
        service.let_go++;
        break;
    case CUSTODY_FETCH:
        service.fetched++;
        answer(single, effect, OK, bytes_of_text("what was left"));
        break;
    }
}

/* Hospital `who` publishes a mailbox key. */
static void publish(struct single *single, uint32_t who)
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
    struct record_header header = single_header(single, who, &scope);
    frame_records_begin(&frame);
    assert_true(single_record(single, who, &header, buffer_bytes(&body), &frame));
    frame_records_end(&frame, 1);
    single_hear(single, who, buffer_bytes(&frame));
}

void leave_link(struct single *single, uint32_t who)
{
    struct event event = single_event(single, EVENT_LINK_DOWN);
    event.link.value = who;
    single_give(single, &event);
}

void take_head(struct single *single)
{
    struct event event = single_event(single, EVENT_ROSTER);
    assert_int_equal(federation_draft(&single->federation), OK);
    assert_int_equal(federation_take(&single->federation), OK);
    single_give(single, &event);
}

int given_a_engine_that_others_joined_just_now(void **state)
{
    service = (struct service){.keeps = OK};
    struct single *single = single_new_holding(HELD);
    single->on_custody = perform;
    single_meet(single, TWO);
    single_meet(single, THREE);
    publish(single, THREE);
    single_tick(single, 1000);
    single_tick(single, 6000);
    *state = single;
    return 0;
}

int given_a_engine_with_two_others(void **state)
{
    int failed = given_a_engine_that_others_joined_just_now(state);
    single_tick(*state, DAYS(4)); /* past the cooling-off */
    return failed;
}

int then_it_ends(void **state)
{
    single_free(*state);
    return 0;
}

void give_envelope(struct single *single, uint64_t number, struct bytes letter)
{
    static uint8_t envelope[ROOM], memory[ROOM];
    struct buffer sealed = buffer_over(envelope, sizeof envelope);
    struct buffer out = buffer_over(memory, sizeof memory);
    buffer_put(&sealed, service.made.bytes, KEY_SIZE);
    buffer_put(&sealed, letter.data, letter.size);
    frame_custody_envelope_write(&out,
                                 &(struct frame_custody_envelope){number, buffer_bytes(&sealed)});
    single_hear(single, TWO, buffer_bytes(&out));
}

size_t collects(struct single *single)
{
    leave_link(single, THREE);
    single->counts = (struct single_counts){.sent = 0};
    for (int i = 0; i < 100 && single->counts.sent_types[FRAME_CUSTODY_COLLECT] == 0; i++)
        single_tick(single, 60000);
    return single->counts.sent_types[FRAME_CUSTODY_COLLECT];
}
