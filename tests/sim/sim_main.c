/* sim --story NAME [--seed N] [--trace]
 * sim --story NAME --seeds N [--seed N]
 * sim --years N [--seed N] [--days N]
 *
 * Runs one story twice and compares the hashes of what happened: chance has one source. Or runs it
 * with N seeds, each in a process of its own, and counts those that fail; the first one twice. A
 * year is the story `year`, or its first days. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/story.h"

static const struct {
    const char *name;
    void (*tell)(struct world *world);
} sim_stories[] = {
#define STORY_ROW(name, function) {#name, function},
    STORY_LIST(STORY_ROW)
#undef STORY_ROW
        {"year", story_year},
};

static uint64_t sim_days = 365;

static uint64_t sim_tell(size_t index, uint64_t seed, bool is_traced)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL)
        abort();
    world->story = sim_stories[index].name;
    world->seed = seed;
    world->is_traced = is_traced;
    world->days = sim_days;
    sim_stories[index].tell(world);
    uint64_t trace = world->trace;
    printf("%s: seed %llu, %llu events, %.0f s, trace %016llx\n", world->story,
           (unsigned long long)seed, (unsigned long long)world->event_count,
           (double)world->now / 1000, (unsigned long long)trace);
    world_end(world);
    free(world);
    return trace;
}

static size_t sim_find(const char *story)
{
    size_t count = sizeof sim_stories / sizeof sim_stories[0];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sim_stories[i].name, story) == 0)
            return i;
    }
    return count;
}

static int sim_twice(size_t index, uint64_t seed)
{
    if (sim_tell(index, seed, false) == sim_tell(index, seed, false))
        return 0;
    printf("the same seed did not do the same: sim --story %s --seed %llu\n",
           sim_stories[index].name, (unsigned long long)seed);
    return 1;
}

/* Each is a process of its own: one that fails does not end the others. */
static int sim_many(size_t index, uint64_t count, uint64_t seed)
{
    bool is_year = strcmp(sim_stories[index].name, "year") == 0;
    uint64_t told = 0, failures = 0;
    for (uint64_t i = 0; i < count; i++) {
        int status = 1;
        (void)fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            status = i == 0 ? sim_twice(index, seed) : 0;
            if (i > 0)
                (void)sim_tell(index, seed + i, false);
            exit(status);
        }
        if (child > 0)
            (void)waitpid(child, &status, 0);
        if (child > 0 && WIFSIGNALED(status)) /* it said nothing itself */
            printf("ended by signal %d\nsim --story %s --seed %llu\n", WTERMSIG(status),
                   sim_stories[index].name, (unsigned long long)(seed + i));
        told++;
        failures += status == 0 ? 0 : 1;
    }
    if (is_year) /* one that failed was not a year */
        printf("g14.years %.2f years\ng14.failures %llu failures\n",
               (double)((told - failures) * sim_days) / 365, (unsigned long long)failures);
    else
        printf("sim.told %llu stories\nsim.failures %llu failures\n", (unsigned long long)told,
               (unsigned long long)failures);
    return failures == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *story = "";
    uint64_t seed = 1;
    bool is_traced = false;
    uint64_t seeds = 0;
    if (sodium_init() < 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--story") == 0 && has_value)
            story = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0 && has_value)
            seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0 && has_value)
            seeds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--days") == 0 && has_value)
            sim_days = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--years") == 0 && has_value) {
            story = "year";
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--trace") == 0)
            is_traced = true;
    }
    size_t index = sim_find(story);
    if (index == sizeof sim_stories / sizeof sim_stories[0]) {
        printf("no such story; those there are stand in tests/sim/story.h\n");
        return 1;
    }
    if (seeds > 0)
        return sim_many(index, seeds, seed);
    if (!is_traced)
        return sim_twice(index, seed);
    (void)sim_tell(index, seed, true);
    return 0;
}
