/* A core that is told what another one was told, from bytes alone, and must leave the same. */
#ifndef CONSILIUM_TESTS_SIM_PLAYER_H
#define CONSILIUM_TESTS_SIM_PLAYER_H

#include "protocol/engine/event_codec.h"

struct player;

/* NULL when `config` (event_codec_config_write) cannot be read, or there is no memory. */
struct player *player_new(struct bytes config, const struct roster_plan *plan);
void player_free(struct player *player);

/* The roster as it is from now on: roster_export_write, or empty. Errors as roster_export_read. */
MUST_USE err player_roster(struct player *player, struct bytes roster);

/* One event (event_codec_event_write); `*ret_effects` is event_codec_effects of what it left. */
MUST_USE err player_event(struct player *player, struct bytes event, struct hash *ret_effects);
/* What the last event was, and what it left. */
enum event_kind player_kind(const struct player *player);
size_t player_effect_count(const struct player *player);

#endif
