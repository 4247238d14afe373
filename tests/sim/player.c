#include "tests/sim/player.h"

#include <stdlib.h>

#include "protocol/roster/roster_export.h"

struct player {
    struct engine_config config;
    struct roster_plan plan;
    struct roster roster;
    void *roster_memory;
    void *engine_memory;
    struct engine *engine;
    struct step step;
    struct event_codec_room room;
    struct event event;
};

struct player *player_new(struct bytes config, const struct roster_plan *plan)
{
    struct player *player = calloc(1, sizeof *player);
    if (player == NULL)
        return NULL;
    player->plan = *plan;
    player->config.roster = &player->roster;
    player->roster_memory = calloc(1, roster_size(plan));
    player->step.arena = calloc(1, STEP_ARENA_SIZE);
    if (event_codec_config_read(config, &player->config) == OK)
        player->engine_memory = calloc(1, engine_memory_size(&player->config));
    if (player->roster_memory == NULL || player->step.arena == NULL ||
        player->engine_memory == NULL) {
        player_free(player);
        return NULL;
    }
    roster_init(&player->roster, plan, player->roster_memory, &player->config.self,
                &player->config.federation);
    player->engine = engine_new(player->engine_memory, &player->config);
    return player;
}

void player_free(struct player *player)
{
    if (player == NULL)
        return;
    free(player->step.arena);
    free(player->engine_memory);
    free(player->roster_memory);
    free(player);
}

err player_roster(struct player *player, struct bytes roster)
{
    roster_init(&player->roster, &player->plan, player->roster_memory, &player->config.self,
                &player->config.federation);
    return roster.size == 0 ? OK : roster_export_read(&player->roster, roster);
}

err player_event(struct player *player, struct bytes event, struct hash *ret_effects)
{
    err failure = event_codec_event_read(event, &player->room, &player->event);
    if (failure != OK)
        return failure;
    engine_step(player->engine, &player->event, &player->step);
    *ret_effects = event_codec_effects(&player->step);
    return OK;
}

enum event_kind player_kind(const struct player *player)
{
    return player->event.kind;
}

size_t player_effect_count(const struct player *player)
{
    return player->step.effect_count;
}
