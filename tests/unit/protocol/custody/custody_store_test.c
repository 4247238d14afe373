/* Goal: envelopes for others are held within quotas, for thirty days, for their recipient alone,
 * and said to be held when that is durable (spec/custody.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/harness/custody_fixture.h"

static void leave(struct single *single, uint32_t from, uint32_t to, uint8_t number)
{
    uint8_t memory[256];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_leave what = {
        {{number, 1}}, single->hospitals[to].node, bytes_of_text("sealed")};
    what.id.bytes[2] = (uint8_t)(number == 0 ? single->counts.sent : 0);
    frame_custody_leave_write(&out, &what);
    single_hear(single, from, buffer_bytes(&out));
}

static enum frame_custody_verdict answered(struct single *single)
{
    const struct single_said *said = &single->said[FRAME_CUSTODY_ANSWER];
    struct frame_custody_answer answer;
    assert_int_equal(frame_custody_answer_read((struct bytes){said->bytes, said->size}, &answer),
                     OK);
    return answer.verdict;
}

static uint64_t given(struct single *single, uint32_t who)
{
    uint8_t memory[16];
    struct buffer out = buffer_over(memory, sizeof memory);
    struct frame_custody_envelope answer;
    const struct single_said *said = &single->said[FRAME_CUSTODY_ENVELOPE];
    frame_custody_collect_write(&out, 0);
    single_hear(single, who, buffer_bytes(&out));
    assert_int_equal(said->links, 1u << who);
    assert_int_equal(frame_custody_envelope_read((struct bytes){said->bytes, said->size}, &answer),
                     OK);
    return answer.number;
}

static void held_is_said_when_it_is_durable(void **state)
{
    struct single *single = *state;
    service.keeps = ERR_FULL;
    leave(single, TWO, THREE, 1);
    assert_int_equal(answered(single), FRAME_CUSTODY_FULL);
    assert_int_equal(given(single, THREE), 0);
    service.keeps = OK;
    leave(single, TWO, THREE, 1);
    assert_int_equal(answered(single), FRAME_CUSTODY_HELD);
    leave(single, TWO, THREE, 1); /* again: what is here stays */
    assert_int_equal(answered(single), FRAME_CUSTODY_HELD);
    assert_int_equal(service.held, 2);
    leave(single, TWO, TWO, 2);
    assert_int_equal(answered(single), FRAME_CUSTODY_REFUSED);
    leave(single, TWO, SINGLE_SELF, 2);
    assert_int_equal(answered(single), FRAME_CUSTODY_REFUSED);
}

/* CU-7 */
static void one_depositor_uses_up_its_own_quota(void **state)
{
    struct single *single = *state;
    for (int i = 0; i < CUSTODY_PAIR_COUNT_MAX; i++) {
        leave(single, TWO, THREE, 0);
        assert_int_equal(answered(single), FRAME_CUSTODY_HELD);
    }
    leave(single, TWO, THREE, 0);
    assert_int_equal(answered(single), FRAME_CUSTODY_FULL);
    assert_int_equal(service.held, CUSTODY_PAIR_COUNT_MAX);
    leave(single, THREE, TWO, 0);
    assert_int_equal(answered(single), FRAME_CUSTODY_HELD);
}

/* CU-8 */
static void only_its_recipient_is_given_it_and_only_who_left_it_withdraws(void **state)
{
    struct single *single = *state;
    uint8_t memory[64];
    struct deposit_id id = {{1, 1}};
    leave(single, TWO, THREE, 1);
    assert_int_equal(given(single, TWO), 0);
    assert_int_equal(given(single, THREE), service.number);
    struct buffer out = buffer_over(memory, sizeof memory);
    frame_custody_withdraw_write(&out, &id, 1);
    single_hear(single, THREE, buffer_bytes(&out));
    assert_int_equal(service.let_go, 0);
    struct buffer taken = buffer_over(memory + 40, 16);
    frame_custody_taken_write(&taken, service.number);
    single_hear(single, TWO, buffer_bytes(&taken));
    assert_int_equal(service.let_go, 0);
    single_hear(single, TWO, buffer_bytes(&out));
    assert_int_equal(service.let_go, 1);
    assert_int_equal(given(single, THREE), 0);
    leave(single, TWO, THREE, 1);
    frame_custody_taken_write(&taken, service.number);
    taken = buffer_over(memory + 40, 16);
    frame_custody_taken_write(&taken, service.number);
    single_hear(single, THREE, buffer_bytes(&taken));
    assert_int_equal(service.let_go, 2);
}

/* CU-6 */
static void after_thirty_days_it_is_let_go(void **state)
{
    struct single *single = *state;
    leave(single, TWO, THREE, 1);
    single_tick(single, DAYS(15));
    leave(single, TWO, THREE, 1); /* no longer for that */
    single_tick(single, DAYS(15) - 2000);
    assert_int_equal(service.let_go, 0);
    single_tick(single, 4000);
    assert_int_equal(service.let_go, 1);
}

/* CU-12 */
static void where_custody_is_not_allowed_nothing_is_held(void **state)
{
    struct single *single = *state;
    leave(single, TWO, THREE, 1);
    struct settings settings;
    federation_settings(&settings);
    settings.custody_allowed = false;
    federation_put_settings(&single->federation, &settings);
    take_head(single);
    single_tick(single, 1000);
    assert_int_equal(service.let_go, 1);
    leave(single, TWO, THREE, 1);
    assert_int_equal(answered(single), FRAME_CUSTODY_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CUSTODY(held_is_said_when_it_is_durable),
        CUSTODY(one_depositor_uses_up_its_own_quota),
        CUSTODY(only_its_recipient_is_given_it_and_only_who_left_it_withdraws),
        CUSTODY(after_thirty_days_it_is_let_go),
        CUSTODY(where_custody_is_not_allowed_nothing_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
