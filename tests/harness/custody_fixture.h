/* One core with two others, and the shell's part of custody: for the tests of what is held for
 * others, left with others and collected (spec/custody.md). */
#ifndef CONSILIUM_TESTS_HARNESS_CUSTODY_FIXTURE_H
#define CONSILIUM_TESTS_HARNESS_CUSTODY_FIXTURE_H

#include "protocol/contents/mirror.h"
#include "protocol/record/mailbox.h"
#include "protocol/wire/frame_custody.h"
#include "protocol/wire/sealed_message.h"
#include "tests/harness/single_said.h"

enum { TWO = 2, THREE = 3, HELD = 600, ROOM = FRAME_SIZE_MAX };

#define DAYS(n) ((uint64_t)(n)*24 * FEDERATION_HOUR_MS)

/* The shell's part: an envelope is the key it is sealed to, then the letter. */
struct service {
    struct mailbox_key made;
    unsigned made_count, held, let_go, fetched, forgotten;
    err keeps;
    bool has_lost_secret;
    uint8_t envelope[ROOM];
    size_t envelope_size;
    uint64_t number;
    struct frame_record letter;
    uint8_t letter_bytes[ROOM];
};

extern struct service service;

/* Gives the core the answer to an EFFECT_CUSTODY. */
void answer(struct single *single, const struct effect *effect, err verdict, struct bytes letter);

/* The link of hospital `who` goes down. */
void leave_link(struct single *single, uint32_t who);

/* The society puts the drafted head in force, and the core is told. */
void take_head(struct single *single);

/* Sets up a core with two others on its links, whose cooling-off is not over. */
int given_a_engine_that_others_joined_just_now(void **state);

/* Sets up a core with two others on its links, past their cooling-off. */
int given_a_engine_with_two_others(void **state);

/* Releases what was set up. */
int then_it_ends(void **state);

/* TWO gives an envelope, if it was asked for one; sealed to the last key that we made. */
void give_envelope(struct single *single, uint64_t number, struct bytes letter);

/* Counts the COLLECT frames that the core sends, after hospital THREE left. */
size_t collects(struct single *single);

#define CUSTODY(name)                                                                              \
    cmocka_unit_test_setup_teardown(name, given_a_engine_with_two_others, then_it_ends)

#endif
