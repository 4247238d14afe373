/* replay FILE [KEY]
 *
 * Plays a node's recording (the setting `recordings`) again: the core must leave at each event what
 * it left at the hospital. KEY is FILE.key when it is not named. Says where it begins to differ, or
 * where the recording breaks off, as it does when the node was ended by what it was told last. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/runtime/recording.h"
#include "tests/sim/player.h"

struct replay {
    struct player *player;
    unsigned long long event_count;
    unsigned long long effect_count;
    struct hash effects;
    bool is_compared; /* the last event's effects were */
};

static const char *replay_entry(struct replay *replay, const struct recording_entry *entry)
{
    struct roster_plan plan = roster_plan_full();
    if (entry->kind == RECORDING_CONFIG && replay->player == NULL) {
        replay->player = player_new(entry->content, &plan);
        return replay->player == NULL ? "its configuration cannot be read" : NULL;
    }
    if (replay->player == NULL)
        return "it does not begin with a configuration";
    switch (entry->kind) {
    case RECORDING_CONFIG:
        return "a second configuration";
    case RECORDING_ROSTER:
        return player_roster(replay->player, entry->content) == OK ? NULL : "a roster is refused";
    case RECORDING_EVENT:
        replay->event_count++;
        replay->is_compared = false;
        if (player_event(replay->player, entry->content, &replay->effects) != OK)
            return "an event cannot be read";
        replay->effect_count += player_effect_count(replay->player);
        return NULL;
    case RECORDING_EFFECTS:
        if (replay->is_compared || entry->content.size != HASH_SIZE ||
            memcmp(entry->content.data, replay->effects.bytes, HASH_SIZE) != 0)
            return "its effects differ";
        replay->is_compared = true;
        return NULL;
    case RECORDING_END:
        return replay->is_compared ? NULL : "its effects were not recorded";
    }
    return "an entry of no known kind";
}

int main(int argc, char **argv)
{
    char key_path[RECORDING_PATH_SIZE + 8];
    struct recording_reader *reader = NULL;
    struct recording_entry entry = {0};
    struct replay replay = {0};
    if (argc < 2 || argc > 3 || sodium_init() < 0) {
        fprintf(stderr, "usage: replay FILE [KEY]\n");
        return 2;
    }
    snprintf(key_path, sizeof key_path, "%s%s", argc == 3 ? argv[2] : argv[1],
             argc == 3 ? "" : ".key");
    err failure = recording_open(argv[1], key_path, &reader);
    const char *fault = NULL;
    while (failure == OK && fault == NULL && entry.kind != RECORDING_END) {
        failure = recording_next(reader, &entry);
        if (failure == OK)
            fault = replay_entry(&replay, &entry);
    }
    bool is_broken_off = failure == ERR_TRUNCATED && replay.event_count > 0;
    if (failure != OK && !is_broken_off)
        fault = err_sentence(failure);
    printf("%llu events, %llu effects%s%s\n", replay.event_count, replay.effect_count,
           fault == NULL ? ", all the same" : ": ", fault == NULL ? "" : fault);
    if (fault == NULL && is_broken_off)
        printf("the recording breaks off there: the node was ended\n");
    if ((fault != NULL || is_broken_off) && replay.player != NULL)
        printf("the last event is of kind %d\n", (int)player_kind(replay.player));
    player_free(replay.player);
    recording_close(reader);
    return fault == NULL ? 0 : 1;
}
