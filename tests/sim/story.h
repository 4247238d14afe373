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
    X(consult, story_consult)

#define STORY_DECLARE(name, function) void function(struct world *world);
STORY_LIST(STORY_DECLARE)
#undef STORY_DECLARE

/* The streams settle within `ms`, or the story fails. */
void story_settle(struct world *world, uint64_t ms);
/* A post succeeds within ten seconds. */
struct outcome story_done(struct world *world, uint64_t token);

#endif
