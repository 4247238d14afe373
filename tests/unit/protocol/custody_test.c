/* Goal: mail for who is off is left with others, who learn the recipient and nothing else; they
 * hold it within quotas, for thirty days, for its recipient alone; what comes out of an envelope
 * goes through the one door, and is taken when it is durable (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static void answer(struct lone *lone, const struct effect *effect, err verdict, struct bytes letter)
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

static void enclose(struct lone *lone, const struct effect *effect)
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

static void perform(struct lone *lone, const struct effect *effect)
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
static void publish(struct lone *lone, uint32_t who)
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

static void leave_link(struct lone *lone, uint32_t who)
{
    struct event event = lone_event(lone, EVENT_LINK_DOWN);
    event.link.value = who;
    lone_give(lone, &event);
}

static void take_head(struct lone *lone)
{
    struct event event = lone_event(lone, EVENT_ROSTER);
    assert_int_equal(federation_draft(&lone->federation), OK);
    assert_int_equal(federation_take(&lone->federation), OK);
    lone_give(lone, &event);
}

static int given_a_core_that_others_joined_just_now(void **state)
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

static int given_a_core_with_two_others(void **state)
{
    int failed = given_a_core_that_others_joined_just_now(state);
    lone_tick(*state, DAYS(4)); /* past the cooling-off */
    return failed;
}

static int then_it_ends(void **state)
{
    lone_free(*state);
    return 0;
}

static void leave(struct lone *lone, uint32_t from, uint32_t to, uint8_t number)
{
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_leave what = {
        {{number, 1}}, lone->hospitals[to].node, bytes_of_text("sealed")};
    what.id.bytes[2] = (uint8_t)(number == 0 ? lone->counts.sent : 0);
    frame_custody_leave_write(&out, &what);
    lone_hear(lone, from, buffer_bytes(&out));
}

static enum frame_custody_verdict answered(struct lone *lone)
{
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_ANSWER];
    struct frame_custody_answer answer;
    assert_int_equal(frame_custody_answer_read((struct bytes){said->bytes, said->size}, &answer),
                     OK);
    return answer.verdict;
}

static uint64_t given(struct lone *lone, uint32_t who)
{
    uint8_t memory[16];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_envelope answer;
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_ENVELOPE];
    frame_custody_collect_write(&out, 0);
    lone_hear(lone, who, buffer_bytes(&out));
    assert_int_equal(said->links, 1u << who);
    assert_int_equal(frame_custody_envelope_read((struct bytes){said->bytes, said->size}, &answer),
                     OK);
    return answer.number;
}

static void held_is_said_when_it_is_durable(void **state)
{
    struct lone *lone = *state;
    desk.keeps = ERR_FULL;
    leave(lone, TWO, THREE, 1);
    assert_int_equal(answered(lone), FRAME_CUSTODY_FULL);
    assert_int_equal(given(lone, THREE), 0);
    desk.keeps = OK;
    leave(lone, TWO, THREE, 1);
    assert_int_equal(answered(lone), FRAME_CUSTODY_HELD);
    leave(lone, TWO, THREE, 1); /* again: what is here stays */
    assert_int_equal(answered(lone), FRAME_CUSTODY_HELD);
    assert_int_equal(desk.held, 2);
    leave(lone, TWO, TWO, 2);
    assert_int_equal(answered(lone), FRAME_CUSTODY_REFUSED);
    leave(lone, TWO, LONE_SELF, 2);
    assert_int_equal(answered(lone), FRAME_CUSTODY_REFUSED);
}

/* CU-7 */
static void one_depositor_uses_up_its_own_quota(void **state)
{
    struct lone *lone = *state;
    for (int i = 0; i < CUSTODY_PAIR_COUNT_MAX; i++) {
        leave(lone, TWO, THREE, 0);
        assert_int_equal(answered(lone), FRAME_CUSTODY_HELD);
    }
    leave(lone, TWO, THREE, 0);
    assert_int_equal(answered(lone), FRAME_CUSTODY_FULL);
    assert_int_equal(desk.held, CUSTODY_PAIR_COUNT_MAX);
    leave(lone, THREE, TWO, 0);
    assert_int_equal(answered(lone), FRAME_CUSTODY_HELD);
}

/* CU-8 */
static void only_its_recipient_is_given_it_and_only_who_left_it_withdraws(void **state)
{
    struct lone *lone = *state;
    uint8_t memory[64];
    struct deposit_id id = {{1, 1}};
    leave(lone, TWO, THREE, 1);
    assert_int_equal(given(lone, TWO), 0);
    assert_int_equal(given(lone, THREE), desk.number);
    struct buffer out = buffer_over(memory, sizeof memory);
    frame_custody_withdraw_write(&out, &id, 1);
    lone_hear(lone, THREE, buffer_bytes(&out));
    assert_int_equal(desk.let_go, 0);
    struct buffer taken = buffer_over(memory + 40, 16);
    frame_custody_taken_write(&taken, desk.number);
    lone_hear(lone, TWO, buffer_bytes(&taken));
    assert_int_equal(desk.let_go, 0);
    lone_hear(lone, TWO, buffer_bytes(&out));
    assert_int_equal(desk.let_go, 1);
    assert_int_equal(given(lone, THREE), 0);
    leave(lone, TWO, THREE, 1);
    frame_custody_taken_write(&taken, desk.number);
    taken = buffer_over(memory + 40, 16);
    frame_custody_taken_write(&taken, desk.number);
    lone_hear(lone, THREE, buffer_bytes(&taken));
    assert_int_equal(desk.let_go, 2);
}

/* CU-6 */
static void after_thirty_days_it_is_let_go(void **state)
{
    struct lone *lone = *state;
    leave(lone, TWO, THREE, 1);
    lone_tick(lone, DAYS(15));
    leave(lone, TWO, THREE, 1); /* no longer for that */
    lone_tick(lone, DAYS(15) - 2000);
    assert_int_equal(desk.let_go, 0);
    lone_tick(lone, 4000);
    assert_int_equal(desk.let_go, 1);
}

/* CU-12 */
static void where_custody_is_not_allowed_nothing_is_held(void **state)
{
    struct lone *lone = *state;
    leave(lone, TWO, THREE, 1);
    struct settings settings;
    federation_settings(&settings);
    settings.custody_allowed = false;
    federation_put_settings(&lone->federation, &settings);
    take_head(lone);
    lone_tick(lone, 1000);
    assert_int_equal(desk.let_go, 1);
    leave(lone, TWO, THREE, 1);
    assert_int_equal(answered(lone), FRAME_CUSTODY_REFUSED);
}

/* ---- leaving ---- */

static void write_to_three(struct lone *lone)
{
    struct scope mail = scope_mail(&lone->hospitals[THREE].node);
    struct mirror mirror = {.case_id = {{7}}, .what = MIRROR_CLOSED};
    lone_say(lone, &mail, KIND_MIRROR, &mirror);
}

/* CU-3, CU-4 */
static void mail_for_who_is_off_is_left_and_tells_the_recipient_alone(void **state)
{
    struct lone *lone = *state;
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 3000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 0); /* it may come back */
    lone_tick(lone, 3000);
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_LEAVE];
    struct frame_custody_leave left;
    assert_int_equal(said->links, 1u << TWO);
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    assert_true(ID_EQUAL(left.recipient, lone->hospitals[THREE].node));
    assert_true(bytes_equal(left.envelope, (struct bytes){desk.envelope, desk.envelope_size}));
    assert_int_equal(desk.envelope[0], 0xb0); /* sealed to what it published */
    struct record_claim claim;
    assert_true(desk.letter.has_key);
    assert_int_equal(record_parse(desk.letter.record, &claim), OK);
    assert_int_equal(claim.header.sequence, 1);
    for (size_t i = 0; i + NODE_ID_SIZE <= 1 + HASH_SIZE; i++) /* nothing in front names anybody */
        assert_memory_not_equal(said->bytes + i, lone->config.self.bytes, NODE_ID_SIZE);
    lone_tick(lone, 40000); /* nobody answered: again, under the same name */
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 2);
    struct frame_custody_leave again;
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &again), OK);
    assert_true(ID_EQUAL(left.id, again.id));
}

/* CU-4, CU-5 */
static void who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may(void **state)
{
    struct lone *lone = *state;
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(desk.letter.has_key);
    assert_int_equal(desk.letter.record.size, RECORD_BARE_SIZE);
    lone_tick(lone, DAYS(4));
    lone_tick(lone, 20000);
    assert_true(desk.letter.has_key);
    assert_true(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW] > 0);
}

/* CU-4, ROSTER-47: as over a link */
static void who_said_a_head_that_is_not_ours_is_left_no_key(void **state)
{
    struct lone *lone = *state;
    const struct roster *roster = &lone->federation.roster;
    uint8_t memory[256];
    struct buffer frame = buffer_over(memory, sizeof memory);
    struct frame_hello hello = {.version_min = FRAME_VERSION,
                                .version_max = FRAME_VERSION,
                                .federation = roster_federation(roster),
                                .epoch = roster_current_head(roster)->epoch,
                                .head = roster_current_id(roster),
                                .time = lone_event(lone, EVENT_TICK).wall};
    hello.head.bytes[0] ^= 1;
    frame_hello_write(&frame, &hello);
    lone_hear(lone, THREE, buffer_bytes(&frame));
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_false(desk.letter.has_key);
    assert_int_equal(desk.letter.record.size, RECORD_BARE_SIZE);
}

static void say_held(struct lone *lone)
{
    uint8_t memory[64];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_leave left;
    const struct lone_said *said = &lone->said[FRAME_CUSTODY_LEAVE];
    assert_int_equal(frame_custody_leave_read((struct bytes){said->bytes, said->size}, &left), OK);
    frame_custody_answer_write(&out, &(struct frame_custody_answer){left.id, FRAME_CUSTODY_HELD});
    lone_hear(lone, TWO, buffer_bytes(&out));
}

static void left_with_two(struct lone *lone)
{
    leave_link(lone, THREE);
    write_to_three(lone);
    lone_tick(lone, 1000);
    lone_tick(lone, 6000);
    say_held(lone);
    lone_tick(lone, 40000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 0);
}

/* CU-5 */
static void what_was_reported_is_withdrawn(void **state)
{
    struct lone *lone = *state;
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_position position = {
        .stream = {scope_mail(&lone->hospitals[THREE].node), lone->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(lone);
    lone_meet(lone, THREE);
    frame_positions_begin(&out, FRAME_ACK, 1);
    frame_position_write(&out, &position);
    lone_hear(lone, THREE, buffer_bytes(&out));
    lone_tick(lone, 1000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(lone->said[FRAME_CUSTODY_WITHDRAW].links, 1u << TWO);
    lone_tick(lone, DAYS(2));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* CU-5: who must not have it any more */
static void who_is_suspended_meanwhile_finds_nothing(void **state)
{
    struct lone *lone = *state;
    left_with_two(lone);
    struct member three = federation_member(THREE, 1);
    three.state = MEMBER_SUSPENDED;
    three.state_since_epoch = 2;
    federation_put_member(&lone->federation, &three);
    take_head(lone);
    lone_tick(lone, 2000);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_LEAVE], 1);
}

/* ---- collecting ---- */

/* Two gives an envelope, if it was asked for one; sealed to the last key that we made. */
static void give_envelope(struct lone *lone, uint64_t number, struct bytes letter)
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

/* The n-th mail of hospital three to us, as it would lie in an envelope. */
static struct buffer mail_of_three(struct lone *lone, uint64_t count)
{
    static uint8_t frames[ROOM], letter[ROOM];
    struct scope mail = scope_mail(&lone->config.self);
    struct record_header header = lone_header(lone, THREE, &mail);
    struct buffer out = buffer_over(letter, sizeof letter);
    struct frame_record record;
    for (uint64_t i = 1; i <= count; i++) {
        struct reader reader;
        uint16_t one;
        struct buffer frame = buffer_over(frames, sizeof frames);
        frame_records_begin(&frame);
        assert_true(lone_record(lone, THREE, &header, bytes_of_text("said"), &frame));
        frame_records_end(&frame, 1);
        assert_int_equal(frame_records_open(buffer_bytes(&frame), &reader, &one), OK);
        assert_int_equal(frame_record_read(&reader, &record), OK);
    }
    letter_record_write(&out, &record);
    return out;
}

static size_t collects(struct lone *lone)
{
    leave_link(lone, THREE);
    lone->counts = (struct lone_counts){.sent = 0};
    for (int i = 0; i < 100 && lone->counts.sent_types[FRAME_CUSTODY_COLLECT] == 0; i++)
        lone_tick(lone, 60000);
    return lone->counts.sent_types[FRAME_CUSTODY_COLLECT];
}

/* CU-9, CU-10 */
static void what_an_envelope_holds_is_kept_and_then_taken(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 1);
    lone->has_no_room = true;
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(lone->kept_count, before);
    lone->has_no_room = false;
    assert_int_equal(collects(lone), 1);
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    assert_int_equal(lone->counts.sent_types[FRAME_WANT], 0);
    give_envelope(lone, 6, buffer_bytes(&letter)); /* another copy of it */
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
}

static void who_gives_without_end_is_not_heard_to_the_end(void **state)
{
    struct lone *lone = *state;
    assert_int_equal(collects(lone), 1);
    for (uint64_t number = 1; number <= 1000; number++)
        give_envelope(lone, number, bytes_of_text("x"));
    assert_in_range(lone->counts.sent_types[FRAME_CUSTODY_COLLECT], 200, 300);
}

static void what_comes_before_its_time_stays_there(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 2);
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 0);
    assert_int_equal(lone->counts.sent_types[FRAME_WANT], 0); /* the custodian learns no stream */
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_COLLECT], 2); /* on to the next one */
}

static void what_its_writer_did_not_sign_is_forgotten(void **state)
{
    struct lone *lone = *state;
    size_t before = lone->kept_count;
    assert_int_equal(collects(lone), 1);
    struct buffer letter = mail_of_three(lone, 1);
    letter.data[2 + KEY_SIZE + RECORD_HEADER_SIZE] ^= 1; /* in the signature */
    give_envelope(lone, 5, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
    letter = mail_of_three(lone, 1); /* the good one is not shut out by it */
    give_envelope(lone, 6, buffer_bytes(&letter));
    assert_int_equal(lone->kept_count, before + 1);
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 2);
    desk.has_lost_secret = true;
    give_envelope(lone, 7, buffer_bytes(&letter));
    assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 3);
}

/* CU-11 */
static void a_report_counts_by_its_reporters_signature_alone(void **state)
{
    struct lone *lone = *state;
    uint8_t memory[512];
    struct signature signature;
    struct frame_position position = {
        .stream = {scope_mail(&lone->hospitals[THREE].node), lone->config.self, 1},
        .tail = 1,
        .had = 1};
    left_with_two(lone);
    for (int is_good = 0; is_good < 2; is_good++) {
        struct buffer letter = buffer_over(memory, sizeof memory);
        letter_report_begin(&letter, &lone->config.federation, &lone->hospitals[THREE].node, 1);
        frame_position_write(&letter, &position);
        hash_sign(CONTEXT_CUSTODY_REPORT,
                  (struct bytes){memory + LETTER_SIGNED_AT, letter.size - LETTER_SIGNED_AT},
                  lone->hospitals[is_good ? THREE : TWO].sign_secret, &signature);
        memcpy(memory + 1, signature.bytes, SIGNATURE_SIZE);
        assert_int_equal(collects(lone), 1);
        give_envelope(lone, 5, buffer_bytes(&letter));
        assert_int_equal(lone->counts.acked, is_good);
        assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_TAKEN], 1);
        lone_tick(lone, 1000);
        assert_int_equal(lone->counts.sent_types[FRAME_CUSTODY_WITHDRAW], is_good);
    }
}

/* ---- keys ---- */

/* CU-1, CU-2 */
static void a_mailbox_key_is_published_and_its_secret_destroyed_in_time(void **state)
{
    struct lone *lone = *state;
    struct stream_id own = {scope_federation(), lone->config.self, 1};
    assert_int_equal(desk.made_count, 1);
    assert_non_null(lone_kept(lone, &own, 1));
    desk.keeps = ERR_FULL;
    lone_tick(lone, DAYS(MAILBOX_REPLACE_DAY));
    assert_int_equal(desk.made_count, 2);
    assert_null(lone_kept(lone, &own, 2)); /* its secret is not durable */
    desk.keeps = OK;
    lone_tick(lone, 6000);
    assert_int_equal(desk.made_count, 3);
    lone_tick(lone, 6000);
    assert_non_null(lone_kept(lone, &own, 2));
    lone_tick(lone, DAYS(MAILBOX_KEEP_DAY) - 60000);
    assert_int_equal(desk.forgotten, 0);
    lone_tick(lone, 120000);
    assert_int_equal(desk.forgotten, 1);
}

int main(void)
{
#define CUSTODY(name)                                                                              \
    cmocka_unit_test_setup_teardown(name, given_a_core_with_two_others, then_it_ends)
    const struct CMUnitTest tests[] = {
        CUSTODY(held_is_said_when_it_is_durable),
        CUSTODY(one_depositor_uses_up_its_own_quota),
        CUSTODY(only_its_recipient_is_given_it_and_only_who_left_it_withdraws),
        CUSTODY(after_thirty_days_it_is_let_go),
        CUSTODY(where_custody_is_not_allowed_nothing_is_held),
        CUSTODY(mail_for_who_is_off_is_left_and_tells_the_recipient_alone),
        cmocka_unit_test_setup_teardown(
            who_may_not_read_yet_is_left_headers_and_the_rest_when_it_may,
            given_a_core_that_others_joined_just_now, then_it_ends),
        CUSTODY(who_said_a_head_that_is_not_ours_is_left_no_key),
        CUSTODY(what_was_reported_is_withdrawn),
        CUSTODY(who_is_suspended_meanwhile_finds_nothing),
        CUSTODY(what_an_envelope_holds_is_kept_and_then_taken),
        CUSTODY(who_gives_without_end_is_not_heard_to_the_end),
        CUSTODY(what_comes_before_its_time_stays_there),
        CUSTODY(what_its_writer_did_not_sign_is_forgotten),
        CUSTODY(a_report_counts_by_its_reporters_signature_alone),
        CUSTODY(a_mailbox_key_is_published_and_its_secret_destroyed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
