/* sim --story NAME [--seed N] [--trace] | --list
 *
 * Runs one story twice and compares the hashes of what happened: chance has one source. */
#include <string.h>

#include "tests/sim/story.h"

static const struct {
    const char *name;
    void (*tell)(struct world *world);
} sim_stories[] = {
#define STORY_ROW(name, function) {#name, function},
    STORY_LIST(STORY_ROW)
#undef STORY_ROW
};

static uint64_t sim_tell(size_t index, uint64_t seed, bool is_traced)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL)
        abort();
    world->story = sim_stories[index].name;
    world->seed = seed;
    world->is_traced = is_traced;
    sim_stories[index].tell(world);
    uint64_t trace = world->trace;
    printf("%s: seed %llu, %llu events, %.0f s, trace %016llx\n", world->story,
           (unsigned long long)seed, (unsigned long long)world->event_count,
           (double)world->now / 1000, (unsigned long long)trace);
    world_end(world);
    free(world);
    return trace;
}

int main(int argc, char **argv)
{
    const char *story = "";
    uint64_t seed = 1;
    bool is_traced = false;
    int told = 0;
    if (sodium_init() < 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--story") == 0 && has_value)
            story = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0 && has_value)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--trace") == 0)
            is_traced = true;
    }
    for (size_t i = 0; i < sizeof sim_stories / sizeof sim_stories[0]; i++) {
        if (strcmp(sim_stories[i].name, story) != 0)
            continue;
        uint64_t trace = sim_tell(i, seed, is_traced);
        if (!is_traced && sim_tell(i, seed, false) != trace) {
            printf("the same seed did not do the same: sim --story %s --seed %llu\n", story,
                   (unsigned long long)seed);
            return 1;
        }
        told++;
    }
    if (told == 0)
        printf("no such story; those there are stand in tests/sim/story.h\n");
    return told == 0;
}
