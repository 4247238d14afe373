/* The stories: each a scenario with named hospitals, run by its name. */
#ifndef CONSILIUM_TESTS_SIM_STORY_H
#define CONSILIUM_TESTS_SIM_STORY_H

#include "tests/sim/world.h"

/* name, function */
#define STORY_LIST(X)                                                                              \
    X(board_of_three, story_board_of_three)                                                        \
    X(board_of_thirty_two, story_board_of_thirty_two)                                              \
    X(away_a_week, story_away_a_week)                                                              \
    X(cut_in_a_range, story_cut_in_a_range)                                                        \
    X(kills, story_kills)                                                                          \
    X(partition, story_partition)                                                                  \
    X(consult, story_consult)                                                                      \
    X(future_record, story_future_record)                                                          \
    X(skewed_clocks, story_skewed_clocks)                                                          \
    X(expired_record, story_expired_record)                                                        \
    X(bad_signature_in_a_run, story_bad_signature_in_a_run)                                        \
    X(bad_peer, story_bad_peer)                                                                    \
    X(equivocation, story_equivocation)                                                            \
    X(lone_witness, story_single_witness)                                                          \
    X(unknown_kind, story_unknown_kind)                                                            \
    X(cooling_off, story_cooling_off)                                                              \
    X(suspended, story_suspended)                                                                  \
    X(disk_full, story_disk_full)                                                                  \
    X(compare_first, story_compare_first)                                                          \
    X(crash_before_grant, story_crash_before_grant)                                                \
    X(random_walk, story_random_walk)                                                              \
    X(twins, story_twins)                                                                          \
    X(hostile_frames, story_hostile_frames)                                                        \
    X(late_certificate, story_late_certificate)                                                    \
    X(erase_while_writing, story_erase_while_writing)                                              \
    X(erase_cut_short, story_erase_cut_short)                                                      \
    X(case_has_no_expiry, story_case_has_no_expiry)                                                \
    X(clock_set_right, story_clock_set_right)                                                      \
    X(newcomer_is_reached, story_newcomer_is_reached)                                              \
    X(wrong_audience, story_wrong_audience)                                                        \
    X(written_once, story_written_once)                                                            \
    X(disk_flickers, story_disk_flickers)                                                          \
    X(only_relays, story_only_relays)                                                              \
    X(ways_change, story_ways_change)                                                              \
    X(little_credit, story_little_credit)                                                          \
    X(hostile_relay, story_hostile_relay)                                                          \
    X(hostile_only, story_hostile_only)                                                            \
    X(swallowing_relay, story_swallowing_relay)                                                    \
    X(starving_relay, story_starving_relay)                                                        \
    X(shrinking_relay, story_shrinking_relay)                                                      \
    X(suspended_at_relay, story_suspended_at_relay)                                                \
    X(duties_refused, story_duties_refused)                                                        \
    X(late_participant, story_late_participant)                                                    \
    X(many_cases, story_many_cases)                                                                \
    X(never_together, story_never_together)                                                        \
    X(custodians_fail, story_custodians_fail)                                                      \
    X(erased_at_custodians, story_erased_at_custodians)                                            \
    X(forged_run, story_forged_run)                                                                \
    X(persistent_forger, story_persistent_forger)                                                  \
    X(burst, story_burst)                                                                          \
    X(spoiled_burst, story_spoiled_burst)                                                          \
    X(refused_in_a_run, story_refused_in_a_run)                                                    \
    X(removed, story_removed)                                                                      \
    X(two_words, story_two_words)                                                                  \
    X(put_back, story_put_back)                                                                    \
    X(one_wrong_clock, story_one_wrong_clock)                                                      \
    X(grant_ended, story_grant_ended)                                                              \
    X(mail_days, story_mail_days)                                                                  \
    X(uninvited_writer, story_uninvited_writer)                                                    \
    X(other_chain, story_other_chain)                                                              \
    X(falling_heads, story_falling_heads)                                                          \
    X(two_put_back, story_two_put_back)                                                            \
    X(erased_apart, story_erased_apart)                                                            \
    X(case_in_order, story_case_in_order)                                                          \
    X(fast_clocks, story_fast_clocks)                                                              \
    X(two_liars, story_two_liars)                                                                  \
    X(backdated, story_backdated)                                                                  \
    X(released_ahead, story_released_ahead)

#define STORY_DECLARE(name, function) void function(struct world *world);
STORY_LIST(STORY_DECLARE)
#undef STORY_DECLARE
void story_year(struct world *world);

/* The streams settle within `ms`, or the story fails. */
void story_settle(struct world *world, uint64_t ms);
/* A post succeeds within ten seconds. */
struct outcome story_done(struct world *world, uint64_t token);

#endif
